//! Alerts, dashboard and the tables of docs/ name only what there is.

use std::collections::BTreeSet;
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use keyferry::telemetry::{Metrics, WorkResult};

use super::helm::CHART;
use crate::support::settings::repository;

/// Families that every process exports and that neither alerts nor dashboard need: for whoever asks Prometheus by hand.
const UNREAD: [&str; 3] = [
    "process_start_time_seconds",
    "process_threads",
    "process_virtual_memory_bytes",
];

/// The families that the operator exports, with one series each.
fn exported() -> BTreeSet<String> {
    let metrics = Metrics::new().unwrap();
    metrics.sync_called("n", "o");
    metrics.sync_failed("n", "o");
    metrics.provider_called("p", "c", true);
    let kinds = [
        &metrics.external_secret,
        &metrics.secret_store,
        &metrics.cluster_secret_store,
    ];
    for kind in kinds {
        kind.set_ready("n", "o", true);
        kind.set_duration("n", "o", Duration::ZERO);
    }
    let controller = metrics.work.controller("c", 1);
    let work = controller.began(Duration::ZERO);
    controller.ended(work, WorkResult::Success, Duration::ZERO);
    metrics.requests.answered(Some(200), "GET", "h");
    let _vault = metrics.vaults.vault("v");
    metrics.set_leader("l", true);
    metrics.set_expiry("n", "o", Some(Timestamp::UNIX_EPOCH));
    let text = metrics.render().unwrap();
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    types
        .filter_map(|line| line.split(' ').next())
        .map(str::to_owned)
        .collect()
}

/// The words of a text that look like families of the kinds.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words
        .filter(|word| {
            let kinds = [
                "externalsecret_",
                "secretstore_",
                "clustersecretstore_",
                "pushsecret_",
            ];
            let frameworks = [
                "controller_runtime_",
                "workqueue_",
                "rest_client_",
                "keyferry_",
                "leader_election_",
                "process_",
            ];
            kinds
                .iter()
                .chain(&frameworks)
                .any(|start| word.starts_with(start))
        })
        // a histogram is read by its buckets
        .map(|word| word.trim_end_matches("_bucket").to_owned())
        .collect()
}

#[test]
fn alerts_and_dashboard_read_only_metrics_that_are_exported() {
    let exported = exported();
    let mut all = BTreeSet::new();
    for file in ["alerts.yaml", "dashboard.json"] {
        let text = std::fs::read_to_string(repository().join(CHART).join("files").join(file));
        let named = named(&text.unwrap());
        let unknown: Vec<_> = named.difference(&exported).collect();
        assert!(unknown.is_empty(), "{file} reads {unknown:?}");
        all.extend(named);
    }
    let unread: Vec<_> = exported.difference(&all).collect();
    assert_eq!(unread, UNREAD.iter().collect::<Vec<_>>());
}
