//! Credentials that are absent, incomplete or wrong.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::manifests::{credentials, external_secret};
use crate::support::run;
use crate::support::scene::Scene;

#[test]
fn whoever_waited_for_the_credentials_is_served_at_once_when_they_come() {
    run(async {
        let scene = Scene::new("no-creds").await;
        scene.put("password", "first");
        scene.apply(scene.store(json!({}))).await;
        scene.apply(external_secret("app", json!({}))).await;
        let (store, app) = (
            scene.object("SecretStore", "kv"),
            scene.object("ExternalSecret", "app"),
        );
        let secret = format!("secret \"creds\" from namespace {:?}", scene.namespace);
        let words = [
            secret.as_str(),
            "not found",
            "create it, or correct the store's reference to it",
        ];
        scene.fails(&store, "CredentialUnavailable", &words).await;
        scene
            .fails(
                &app,
                "StoreNotReady",
                &["SecretStore \"kv\" is not ready", "its status says why"],
            )
            .await;

        // after the fourth failure the next try is 8 s away
        scene.failed_times("app", 4).await;
        let start = Instant::now();
        scene.apply(credentials(azfake::CLIENT_SECRET)).await;
        scene.ready(&store).await;
        scene.holds("app", "PASSWORD", "first").await;
        scene.ready(&app).await;
        assert!(
            start.elapsed() < Duration::from_secs(7),
            "took {:?}",
            start.elapsed()
        );
    });
}

#[test]
fn a_key_that_the_credentials_lack_is_named() {
    run(async {
        let scene = Scene::synced("no-key").await;
        let (store, app) = (
            scene.object("SecretStore", "kv"),
            scene.object("ExternalSecret", "app"),
        );
        let target = scene.secret("app").await;
        let creds = scene.object("Secret", "creds");
        scene.patch(&creds, json!({"data": {"secret": null}})).await;
        let secret = format!("{}/creds", scene.namespace);
        let words = [
            "key: \"secret\"",
            &secret,
            "add the key, or correct the store's reference to it",
        ];
        scene.fails(&store, "CredentialUnavailable", &words).await;
        scene.force("app").await;
        scene
            .fails(&app, "StoreNotReady", &["SecretStore \"kv\" is not ready"])
            .await;
        scene.assert_untouched(&target).await;

        scene
            .patch(&creds, json!({"stringData": {"secret": "\n"}}))
            .await;
        scene
            .fails(
                &store,
                "InvalidStore",
                &[
                    "clientSecret: key \"secret\"",
                    &secret,
                    "is empty",
                    "put the value there",
                ],
            )
            .await;
        scene.put("password", "second");
        scene
            .patch(
                &creds,
                json!({"stringData": {"secret": azfake::CLIENT_SECRET}}),
            )
            .await;
        scene.ready(&store).await;
        scene.holds("app", "PASSWORD", "second").await;
    });
}

/// A change that Entra refuses: the store is valid all the same, as ESO has it; the consumer tells.
async fn assert_sign_in_fails(scene: &Scene, wrong: Value, right: Value, words: &[&str]) {
    let (store, app) = (
        scene.object("SecretStore", "kv"),
        scene.object("ExternalSecret", "app"),
    );
    let target = scene.secret("app").await;
    scene.apply(wrong).await;
    let entry = ["spec.data[0]", "key: password", "authentication failed"];
    scene
        .fails(&app, "AuthenticationFailed", &[&entry[..], words].concat())
        .await;
    scene.ready(&store).await;
    scene.assert_untouched(&target).await;
    scene.put("password", "second");
    scene.apply(right).await;
    scene.holds("app", "PASSWORD", "second").await;
    scene.ready(&app).await;
}

#[test]
fn a_wrong_client_secret_is_told_with_entras_code_and_its_remedy() {
    run(async {
        let scene = Scene::synced("wrong-secret").await;
        let wrong = credentials("not-the-secret");
        let right = credentials(azfake::CLIENT_SECRET);
        let words = [
            "AADSTS7000215",
            "Invalid client secret",
            "put the secret's value (not its id)",
        ];
        assert_sign_in_fails(&scene, wrong, right, &words).await;
    });
}

#[test]
fn an_expired_client_secret_is_told_apart_from_a_wrong_one() {
    run(async {
        let scene = Scene::synced("old-secret").await;
        let wrong = credentials(azfake::EXPIRED_SECRET);
        let right = credentials(azfake::CLIENT_SECRET);
        let words = ["AADSTS7000222", "expired", "create a new client secret"];
        assert_sign_in_fails(&scene, wrong, right, &words).await;
    });
}

#[test]
fn a_wrong_tenant_is_told_with_entras_code_and_its_remedy() {
    run(async {
        let scene = Scene::synced("wrong-tenant").await;
        let tenant = "99999999-9999-9999-9999-999999999999";
        let wrong = scene.store(json!({"tenantId": tenant}));
        let right = scene.store(json!({}));
        let words = ["AADSTS90002", tenant, "check tenantId"];
        assert_sign_in_fails(&scene, wrong, right, &words).await;
    });
}
