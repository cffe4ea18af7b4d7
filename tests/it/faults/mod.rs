//! What users see of faults: each is played on a real API server, must be told with its cause and its
//! remedy, and stands with its exact words in docs/troubleshooting.md. `KEYFERRY_BLESS=1` writes the page.

#![expect(
    clippy::unwrap_used,
    reason = "clippy's exception for tests does not reach their helpers"
)]

mod access;
mod fault;
mod network;
mod objects;
mod page;
mod play;
mod sign_in;

use std::sync::Arc;
use std::thread;

use serde_json::json;
use tokio::sync::Semaphore;

use self::fault::Fault;
use self::page::Section;
use crate::support::manifests::external_secret;
use crate::support::scene::Scene;
use crate::support::{marked, run};

const PAGE: &str = "docs/troubleshooting.md";
/// So many at once: each waits most of the time.
const AT_ONCE: usize = 16;

/// All faults, by the tables of the page.
fn sections() -> Vec<(&'static str, Vec<Fault>)> {
    vec![
        ("Network", network::faults()),
        ("Proxies", network::proxies()),
        ("Azure's services", network::services()),
        ("Service principals", sign_in::principals()),
        ("Credential Secrets", sign_in::credentials()),
        ("Federated credentials", sign_in::federations()),
        ("Workload identity", sign_in::workloads()),
        ("Managed identity", sign_in::machines()),
        ("Rights", access::vaults()),
        ("Stores", access::stores()),
        ("Objects in the vault", objects::vaults()),
        ("References", objects::references()),
    ]
}

#[test]
fn every_fault_is_told_with_cause_and_remedy_and_stands_in_the_page() {
    let (seen, untold) = play_all(sections());
    assert!(untold.is_empty(), "{}", untold.join("\n"));
    marked::hold(PAGE, "faults", &page::tables(&seen));
}

/// Plays all side by side: what was seen, and what was not told as it must be.
fn play_all(sections: Vec<(&'static str, Vec<Fault>)>) -> (Vec<Section>, Vec<String>) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let start = |fault: Fault| {
        let (title, places) = (fault.title, Arc::clone(&places));
        let playing = thread::spawn(move || {
            run(async move {
                let _place = places.acquire().await.unwrap();
                play::play(&fault).await
            })
        });
        (title, playing)
    };
    let started = sections
        .into_iter()
        .map(|(title, faults)| (title, faults.into_iter().map(start).collect::<Vec<_>>()));
    let started: Vec<_> = started.collect();
    let (mut seen, mut untold) = (Vec::new(), Vec::new());
    for (section, playing) in started {
        let mut rows = Vec::new();
        for (title, playing) in playing {
            match playing.join() {
                Ok(row) => rows.push((title, row)),
                Err(panic) => {
                    let words = panic
                        .downcast_ref::<String>()
                        .map_or("panicked", |text| text);
                    untold.push(format!("{title}: {words}"));
                }
            }
        }
        seen.push(Section {
            title: section,
            rows,
        });
    }
    (seen, untold)
}

#[test]
fn a_secret_out_of_its_time_is_no_fault_and_is_read() {
    run(async {
        let scene = Scene::with_store("out-of-time").await;
        let content = json!({"secrets": {
            "old": {"value": "old", "exp": 1_577_836_800},
            "new": {"value": "new", "nbf": 4_102_444_800_u64},
        }});
        scene.bed().seed(&scene.namespace, content).unwrap();
        let data = json!([{"secretKey": "OLD", "remoteRef": {"key": "old"}},
            {"secretKey": "NEW", "remoteRef": {"key": "new"}}]);
        scene
            .apply(external_secret("app", json!({"data": data})))
            .await;
        scene.holds("app", "OLD", "old").await;
        scene.holds("app", "NEW", "new").await;
    });
}
