//! Refreshes that are due: what changed is found by one listing and read, what did not is not
//! (docs/refresh.md).

use serde_json::{Value, json};

use crate::support::cluster::{array, text};
use crate::support::manifests::{external_secret, ready, value};
use crate::support::run;
use crate::support::scene::{Scene, eventually};

/// Two secrets of the vault, looked at every two seconds.
fn pair(more: Value) -> Value {
    let mut spec = json!({
        "refreshInterval": "2s",
        "data": [
            {"secretKey": "USER", "remoteRef": {"key": "user"}},
            {"secretKey": "PASSWORD", "remoteRef": {"key": "password"}},
        ],
    });
    crate::support::manifests::replace(&mut spec, more);
    external_secret("app", spec)
}

async fn synced(prefix: &str, object: Value) -> Scene {
    let scene = Scene::with_store(prefix).await;
    scene.put("user", "admin");
    scene.apply(object).await;
    scene.ready(&scene.object("ExternalSecret", "app")).await;
    scene
}

fn count(scene: &Scene, mark: u64, op: &str) -> usize {
    let asked = scene.asked_since(mark);
    asked.iter().filter(|request| request.op == op).count()
}

async fn listed_times(scene: &Scene, mark: u64, times: usize) {
    eventually(&format!("{times} listings"), async || {
        (count(scene, mark, "secrets.list") >= times).then_some(())
    })
    .await;
}

#[test]
fn a_refresh_reads_what_changed_and_nothing_else() {
    run(async {
        let scene = synced("changes", pair(json!({}))).await;
        let mark = scene.bed().azure().mark();
        let before = scene.secret("app").await;
        listed_times(&scene, mark, 3).await;
        assert_eq!(count(&scene, mark, "secrets.get"), 0);
        scene.put("password", "second");
        scene.holds("app", "PASSWORD", "second").await;
        assert_eq!(count(&scene, mark, "secrets.get"), 2);
        let read = scene.bed().azure().mark();
        listed_times(&scene, read, 2).await;
        assert_eq!(count(&scene, read, "secrets.get"), 0);
        assert_ne!(before, scene.secret("app").await);
    });
}

#[test]
fn the_status_names_the_objects_and_versions_behind_the_secret() {
    run(async {
        let scene = synced("remote", pair(json!({"refreshInterval": "1h"}))).await;
        let app = scene.object("ExternalSecret", "app");
        let before = scene.ready(&app).await["status"]["remote"].clone();
        let ids: Vec<_> = array(&before["objects"])
            .map(|it| text(&it["id"]).to_owned())
            .collect();
        let url = scene.vault_url();
        let want = ["password", "user"].map(|name| format!("{url}/secrets/{name}"));
        assert_eq!(ids, want);
        for object in array(&before["objects"]) {
            assert_eq!(text(&object["version"]).len(), 32, "{object}");
            assert!(
                text(&object["updated"]).starts_with("2025-01-01T00:00:0"),
                "{object}"
            );
        }
        scene.put("password", "second");
        scene.force("app").await;
        scene.holds("app", "PASSWORD", "second").await;
        let is_news = |object: Option<&Value>| {
            object
                .is_some_and(|object| object["status"]["remote"]["revision"] != before["revision"])
        };
        let after = scene.until("another revision", &app, is_news).await;
        let after = &after["status"]["remote"]["objects"];
        assert_ne!(after[0]["version"], before["objects"][0]["version"]);
        assert_eq!(after[1], before["objects"][1]);
    });
}

#[test]
fn a_target_that_somebody_touched_is_made_again_though_the_vault_did_not_change() {
    run(async {
        let scene = synced("touched", pair(json!({}))).await;
        let mark = scene.bed().azure().mark();
        listed_times(&scene, mark, 1).await;
        let target = scene.object("Secret", "app");
        // without the second no event wakes anybody, and the next refresh finds it
        for (label, reads) in [("created-by", 2), ("managed", 4)] {
            let label = format!("reconcile.external-secrets.io/{label}");
            let patch = json!({"metadata": {"labels": {&label: null}}});
            scene.patch(&target, patch).await;
            let is_mended =
                |o: Option<&Value>| o.is_some_and(|o| o["metadata"]["labels"][&label].is_string());
            scene.until("the label is back", &target, is_mended).await;
            assert_eq!(count(&scene, mark, "secrets.get"), reads);
        }
    });
}

