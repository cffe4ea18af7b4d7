//! The store's `Reachable` condition: what reads have shown of the vault, beside `Ready`, which says as in
//! ESO that the configuration is whole.

use serde_json::{Value, json};

use crate::support::cluster::{array, text};
use crate::support::manifests::{credentials, external_secret, ready};
use crate::support::run;
use crate::support::scene::Scene;

fn reachable(store: &Value) -> Value {
    let mut conditions = array(&store["status"]["conditions"]);
    let found = conditions.find(|condition| condition["type"] == "Reachable");
    found.cloned().unwrap_or_default()
}

/// Waits until the store says so; it is Ready all the while.
async fn says(scene: &Scene, status: &str, reason: &str) -> Value {
    let kv = scene.object("SecretStore", "kv");
    let holds = |store: Option<&Value>| {
        let condition = store.map(reachable).unwrap_or_default();
        condition["status"] == status && condition["reason"] == reason
    };
    let store = scene
        .until(&format!("Reachable={status} {reason}"), &kv, holds)
        .await;
    assert_eq!(ready(&store)["status"], "True");
    reachable(&store)
}

fn firewall() -> Value {
    json!({"status": 403, "code": "Forbidden", "innerCode": "ForbiddenByFirewall",
        "message": "Client address is not authorized"})
}

#[test]
fn a_vault_that_shuts_its_firewall_is_told_and_gates_nobody() {
    run(async {
        let scene = Scene::synced("reach-firewall").await;
        let told = says(&scene, "True", "Reachable").await;
        assert_eq!(told["message"], "the vault answers");
        let before = scene.secret("app").await;
        scene.fault(&firewall());
        scene.force("app").await;
        let told = says(&scene, "False", "FirewallDenied").await;
        assert!(text(&told["message"]).contains("firewall"), "{told}");
        let kv = scene.object("SecretStore", "kv");
        let words = [
            "ForbiddenByFirewall",
            "allow the cluster's outgoing address",
        ];
        scene.event(&kv, "Warning", "Unreachable", &words).await;
        scene.assert_untouched(&before).await;
        scene.fault(&Value::Null);
        says(&scene, "True", "Reachable").await;
        scene
            .event(&kv, "Normal", "Reachable", &["the vault answers"])
            .await;
        // each change was written once
        let writes = scene.api_calls("update", "secretstores/status");
        assert!(writes.len() <= 5, "{writes:?}");
    });
}

#[test]
fn a_wrong_client_secret_is_told_with_the_first_read() {
    run(async {
        let scene = Scene::new("reach-secret").await;
        let client = crate::external_secrets::application(&scene, "right-client-secret");
        let mut creds = credentials("wrong-client-secret");
        creds["stringData"]["id"] = json!(client);
        scene.apply(creds).await;
        scene.apply(scene.store(json!({}))).await;
        scene.apply(external_secret("app", json!({}))).await;
        let told = says(&scene, "False", "TokenSecretWrong").await;
        assert!(text(&told["message"]).contains("AADSTS7000215"), "{told}");
        let metrics = scene.operator().metrics().await.unwrap();
        let series = format!(
            "secretstore_status_condition{{condition=\"Reachable\",name=\"kv\",namespace=\"{}\",status=\"False\"}} 1",
            scene.namespace
        );
        assert!(metrics.lines().any(|line| line == series));
        // other credentials: nothing is known of them until they are used
        let mut creds = credentials("right-client-secret");
        creds["stringData"]["id"] = json!(client);
        scene.put("password", "first");
        scene.apply(creds).await;
        scene.holds("app", "PASSWORD", "first").await;
        says(&scene, "True", "Reachable").await;
    });
}

#[test]
fn what_is_denied_of_one_object_says_nothing_about_the_vault() {
    run(async {
        let scene = Scene::synced("reach-object").await;
        says(&scene, "True", "Reachable").await;
        scene.fault(
            &json!({"status": 403, "code": "Forbidden", "innerCode": "ForbiddenByRbac",
            "message": "Caller is not authorized", "path": "/secrets/other"}),
        );
        let data = json!([{"secretKey": "A", "remoteRef": {"key": "other"}}]);
        scene
            .apply(external_secret("denied", json!({"data": data})))
            .await;
        scene.failed_times("denied", 4).await;
        scene.reconciled("app").await;
        says(&scene, "True", "Reachable").await;
    });
}
