//! `rest_client_requests_total` counts what the API server was asked.

use super::corner::Corner;
use crate::support::run;

#[test]
fn requests_to_the_api_server_are_counted_by_code_method_and_host() {
    run(async {
        let corner = Corner::new("requests", &[]).await;
        corner.good_and_bad().await;
        let metrics = corner.metrics().await;
        let family = "rest_client_requests_total";
        for (method, code) in [("GET", "200"), ("POST", "201"), ("PUT", "200")] {
            let labels = [("method", method), ("code", code)];
            let count = metrics.sum(family, &labels).unwrap_or_default();
            assert!(
                count >= 1.0,
                "{method} {code}: {:?}",
                metrics.series(family, &[])
            );
        }
        for sample in metrics.series(family, &[]) {
            let host = &sample.labels["host"];
            assert!(host.starts_with("127.0.0.1:"), "{host}");
            assert_eq!(sample.labels.len(), 3, "{sample:?}");
        }
    });
}
