//! Every row of the catalogue of conditions and events (docs/troubleshooting.md) but for
//! those of generic targets: status, reason, message, event, and whether it is tried again soon.

use serde_json::{Value, json};

use super::protection;
use crate::support::cluster::text;
use crate::support::manifests::{external_secret, ready, replace};
use crate::support::run;
use crate::support::scene::{Scene, eventually};

/// When a failure is tried again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Again {
    /// After a pause that grows.
    Soon,
    /// At the refresh interval, an hour, or after a change.
    Late,
}

/// `app` is ready with this reason and message, and so of the present spec.
async fn assert_success(scene: &Scene, reason: &str, message: &str) {
    let is_so = |o: Option<&Value>| {
        o.is_some_and(|o| {
            let condition = ready(o);
            condition["status"] == "True"
                && condition["reason"] == reason
                && condition["message"] == message
        })
    };
    let app = scene.object("ExternalSecret", "app");
    scene.until(message, &app, is_so).await;
}

/// `app` tells its failure: `CATEGORY: ESO'S WORDS: the chain of causes`, the chain in a warning too.
async fn assert_failure(scene: &Scene, (category, said): (&str, &str), cause: &str, again: Again) {
    let app = scene.object("ExternalSecret", "app");
    let told = scene.fails(&app, category, &[cause]).await;
    let message = text(&ready(&told)["message"]).to_owned();
    let chain = message.strip_prefix(&format!("{category}: {said}: "));
    let event = scene.event(&app, "Warning", "UpdateFailed", &[cause]).await;
    assert_eq!(chain, Some(event.as_str()), "{message}");
    let failures = async || {
        scene
            .counter("externalsecret_sync_calls_error", "app")
            .await
    };
    let before = failures().await;
    match again {
        Again::Soon => scene.failed_times("app", before + 1).await,
        Again::Late => {
            let nowhere = json!({"secretStoreRef": {"name": "nowhere"}});
            scene.apply(external_secret("clock", nowhere)).await;
            scene.failed_times("clock", 3).await;
            assert_eq!(failures().await, before);
        }
    }
}

fn into(target: &Value) -> Value {
    external_secret("app", json!({"target": target}))
}

/// What nobody has.
fn nothing_found(target: &Value) -> Value {
    let find = json!([{"find": {"name": {"regexp": "^none-such$"}}}]);
    external_secret(
        "app",
        json!({"data": null, "dataFrom": find, "target": target}),
    )
}

fn secret(more: Value) -> Value {
    let mut secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "app"},
        "stringData": {"PASSWORD": "of another"}});
    replace(&mut secret, more);
    secret
}

fn remove_from_vault(scene: &Scene) {
    let azure = scene.bed().azure();
    azure.delete_secret(&scene.namespace, "password");
}

#[test]
fn secret_synced_with_an_event_per_write() {
    run(async {
        let scene = Scene::with_store("row-synced").await;
        let app = scene.object("ExternalSecret", "app");
        scene.apply(external_secret("app", json!({}))).await;
        assert_success(&scene, "SecretSynced", "secret synced").await;
        scene
            .event(&app, "Normal", "Created", &["secret created"])
            .await;
        scene.put("password", "second");
        scene.force("app").await;
        scene
            .event(&app, "Normal", "Updated", &["secret updated"])
            .await;
        assert_success(&scene, "SecretSynced", "secret synced").await;
    });
}

#[test]
fn secret_synced_where_the_policy_is_none() {
    run(async {
        let scene = Scene::with_store("row-none").await;
        scene.apply(into(&json!({"creationPolicy": "None"}))).await;
        assert_success(&scene, "SecretSynced", "secret synced").await;
        assert_eq!(scene.api_calls("create", "secrets"), []);
    });
}

#[test]
fn secret_retained() {
    run(async {
        let scene = Scene::synced("row-retained").await;
        let target = scene.secret("app").await;
        scene.apply(nothing_found(&json!({}))).await;
        let message = "secret retained due to DeletionPolicy=Retain";
        assert_success(&scene, "SecretSynced", message).await;
        scene.assert_untouched(&target).await;
    });
}

