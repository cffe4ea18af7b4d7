//! Targets that are no Secret (`spec.target.manifest`): what is made of them, whose they are, and
//! what is refused.

use serde_json::{Value, json};

use crate::support::cluster::{ObjectRef, text};
use crate::support::manifests::{external_secret, ready, value};
use crate::support::run;
use crate::support::scene::Scene;

/// A kind with a default of its own, one without rights for the operator, and a cluster-scoped one.
const KINDS: &str = include_str!("generic_targets.yaml");

async fn scene(prefix: &str) -> Scene {
    Scene::with_generic_targets(prefix, KINDS).await
}

/// ExternalSecret `app` whose target is of this kind; `target` replaces members of it.
fn into_kind(version: &str, kind: &str, target: &Value) -> Value {
    let mut wanted = json!({"manifest": {"apiVersion": version, "kind": kind}});
    for (name, value) in target.as_object().into_iter().flatten() {
        wanted[name] = value.clone();
    }
    external_secret("app", json!({"target": wanted}))
}

fn config_map(target: &Value) -> Value {
    into_kind("v1", "ConfigMap", target)
}

/// Waits until `app` says so; returns it.
async fn says(scene: &Scene, status: &str, reason: &str, words: &[&str]) -> Value {
    let object = scene.object("ExternalSecret", "app");
    let what = format!("{status} {reason} {words:?}");
    let holds = |o: Option<&Value>| {
        let condition = o.map(ready).unwrap_or_default();
        let message = text(&condition["message"]);
        condition["status"] == status
            && condition["reason"] == reason
            && words.iter().all(|word| message.contains(word))
    };
    scene.until(&what, &object, holds).await
}

async fn synced(scene: &Scene) -> Value {
    says(scene, "True", "ResourceSynced", &["secret synced"]).await
}

async fn found(scene: &Scene, object: &ObjectRef) -> Value {
    scene.until("there", object, |o| o.is_some()).await
}

#[test]
fn without_the_flag_nothing_is_read_or_written() {
    run(async {
        let scene = Scene::with_store("generic-off").await;
        let mark = scene.bed().azure().mark();
        scene.apply(config_map(&json!({}))).await;
        let words = ["invalid generic target", "--unsafe-allow-generic-targets"];
        says(&scene, "False", "SecretSyncedError", &words).await;
        let app = scene.object("ExternalSecret", "app");
        scene
            .event(&app, "Warning", "UpdateFailed", &words[1..])
            .await;
        assert!(scene.asked_since(mark).is_empty());
        let target = scene.object("ConfigMap", "app");
        assert!(scene.bed().cluster().get(&target).await.unwrap().is_none());
    });
}

#[test]
fn a_config_map_is_made_kept_and_collected() {
    run(async {
        let scene = scene("generic-map").await;
        let mut object = config_map(&json!({}));
        object["metadata"]["labels"] = json!({"team": "a"});
        scene.apply(object).await;
        let app = synced(&scene).await;
        assert_eq!(app["status"]["binding"]["name"], "");
        let target = scene.object("ConfigMap", "app");
        let made = found(&scene, &target).await;
        assert_eq!(made["data"], json!({"PASSWORD": "first"}));
        let metadata = &made["metadata"];
        assert_eq!(
            metadata["labels"],
            json!({"team": "a", "reconcile.external-secrets.io/managed": "true"})
        );
        // Go's hash of map[PASSWORD:first]
        assert_eq!(
            metadata["annotations"]["reconcile.external-secrets.io/data-hash"],
            keyferry::secret::text_hash("map[PASSWORD:first]")
        );
        assert_eq!(
            metadata["ownerReferences"][0]["uid"],
            app["metadata"]["uid"]
        );
        let app = scene.object("ExternalSecret", "app");
        scene
            .event(&app, "Normal", "Created", &["Created ConfigMap app"])
            .await;

        let drifted = json!({"data": {"PASSWORD": "drift", "MORE": "x"}});
        scene.patch(&target, drifted).await;
        let is_back =
            |o: Option<&Value>| o.is_some_and(|o| o["data"] == json!({"PASSWORD": "first"}));
        scene.until("the data is back", &target, is_back).await;
        scene
            .event(&app, "Normal", "Updated", &["Updated ConfigMap app"])
            .await;
        scene.delete(&target).await;
        let is_new =
            |o: Option<&Value>| o.is_some_and(|o| o["metadata"]["uid"] != made["metadata"]["uid"]);
        scene.until("made again", &target, is_new).await;

        scene.delete(&app).await;
        scene.until("collected", &target, |o| o.is_none()).await;
    });
}

