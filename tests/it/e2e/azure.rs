//! The runs: every common case by ESO's two ways to Azure (`useAzureSDK: false` and `true`), and the
//! cases that only Azure has. Upstream has 26 of the first kind: twelve cases and the referent store, each
//! twice; certificates and keys are four more. The other common cases upstream does not run here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Case, EXTERNAL_SECRET, TARGET, common, entry, namespaced_store, play, with_store};
use crate::support::cluster::{ObjectRef, text};
use crate::support::manifests::{credentials, value};
use crate::support::operator::SYNC_CALLS;
use crate::support::scene::Scene;
use crate::support::settings::repository;

/// Tests of the name of a case, by one way.
macro_rules! runs {
    ($use_azure_sdk:expr; $($module:ident: $($case:ident)*;)*) => {
        $($(
            #[test]
            fn $case() {
                crate::support::run(super::plain($use_azure_sdk, crate::e2e::$module::$case));
            }
        )*)*

        #[test]
        fn simple_data_sync_with_referent_store() {
            crate::support::run(super::referent($use_azure_sdk));
        }

        #[test]
        fn deletion_policy_delete() {
            crate::support::run(super::deletion($use_azure_sdk));
        }

        #[test]
        fn status_not_updated_after_successful_sync() {
            crate::support::run(super::status_stays($use_azure_sdk));
        }

        #[test]
        fn certificate_type() {
            crate::support::run(super::certificate($use_azure_sdk));
        }

        #[test]
        fn key_type() {
            crate::support::run(super::key($use_azure_sdk));
        }
    };
}

/// Every case that is nothing but its Secret.
macro_rules! all_runs {
    ($use_azure_sdk:expr) => {
        runs! { $use_azure_sdk;
            common:
                simple_data_sync sync_without_target_name json_data_with_property
                json_data_without_target_name json_data_with_template
                json_data_with_template_from_literal template_from_configmaps json_data_from_sync
                json_data_from_extract_property json_data_from_rewrite decoding_policy_sync;
            documents:
                nested_json_with_gjson docker_json_config data_property_dockerconfig_json
                ssh_key_sync ssh_key_sync_data_property;
            find:
                find_by_name find_by_name_and_rewrite find_by_name_with_path find_by_tag
                find_by_tag_with_path;
        }
    };
}

mod legacy_sdk {
    all_runs!(false);
}

mod new_sdk {
    all_runs!(true);
}

async fn plain(use_azure_sdk: bool, case: fn(&str) -> Case) {
    let scene = Scene::new("e2e").await;
    with_store(&scene, use_azure_sdk).await;
    let case = case(&scene.namespace);
    let secret = play(&scene, case, namespaced_store()).await;
    if secret["metadata"]["finalizers"].is_array() {
        // only the case with a template's metadata has one
        assert_eq!(
            secret["metadata"]["finalizers"],
            json!(["example.com/finalizer"])
        );
        assert_eq!(secret["metadata"]["labels"]["example"], "annotation");
    }
}

/// A ClusterSecretStore that reads its credentials in the namespace of whoever uses it.
async fn referent(use_azure_sdk: bool) {
    let scene = Scene::new("e2e").await;
    scene.apply(credentials(azfake::CLIENT_SECRET)).await;
    let mut store = scene.store(json!({"useAzureSDK": use_azure_sdk}));
    store["kind"] = json!("ClusterSecretStore");
    store["metadata"]["name"] = json!(scene.namespace);
    scene.apply(store).await;
    let reference = json!({"name": scene.namespace, "kind": "ClusterSecretStore"});
    play(
        &scene,
        common::simple_data_sync(&scene.namespace),
        reference,
    )
    .await;
    let store = scene.object("ClusterSecretStore", &scene.namespace);
    scene
        .delete(&ObjectRef {
            namespace: None,
            ..store
        })
        .await;
}

/// Both secrets go from the vault, and the target with the second.
async fn deletion(use_azure_sdk: bool) {
    let scene = Scene::new("e2e").await;
    with_store(&scene, use_azure_sdk).await;
    let case = common::deletion_policy_delete(&scene.namespace);
    play(&scene, case, namespaced_store()).await;
    for name in ["one", "other"] {
        let name = format!("{}-{name}", scene.namespace);
        scene.bed().azure().delete_secret(&scene.namespace, &name);
    }
    let target = scene.object("Secret", TARGET);
    scene.until("gone", &target, |found| found.is_none()).await;
}