#[test]
fn secret_deleted() {
    run(async {
        let scene = Scene::with_store("row-deleted").await;
        let app = scene.object("ExternalSecret", "app");
        scene
            .apply(into(&json!({"deletionPolicy": "Delete"})))
            .await;
        assert_success(&scene, "SecretSynced", "secret synced").await;
        remove_from_vault(&scene);
        scene.force("app").await;
        let message = "secret deleted due to DeletionPolicy=Delete";
        assert_success(&scene, "SecretDeleted", message).await;
        scene.event(&app, "Normal", "Deleted", &[message]).await;
        let missing = "secret does not exist at provider using spec.data[0] (key=password)";
        scene
            .event(&app, "Normal", "MissingProviderSecret", &[missing])
            .await;
        let target = scene.object("Secret", "app");
        scene.until("gone", &target, |o| o.is_none()).await;
    });
}

#[test]
fn secret_missing() {
    run(async {
        let scene = Scene::with_store("row-missing").await;
        scene.apply(into(&json!({"creationPolicy": "Merge"}))).await;
        let message = "secret will not be created due to CreationPolicy=Merge";
        assert_success(&scene, "SecretMissing", message).await;
        assert_eq!(scene.api_calls("create", "secrets"), []);
    });
}

#[test]
fn could_not_get_secret_data() {
    run(async {
        let scene = Scene::synced("row-get").await;
        remove_from_vault(&scene);
        scene.force("app").await;
        let told = ("SecretNotFound", "could not get secret data from provider");
        let cause = "error processing spec.data[0] (key: password), err: Secret does not exist";
        assert_failure(&scene, told, cause, Again::Soon).await;
    });
}

#[test]
fn could_not_delete_what_is_not_owned() {
    run(async {
        let scene = Scene::with_store("row-orphan").await;
        let target = json!({"creationPolicy": "Orphan", "deletionPolicy": "Delete"});
        scene.apply(into(&target)).await;
        assert_success(&scene, "SecretSynced", "secret synced").await;
        remove_from_vault(&scene);
        scene.force("app").await;
        let told = ("TargetNotOwned", "could not delete secret");
        let cause = "unable to delete secret app: creationPolicy=Orphan is not Owner";
        assert_failure(&scene, told, cause, Again::Late).await;
        scene.secret("app").await;
    });
}

#[test]
fn could_not_delete_what_the_api_server_keeps() {
    run(async {
        let scene = Scene::with_store("row-delete").await;
        scene
            .apply(into(&json!({"deletionPolicy": "Delete"})))
            .await;
        assert_success(&scene, "SecretSynced", "secret synced").await;
        protect_secrets(&scene).await;
        remove_from_vault(&scene);
        scene.force("app").await;
        let told = ("KubernetesRefused", "could not delete secret");
        let cause = "unable to delete secret app: ";
        assert_failure(&scene, told, cause, Again::Soon).await;
        protection::lift(&scene).await;
        let message = "secret deleted due to DeletionPolicy=Delete";
        assert_success(&scene, "SecretDeleted", message).await;
    });
}

#[test]
fn could_not_delete_orphaned_secrets() {
    run(async {
        let scene = Scene::synced("row-orphans").await;
        let target = scene.secret("app").await;
        protect_secrets(&scene).await;
        scene.apply(into(&json!({"name": "renamed"}))).await;
        let told = ("KubernetesRefused", "could not delete orphaned secrets");
        assert_failure(&scene, told, "protected", Again::Soon).await;
        scene.assert_untouched(&target).await;
        protection::lift(&scene).await;
        scene.holds("renamed", "PASSWORD", "first").await;
        assert_success(&scene, "SecretSynced", "secret synced").await;
    });
}

async fn protect_secrets(scene: &Scene) {
    let victim = secret(json!({"metadata": {"name": "victim"}}));
    protection::put(scene, ("", &["secrets"]), victim).await;
}