#[test]
fn templates_reach_into_a_custom_resource_and_its_defaults_are_no_drift() {
    run(async {
        let scene = scene("generic-widget").await;
        scene
            .apply(
                json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "texts"},
                "data": {"port": "{{ len .PASSWORD }}"}}),
            )
            .await;
        let template = json!({
            "metadata": {"labels": {"tier": "db"}},
            "templateFrom": [
                {"target": "spec.server", "literal": "user: {{ .PASSWORD }}\ntags: [a, 5]"},
                {"target": "spec.ports[1].number", "configMap": {"name": "texts", "items": [{"key": "port"}]}},
            ],
        });
        scene
            .apply(into_kind(
                "example.com/v1",
                "Widget",
                &json!({"template": template}),
            ))
            .await;
        synced(&scene).await;
        let widget = scene.object("Widget", "app");
        let made = found(&scene, &widget).await;
        assert_eq!(
            made["spec"],
            json!({
                "mode": "plain",
                "server": {"user": "first", "tags": ["a", 5]},
                "ports": [null, {"number": 5}],
            })
        );
        assert_eq!(made["metadata"]["labels"]["tier"], "db");

        let mark = scene.bed().azure().mark();
        scene
            .patch(
                &scene.object("ExternalSecret", "app"),
                json!({"metadata": {"finalizers": []}}),
            )
            .await;
        scene.reconciled("app").await;
        let asked = scene.asked_since(mark).len();
        let after = found(&scene, &widget).await;
        assert_eq!(
            after["metadata"]["resourceVersion"],
            made["metadata"]["resourceVersion"]
        );
        // the two forced refreshes, which may be one, and no other
        assert!((1..=2).contains(&asked), "{asked}");

        scene.put("password", "second");
        scene.force("app").await;
        let is_new = |o: Option<&Value>| o.is_some_and(|o| o["spec"]["server"]["user"] == "second");
        scene.until("the new value", &widget, is_new).await;
    });
}

#[test]
fn merging_waits_for_the_object_and_keeps_what_others_wrote() {
    run(async {
        let scene = scene("generic-merge").await;
        scene
            .apply(config_map(&json!({"creationPolicy": "Merge"})))
            .await;
        let words = ["resource will not be created due to CreationPolicy=Merge"];
        says(&scene, "True", "ResourceMissing", &words).await;
        let theirs = json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "app", "labels": {"theirs": "1"}}, "data": {"KEPT": "x"}});
        scene.apply(theirs).await;
        scene.force("app").await;
        let target = scene.object("ConfigMap", "app");
        let is_merged = |o: Option<&Value>| o.is_some_and(|o| o["data"]["PASSWORD"] == "first");
        let merged = scene.until("merged", &target, is_merged).await;
        assert_eq!(merged["data"]["KEPT"], "x");
        assert_eq!(merged["metadata"]["labels"]["theirs"], "1");
        assert!(merged["metadata"]["ownerReferences"].is_null());
        synced(&scene).await;
    });
}

#[test]
fn an_object_that_is_taken_over_keeps_its_finalizers_and_loses_the_rest() {
    run(async {
        let scene = scene("generic-adopt").await;
        let theirs = json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "app", "labels": {"theirs": "1"}, "finalizers": ["example.com/hold"]},
            "data": {"GOES": "x"}});
        scene.apply(theirs).await;
        scene.apply(config_map(&json!({}))).await;
        synced(&scene).await;
        let target = scene.object("ConfigMap", "app");
        let made = found(&scene, &target).await;
        assert_eq!(made["data"], json!({"PASSWORD": "first"}));
        assert!(made["metadata"]["labels"]["theirs"].is_null());
        assert_eq!(made["metadata"]["finalizers"], json!(["example.com/hold"]));
        scene
            .patch(&target, json!({"metadata": {"finalizers": null}}))
            .await;
    });
}

#[test]
fn the_object_of_another_external_secret_is_left_alone() {
    run(async {
        let scene = scene("generic-owned").await;
        let mut first = config_map(&json!({"name": "shared"}));
        first["metadata"]["name"] = json!("first");
        scene.apply(first).await;
        let target = scene.object("ConfigMap", "shared");
        let made = scene.until("made", &target, |o| o.is_some()).await;
        scene.apply(config_map(&json!({"name": "shared"}))).await;
        let words = ["TargetOwnedByOther: ", "could not update secret", "first"];
        says(&scene, "False", "ResourceSyncedError", &words).await;
        assert_eq!(found(&scene, &target).await, made);
    });
}

