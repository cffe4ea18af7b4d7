//! How much is asked while something does not work: as much as the pauses allow, and each thing is
//! said once.

use azfake::LoggedRequest;
use k8s_openapi::jiff::Timestamp;
use serde_json::json;
use testbed::AuditEvent;

use super::{application, credentials_of};
use crate::support::manifests::external_secret;
use crate::support::run;
use crate::support::scene::Scene;

/// Failures that a test waits for: the third comes 3 s after the first.
const FAILURES: u64 = 3;
/// ExternalSecrets that fail together.
const CROWD: usize = 40;

/// The object's failure was written once, as a status and as an event.
fn assert_said_once(scene: &Scene, name: &str) {
    let mut written = scene.api_calls("update", "externalsecrets/status");
    written.retain(|event| event.name == name);
    assert_eq!(written.len(), 1, "{written:?}");
    let events = scene.api_calls("create", "events");
    let about = events
        .iter()
        .filter(|event| event.name.starts_with(&format!("{name}.")) || event.name.is_empty());
    assert_eq!(about.count(), 1, "{events:?}");
}

#[test]
fn a_refused_read_is_tried_again_after_growing_pauses() {
    run(async {
        let scene = Scene::synced("pace-denied").await;
        scene.fault(&json!({"status": 403}));
        let mark = scene.bed().azure().mark();
        scene.apply(external_secret("refused", json!({}))).await;
        scene.failed_times("refused", FAILURES).await;
        let refused = scene.object("ExternalSecret", "refused");
        scene
            .fails(&refused, "AccessDenied", &["spec.data[0]"])
            .await;
        assert_said_once(&scene, "refused");
        let asked = scene.asked_since(mark);
        let at = |request: &LoggedRequest| request.time.parse::<Timestamp>().unwrap();
        for (pair, least) in asked.windows(2).zip([1.0, 2.0, 4.0, 8.0]) {
            let pause = at(&pair[1]).duration_since(at(&pair[0])).as_secs_f64();
            assert!(
                pause > least - 0.1,
                "{pause} s instead of {least} s: {asked:?}"
            );
        }
        assert!(asked.len() >= 3, "{asked:?}");
    });
}

#[test]
fn a_missing_store_costs_neither_the_vault_nor_the_api_server() {
    run(async {
        let scene = Scene::with_store("pace-store").await;
        let mark = scene.bed().azure().mark();
        scene
            .apply(external_secret(
                "app",
                json!({"secretStoreRef": {"name": "nowhere"}}),
            ))
            .await;
        scene.failed_times("app", FAILURES).await;
        scene
            .fails(
                &scene.object("ExternalSecret", "app"),
                "StoreNotFound",
                &["nowhere"],
            )
            .await;
        assert_eq!(scene.asked_since(mark), []);
        assert_said_once(&scene, "app");
    });
}

/// Nobody waits for that, and a busy API server is late with what somebody waits for.
#[test]
fn a_crowd_that_fails_at_once_is_told_of_a_few_at_a_time() {
    run(async {
        let scene = Scene::synced("pace-crowd").await;
        scene.fault(&json!({"status": 403, "latencyMs": 2000}));
        let names: Vec<String> = (0..CROWD).map(|number| format!("s{number}")).collect();
        for name in &names {
            scene.apply(external_secret(name, json!({}))).await;
        }
        for name in &names {
            let object = scene.object("ExternalSecret", name);
            scene
                .fails(&object, "AccessDenied", &["spec.data[0]"])
                .await;
        }
        let mut told = scene.api_calls("update", "externalsecrets/status");
        told.retain(|event| names.contains(&event.name));
        assert_eq!(told.len(), CROWD);
        let at_once = told.iter().map(|event| {
            let [came, _] = &event.times;
            let is_open = |other: &&AuditEvent| other.times[0] <= *came && *came < other.times[1];
            told.iter().filter(is_open).count()
        });
        let most = at_once.max().unwrap();
        assert!((1..=8).contains(&most), "{most} at a time");
    });
}

/// Only a change of the object can help here: it is left alone, while another one fails and fails.
#[test]
fn a_malformed_reference_is_not_tried_again() {
    run(async {
        let scene = Scene::synced("pace-reference").await;
        let data = json!([{"secretKey": "A", "remoteRef": {"key": "../keys/k"}}]);
        scene
            .apply(external_secret("malformed", json!({"data": data})))
            .await;
        scene
            .fails(
                &scene.object("ExternalSecret", "malformed"),
                "InvalidReference",
                &["remoteRef.key"],
            )
            .await;
        scene.fault(&json!({"status": 403}));
        scene.apply(external_secret("clock", json!({}))).await;
        scene.failed_times("clock", FAILURES).await;
        assert_eq!(
            scene
                .counter("externalsecret_sync_calls_error", "malformed")
                .await,
            1
        );
        assert_said_once(&scene, "malformed");
    });
}

/// What is new has no target as a rule, so that making it is the first request about it.
#[test]
fn the_first_sync_of_a_new_external_secret_asks_for_nothing_that_it_makes() {
    run(async {
        let scene = Scene::synced("pace-first").await;
        let mut reads = scene.api_calls("get", "secrets");
        reads.retain(|event| event.name == "app");
        reads.extend(scene.api_calls("get", "externalsecrets"));
        assert_eq!(reads, []);
        assert_eq!(scene.api_calls("create", "secrets").len(), 1);
    });
}

#[test]
fn a_contested_target_is_not_fought_over() {
    run(async {
        let scene = Scene::synced("pace-target").await;
        let other = external_secret("other", json!({"target": {"name": "app"}}));
        scene.apply(other).await;
        let words = ["owned by another ExternalSecret: app"];
        scene
            .fails(
                &scene.object("ExternalSecret", "other"),
                "TargetOwnedByOther",
                &words,
            )
            .await;
        scene.reconciled("app").await;
        scene.reconciled("other").await;
        // that of the other one tells that there is one
        let codes = scene.api_calls("create", "secrets").into_iter();
        let codes: Vec<u16> = codes.map(|event| event.code).collect();
        assert_eq!(codes, [201, 409]);
        // the annotations by which the test asked for reconciles are copied to the target
        let writes = scene.api_calls("update", "secrets").len();
        assert!(writes <= 2, "{writes} writes of the target");
    });
}

#[test]
fn a_wrong_client_secret_is_not_tried_by_each_consumer() {
    run(async {
        let scene = Scene::new("pace-entra").await;
        let client = application(&scene, "right-client-secret");
        scene
            .apply(credentials_of(&client, "wrong-client-secret"))
            .await;
        scene.apply(scene.store(json!({}))).await;
        scene.ready(&scene.object("SecretStore", "kv")).await;
        let names = ["a", "b", "c", "d"];
        for name in names {
            scene.apply(external_secret(name, json!({}))).await;
        }
        for name in names {
            scene.failed_times(name, FAILURES).await;
            scene
                .fails(
                    &scene.object("ExternalSecret", name),
                    "AuthenticationFailed",
                    &["AADSTS7000215"],
                )
                .await;
        }
        let asked = scene.bed().azure().requests_since(0, "login.").1;
        let mine = asked
            .iter()
            .filter(|request| request.client.as_deref() == Some(&client))
            .count();
        assert!(
            (1..=6).contains(&mine),
            "{mine} sign-ins for {} failures",
            names.len() * 3
        );
    });
}