#[test]
fn an_outage_in_which_nothing_changed_ends_without_a_read_and_its_end_is_told() {
    run(async {
        let scene = synced("outage", pair(json!({}))).await;
        let app = scene.object("ExternalSecret", "app");
        scene.fault(&json!({"status": 503}));
        scene.fails(&app, "VaultUnavailable", &["503"]).await;
        let mark = scene.bed().azure().mark();
        scene.fault(&Value::Null);
        scene.ready(&app).await;
        assert_eq!(count(&scene, mark, "secrets.get"), 0);
        let is_told = |line: &str| {
            let line: Value = serde_json::from_str(line).unwrap();
            line["namespace"] == scene.namespace.as_str()
                && [&line["message"], &line["reason"], &line["level"]]
                    == ["synced", "Unchanged", "INFO"]
        };
        // once the status is written
        eventually("the end is told", async || {
            let log = scene.operator().log().unwrap();
            log.lines().any(is_told).then_some(())
        })
        .await;
    });
}

#[test]
fn what_a_find_no_longer_finds_and_finds_anew_is_noticed_without_reading_the_rest() {
    run(async {
        let find = json!({"data": null, "dataFrom": [{"find": {"name": {"regexp": "^(user|password|extra)$"}}}]});
        let scene = synced("changes-find", pair(find)).await;
        let mark = scene.bed().azure().mark();
        listed_times(&scene, mark, 2).await;
        assert_eq!(count(&scene, mark, "secrets.get"), 0);
        scene.put("extra", "new");
        let secret = scene.holds("app", "extra", "new").await;
        assert_eq!(value(&secret, "user"), "admin");
        // what changed shortly before it was read is read once more, and then no longer
        let quiet = async || {
            let mark = scene.bed().azure().mark();
            listed_times(&scene, mark, 2).await;
            (count(&scene, mark, "secrets.get") == 0).then_some(())
        };
        eventually("listings without reads", quiet).await;
        scene.put("other", "not looked for");
        let mark = scene.bed().azure().mark();
        listed_times(&scene, mark, 2).await;
        assert_eq!(count(&scene, mark, "secrets.get"), 0);
    });
}

#[test]
fn an_identity_that_may_not_list_reads_each_value_and_the_store_says_so() {
    run(async {
        let scene = Scene::with_store("unlisted").await;
        scene.put("user", "admin");
        scene.fault(&json!({"ops": ["secrets.list"], "status": 403, "code": "ForbiddenByRbac"}));
        scene.apply(pair(json!({}))).await;
        let mark = scene.bed().azure().mark();
        let store = scene.object("SecretStore", "kv");
        let condition = |object: &Value| {
            let mut conditions = array(&object["status"]["conditions"]);
            conditions.find(|it| it["type"] == "Listing").cloned()
        };
        let is_told = |o: Option<&Value>| o.and_then(condition).is_some();
        let told = scene.until("condition Listing", &store, is_told).await;
        let told = condition(&told).unwrap_or_default();
        assert_eq!(
            (text(&told["status"]), text(&told["reason"])),
            ("False", "ListDenied")
        );
        let message = text(&told["message"]);
        for words in [
            "reading every value",
            "list of secrets",
            "Key Vault Secrets User",
        ] {
            assert!(message.contains(words), "{message}");
        }
        scene.put("password", "second");
        scene.holds("app", "PASSWORD", "second").await;
        assert_eq!(
            count(&scene, mark, "secrets.list"),
            1,
            "asked once, not at each refresh"
        );
        let app = scene.ready(&scene.object("ExternalSecret", "app")).await;
        assert_eq!(ready(&app)["reason"], "SecretSynced");
    });
}

