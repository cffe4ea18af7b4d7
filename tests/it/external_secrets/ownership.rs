//! Targets that belong to somebody else, to nobody, or that the API server does not let be.

use serde_json::{Value, json};

use crate::support::cluster::{array, text};
use crate::support::manifests::{external_secret, ready, value};
use crate::support::run;
use crate::support::scene::Scene;

fn plain_secret(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name},
        "stringData": {"PASSWORD": "of another", "EXTRA": "x"}})
}

fn into(target: &str) -> Value {
    json!({"target": {"name": target}})
}

#[test]
fn a_target_of_another_external_secret_stays_his() {
    run(async {
        let scene = Scene::synced("shared").await;
        let target = scene.secret("app").await;
        scene.put("other", "of the other");
        let mut other = external_secret("other", into("app"));
        other["spec"]["data"][0]["remoteRef"]["key"] = json!("other");
        scene.apply(other).await;
        let words = [
            "secret is owned by another ExternalSecret: app",
            "spec.target.name",
        ];
        scene
            .fails(
                &scene.object("ExternalSecret", "other"),
                "TargetOwnedByOther",
                &words,
            )
            .await;
        scene.assert_untouched(&target).await;

        // when its owner goes, garbage collection takes the target and the other one gets it
        scene.delete(&scene.object("ExternalSecret", "app")).await;
        let target = scene.holds("app", "PASSWORD", "of the other").await;
        assert_ne!(target["metadata"]["ownerReferences"], Value::Null);
        scene.ready(&scene.object("ExternalSecret", "other")).await;
    });
}

#[test]
fn a_target_of_another_controller_is_not_touched_until_it_is_given_up() {
    run(async {
        let scene = Scene::with_store("foreign-owner").await;
        let owner = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "owner"}});
        let owner = scene.apply(owner).await;
        let mut secret = plain_secret("app");
        secret["metadata"]["ownerReferences"] = json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "owner",
            "uid": owner["metadata"]["uid"], "controller": true}]);
        scene.apply(secret).await;
        let before = scene.secret("app").await;
        scene.apply(external_secret("app", json!({}))).await;
        let app = scene.object("ExternalSecret", "app");
        let object = format!(
            "Object {}/app is already owned by another ConfigMap controller owner",
            scene.namespace
        );
        scene
            .fails(
                &app,
                "TargetOwnedByOther",
                &[&object, "give spec.target.name another value"],
            )
            .await;
        scene.assert_untouched(&before).await;
        let release = json!({"metadata": {"ownerReferences": null}});
        scene.patch(&scene.object("Secret", "app"), release).await;
        scene.holds("app", "PASSWORD", "first").await;
        scene.ready(&app).await;
    });
}

#[test]
fn an_adoption_names_the_keys_that_went() {
    run(async {
        let scene = Scene::with_store("adopted").await;
        let secret = scene.apply(plain_secret("taken")).await;
        scene.apply(external_secret("app", into("taken"))).await;
        let app = scene.object("ExternalSecret", "app");
        scene.ready(&app).await;
        let target = scene.holds("taken", "PASSWORD", "first").await;
        assert_eq!(
            target["metadata"]["uid"], secret["metadata"]["uid"],
            "it was made again"
        );
        assert_eq!(value(&target, "EXTRA"), "");
        let words = [
            "secret taken existed without an owner",
            "were removed: EXTRA",
        ];
        let told = scene.event(&app, "Warning", "Adopted", &words).await;
        assert!(
            !told.contains("PASSWORD") && !told.contains("of another"),
            "{told}"
        );
        let owner = array(&target["metadata"]["ownerReferences"])
            .next()
            .cloned()
            .unwrap_or_default();
        assert_eq!(
            (text(&owner["kind"]), text(&owner["name"])),
            ("ExternalSecret", "app")
        );
    });
}

#[test]
fn a_write_that_the_api_server_refuses_is_told_in_its_words_and_tried_again() {
    run(async {
        let scene = Scene::with_store("quota").await;
        // the quota is full; the bed has no controller that would count
        let quota = |secrets: &str| json!({"hard": {"count/secrets": secrets}, "used": {"count/secrets": "1"}});
        let path = format!(
            "/api/v1/namespaces/{}/resourcequotas/few/status",
            scene.namespace
        );
        let set = async |secrets: &str| {
            let status = json!({"status": quota(secrets)});
            let body = Some((&status, "application/merge-patch+json"));
            scene
                .bed()
                .cluster()
                .request("PATCH", &path, body)
                .await
                .unwrap();
        };
        scene
            .apply(
                json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"},
            "spec": {"hard": {"count/secrets": "1"}}}),
            )
            .await;
        set("1").await;
        scene.apply(external_secret("app", json!({}))).await;
        let app = scene.object("ExternalSecret", "app");
        let words = ["unable to create secret app", "exceeded quota: few"];
        let told = scene.fails(&app, "KubernetesRefused", &words).await;
        let message = text(&ready(&told)["message"]).to_owned();
        assert_eq!(message.matches("exceeded quota").count(), 1, "{message}");
        assert!(!message.contains("Status {"), "{message}");
        set("5").await;
        scene.holds("app", "PASSWORD", "first").await;
        scene.ready(&app).await;
    });
}
