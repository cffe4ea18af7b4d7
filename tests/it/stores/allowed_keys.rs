//! `keyferry.io/allowed-keys`: a namespace reads the keys that a ClusterSecretStore gives it, and about
//! all others the vault is not even asked.

use serde_json::{Value, json};

use crate::support::cluster::{ObjectRef, array, text};
use crate::support::manifests::external_secret;
use crate::support::run;
use crate::support::scene::Scene;

const ANNOTATION: &str = "keyferry.io/allowed-keys";

/// A ClusterSecretStore of the scene's name, with this list of keys for its namespace.
async fn store(scene: &Scene, list: &str) -> ObjectRef {
    let name = scene.namespace.as_str();
    let mut store = scene.store(json!({"authSecretRef": {
        "clientId": {"name": "creds", "key": "id", "namespace": name},
        "clientSecret": {"name": "creds", "key": "secret", "namespace": name},
    }}));
    store["kind"] = json!("ClusterSecretStore");
    store["metadata"] = json!({"name": name, "annotations": {ANNOTATION: list}});
    scene.apply(store).await;
    let mut reference = scene.object("ClusterSecretStore", name);
    reference.namespace = None;
    scene.ready(&reference).await;
    reference
}

fn list_for(scene: &Scene, keys: &[&str]) -> String {
    let labels = json!({"kubernetes.io/metadata.name": scene.namespace});
    json!([{"namespaceSelector": {"matchLabels": labels}, "keys": keys}]).to_string()
}

/// ExternalSecret `name` that reads from the cluster store; `more` replaces members of its spec.
fn reader(scene: &Scene, name: &str, mut more: Value) -> Value {
    more["secretStoreRef"] = json!({"name": scene.namespace, "kind": "ClusterSecretStore"});
    external_secret(name, more)
}

fn data(key: &str) -> Value {
    json!({"data": [{"secretKey": "PASSWORD", "remoteRef": {"key": key}}]})
}

#[test]
fn what_is_not_allowed_is_not_asked_for_and_found_by_nobody() {
    run(async {
        let scene = Scene::with_store("allowed").await;
        scene.put("theirs", "hidden");
        let cluster_store = store(&scene, &list_for(&scene, &["pass*"])).await;
        scene.apply(reader(&scene, "mine", data("password"))).await;
        scene.holds("mine", "PASSWORD", "first").await;
        let all = json!({"data": null, "dataFrom": [{"find": {"name": {"regexp": "."}}}]});
        scene.apply(reader(&scene, "all", all)).await;
        let found = scene.holds("all", "password", "first").await;
        assert_eq!(found["data"].as_object().unwrap().len(), 1);

        let mark = scene.bed().azure().mark();
        for key in [
            "theirs",
            "secret/theirs",
            "THEIRS",
            "absent",
            "key/password",
        ] {
            scene.apply(reader(&scene, "other", data(key))).await;
            let app = scene.object("ExternalSecret", "other");
            let words = [
                "KeyNotAllowed",
                key,
                ANNOTATION,
                "ask whoever owns the store",
            ];
            scene.fails(&app, "AccessDenied", &words).await;
        }
        assert_eq!(scene.asked_since(mark), []);

        // the list is widened: those who were refused look again at once
        let wider =
            json!({"metadata": {"annotations": {ANNOTATION: list_for(&scene, &["*", "key/*"])}}});
        scene.apply(reader(&scene, "other", data("theirs"))).await;
        scene.patch(&cluster_store, wider).await;
        scene.holds("other", "PASSWORD", "hidden").await;
        scene.holds("all", "theirs", "hidden").await;
        scene.delete(&cluster_store).await;
    });
}

#[test]
fn a_list_that_cannot_be_read_allows_nothing_and_says_so() {
    run(async {
        let scene = Scene::with_store("malformed-list").await;
        let cluster_store = store(&scene, "[{\"keys\": [\"*\"]}]").await;
        let mark = scene.bed().azure().mark();
        scene.apply(reader(&scene, "app", data("password"))).await;
        let app = scene.object("ExternalSecret", "app");
        let words = [
            "nobody may read from ClusterSecretStore",
            ANNOTATION,
            "namespaceSelector",
        ];
        scene.fails(&app, "StoreDenied", &words).await;
        assert_eq!(scene.asked_since(mark), []);
        let told = |object: Option<&Value>| {
            let conditions = object.map_or(&Value::Null, |it| &it["status"]["conditions"]);
            array(conditions).any(|it| {
                it["type"] == "AllowedKeys"
                    && it["status"] == "False"
                    && it["reason"] == "Malformed"
                    && text(&it["message"]).contains("nobody may read")
            })
        };
        scene.until("AllowedKeys=False", &cluster_store, told).await;
        // without the list everybody reads everything again
        let none = json!({"metadata": {"annotations": {ANNOTATION: null}}});
        scene.patch(&cluster_store, none).await;
        scene.holds("app", "PASSWORD", "first").await;
        let is_gone = |object: Option<&Value>| {
            let conditions = object.map_or(&Value::Null, |it| &it["status"]["conditions"]);
            array(conditions).all(|it| it["type"] != "AllowedKeys")
        };
        scene.until("no AllowedKeys", &cluster_store, is_gone).await;
        scene.delete(&cluster_store).await;
    });
}