#[test]
fn what_the_vault_has_no_more_goes_where_it_is_ours() {
    run(async {
        let scene = scene("generic-delete").await;
        let mut object = config_map(&json!({"deletionPolicy": "Delete"}));
        object["spec"].as_object_mut().unwrap().remove("data");
        object["spec"]["dataFrom"] = json!([{"find": {"name": {"regexp": "^pass"}}}]);
        scene.apply(object.clone()).await;
        synced(&scene).await;
        let target = scene.object("ConfigMap", "app");
        assert_eq!(
            found(&scene, &target).await["data"],
            json!({"password": "first"})
        );
        object["spec"]["dataFrom"][0]["find"]["name"]["regexp"] = json!("^nothing");
        scene.apply(object.clone()).await;
        let words = ["secret deleted due to DeletionPolicy=Delete"];
        says(&scene, "True", "ResourceDeleted", &words).await;
        scene.until("deleted", &target, |o| o.is_none()).await;
        let app = scene.object("ExternalSecret", "app");
        scene
            .event(&app, "Normal", "Deleted", &["Deleted ConfigMap app"])
            .await;

        let theirs = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "app"}});
        let theirs = scene.apply(theirs).await;
        scene.force("app").await;
        let words = [
            "TargetNotOwned: ",
            "could not delete resource",
            "ConfigMap app",
        ];
        says(&scene, "False", "ResourceSyncedError", &words).await;
        assert_eq!(
            found(&scene, &target).await["metadata"]["uid"],
            theirs["metadata"]["uid"]
        );

        object["spec"]["target"]["deletionPolicy"] = json!("Retain");
        scene.apply(object).await;
        let words = ["secret retained due to DeletionPolicy=Retain"];
        says(&scene, "True", "ResourceSynced", &words).await;
    });
}

#[test]
fn what_cannot_be_a_target_is_told_with_its_cause() {
    run(async {
        let scene = scene("generic-bad").await;
        let cases = [
            (
                "v1",
                "Namespace",
                "InvalidSpec: ",
                "kind Namespace in v1 is cluster-scoped",
            ),
            (
                "example.com/v1",
                "Nothing",
                "InvalidSpec: ",
                "does not serve kind Nothing in example.com/v1",
            ),
            (
                "a/b/c",
                "Widget",
                "InvalidSpec: ",
                "\"a/b/c\" is no apiVersion",
            ),
            (
                "example.com/v1",
                "Gadget",
                "KubernetesRefused: ",
                "grant get, list, watch, create, update and delete",
            ),
        ];
        for (version, kind, category, cause) in cases {
            scene.apply(into_kind(version, kind, &json!({}))).await;
            let words = [category, "could not get target resource", cause];
            says(&scene, "False", "ResourceSyncedError", &words).await;
        }
        let templates = [
            ("a..b", "a step has no name"),
            ("metadata.ownerReferences", "is not allowed"),
            ("spec", "nope"),
        ];
        for (target, cause) in templates {
            let template =
                json!({"templateFrom": [{"target": target, "literal": "a: '{{ .nope }}'"}]});
            scene
                .apply(config_map(&json!({"template": template})))
                .await;
            let words = [
                "TemplateFailed: ",
                "could not apply template to manifest",
                cause,
            ];
            says(&scene, "False", "ResourceSyncedError", &words).await;
        }
    });
}

#[test]
fn a_secret_can_be_a_generic_target_too_but_not_of_a_type_of_its_own() {
    run(async {
        let scene = scene("generic-secret").await;
        let template = json!({"type": "example.com/plain", "data": {"k": "{{ .PASSWORD }}"}});
        scene
            .apply(into_kind("v1", "Secret", &json!({"template": template})))
            .await;
        synced(&scene).await;
        let made = scene.secret("app").await;
        assert_eq!(made["type"], "Opaque");
        assert_eq!(value(&made, "k"), "first");
        let template = json!({"templateFrom": [{"target": "type", "literal": "x"}]});
        let refused = scene
            .refused(into_kind("v1", "Secret", &json!({"template": template})))
            .await;
        assert!(refused.contains("when targeting a Secret"), "{refused}");
    });
}
