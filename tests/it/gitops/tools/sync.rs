//! A Git repository synced by Argo CD's engine beside the operator.

use serde_json::{Value, json};

use super::repository::Application;
use crate::gitops::page;
use crate::support::cluster::text;
use crate::support::manifests::{external_secret, ready, value};
use crate::support::run;
use crate::support::scene::Scene;

const TRACKING: &str = "argocd.argoproj.io/tracking-id";

/// From the first commit to the removal, with the engine's flags.
async fn life(prefix: &str, flags: &[&str]) {
    let scene = Scene::with_store(prefix).await;
    let application = Application::new(&scene, flags);
    let app = scene.object("ExternalSecret", "app");
    application.commit("app.yaml", &[external_secret("app", json!({}))]);
    // named in Git for as long as the other one is there
    let settings = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"},
        "data": {"a": "b"}});
    application.commit("settings.yaml", &[settings]);
    let synced = application.synced().await;
    assert_eq!(
        synced,
        ["ConfigMap/settings: Synced", "ExternalSecret/app: Synced"]
    );
    let secret = scene.holds("app", "PASSWORD", "first").await;
    // the annotation is copied as ESO copies it, and the Secret is no part of the application for that
    let tracking = &secret["metadata"]["annotations"][TRACKING];
    assert!(text(tracking).ends_with(&format!("/ExternalSecret:{}/app", scene.namespace)));
    scene.ready(&app).await;
    application.is_in_sync(2).await;

    let data = json!([{"secretKey": "RENAMED", "remoteRef": {"key": "password"}}]);
    application.commit("app.yaml", &[external_secret("app", json!({"data": data}))]);
    assert_eq!(application.differing().await, ["ExternalSecret/app"]);
    application.synced().await;
    let secret = scene.holds("app", "RENAMED", "first").await;
    assert_eq!(secret["data"].as_object().unwrap().len(), 1);
    application.is_in_sync(2).await;

    application.commit_text("app.yaml", "");
    assert_eq!(application.differing().await, ["ExternalSecret/app"]);
    let synced = application.synced().await;
    assert_eq!(
        synced,
        ["ConfigMap/settings: Synced", "ExternalSecret/app: Pruned"]
    );
    scene.until("pruned", &app, |o| o.is_none()).await;
    let secret = scene.object("Secret", "app");
    scene.until("collected", &secret, |o| o.is_none()).await;
    application.is_in_sync(1).await;
}

#[test]
fn what_git_holds_is_synced_changed_and_pruned_with_its_secret() {
    run(life("git", &[]));
}

#[test]
fn what_git_holds_is_synced_changed_and_pruned_by_server_side_apply() {
    run(life("git-ssa", &["-server-side"]));
}

#[test]
fn a_secret_without_owner_stays_when_its_external_secret_is_pruned() {
    run(async {
        let scene = Scene::with_store("git-orphan").await;
        let application = Application::new(&scene, &[]);
        let orphan = external_secret("app", json!({"target": {"creationPolicy": "Orphan"}}));
        application.commit("app.yaml", &[orphan]);
        application.synced().await;
        let before = scene.holds("app", "PASSWORD", "first").await;
        assert!(before["metadata"]["annotations"][TRACKING].is_string());
        application.is_in_sync(1).await;
        application.commit_text("app.yaml", "");
        application.commit_text("empty.txt", "so that there is something to commit\n");
        assert_eq!(application.synced().await, ["ExternalSecret/app: Pruned"]);
        let app = scene.object("ExternalSecret", "app");
        scene.until("pruned", &app, |o| o.is_none()).await;
        assert_eq!(application.synced().await, Vec::<String>::new());
        scene.assert_untouched(&before).await;
    });
}

#[test]
fn waves_wait_for_the_store_and_for_the_secret() {
    run(async {
        let scene = Scene::new("git-waves").await;
        page::prepare(&scene).await;
        let application = Application::new(&scene, &[]);
        application.commit_text("app.yaml", &page::application(&scene));
        assert_eq!(
            application.synced().await,
            [
                "Deployment/shop: Synced",
                "ExternalSecret/database: Synced",
                "SecretStore/key-vault: Synced"
            ]
        );
        // no wait here: the last wave came when all this was so
        assert_eq!(
            value(&scene.secret("database").await, "DB_PASSWORD"),
            "first"
        );
        let get = async |kind: &str, name: &str| {
            let found = scene.bed().cluster().get(&scene.object(kind, name)).await;
            found.unwrap().unwrap()
        };
        let database = get("ExternalSecret", "database").await;
        let (condition, deployment) = (ready(&database), get("Deployment", "shop").await);
        let since = text(&condition["lastTransitionTime"]);
        assert_eq!(condition["status"], "True");
        assert!(since <= text(&deployment["metadata"]["creationTimestamp"]));
        application.is_in_sync(3).await;
    });
}

#[test]
fn a_degraded_external_secret_fails_the_sync_with_its_message_before_the_next_wave() {
    run(async {
        let scene = Scene::new("git-degraded").await;
        page::prepare(&scene).await;
        scene.fault(
            &json!({"status": 403, "code": "Forbidden", "innerCode": "ForbiddenByRbac",
            "message": "Caller is not authorized"}),
        );
        let application = Application::new(&scene, &[]);
        application.commit_text("app.yaml", &page::application(&scene));
        let outcome = application.sync().await;
        assert_eq!(outcome["phase"], "Failed", "{outcome}");
        let mut steps = outcome["results"].as_array().unwrap().iter();
        let database = steps.find(|step| step["object"] == "ExternalSecret/database");
        let message = text(&database.unwrap()["message"]);
        assert!(message.starts_with("AccessDenied: "), "{outcome}");
        let shop = scene.object("Deployment", "shop");
        let deployment = scene.bed().cluster().get(&shop).await.unwrap();
        assert_eq!(deployment, None);
        // the right is given, the operator finds out by itself, and the next sync goes through
        scene.fault(&Value::Null);
        scene
            .ready(&scene.object("ExternalSecret", "database"))
            .await;
        application.synced().await;
        scene.until("the last wave", &shop, |o| o.is_some()).await;
    });
}
