//! What an object depends on goes away: a template's source, the store, the namespace around it.

use std::time::Duration;

use serde_json::{Value, json};

use super::protection;
use crate::support::manifests::external_secret;
use crate::support::run;
use crate::support::scene::Scene;

/// Failures of another object that tell how long a test has looked on: the fourth comes 7 s after
/// the first.
const LOOKED_ON: u64 = 4;
/// The namespace's controller tries again after at most a minute.
const NAMESPACE_RETRIES: Duration = Duration::from_mins(2);

fn config_map(data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "texts"}, "data": data})
}

#[test]
fn a_missing_config_map_or_key_is_named_and_its_coming_is_noticed() {
    run(async {
        let scene = Scene::synced("config-map").await;
        let app = scene.object("ExternalSecret", "app");
        let target = scene.secret("app").await;
        let from = json!([{"configMap": {"name": "texts", "items": [{"key": "dsn"}]}}]);
        let template = json!({"target": {"template": {"templateFrom": from}}});
        scene.apply(external_secret("app", template)).await;
        let words = [
            "error fetching templateFrom data: configmaps \"texts\" not found",
            "create it, or correct spec.target.template.templateFrom",
        ];
        scene.fails(&app, "TemplateFailed", &words).await;
        scene.apply(config_map(&json!({"other": "x"}))).await;
        let words = [
            "error in configmap texts: missing key dsn",
            "add it, or correct spec.target.template.templateFrom",
        ];
        scene.fails(&app, "TemplateFailed", &words).await;
        scene.assert_untouched(&target).await;
        scene
            .apply(config_map(&json!({"dsn": "pg://{{ .PASSWORD }}"})))
            .await;
        scene.holds("app", "dsn", "pg://first").await;
        scene.ready(&app).await;

        // and when it goes again
        let target = scene.secret("app").await;
        scene.delete(&scene.object("ConfigMap", "texts")).await;
        let words = ["configmaps \"texts\" not found"];
        scene.fails(&app, "TemplateFailed", &words).await;
        scene.assert_untouched(&target).await;
    });
}

#[test]
fn a_store_deleted_in_use_takes_nothing_along_and_serves_again_when_it_is_back() {
    run(async {
        let scene = Scene::synced("store-gone").await;
        let app = scene.object("ExternalSecret", "app");
        let target = scene.secret("app").await;
        let mark = scene.bed().azure().mark();
        scene.delete(&scene.object("SecretStore", "kv")).await;
        scene.force("app").await;
        let words = [
            "spec.data[0]",
            "could not get SecretStore \"kv\"",
            "not found; create it, or correct secretStoreRef",
        ];
        scene.fails(&app, "StoreNotFound", &words).await;
        scene.assert_untouched(&target).await;
        assert_eq!(scene.asked_since(mark), []);
        scene.put("password", "second");
        scene.apply(scene.store(json!({}))).await;
        scene.holds("app", "PASSWORD", "second").await;
        scene.ready(&app).await;
    });
}

/// The namespace's controller deletes the target before the ExternalSecret and its store, which
/// somebody else's rule protects: the case in which a careless program makes the target again and
/// again.
#[test]
fn nothing_is_made_again_in_a_namespace_that_is_going() {
    run(async {
        let scene = Scene::new("going").await;
        let data = json!([{"key": "password", "value": "first"}]);
        scene
            .apply(json!({"apiVersion": "external-secrets.io/v1", "kind": "SecretStore", "metadata": {"name": "kv"},
                "spec": {"provider": {"fake": {"data": data}}}}))
            .await;
        // else the first try may fail, which counts
        scene.ready(&scene.object("SecretStore", "kv")).await;
        scene.apply(external_secret("app", json!({}))).await;
        scene.holds("app", "PASSWORD", "first").await;
        scene.ready(&scene.object("ExternalSecret", "app")).await;
        let victim = external_secret("victim", json!({"target": {"creationPolicy": "None"}}));
        let kinds = ["externalsecrets", "secretstores"];
        protection::put(&scene, ("external-secrets.io", &kinds), victim).await;
        let calls = all_calls(&scene);

        let namespace = protection::of_cluster("Namespace", &scene.namespace);
        scene.delete(&namespace).await;
        scene
            .until("no target", &scene.object("Secret", "app"), |o| o.is_none())
            .await;
        // meanwhile something fails elsewhere, again and again
        let clock = Scene::new("going-clock").await;
        clock.apply(external_secret("clock", json!({}))).await;
        clock.failed_times("clock", LOOKED_ON).await;
        let stands = async |kind| {
            let object = scene.object(kind, "app");
            let found = scene.bed().cluster().get(&object).await;
            found.unwrap().is_some()
        };
        assert!(stands("ExternalSecret").await, "it was not protected");
        assert!(!stands("Secret").await, "the target was made again");
        let tries = scene.api_calls("create", "secrets");
        assert_eq!(tries.iter().filter(|call| call.code == 201).count(), 1);
        assert!(tries.len() <= 3, "{tries:?}");
        let more = all_calls(&scene) - calls;
        assert!(more <= 10, "{more} calls");
        let errors = scene.counter("externalsecret_sync_calls_error", "app");
        let log = scene.operator().log().unwrap();
        let log: Vec<&str> = log
            .lines()
            .filter(|line| line.contains("\"app\""))
            .collect();
        assert_eq!(errors.await, 0, "{log:#?}");

        protection::lift(&scene).await;
        let gone = scene
            .bed()
            .wait_for("gone", &namespace, NAMESPACE_RETRIES, |o| o.is_none());
        gone.await.unwrap();
    });
}

fn all_calls(scene: &Scene) -> usize {
    let verbs = ["get", "create", "update", "patch", "delete"];
    let kinds = [
        "secrets",
        "events",
        "externalsecrets",
        "externalsecrets/status",
        "secretstores",
        "secretstores/status",
    ];
    let pairs = verbs
        .iter()
        .flat_map(|verb| kinds.iter().map(move |kind| (verb, kind)));
    pairs
        .map(|(verb, kind)| scene.api_calls(verb, kind).len())
        .sum()
}
