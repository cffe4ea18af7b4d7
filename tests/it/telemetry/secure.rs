//! /metrics by TLS. Who may read is in `chart/metrics_access.rs`.

use std::time::Duration;

use reqwest::{Certificate, Client};

use super::corner::Corner;
use crate::support::run;
use crate::support::scene::eventually;

/// Trusts these certificates only; `None`: any.
fn client(trusted: Option<&str>) -> Client {
    // there may be one already
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(10));
    builder = match trusted {
        None => builder.tls_danger_accept_invalid_certs(true),
        Some(pem) => builder.tls_certs_only(Certificate::from_pem_bundle(pem.as_bytes()).unwrap()),
    };
    builder.build().unwrap()
}

#[test]
fn metrics_are_served_by_tls_with_the_certificate_of_the_files_as_it_is_now() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let flag = format!("--metrics-cert-dir={}", folder.path().display());
        // the store is waited for without a look at /metrics
        let corner = Corner::new("secure", &["--metrics-secure", &flag]).await;
        let url = format!("localhost:{}/metrics", corner.operator.metrics_port());
        let read = async |client: Client| {
            let answer = client.get(format!("https://{url}")).send().await.ok()?;
            answer.text().await.ok()
        };
        // none there yet: self-signed
        let text = read(client(None)).await.unwrap();
        assert!(
            text.contains("controller_runtime_reconcile_total"),
            "{text}"
        );
        let in_clear = client(None).get(format!("http://{url}")).send().await;
        assert!(in_clear.is_err(), "{in_clear:?}");
        let mut last = None;
        for _ in 0..2 {
            let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
            let pem = made.cert.pem();
            std::fs::write(folder.path().join("tls.crt"), &pem).unwrap();
            std::fs::write(
                folder.path().join("tls.key"),
                made.signing_key.serialize_pem(),
            )
            .unwrap();
            eventually("the certificate that was put there", async || {
                read(client(Some(&pem))).await
            })
            .await;
            if let Some(last) = last.replace(pem) {
                assert!(read(client(Some(&last))).await.is_none());
            }
        }
    });
}
