//! `spec.provider`: blocks that say something impossible, and the two layouts that say the same.

use serde_json::{Value, json};

use super::assert_told_and_mended;
use crate::support::manifests::{credentials, external_secret, store_of};
use crate::support::run;
use crate::support::scene::Scene;

fn from_secret(reference: &Value) -> Value {
    json!({"valueFrom": {"secretKeyRef": reference}})
}

#[test]
fn a_provider_that_is_not_served_is_named() {
    run(async {
        let scene = Scene::synced("provider").await;
        let vault = store_of(&json!({"vault": {"server": "https://vault.example.com"}}));
        let words = [
            "failed to find registered store backend for type: vault",
            "Keyferry serves azurekv",
            "replace it",
        ];
        assert_told_and_mended(&scene, vault, &words).await;
    });
}

#[test]
fn two_providers_are_refused_and_the_store_stays() {
    run(async {
        let scene = Scene::synced("providers").await;
        let mut both = scene.store(json!({}));
        both["spec"]["provider"]["vault"] = json!({"server": "https://vault.example.com"});
        let words = scene.refused(both).await;
        assert!(
            words.contains("spec.provider") && words.contains("at most 1 item"),
            "{words}"
        );
        scene.put("password", "second");
        scene.force("app").await;
        scene.holds("app", "PASSWORD", "second").await;
    });
}

#[test]
fn a_token_goes_to_no_host_but_a_vault_of_the_cloud() {
    run(async {
        let scene = Scene::synced("vault-url").await;
        let remedy = "write https://NAME.vault.azure.net";
        let field = "spec.provider.azurekv.vaultUrl";
        let elsewhere = format!("{}.example.com", scene.namespace);
        let china = format!("{}.vault.azure.cn", scene.namespace);
        for (url, words) in [
            (
                format!("http://{}.vault.azure.net", scene.namespace),
                [field, "is not https://HOST", remedy],
            ),
            (
                format!("{}/secrets/password", scene.vault_url()),
                [field, "is not https://HOST", remedy],
            ),
            (format!("https://{elsewhere}"), [field, &elsewhere, remedy]),
            (format!("https://{china}"), [field, &china, remedy]),
        ] {
            let broken = scene.store(json!({"vaultUrl": url}));
            assert_told_and_mended(&scene, broken, &words).await;
        }
        let counters = scene.bed().azure().counters();
        for host in [elsewhere, china] {
            assert!(
                !counters.connects.contains_key(&host),
                "{host} was contacted"
            );
        }
    });
}

#[test]
fn a_store_reads_no_secret_of_another_namespace() {
    run(async {
        let scene = Scene::synced("foreign").await;
        let other = Scene::new("foreign-other").await;
        other.apply(credentials(azfake::CLIENT_SECRET)).await;
        let reference =
            |key: &str| json!({"name": "creds", "key": key, "namespace": other.namespace});
        let remedy = "namespace should either be empty or match the namespace of the SecretStore";
        let id = scene.store(json!({"authSecretRef": {
            "clientId": reference("id"), "clientSecret": {"name": "creds", "key": "secret"},
        }}));
        assert_told_and_mended(&scene, id, &["AuthSecretRef.ClientID", remedy]).await;
        let secret = scene.store(json!({
            "authSecretRef": {"clientId": {"name": "creds", "key": "id"}},
            "clientSecret": from_secret(&reference("secret")),
        }));
        assert_told_and_mended(&scene, secret, &["AuthSecretRef.ClientSecret", remedy]).await;
        assert_eq!(other.api_calls("get", "secrets"), []);
    });
}

#[test]
fn a_malformed_reference_is_told_with_its_path_and_never_repeated() {
    run(async {
        let scene = Scene::synced("value-from").await;
        let store = scene.object("SecretStore", "kv");
        let block = "spec.provider.azurekv";
        let written = "a-secret-in-the-wrong-place";
        for (field, value, problem) in [
            (
                "clientSecret",
                from_secret(&json!({"name": "creds"})),
                ".valueFrom.secretKeyRef.key: is missing",
            ),
            (
                "clientSecret",
                from_secret(&json!({"name": "creds", "key": 7})),
                ".key: must be a non-empty string",
            ),
            (
                "clientSecret",
                json!(written),
                ": must not be written into the store; keep it in a Secret",
            ),
            (
                "clientId",
                json!({"valueFrom": {"configMapKeyRef": {"name": "c"}}}),
                ".configMapKeyRef: unknown field",
            ),
            ("clientId", json!({"value": "x"}), ".value: unknown field"),
            (
                "tenantId",
                json!({"valueFrom": "creds"}),
                ".valueFrom: must be an object",
            ),
            ("tenantId", json!(42), ": must be an object"),
        ] {
            let path = format!("{block}.{field}");
            let remedy =
                format!("write {path}: {{valueFrom: {{secretKeyRef: {{name: NAME, key: KEY}}}}}}");
            scene
                .apply(scene.store(json!({field: value, "authSecretRef": null})))
                .await;
            let told = scene
                .fails(&store, "InvalidStore", &[&path, problem, &remedy])
                .await;
            assert!(!told["status"].to_string().contains(written));
        }
        let broken = scene.store(json!({"clientId": {}, "authSecretRef": null}));
        assert_told_and_mended(
            &scene,
            broken,
            &["spec.provider.azurekv.clientId.valueFrom: is missing"],
        )
        .await;
    });
}

#[test]
fn a_credential_in_both_layouts_is_ambiguous() {
    run(async {
        let scene = Scene::synced("layouts").await;
        let both = scene.store(
            json!({"clientSecret": from_secret(&json!({"name": "creds", "key": "secret"}))}),
        );
        let words = [
            "spec.provider.azurekv.clientSecret",
            "spec.provider.azurekv.authSecretRef.clientSecret",
            "keep one of them",
        ];
        assert_told_and_mended(&scene, both, &words).await;
    });
}

#[test]
fn both_layouts_work() {
    run(async {
        let scene = Scene::synced("layout").await;
        let reference = |key: &str| from_secret(&json!({"name": "creds", "key": key}));
        let with_tenant = json!({"stringData": {"tenant": azfake::TENANT}});
        scene
            .patch(&scene.object("Secret", "creds"), with_tenant)
            .await;
        let literals = json!({"clientId": azfake::CLIENT, "clientSecret": reference("secret")});
        let references = json!({
            "tenantId": reference("tenant"), "clientId": reference("id"), "clientSecret": reference("secret"),
        });
        for (name, mut layout) in [("literals", literals), ("references", references)] {
            layout["authSecretRef"] = Value::Null;
            let mut store = scene.store(layout);
            store["metadata"]["name"] = json!(name);
            scene.apply(store).await;
            scene.ready(&scene.object("SecretStore", name)).await;
            scene
                .apply(external_secret(
                    name,
                    json!({"secretStoreRef": {"name": name}}),
                ))
                .await;
            scene.holds(name, "PASSWORD", "first").await;
            scene.ready(&scene.object("ExternalSecret", name)).await;
        }
    });
}
