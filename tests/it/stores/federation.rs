//! Workload identity by ServiceAccounts: real tokens of the API server, held against the keys that it
//! publishes and against what an application trusts.

#![expect(
    clippy::unwrap_used,
    reason = "clippy's exception for tests does not reach their helpers"
)]

use serde_json::{Value, json};

use crate::support::manifests::external_secret;
use crate::support::run;
use crate::support::scene::Scene;

const CLIENT_ID: &str = "azure.workload.identity/client-id";
const TENANT_ID: &str = "azure.workload.identity/tenant-id";

fn account(name: &str, annotations: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": {"name": name, "annotations": annotations}})
}

fn workload(scene: &Scene, more: &Value) -> Value {
    let mut store = scene.store(json!({
        "authType": "WorkloadIdentity", "authSecretRef": null,
        "serviceAccountRef": {"name": "wi"},
    }));
    for (name, value) in more.as_object().unwrap() {
        store["spec"]["provider"]["azurekv"][name] = value.clone();
    }
    store
}

/// What an application trusts.
fn trust(scene: &Scene, client: &str, app: &Value) {
    scene
        .bed()
        .entra(&json!({azfake::TENANT: {client: app}}))
        .unwrap();
}

#[test]
fn a_service_account_may_come_and_change_later() {
    run(async {
        let scene = Scene::new("wi-later").await;
        scene.put("password", "first");
        scene
            .apply(workload(&scene, &json!({"tenantId": null})))
            .await;
        scene.apply(external_secret("app", json!({}))).await;
        let store = scene.object("SecretStore", "kv");
        let own = format!("ServiceAccount \"wi\" from namespace {:?}", scene.namespace);
        let words = [
            own.as_str(),
            "not found",
            "create it, or correct the store's reference",
        ];
        scene.fails(&store, "CredentialUnavailable", &words).await;

        scene.apply(account("wi", &json!({}))).await;
        let named = format!("annotate ServiceAccount {}/wi", scene.namespace);
        let words = ["missing clientID", CLIENT_ID, &named];
        scene.fails(&store, "InvalidStore", &words).await;

        let unknown = "33333333-0000-0000-0000-000000000002";
        scene
            .apply(account("wi", &json!({CLIENT_ID: unknown})))
            .await;
        let words = ["missing tenantID in store config", TENANT_ID];
        scene.fails(&store, "InvalidStore", &words).await;

        let annotations = json!({CLIENT_ID: unknown, TENANT_ID: azfake::TENANT});
        scene.apply(account("wi", &annotations)).await;
        let words = ["AADSTS700016", unknown, "check clientId"];
        scene.fails(&store, "AuthenticationFailed", &words).await;

        let annotations = json!({CLIENT_ID: azfake::CLIENT, TENANT_ID: azfake::TENANT});
        scene.apply(account("wi", &annotations)).await;
        scene.ready(&store).await;
        scene.holds("app", "PASSWORD", "first").await;

        // an account that changes under a store that works is noticed at once too
        scene.put("password", "second");
        let annotations = json!({CLIENT_ID: azfake::CLIENT, TENANT_ID: unknown});
        scene.apply(account("wi", &annotations)).await;
        scene
            .fails(
                &store,
                "AuthenticationFailed",
                &["AADSTS90002", "check tenantId"],
            )
            .await;
        let annotations = json!({CLIENT_ID: azfake::CLIENT, TENANT_ID: azfake::TENANT});
        scene.apply(account("wi", &annotations)).await;
        scene.ready(&store).await;
        scene.holds("app", "PASSWORD", "second").await;
        scene.delete(&scene.object("ServiceAccount", "wi")).await;
        scene
            .fails(&store, "CredentialUnavailable", &[own.as_str()])
            .await;
    });
}