/// A reconcile that finds all in sync writes nothing on the ExternalSecret. Upstream looks for ten
/// seconds; here something makes the operator look.
async fn status_stays(use_azure_sdk: bool) {
    let scene = Scene::new("e2e").await;
    with_store(&scene, use_azure_sdk).await;
    let case = common::status_not_updated_after_successful_sync(&scene.namespace);
    play(&scene, case, namespaced_store()).await;
    let object = scene.object("ExternalSecret", EXTERNAL_SECRET);
    let before = scene.ready(&object).await;
    let calls = async || scene.counter(SYNC_CALLS, EXTERNAL_SECRET).await;
    let mark = calls().await;
    let foreign = json!({"metadata": {"labels": {"example.com/foreign": "label"}}});
    scene.patch(&scene.object("Secret", TARGET), foreign).await;
    crate::support::scene::eventually("a reconcile", async || (calls().await > mark).then_some(()))
        .await;
    let after = scene.ready(&object).await;
    for place in [
        "/metadata/resourceVersion",
        "/status/refreshTime",
        "/status/syncedResourceVersion",
    ] {
        assert!(before.pointer(place).is_some(), "{place}");
        assert_eq!(after.pointer(place), before.pointer(place), "{place}");
    }
}

/// `cert/NAME` is the certificate in DER.
async fn certificate(use_azure_sdk: bool) {
    let scene = Scene::new("e2e").await;
    with_store(&scene, use_azure_sdk).await;
    let name = format!("{}-cert", scene.namespace);
    let content = json!({"certificates": {&name: {"fixture": "web-chain-pem"}}});
    let secret = synced(&scene, content, &format!("cert/{name}")).await;
    let fixture = repository().join("tests/golden/fixtures/web-chain.pem");
    let blocks = keyferry::pki::pem::blocks(&std::fs::read(fixture).unwrap());
    let leaf = blocks
        .iter()
        .find(|block| block.kind == b"CERTIFICATE")
        .unwrap();
    assert_eq!(text(&secret["data"]["value"]), STANDARD.encode(&leaf.bytes));
}

/// `key/NAME` is the public key as a JWK. The members are in the order of ESO's usual way, by either:
/// what was synced stays the same when the field is set.
async fn key(use_azure_sdk: bool) {
    let scene = Scene::new("e2e").await;
    with_store(&scene, use_azure_sdk).await;
    let name = format!("{}-key", scene.namespace);
    let content = json!({"keys": {&name: {"kty": "EC"}}});
    let secret = synced(&scene, content, &format!("key/{name}")).await;
    let jwk = value(&secret, "value");
    let id = format!("{}/keys/{name}/", scene.vault_url());
    let (begin, rest) = jwk.split_once(&id).unwrap();
    let (version, rest) = rest.split_at(32);
    assert_eq!(begin, r#"{"kid":""#);
    assert!(version.chars().all(|c| c.is_ascii_hexdigit()), "{version}");
    let want = r#"","kty":"EC","key_ops":["sign","verify"],"crv":"P-256","x":"u_0jDY7nTFRheOOa5ln9eAsanYNsMx-GvNd9guVLlHo","y":"5VpPqPlOx_jSAMweK8dUwB3IwYChskP6OmjrPhv3P-Q"}"#;
    assert_eq!(rest, want);
}

/// A Secret whose `value` is this key of a vault with this content.
async fn synced(scene: &Scene, content: Value, key: &str) -> Value {
    scene.bed().seed(&scene.namespace, content).unwrap();
    let object = json!({"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret",
        "metadata": {"name": EXTERNAL_SECRET}, "spec": {
            "refreshInterval": super::REFRESHED_EVERY, "secretStoreRef": namespaced_store(),
            "target": {"name": TARGET}, "data": [entry("value", key, "")]}});
    scene.apply(object).await;
    scene
        .ready(&scene.object("ExternalSecret", EXTERNAL_SECRET))
        .await;
    scene.secret(TARGET).await
}
