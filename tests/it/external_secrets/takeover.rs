//! Beside ESO: what it left behind is released as it would have released it, what we leave is what
//! it expects, and what is another controller's is never touched. (That a whole cluster is adopted
//! without a write is played by the recordings: `golden::takeover`.)

use serde_json::{Value, json};

use crate::support::cluster::{array, text};
use crate::support::manifests::{credentials, external_secret, ready, value};
use crate::support::run;
use crate::support::scene::{Scene, eventually};

const FINALIZER: &str = "externalsecrets.external-secrets.io/externalsecret-cleanup";

/// ExternalSecret `app` with ESO's finalizer and these members of the target.
fn finalized(target: &Value) -> Value {
    let mut object = external_secret("app", json!({"target": target}));
    object["metadata"]["finalizers"] = json!([FINALIZER]);
    object
}

/// The managers of an object's fields: manager, operation, subresource.
fn managers(object: &Value) -> Vec<(String, String, String)> {
    let entries = array(&object["metadata"]["managedFields"]);
    entries
        .map(|entry| {
            let part = |name: &str| text(&entry[name]).to_owned();
            (part("manager"), part("operation"), part("subresource"))
        })
        .collect()
}

#[test]
fn the_finalizer_that_eso_left_goes_after_the_clean_up() {
    run(async {
        for policy in ["Delete", "Retain"] {
            let scene = Scene::with_store("released").await;
            scene
                .apply(finalized(&json!({"deletionPolicy": policy})))
                .await;
            let app = scene.object("ExternalSecret", "app");
            let object = scene.ready(&app).await;
            assert_eq!(object["metadata"]["finalizers"], json!([FINALIZER]));
            scene.delete(&app).await;
            scene.until("released", &app, |o| o.is_none()).await;
            // Owner: if not by us then by the garbage collector
            let target = scene.object("Secret", "app");
            scene.until("gone", &target, |o| o.is_none()).await;
            let deleted_by_us = scene.api_calls("delete", "secrets").len();
            assert_eq!(deleted_by_us, usize::from(policy == "Delete"));
        }
    });
}

#[test]
fn an_orphan_stays_when_eso_s_finalizer_goes() {
    run(async {
        let scene = Scene::with_store("orphaned").await;
        scene
            .apply(finalized(&json!({"creationPolicy": "Orphan"})))
            .await;
        let app = scene.object("ExternalSecret", "app");
        scene.ready(&app).await;
        let before = scene.secret("app").await;
        scene.delete(&app).await;
        scene.until("released", &app, |o| o.is_none()).await;
        scene.assert_untouched(&before).await;
    });
}

#[test]
fn what_is_left_is_what_eso_expects() {
    run(async {
        let scene = Scene::synced("given-back").await;
        let object = scene.ready(&scene.object("ExternalSecret", "app")).await;
        assert!(object["metadata"]["finalizers"].is_null());
        let status = &object["status"];
        let hash = keyferry::secret::text_hash("{annotations:map[] labels:map[]}");
        assert_eq!(status["syncedResourceVersion"], format!("1-{hash}"));
        assert!(status["refreshTime"].is_string());
        assert_eq!(status["binding"]["name"], "app");
        let by = |manager: &str, subresource: &str| {
            (
                manager.to_owned(),
                "Update".to_owned(),
                subresource.to_owned(),
            )
        };
        assert!(managers(&object).contains(&by("external-secrets", "status")));
        let secret = scene.secret("app").await;
        assert_eq!(
            managers(&secret),
            [by("externalsecrets.external-secrets.io/app", "")]
        );
        assert!(secret["metadata"]["finalizers"].is_null());
        let store = scene.ready(&scene.object("SecretStore", "kv")).await;
        assert!(store["metadata"]["finalizers"].is_null());
        assert!(managers(&store).contains(&by("external-secrets", "status")));
    });
}

#[test]
fn what_is_of_another_class_is_never_touched() {
    run(async {
        let scene = Scene::new("classes").await;
        scene.put("password", "first");
        let mut store = scene.store(json!({}));
        store["spec"]["controller"] = json!("eso");
        scene.apply(store).await;
        scene.apply(credentials(azfake::CLIENT_SECRET)).await;
        // as ESO has it: ready store, a managed target that drifted, a refresh that is due
        let is_ready = json!({"conditions": [{"type": "Ready", "status": "True",
            "reason": "Valid", "message": "store validated"}]});
        let kv = scene.object("SecretStore", "kv");
        scene.set_status(&kv, is_ready).await;
        scene
            .apply(json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "app",
                "labels": {"reconcile.external-secrets.io/managed": "true"}}, "stringData": {"PASSWORD": "old"}}))
            .await;
        let before = scene.secret("app").await;
        let mark = scene.bed().azure().mark();
        scene
            .apply(finalized(&json!({"deletionPolicy": "Delete"})))
            .await;
        // one of our own, to know that all events before were seen
        let fence = async |name: &str| {
            let mut own = scene.store(json!({}));
            own["metadata"]["name"] = json!("own");
            scene.apply(own).await;
            let reads = json!({"secretStoreRef": {"name": "own", "kind": "SecretStore"}});
            scene.apply(external_secret(name, reads)).await;
            scene.ready(&scene.object("ExternalSecret", name)).await;
        };
        scene.reconciled("app").await;
        fence("first").await;
        let app = scene.object("ExternalSecret", "app");
        scene.delete(&app).await;
        fence("second").await;
        scene.reconciled("app").await;
        let object = scene.until("still there", &app, |o| o.is_some()).await;
        assert_eq!(object["metadata"]["finalizers"], json!([FINALIZER]));
        assert!(object["status"].is_null() && ready(&object).is_null());
        scene.assert_untouched(&before).await;
        assert_eq!(value(&before, "PASSWORD"), "old");
        // the fences read once each, and nobody else
        assert_eq!(scene.asked_since(mark).len(), 2);
        for (verb, resource) in [
            ("update", "secrets"),
            ("delete", "secrets"),
            ("patch", "externalsecrets"),
        ] {
            assert_eq!(scene.api_calls(verb, resource), []);
        }
        scene
            .patch(&app, json!({"metadata": {"finalizers": null}}))
            .await;
        eventually("gone", async || {
            let found = scene.bed().cluster().get(&app).await.unwrap();
            found.is_none().then_some(())
        })
        .await;
    });
}