#[test]
fn failed_to_take_ownership() {
    run(async {
        let scene = Scene::with_store("row-ownership").await;
        let owner = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "owner"}});
        let uid = scene.apply(owner).await["metadata"]["uid"].clone();
        let references = json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": uid,
            "controller": true}]);
        scene
            .apply(secret(
                json!({"metadata": {"name": "app", "ownerReferences": references}}),
            ))
            .await;
        scene.apply(external_secret("app", json!({}))).await;
        let told = (
            "TargetOwnedByOther",
            "failed to take ownership of target secret",
        );
        let cause = "could not set controller reference on secret";
        assert_failure(&scene, told, cause, Again::Late).await;
    });
}

#[test]
fn target_is_owned_by_another() {
    run(async {
        let scene = Scene::with_store("row-owned").await;
        let other = external_secret("other", json!({"target": {"name": "app"}}));
        scene.apply(other).await;
        scene.holds("app", "PASSWORD", "first").await;
        scene.apply(external_secret("app", json!({}))).await;
        let told = (
            "TargetOwnedByOther",
            "target is owned by another ExternalSecret",
        );
        let cause = "secret is owned by another ExternalSecret: other";
        assert_failure(&scene, told, cause, Again::Late).await;
    });
}

#[test]
fn target_is_immutable() {
    run(async {
        let scene = Scene::with_store("row-immutable").await;
        scene.apply(secret(json!({"immutable": true}))).await;
        scene.apply(external_secret("app", json!({}))).await;
        let told = (
            "TargetImmutable",
            "could not update secret, target is immutable",
        );
        let cause = "unable to update secret app: secret is immutable";
        assert_failure(&scene, told, cause, Again::Late).await;
        scene.holds("app", "PASSWORD", "of another").await;
    });
}

#[test]
fn could_not_update_by_a_template() {
    run(async {
        let scene = Scene::synced("row-template").await;
        let target = scene.secret("app").await;
        let template = json!({"template": {"data": {"dsn": "{{ .nope }}"}}});
        scene.apply(into(&template)).await;
        let told = ("TemplateFailed", "could not update secret");
        let cause = "could not apply template: unable to execute template at key dsn";
        assert_failure(&scene, told, cause, Again::Soon).await;
        scene.assert_untouched(&target).await;
    });
}

#[test]
fn could_not_update_what_the_api_server_refuses() {
    run(async {
        let scene = Scene::synced("row-refused").await;
        let target = scene.secret("app").await;
        scene
            .apply(into(&json!({"template": {"type": "kubernetes.io/tls"}})))
            .await;
        let told = ("KubernetesRefused", "could not update secret");
        let cause = "unable to update secret app: Secret \"app\" is invalid";
        assert_failure(&scene, told, cause, Again::Soon).await;
        scene.assert_untouched(&target).await;
    });
}

/// While the vault takes its time, somebody writes the target that was read before.
#[test]
fn a_write_conflict_is_told_to_nobody_and_tried_at_once() {
    run(async {
        let scene = Scene::synced("row-conflict").await;
        let app = scene.object("ExternalSecret", "app");
        let reads = || scene.api_calls("get", "secrets").len();
        let before = reads();
        scene.fault(&json!({"latencyMs": 2000, "times": 1}));
        scene.put("password", "second");
        scene.force("app").await;
        eventually("the target is read", async || {
            (reads() > before).then_some(())
        })
        .await;
        let note = json!({"metadata": {"annotations": {"somebody": "was here"}}});
        scene.patch(&scene.object("Secret", "app"), note).await;
        let target = scene.holds("app", "PASSWORD", "second").await;
        assert_eq!(target["metadata"]["annotations"]["somebody"], "was here");
        assert_success(&scene, "SecretSynced", "secret synced").await;
        let writes = scene.api_calls("update", "secrets");
        let codes: Vec<u16> = writes.iter().map(|call| call.code).collect();
        assert_eq!(codes, [409, 200]);
        let events = scene.bed().cluster().events(&scene.namespace).await;
        let warnings = events.unwrap();
        let mut warnings = warnings.iter().filter(|event| event["type"] == "Warning");
        assert_eq!(warnings.next(), None, "{app}");
        assert_eq!(
            scene
                .counter("externalsecret_sync_calls_error", "app")
                .await,
            0
        );
    });
}
