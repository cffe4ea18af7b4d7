//! Nothing to ignore: what Argo CD compares is equal, whatever a manifest leaves out.

use serde_json::{Value, json};

use super::repository::Application;
use crate::support::manifests::{external_secret, ready};
use crate::support::run;
use crate::support::scene::Scene;

/// Every list of the spec in use, with as little as a manifest may say.
fn sparse(name: &str, api_version: &str) -> Value {
    let mut object = external_secret(
        name,
        json!({
            "refreshInterval": null,
            "target": {"template": {
                "data": {"URL": "https://{{ .PASSWORD }}"},
                "templateFrom": [
                    {"configMap": {"name": "texts", "items": [{"key": "line"}]}},
                    {"literal": "a: b"},
                ],
            }},
            "dataFrom": [
                {"extract": {"key": "object"}},
                {"find": {"name": {"regexp": "^pass"}}, "rewrite": [
                    {"regexp": {"source": "pass", "target": "found"}},
                    {"transform": {"template": "{{ .value }}"}},
                ]},
            ],
        }),
    );
    object["apiVersion"] = json!(api_version);
    object
}

fn store(scene: &Scene, name: &str, api_version: &str) -> Value {
    let mut store = scene.store(json!({}));
    store["apiVersion"] = json!(api_version);
    store["metadata"]["name"] = json!(name);
    store
}

/// Both versions of everything, in a namespace of its own.
async fn no_difference(prefix: &str, flags: &[&str]) {
    let scene = Scene::with_store(prefix).await;
    scene.put("object", "{\"user\": \"admin\"}");
    let application = Application::new(&scene, flags);
    let (old, new) = ("external-secrets.io/v1beta1", "external-secrets.io/v1");
    let texts = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "texts"},
        "data": {"line": "user: {{ .user }}"}});
    application.commit("texts.yaml", &[texts]);
    let merged = json!({"data": null, "dataFrom": [
        {"extract": {"key": "object"}, "rewrite": [{"merge": {}}]}]});
    let objects = [
        store(&scene, "store-old", old),
        store(&scene, "store-new", new),
        sparse("sparse-old", old),
        sparse("sparse-new", new),
        external_secret("merged", merged),
    ];
    application.commit("all.yaml", &objects);
    application.synced().await;
    for name in ["sparse-old", "sparse-new", "merged"] {
        let object = scene.object("ExternalSecret", name);
        let is_told = |o: Option<&Value>| o.is_some_and(|o| !ready(o).is_null());
        scene.until("a status", &object, is_told).await;
    }
    application.is_in_sync(6).await;
    for name in ["sparse-old", "sparse-new"] {
        scene.ready(&scene.object("ExternalSecret", name)).await;
        scene.holds(name, "URL", "https://first").await;
    }
    application.synced().await;
    application.is_in_sync(6).await;
}

#[test]
fn argo_cd_sees_no_difference_after_a_sync() {
    run(no_difference("diff", &[]));
}

#[test]
fn argo_cd_sees_no_difference_by_server_side_diff() {
    run(no_difference("diff-ssa", &["-server-side"]));
}
