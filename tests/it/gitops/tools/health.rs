//! What Argo CD's scripts, kstatus and Flux's expressions say of objects as the operator leaves them.

use serde_json::{Value, json};

use super::{gitops, health, verdict};
use crate::gitops::page;
use crate::support::cluster::{ObjectRef, array, text};
use crate::support::manifests::{external_secret, ready};
use crate::support::run;
use crate::support::scene::Scene;

/// What an object is to Argo CD, to kstatus and to Flux.
struct Judged {
    argo_cd: &'static str,
    kstatus: &'static str,
    flux: &'static str,
}

const GOOD: Judged = Judged {
    argo_cd: "Healthy",
    kstatus: "Current",
    flux: "Current",
};
const BAD: Judged = Judged {
    argo_cd: "Degraded",
    kstatus: "InProgress",
    flux: "Failed",
};
const NEW: Judged = Judged {
    argo_cd: "Progressing",
    kstatus: "Current",
    flux: "Unknown",
};

/// Ends the test unless all three judge so, Argo CD with the message of the Ready condition.
async fn assert_judged(scene: &Scene, object: &Value, want: &Judged) {
    let (argo_cd, message) = health(scene, object).await;
    assert_eq!(argo_cd, want.argo_cd, "{object}");
    let condition = ready(object);
    if !condition.is_null() {
        assert_eq!(message, text(&condition["message"]));
    }
    let kstatus = verdict(gitops(scene, &["kstatus"], object).await).0;
    assert_eq!(kstatus, want.kstatus, "{object}");
    let expressions = page::health_check_exprs().to_string();
    let flux = verdict(gitops(scene, &["flux", &expressions], object).await).0;
    assert_eq!(flux, want.flux, "{object}");
}

/// A store that reads with the credentials of this Secret, as SecretStore or for the cluster.
fn store(scene: &Scene, kind: &str, name: &str, credentials: &str) -> (Value, ObjectRef) {
    let namespace = scene.namespace.as_str();
    let selector = |key: &str| match kind {
        "SecretStore" => json!({"name": credentials, "key": key}),
        _ => json!({"name": credentials, "key": key, "namespace": namespace}),
    };
    let credentials = json!({"clientId": selector("id"), "clientSecret": selector("secret")});
    let mut store = scene.store(json!({"authSecretRef": credentials}));
    store["kind"] = json!(kind);
    store["metadata"]["name"] = json!(name);
    let mut object = scene.object(kind, name);
    if kind != "SecretStore" {
        object.namespace = None;
    }
    (store, object)
}

async fn failed(scene: &Scene, object: &ObjectRef) -> Value {
    let is_failed = |o: Option<&Value>| o.is_some_and(|o| ready(o)["status"] == "False");
    scene.until("Ready=False", object, is_failed).await
}

#[test]
fn stores_and_external_secrets_are_healthy_or_degraded_as_they_are_ready() {
    run(async {
        let scene = Scene::synced("health").await;
        let app = scene.ready(&scene.object("ExternalSecret", "app")).await;
        assert_judged(&scene, &app, &GOOD).await;
        let data = json!([{"secretKey": "A", "remoteRef": {"key": "absent"}}]);
        let other = external_secret("absent", json!({"data": data}));
        scene.apply(other).await;
        let absent = failed(&scene, &scene.object("ExternalSecret", "absent")).await;
        assert!(text(&ready(&absent)["message"]).starts_with("SecretNotFound: "));
        assert_judged(&scene, &absent, &BAD).await;
        for kind in ["SecretStore", "ClusterSecretStore"] {
            let name = format!("{}-good", scene.namespace);
            let (manifest, object) = store(&scene, kind, &name, "creds");
            scene.apply(manifest).await;
            assert_judged(&scene, &scene.ready(&object).await, &GOOD).await;
            let name = format!("{}-bad", scene.namespace);
            let (manifest, object) = store(&scene, kind, &name, "none");
            scene.apply(manifest).await;
            assert_judged(&scene, &failed(&scene, &object).await, &BAD).await;
        }
    });
}

