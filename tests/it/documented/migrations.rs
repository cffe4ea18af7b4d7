//! docs/migrate-from-akv2k8s.md and docs/migrate-from-csi.md: what comes of their ExternalSecrets.

#![expect(
    clippy::unwrap_used,
    reason = "clippy's exception for tests does not reach their helpers"
)]

use serde_json::{Value, json};

use crate::golden::documents;
use crate::support::cluster::text;
use crate::support::manifests::{external_secret, value};
use crate::support::pages;
use crate::support::run;
use crate::support::scene::Scene;
use crate::support::settings::repository;

/// The ExternalSecrets of a page are in sync, beside a store of this scene under the name of the page's.
async fn synced(scene: &Scene, page: &str) {
    let pem = std::fs::read_to_string(repository().join("tests/golden/fixtures/web-chain.pem"));
    let content = json!({"secrets": {
        "shop-db-password": {"value": "correct horse\n"},
        "shop-certificate": {"value": pem.unwrap(), "contentType": "application/x-pem-file"},
        "shop-settings": {"value": r#"{"HOST": "db", "PORT": "5432"}"#},
        "shop-settings-yaml": {"value": "HOST: db\nPORT: \"5432\"\n"},
        "shop-login": {"value": "anna:with:colons"},
    }});
    scene.bed().seed(&scene.namespace, content).unwrap();
    let mut store = scene.store(json!({}));
    store["metadata"]["name"] = json!("my-vault");
    scene.apply(store).await;
    let blocks = pages::blocks(page, "yaml");
    let objects = blocks.iter().flat_map(|block| documents(block).unwrap());
    let wanted: Vec<Value> = objects
        .filter(|object| object["kind"] == "ExternalSecret")
        .collect();
    assert!(!wanted.is_empty(), "{page}");
    for object in wanted {
        let name = text(&object["metadata"]["name"]).to_owned();
        scene.apply(object).await;
        scene.ready(&scene.object("ExternalSecret", &name)).await;
    }
}

fn is_pem(secret: &Value, key: &str, kind: &str) -> bool {
    value(secret, key).starts_with(&format!("-----BEGIN {kind}-----"))
}

#[test]
fn the_external_secrets_for_akv2k8s_make_what_it_made() {
    run(async {
        let scene = Scene::with_store("from-akv2k8s").await;
        synced(&scene, "docs/migrate-from-akv2k8s.md").await;
        let secret = scene.secret("database-credentials").await;
        assert_eq!(value(&secret, "DB_PASSWORD"), "correct horse");
        assert_eq!(secret["data"].as_object().unwrap().len(), 1);
        let tls = scene.secret("shop-tls-2").await;
        assert_eq!(tls["type"], "kubernetes.io/tls");
        assert!(is_pem(&tls, "tls.crt", "CERTIFICATE"));
        assert!(is_pem(&tls, "tls.key", "PRIVATE KEY"));
        for name in ["shop-settings-2", "shop-settings-yaml"] {
            let settings = scene.secret(name).await;
            assert_eq!(value(&settings, "HOST"), "db", "{name}");
            assert_eq!(value(&settings, "PORT"), "5432", "{name}");
        }
        let login = scene.secret("shop-login").await;
        assert_eq!(login["type"], "kubernetes.io/basic-auth");
        assert_eq!(value(&login, "username"), "anna");
        assert_eq!(value(&login, "password"), "with:colons");
    });
}

#[test]
fn the_external_secret_for_the_csi_driver_makes_files_and_keys_of_before() {
    run(async {
        let scene = Scene::with_store("from-csi").await;
        synced(&scene, "docs/migrate-from-csi.md").await;
        let secret = scene.secret("shop-secrets").await;
        assert_eq!(value(&secret, "DB_PASSWORD"), "correct horse\n");
        assert_eq!(secret["metadata"]["labels"]["app"], "shop");
        assert!(is_pem(&secret, "tls.crt", "CERTIFICATE"));
        assert!(is_pem(&secret, "tls.key", "PRIVATE KEY"));
        let blocks = pages::blocks("docs/migrate-from-csi.md", "yaml");
        let volumes = blocks.iter().find(|block| block.starts_with("volumes:"));
        let volumes = documents(volumes.unwrap()).unwrap().remove(0);
        let source = &volumes["volumes"][0]["secret"];
        assert_eq!(source["secretName"], "shop-secrets");
        for item in source["items"].as_array().unwrap() {
            assert!(!value(&secret, text(&item["key"])).is_empty(), "{item}");
        }
    });
}

#[test]
fn a_secret_of_akv2k8s_is_not_taken_under_its_name() {
    run(async {
        let scene = Scene::with_store("akv2k8s-owner").await;
        let owner = json!([{"apiVersion": "spv.no/v2beta1", "kind": "AzureKeyVaultSecret", "name": "database",
            "uid": "7a1f3c1e-0000-4000-8000-000000000000", "controller": true, "blockOwnerDeletion": true}]);
        let secret = json!({"apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "app", "ownerReferences": owner}, "stringData": {"PASSWORD": "old"}});
        let before = scene.apply(secret).await;
        scene.apply(external_secret("app", json!({}))).await;
        let app = scene.object("ExternalSecret", "app");
        let words = "is already owned by another AzureKeyVaultSecret controller";
        let page = std::fs::read_to_string(repository().join("docs/migrate-from-akv2k8s.md"));
        let page = page
            .unwrap()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        assert!(page.contains(words), "the page says what is told");
        scene.fails(&app, "TargetOwnedByOther", &[words]).await;
        scene.assert_untouched(&before).await;
    });
}
