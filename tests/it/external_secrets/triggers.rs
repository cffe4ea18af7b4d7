//! What makes a refresh or a repair, long before the interval of an hour is over. A value that the
//! vault got meanwhile shows that it was read again.

use serde_json::{Value, json};

use super::{application, credentials_of};
use crate::support::manifests::{external_secret, value};
use crate::support::run;
use crate::support::scene::{Scene, eventually};

const HASH: &str = "reconcile.external-secrets.io/data-hash";
const MANAGED: &str = "reconcile.external-secrets.io/managed";

#[test]
fn every_change_of_the_object_reads_again() {
    run(async {
        let scene = Scene::synced("changes").await;
        let app = scene.object("ExternalSecret", "app");
        for (index, patch) in [
            json!({"metadata": {"annotations": {"force-sync": "1"}}}),
            json!({"metadata": {"annotations": {"force-sync": "2"}}}),
            json!({"metadata": {"annotations": {"force-sync": null}}}),
            json!({"metadata": {"labels": {"team": "a"}}}),
            json!({"spec": {"refreshInterval": "2h"}}),
        ]
        .into_iter()
        .enumerate()
        {
            let value = format!("value {index}");
            scene.put("password", &value);
            scene.patch(&app, patch).await;
            scene.holds("app", "PASSWORD", &value).await;
        }
        let target = scene.secret("app").await;
        assert_eq!(target["metadata"]["labels"]["team"], "a");
        assert_eq!(target["metadata"]["annotations"]["force-sync"], Value::Null);
        scene.put("user", "somebody");
        let mut more = external_secret("app", json!({}));
        let user = json!({"secretKey": "USER", "remoteRef": {"key": "user"}});
        more["spec"]["data"].as_array_mut().unwrap().push(user);
        scene.apply(more).await;
        scene.holds("app", "USER", "somebody").await;
        scene.apply(external_secret("app", json!({}))).await;
        scene.holds("app", "USER", "").await;
    });
}

#[test]
fn rotated_credentials_are_used_at_once() {
    run(async {
        let scene = Scene::new("rotated").await;
        let client = application(&scene, "old-client-secret");
        scene.put("password", "first");
        scene
            .apply(credentials_of(&client, "old-client-secret"))
            .await;
        scene.apply(scene.store(json!({}))).await;
        scene.apply(external_secret("app", json!({}))).await;
        scene.holds("app", "PASSWORD", "first").await;
        scene.register(&client, &["new-client-secret"]);
        scene.put("password", "second");
        let mark = scene.bed().azure().mark();
        scene
            .apply(credentials_of(&client, "new-client-secret"))
            .await;
        scene.holds("app", "PASSWORD", "second").await;
        let signed_in = scene.bed().azure().requests_since(mark, "login.").1;
        let mine = signed_in
            .iter()
            .filter(|request| request.client.as_deref() == Some(&client));
        assert_eq!(
            mine.map(|request| request.status).collect::<Vec<_>>(),
            [200]
        );
    });
}

#[test]
fn a_changed_store_is_read_from_at_once() {
    run(async {
        let scene = Scene::synced("moved").await;
        let vault = format!("{}-b", scene.namespace);
        scene
            .bed()
            .azure()
            .set_secret(&vault, "password", "in the other vault");
        let url = format!("https://{vault}.vault.azure.net");
        scene.apply(scene.store(json!({"vaultUrl": url}))).await;
        scene.holds("app", "PASSWORD", "in the other vault").await;
    });
}

#[test]
fn a_target_that_drifted_is_put_right() {
    run(async {
        let scene = Scene::synced("drift").await;
        let (target, app) = (
            scene.object("Secret", "app"),
            scene.object("ExternalSecret", "app"),
        );
        let is_right = |secret: Option<&Value>| {
            secret.is_some_and(|secret| {
                value(secret, "PASSWORD") == "first"
                    && secret["data"]
                        .as_object()
                        .is_some_and(|data| data.len() == 1)
                    && secret["metadata"]["annotations"][HASH].is_string()
            })
        };
        for drift in [
            json!({"stringData": {"PASSWORD": "by hand"}}),
            json!({"stringData": {"ADDED": "by hand"}}),
            json!({"data": {"PASSWORD": null}}),
            json!({"data": null}),
            json!({"metadata": {"annotations": {HASH: null}}}),
            json!({"metadata": {"annotations": {HASH: "of something else"}}}),
        ] {
            let drifted = scene.bed().cluster().patch(&target, &drift).await.unwrap();
            let version = &drifted["metadata"]["resourceVersion"];
            scene
                .until("repaired", &target, |o| {
                    is_right(o) && o.is_some_and(|o| o["metadata"]["resourceVersion"] != *version)
                })
                .await;
        }
        // without the label no event comes, as with ESO: the next look at the object finds it
        scene
            .patch(&target, json!({"metadata": {"labels": {MANAGED: null}}}))
            .await;
        scene.force("app").await;
        scene
            .until("labelled again", &target, |o| {
                o.is_some_and(|o| o["metadata"]["labels"][MANAGED] == "true")
            })
            .await;
        scene.ready(&app).await;
    });
}

#[test]
fn a_deleted_target_is_made_again() {
    run(async {
        let scene = Scene::synced("deleted").await;
        let before = scene.secret("app").await;
        let uid = &before["metadata"]["uid"];
        let target = scene.object("Secret", "app");
        scene.delete(&target).await;
        let is_new = |o: Option<&Value>| o.is_some_and(|o| o["metadata"]["uid"] != *uid);
        let made = scene.until("made again", &target, is_new).await;
        assert_eq!(made["data"], before["data"]);
    });
}

#[test]
fn a_renamed_target_takes_the_earlier_one_with_it() {
    run(async {
        let scene = Scene::synced("renamed").await;
        let app = scene.object("ExternalSecret", "app");
        scene
            .apply(external_secret(
                "app",
                json!({"target": {"name": "renamed"}}),
            ))
            .await;
        scene.holds("renamed", "PASSWORD", "first").await;
        scene
            .until("gone", &scene.object("Secret", "app"), |o| o.is_none())
            .await;
        scene.event(&app, "Normal", "Deleted", &["orphaned"]).await;
        let bound =
            |o: Option<&Value>| o.is_some_and(|o| o["status"]["binding"]["name"] == "renamed");
        scene.until("bound", &app, bound).await;
    });
}

#[test]
fn what_is_deleted_takes_its_secret_and_its_metrics_along() {
    run(async {
        let scene = Scene::synced("gone").await;
        let app = scene.object("ExternalSecret", "app");
        scene.delete(&app).await;
        scene.until("gone", &app, |o| o.is_none()).await;
        scene
            .until("collected", &scene.object("Secret", "app"), |o| o.is_none())
            .await;
        let series = format!(
            "externalsecret_status_condition{{condition=\"Ready\",name=\"app\",namespace=\"{}\"",
            scene.namespace
        );
        eventually("no series", async || {
            let metrics = scene.operator().metrics().await.unwrap();
            (!metrics.contains(&series)).then_some(())
        })
        .await;
    });
}