#[test]
fn what_has_no_status_yet_or_is_being_deleted_is_progressing() {
    run(async {
        let scene = Scene::synced("health-new").await;
        // of another controller, so that nobody writes a status
        for kind in ["SecretStore", "ClusterSecretStore"] {
            let name = format!("{}-other", scene.namespace);
            let (mut manifest, _) = store(&scene, kind, &name, "creds");
            manifest["spec"]["controller"] = json!("other");
            assert_judged(&scene, &scene.apply(manifest).await, &NEW).await;
        }
        // as it is the moment it is made
        let new = scene.apply(external_secret("new", json!({}))).await;
        assert!(new["status"].is_null());
        assert_judged(&scene, &new, &NEW).await;

        let app = scene.object("ExternalSecret", "app");
        let finalizers = |list: Value| json!({"metadata": {"finalizers": list}});
        scene
            .patch(&app, finalizers(json!(["example.com/hold"])))
            .await;
        scene.delete(&app).await;
        let is_going =
            |o: Option<&Value>| o.is_some_and(|o| o["metadata"]["deletionTimestamp"].is_string());
        let going = scene.until("deletion", &app, is_going).await;
        let told = health(&scene, &going).await;
        assert_eq!(told, ("Progressing".into(), "Pending deletion".into()));
        let kstatus = verdict(gitops(&scene, &["kstatus"], &going).await).0;
        assert_eq!(kstatus, "Terminating");
        scene.patch(&app, finalizers(Value::Null)).await;
        scene.until("gone", &app, |o| o.is_none()).await;
    });
}

#[test]
fn conditions_beside_ready_change_nothing_about_health() {
    run(async {
        let scene = Scene::with_store("health-more").await;
        let (mut manifest, object) = store(&scene, "ClusterSecretStore", &scene.namespace, "creds");
        let annotations = json!({"keyferry.io/allowed-keys": "no list"});
        manifest["metadata"]["annotations"] = annotations;
        scene.apply(manifest).await;
        let guarded = with_condition(&scene, &object, "AllowedKeys").await;
        assert_judged(&scene, &guarded, &GOOD).await;

        scene.put("other", "value");
        scene.fault(&json!({"ops": ["secrets.list"], "status": 403, "code": "ForbiddenByRbac"}));
        let data =
            ["password", "other"].map(|key| json!({"secretKey": key, "remoteRef": {"key": key}}));
        let pair = external_secret("pair", json!({"data": data, "refreshInterval": "1s"}));
        scene.apply(pair).await;
        let kv = scene.object("SecretStore", "kv");
        let unlisted = with_condition(&scene, &kv, "Listing").await;
        assert_judged(&scene, &unlisted, &GOOD).await;

        scene.fault(
            &json!({"status": 403, "code": "Forbidden", "innerCode": "ForbiddenByFirewall",
            "message": "Client address is not authorized"}),
        );
        let away = with_condition(&scene, &kv, "Reachable").await;
        assert_judged(&scene, &away, &GOOD).await;
        let pair = failed(&scene, &scene.object("ExternalSecret", "pair")).await;
        assert_judged(&scene, &pair, &BAD).await;
    });
}

/// Waits until the store has this condition with status False and is Ready all the same.
async fn with_condition(scene: &Scene, object: &ObjectRef, kind: &str) -> Value {
    let has = |o: Option<&Value>| {
        let conditions = o.map_or(&Value::Null, |o| &o["status"]["conditions"]);
        let is_false = |c: &Value| c["type"] == kind && c["status"] == "False";
        let is_ready = o.is_some_and(|o| ready(o)["status"] == "True");
        is_ready && array(conditions).any(is_false)
    };
    scene.until(&format!("{kind}=False"), object, has).await
}