#[test]
fn federation_that_does_not_fit_is_told_with_what_it_must_be() {
    run(async {
        let scene = Scene::new("wi-trust").await;
        let client = "33333333-0000-0000-0000-000000000003";
        scene.put("password", "first");
        scene
            .apply(account("wi", &json!({CLIENT_ID: client})))
            .await;
        let store = scene.object("SecretStore", "kv");
        let subject = format!("system:serviceaccount:{}:wi", scene.namespace);
        let issuer = scene.bed().plane().issuer().to_owned();
        let remedy = format!(
            "give the application a federated credential with issuer {issuer}, subject {subject} and audience api://AzureADTokenExchange"
        );
        let cases = [
            (
                "AADSTS700211",
                json!({"issuers": ["https://elsewhere.example"]}),
            ),
            ("AADSTS700212", json!({"audiences": ["api://elsewhere"]})),
            (
                "AADSTS700213",
                json!({"subjects": ["system:serviceaccount:elsewhere:wi"]}),
            ),
        ];
        trust(&scene, client, &cases[0].1);
        scene.apply(workload(&scene, &json!({}))).await;
        for (code, app) in &cases {
            trust(&scene, client, app);
            scene
                .fails(&store, "AuthenticationFailed", &[code, &remedy])
                .await;
        }
        trust(
            &scene,
            client,
            &json!({"subjects": [subject], "issuers": [issuer]}),
        );
        scene.ready(&store).await;
        scene.apply(external_secret("app", json!({}))).await;
        scene.holds("app", "PASSWORD", "first").await;

        // another audience besides is one more in the token
        trust(&scene, client, &json!({"audiences": ["api://own"]}));
        let own = json!({"serviceAccountRef": {"name": "wi", "audiences": ["api://own"]}});
        scene.put("password", "second");
        scene.apply(workload(&scene, &own)).await;
        scene.holds("app", "PASSWORD", "second").await;
    });
}

#[test]
fn each_consumer_of_a_cluster_store_signs_in_as_itself_only() {
    run(async {
        let (trusted, other) = (Scene::new("wi-mine").await, Scene::new("wi-theirs").await);
        let client = "33333333-0000-0000-0000-000000000004";
        let subject = format!("system:serviceaccount:{}:wi", trusted.namespace);
        trust(&trusted, client, &json!({"subjects": [subject]}));
        trusted.put("password", "first");
        let mut store = workload(&trusted, &json!({}));
        store["kind"] = json!("ClusterSecretStore");
        store["metadata"]["name"] = json!(trusted.namespace);
        trusted.apply(store).await;
        let mut cluster_store = trusted.object("ClusterSecretStore", &trusted.namespace);
        cluster_store.namespace = None;
        trusted.ready(&cluster_store).await;
        let reference = json!({"name": trusted.namespace, "kind": "ClusterSecretStore"});
        for scene in [&trusted, &other] {
            scene
                .apply(account("wi", &json!({CLIENT_ID: client})))
                .await;
            let spec = json!({"secretStoreRef": reference});
            scene.apply(external_secret("app", spec)).await;
        }
        trusted.holds("app", "PASSWORD", "first").await;
        let foreign = format!("subject system:serviceaccount:{}:wi", other.namespace);
        let app = other.object("ExternalSecret", "app");
        other
            .fails(&app, "AuthenticationFailed", &["AADSTS700213", &foreign])
            .await;
        // each asked for a token of its own account, and of no other
        for scene in [&trusted, &other] {
            let tokens = scene.api_calls("create", "serviceaccounts/token");
            let names: Vec<&str> = tokens.iter().map(|event| event.name.as_str()).collect();
            assert!(
                !names.is_empty() && names.iter().all(|name| *name == "wi"),
                "{names:?}"
            );
        }
        trusted.delete(&cluster_store).await;
    });
}

#[test]
fn two_sources_of_an_id_are_a_conflict_but_not_with_the_sdk() {
    run(async {
        let scene = Scene::with_store("wi-twice").await;
        let store = scene.object("SecretStore", "kv");
        let annotations = json!({CLIENT_ID: azfake::CLIENT, TENANT_ID: azfake::TENANT});
        scene.apply(account("wi", &annotations)).await;
        scene.apply(workload(&scene, &json!({}))).await;
        let words = ["multiple tenantID found. Check secretRef", TENANT_ID];
        scene.fails(&store, "InvalidStore", &words).await;
        let refs = json!({"clientId": {"name": "creds", "key": "id"}});
        let both = json!({"tenantId": null, "authSecretRef": refs});
        scene.apply(workload(&scene, &both)).await;
        let words = [
            "multiple clientID found. Check secretRef and serviceAccountRef",
            CLIENT_ID,
        ];
        scene.fails(&store, "InvalidStore", &words).await;
        let sdk = json!({"authSecretRef": refs, "useAzureSDK": true});
        scene.apply(workload(&scene, &sdk)).await;
        scene.ready(&store).await;
        scene.apply(external_secret("app", json!({}))).await;
        scene.holds("app", "PASSWORD", "first").await;
    });
}
