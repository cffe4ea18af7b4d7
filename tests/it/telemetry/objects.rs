//! Series per object or sums, and the labels that they bear.

use std::collections::BTreeMap;

use serde_json::json;

use super::corner::Corner;
use super::exposition::Exposition;
use crate::support::manifests::external_secret;
use crate::support::run;

const CONDITION: &str = "externalsecret_status_condition";

fn ready(metrics: &Exposition, status: &str) -> Option<f64> {
    metrics.sum(CONDITION, &[("condition", "Ready"), ("status", status)])
}

#[test]
fn sums_count_external_secrets_and_name_none_of_them() {
    run(async {
        let corner = Corner::new("sums", &["--metrics-per-object=false"]).await;
        corner.good_and_bad().await;
        let metrics = corner.metrics().await;
        let namespace = [("namespace", corner.namespace.as_str())];
        for sample in &metrics.samples {
            let is_of_external_secrets = sample.name.starts_with("externalsecret_");
            let has_name = sample
                .labels
                .get("name")
                .is_some_and(|name| !name.is_empty());
            assert!(!(is_of_external_secrets && has_name), "{sample:?}");
        }
        let counts = [ready(&metrics, "True"), ready(&metrics, "False")];
        assert_eq!(counts, [Some(1.0), Some(1.0)]);
        assert!(metrics.sum("externalsecret_sync_calls_total", &[]) >= Some(2.0));
        assert!(metrics.sum("externalsecret_sync_calls_error", &[]) >= Some(1.0));
        // stores are few: they keep theirs
        let stores = metrics.series("secretstore_status_condition", &namespace);
        assert!(stores.len() >= 2, "{stores:?}");
        corner.delete("ExternalSecret", "bad").await;
        let is_gone = |metrics: &Exposition| ready(metrics, "False") == Some(0.0);
        corner.told("nobody fails", is_gone).await;
        assert_eq!(ready(&corner.metrics().await, "True"), Some(1.0));
    });
}

#[test]
fn an_external_secret_has_at_most_six_series_and_none_when_it_is_gone() {
    run(async {
        let corner = Corner::new("series", &[]).await;
        corner.good_and_bad().await;
        let of = |metrics: &Exposition, name: &str| {
            let has = |label: &str, value: &str, labels: &BTreeMap<String, String>| {
                labels.get(label).map(String::as_str) == Some(value)
            };
            let samples = metrics.samples.iter();
            samples
                .filter(|sample| has("name", name, &sample.labels))
                .filter(|sample| has("namespace", &corner.namespace, &sample.labels))
                .count()
        };
        let metrics = corner.metrics().await;
        assert_eq!((of(&metrics, "good"), of(&metrics, "bad")), (4, 5));
        corner.delete("ExternalSecret", "bad").await;
        corner
            .told("no series of what is gone", |metrics| {
                of(metrics, "bad") == 0
            })
            .await;
    });
}

#[test]
fn extended_labels_are_the_recommended_labels_of_the_object() {
    run(async {
        let corner = Corner::new("extended", &["--enable-extended-metric-labels"]).await;
        let mut labelled = external_secret("good", json!({}));
        let labels = |part_of: &str| json!({"app.kubernetes.io/part-of": part_of, "tier": "a"});
        labelled["metadata"]["labels"] = labels("shop");
        corner.apply(labelled.clone()).await;
        let is_of = |metrics: &Exposition, part_of: &str| {
            let labels = [("name", "good"), ("app_kubernetes_io_part_of", part_of)];
            let conditions = metrics.series(CONDITION, &labels);
            conditions.len() == 2
                && conditions.iter().all(|sample| {
                    sample.labels["app_kubernetes_io_name"].is_empty()
                        && !sample.labels.contains_key("tier")
                })
                && metrics.sum("externalsecret_sync_calls_total", &labels) >= Some(1.0)
        };
        corner
            .told("of the shop", |metrics| is_of(metrics, "shop"))
            .await;
        labelled["metadata"]["labels"] = labels("bank");
        corner.apply(labelled).await;
        corner
            .told("of the bank", |metrics| {
                is_of(metrics, "bank") && !is_of(metrics, "shop")
            })
            .await;
        let of_calls = corner.metrics().await;
        for sample in of_calls.series("externalsecret_provider_api_calls_count", &[]) {
            assert_eq!(sample.labels.len(), 3, "{sample:?}");
        }
    });
}
