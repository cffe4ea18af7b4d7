//! Vaults that cannot be reached, and cluster stores that may not be used.

use serde_json::json;

use crate::support::manifests::external_secret;
use crate::support::run;
use crate::support::scene::Scene;

#[test]
fn a_vault_whose_name_does_not_resolve_is_named() {
    run(async {
        let scene = Scene::synced("dns").await;
        let app = scene.object("ExternalSecret", "app");
        let target = scene.secret("app").await;
        let host = format!("nxdomain-{}.vault.azure.net", scene.namespace);
        scene
            .apply(scene.store(json!({"vaultUrl": format!("https://{host}")})))
            .await;
        let unavailable = format!("{host} is unavailable");
        let words = [
            "spec.data[0]",
            &unavailable,
            "check vaultUrl, and that the vault exists",
        ];
        scene.fails(&app, "VaultUnavailable", &words).await;
        scene.ready(&scene.object("SecretStore", "kv")).await;
        scene.assert_untouched(&target).await;
        scene.put("password", "second");
        scene.apply(scene.store(json!({}))).await;
        scene.holds("app", "PASSWORD", "second").await;
        scene.ready(&app).await;
    });
}

#[test]
fn a_vault_that_refuses_connections_is_tried_again_and_the_target_stays() {
    run(async {
        let scene = Scene::synced("refused").await;
        let app = scene.object("ExternalSecret", "app");
        let target = scene.secret("app").await;
        scene.fault(&json!({"refuseConnect": true}));
        scene.put("password", "second");
        scene.force("app").await;
        let unavailable = format!("{}.vault.azure.net is unavailable", scene.namespace);
        scene
            .fails(
                &app,
                "VaultUnavailable",
                &["spec.data[0]", &unavailable, "check"],
            )
            .await;
        scene.assert_untouched(&target).await;
        // nothing in the cluster changes: it comes back by itself
        scene.fault(&json!(null));
        scene.holds("app", "PASSWORD", "second").await;
        scene.ready(&app).await;
    });
}

#[test]
fn a_cluster_store_keeps_out_namespaces_that_its_conditions_do_not_name() {
    run(async {
        let scene = Scene::with_store("conditions").await;
        let name = scene.namespace.as_str();
        let mut store = scene.store(json!({"authSecretRef": {
            "clientId": {"name": "creds", "key": "id", "namespace": name},
            "clientSecret": {"name": "creds", "key": "secret", "namespace": name},
        }}));
        store["kind"] = json!("ClusterSecretStore");
        store["metadata"]["name"] = json!(name);
        store["spec"]["conditions"] = json!([{"namespaces": ["somewhere-else"]}]);
        scene.apply(store.clone()).await;
        let mut cluster_store = scene.object("ClusterSecretStore", name);
        cluster_store.namespace = None;
        scene.ready(&cluster_store).await;
        let reference = json!({"name": name, "kind": "ClusterSecretStore"});
        scene
            .apply(external_secret("app", json!({"secretStoreRef": reference})))
            .await;
        let app = scene.object("ExternalSecret", "app");
        let quoted = format!("{name:?}");
        let words = [
            "using cluster store",
            &quoted,
            "is not allowed from namespace",
            "spec.condition",
        ];
        scene.fails(&app, "StoreDenied", &words).await;
        assert_eq!(scene.asked_since(0), []);
        store["spec"]["conditions"] = json!([{"namespaces": [name]}]);
        scene.apply(store).await;
        scene.holds("app", "PASSWORD", "first").await;
        scene.delete(&cluster_store).await;
    });
}
