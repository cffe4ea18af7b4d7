//! Identities that the operator itself has: of the machine, of App Service, of its own pod.

#![expect(
    clippy::unwrap_used,
    reason = "clippy's exception for tests does not reach their helpers"
)]

use serde_json::{Value, json};

use crate::support::manifests::external_secret;
use crate::support::operator::{Operator, Options};
use crate::support::run;
use crate::support::scene::Scene;
use crate::support::settings;

fn machine(scene: &Scene, identity: &str) -> Value {
    scene.store(json!({
        "authType": "ManagedIdentity", "identityId": identity,
        "tenantId": null, "authSecretRef": null,
    }))
}

#[test]
fn a_machine_signs_in_by_every_kind_of_id_and_says_when_it_cannot() {
    run(async {
        let scene = Scene::synced("mi").await;
        let azure = scene.bed().azure();
        let app = scene.object("ExternalSecret", "app");
        let resource = "/subscriptions/s/resourcegroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i";
        let object = "44444444-0000-0000-0000-000000000001";
        azure.identity(resource, Some(azfake::CLIENT));
        azure.identity(object, Some(azfake::CLIENT));
        let by_object = format!("objectId:{object}");
        for id in [azfake::CLIENT, resource, &by_object] {
            scene.put("password", id);
            scene.apply(machine(&scene, id)).await;
            scene.holds("app", "PASSWORD", id).await;
        }
        let target = scene.secret("app").await;
        let unknown = "44444444-0000-0000-0000-000000000002";
        scene.apply(machine(&scene, unknown)).await;
        let words = [
            "Identity not found",
            "assign the identity to the machine, or correct identityId",
        ];
        scene.fails(&app, "AuthenticationFailed", &words).await;
        scene.ready(&scene.object("SecretStore", "kv")).await;

        // no machine of Azure
        let (host, own) = ("169.254.169.254", "44444444-0000-0000-0000-000000000003");
        azure.identity(own, Some(azfake::CLIENT));
        scene
            .bed()
            .fault(host, json!({"dropConnection": true}))
            .unwrap();
        scene.apply(machine(&scene, own)).await;
        let words = [
            "169.254.169.254 is unavailable",
            "managed identity works on Azure's machines only",
            "NO_PROXY",
        ];
        scene.fails(&app, "VaultUnavailable", &words).await;
        scene.assert_untouched(&target).await;
        scene.put("password", "last");
        scene.bed().fault(host, Value::Null).unwrap();
        scene.holds("app", "PASSWORD", "last").await;
        scene.ready(&app).await;
    });
}

#[test]
fn the_operators_own_pod_needs_its_variables() {
    run(async {
        let scene = Scene::with_store("own-none").await;
        let own = scene.store(json!({"authType": "WorkloadIdentity", "authSecretRef": null}));
        scene.apply(own).await;
        let words = [
            "missing environment variables. AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_FEDERATED_TOKEN_FILE must be set",
            "azure.workload.identity/use",
        ];
        let store = scene.object("SecretStore", "kv");
        scene.fails(&store, "InvalidStore", &words).await;
    });
}

/// A fresh token of ServiceAccount `name`, as the kubelet would project it.
async fn token(scene: &Scene, name: &str) -> String {
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}});
    scene.apply(account).await;
    let path = format!(
        "/api/v1/namespaces/{}/serviceaccounts/{name}/token",
        scene.namespace
    );
    let request = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
        "spec": {"audiences": ["api://AzureADTokenExchange"]}});
    let cluster = scene.bed().cluster();
    let answer = cluster.request("POST", &path, Some((&request, "application/json")));
    answer.await.unwrap()["status"]["token"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn the_operators_own_pod_and_app_service_sign_in() {
    run(async {
        let scene = Scene::new("own").await;
        let file = scene.bed().state().join("own-token");
        let variables = [
            ("AZURE_CLIENT_ID", azfake::CLIENT.to_owned()),
            ("AZURE_TENANT_ID", azfake::TENANT.to_owned()),
            ("AZURE_FEDERATED_TOKEN_FILE", file.display().to_string()),
            (
                "IDENTITY_ENDPOINT",
                "http://169.254.131.2/msi/token".to_owned(),
            ),
            ("IDENTITY_HEADER", azfake::IDENTITY_HEADER.to_owned()),
        ];
        // beside the shared operator, and in this namespace only
        let namespace = format!("--namespace={}", scene.namespace);
        let mut options = Options::flags(&["--controller-class=own", &namespace]);
        let variables = variables.map(|(name, value)| (name.to_owned(), value));
        options.environment.extend(variables);
        let mut operator = Operator::start(&settings::operator(), scene.bed(), options).unwrap();
        let ours = |mut store: Value| {
            store["spec"]["controller"] = json!("own");
            store
        };
        scene.put("password", "first");
        let own = scene.store(json!({"authType": "WorkloadIdentity", "authSecretRef": null}));
        scene.apply(ours(own)).await;
        scene.apply(external_secret("app", json!({}))).await;
        let store = scene.object("SecretStore", "kv");
        let named = file.display().to_string();
        let words = [
            "unable to read token file",
            &named,
            "AZURE_FEDERATED_TOKEN_FILE",
        ];
        scene.fails(&store, "CredentialUnavailable", &words).await;
        // the kubelet writes it, and nothing in the cluster changes
        std::fs::write(&file, format!("{}\n", token(&scene, "pod").await)).unwrap();
        scene.ready(&store).await;
        scene.holds("app", "PASSWORD", "first").await;

        scene.put("password", "second");
        scene.apply(ours(machine(&scene, ""))).await;
        scene.holds("app", "PASSWORD", "second").await;
        let log = operator.log().unwrap();
        assert!(!log.contains(azfake::IDENTITY_HEADER));
        operator.stop().await.unwrap();
    });
}