#[test]
fn each_entry_that_cannot_be_read_is_told_with_code_request_and_remedy() {
    run(async {
        let scene = Scene::with_store("errors").await;
        let off = json!({"value": "x", "enabled": false});
        let off = serde_json::from_value(off).expect("a secret");
        let azure = scene.bed().azure();
        azure.put_secret(&scene.namespace, "off", off);
        let entry = |key: &str| json!({"secretKey": key, "remoteRef": {"key": key}});
        let data: Vec<_> = ["password", "off", "missing"].map(entry).into();
        let app = scene.object("ExternalSecret", "app");
        scene
            .apply(external_secret("app", json!({"data": data})))
            .await;
        let failed = scene.fails(&app, "AccessDenied", &["spec.data[1]"]).await;
        let errors = &failed["status"]["remote"]["errors"];
        assert_eq!(array(errors).count(), 2, "{errors}");
        assert_eq!(errors[0]["entry"], "spec.data[1] (key: off)");
        assert_eq!(
            (&errors[0]["code"], &errors[0]["httpStatus"]),
            (&json!("SecretDisabled"), &json!(403))
        );
        assert_eq!(text(&errors[0]["requestId"]).len(), 36, "{errors}");
        assert!(text(&errors[0]["remedy"]).contains("enable"), "{errors}");
        assert_eq!(errors[1]["entry"], "spec.data[2] (key: missing)");
        assert_eq!(
            (&errors[1]["reason"], &errors[1]["httpStatus"]),
            (&json!("SecretNotFound"), &json!(404))
        );
        // another try with another request id is no news
        scene.failed_times("app", 3).await;
        let writes = scene.api_calls("update", "externalsecrets/status");
        assert_eq!(writes.len(), 1, "{writes:?}");
        scene.put("off", "on");
        scene.put("missing", "here");
        scene.force("app").await;
        let healed = scene.ready(&app).await;
        assert!(
            healed["status"]["remote"]["errors"].is_null(),
            "{}",
            healed["status"]
        );
    });
}

#[test]
fn what_ends_soon_is_told_once_and_no_longer_when_it_was_renewed() {
    run(async {
        let scene = Scene::with_store("expiry").await;
        let azure = scene.bed().azure();
        let ends = |seconds: i64| {
            let at = k8s_openapi::jiff::Timestamp::now().as_second() + seconds;
            serde_json::from_value(json!({"value": "x", "exp": at})).expect("a secret")
        };
        azure.put_secret(&scene.namespace, "user", ends(86_400));
        let app = scene.object("ExternalSecret", "app");
        scene.apply(pair(json!({}))).await;
        let expiring = |object: &Value| {
            let mut conditions = array(&object["status"]["conditions"]);
            conditions.find(|it| it["type"] == "Expiring").cloned()
        };
        let told = scene
            .until("Expiring", &app, |o| o.and_then(expiring).is_some())
            .await;
        let condition = expiring(&told).unwrap_or_default();
        assert_eq!(condition["reason"], "ExpiringSoon");
        let message = text(&condition["message"]);
        assert!(
            message.contains("/secrets/user ends 20") && message.contains("renew"),
            "{message}"
        );
        assert_eq!(ready(&told)["status"], "True");
        scene
            .event(&app, "Warning", "ExpiringSoon", &["/secrets/user"])
            .await;
        let metrics = scene.operator().metrics().await.expect("metrics");
        let series = format!(
            "keyferry_externalsecret_expiry_timestamp_seconds{{name=\"app\",namespace=\"{}\"}}",
            scene.namespace
        );
        assert!(metrics.contains(&series));
        azure.put_secret(&scene.namespace, "user", ends(400 * 86_400));
        scene
            .until("renewed", &app, |o| {
                o.is_some_and(|o| expiring(o).is_none())
            })
            .await;
        let events = scene
            .bed()
            .cluster()
            .events(&scene.namespace)
            .await
            .expect("events");
        let warnings = events
            .iter()
            .filter(|event| event["reason"] == "ExpiringSoon");
        assert_eq!(warnings.count(), 1);
    });
}
