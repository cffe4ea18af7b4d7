//! Stores of which nothing was said so far: whoever reads from them waits a while.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::support::manifests::external_secret;
use crate::support::run;
use crate::support::scene::Scene;

/// Consumers of one store.
const CONSUMERS: usize = 20;

/// As from one file: that the store was not looked at yet is nobody's failure.
#[test]
fn who_is_applied_together_with_its_store_never_fails() {
    run(async {
        let scene = Scene::new("newcomers").await;
        let data = json!([{"key": "password", "value": "first"}]);
        let store = json!({"apiVersion": "external-secrets.io/v1", "kind": "SecretStore", "metadata": {"name": "kv"},
            "spec": {"provider": {"fake": {"data": data}}}});
        let names: Vec<String> = (0..CONSUMERS).map(|n| format!("app{n}")).collect();
        let readers = names.iter().map(|name| external_secret(name, json!({})));
        let texts: Vec<String> = std::iter::once(store)
            .chain(readers)
            .map(|object: Value| object.to_string())
            .collect();
        let text = texts.join("\n---\n");
        scene.bed().apply(&scene.namespace, &text).await.unwrap();
        for name in &names {
            scene.holds(name, "PASSWORD", "first").await;
            scene.ready(&scene.object("ExternalSecret", name)).await;
            let errors = scene.counter("externalsecret_sync_calls_error", name);
            assert_eq!(errors.await, 0, "{name}");
        }
        let written = scene.api_calls("update", "externalsecrets/status");
        assert_eq!(written.len(), CONSUMERS, "{written:?}");
    });
}

#[test]
fn who_hears_nothing_of_its_store_says_so_after_a_while() {
    run(async {
        let scene = Scene::synced("silent-store").await;
        let store = scene.object("SecretStore", "kv");
        let app = scene.object("ExternalSecret", "app");
        let target = scene.secret("app").await;
        scene.set_status(&store, json!({"conditions": []})).await;
        let start = Instant::now();
        scene.force("app").await;
        let words = ["SecretStore \"kv\" is not ready"];
        scene.fails(&app, "StoreNotReady", &words).await;
        let took = start.elapsed();
        assert!(took >= Duration::from_secs(4), "{took:?}");
        scene.assert_untouched(&target).await;
    });
}
