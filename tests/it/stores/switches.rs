//! The flags that switch kinds off: what is off needs no right, is left to others, and says so where
//! it is asked for all the same.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::bed::{Bed, Kind};
use crate::support::cluster::{ObjectRef, array, text};
use crate::support::manifests::{credentials, external_secret, ready, replace};
use crate::support::operator::{Operator, Options};
use crate::support::run;
use crate::support::settings;

const LIMIT: Duration = Duration::from_secs(30);

/// A bed, an operator with these flags and a namespace with credentials and a vault.
struct Scene {
    bed: Bed,
    operator: Operator,
    namespace: String,
}

impl Scene {
    async fn start(flags: &[&str]) -> anyhow::Result<Self> {
        let bed = Bed::start_as(Kind::Audited).await?;
        without_cluster_stores(&bed).await?;
        let namespace = bed.namespace("switches").await?;
        bed.azure().set_secret(&namespace, "password", "first");
        let operator = Operator::start(&settings::operator(), &bed, Options::flags(flags))?;
        let scene = Self {
            bed,
            operator,
            namespace,
        };
        scene.apply(credentials(azfake::CLIENT_SECRET)).await?;
        for (kind, name) in [("SecretStore", "kv"), ("ClusterSecretStore", "all")] {
            let key =
                |key: &str| json!({"name": "creds", "key": key, "namespace": scene.namespace});
            let block = json!({
                "tenantId": azfake::TENANT,
                "vaultUrl": format!("https://{}.vault.azure.net", scene.namespace),
                "authSecretRef": {"clientId": key("id"), "clientSecret": key("secret")},
            });
            let store = json!({"apiVersion": "external-secrets.io/v1", "kind": kind,
                "metadata": {"name": name}, "spec": {"provider": {"azurekv": block}}});
            scene.apply(store).await?;
        }
        Ok(scene)
    }

    async fn apply(&self, object: Value) -> anyhow::Result<()> {
        let applied = self.bed.cluster().apply(&object, Some(&self.namespace));
        Ok(applied.await.map(drop)?)
    }

    fn object(&self, kind: &str, name: &str) -> ObjectRef {
        ObjectRef {
            kind: kind.to_owned(),
            namespace: Some(self.namespace.clone()),
            name: name.to_owned(),
        }
    }

    /// Waits until the condition of ExternalSecret `name` has this status and these words.
    async fn says(&self, name: &str, status: &str, words: &[&str]) -> anyhow::Result<()> {
        let is_told = |object: Option<&Value>| {
            let condition = object.map(ready).unwrap_or_default();
            let message = text(&condition["message"]);
            condition["status"] == status && words.iter().all(|word| message.contains(word))
        };
        let object = self.object("ExternalSecret", name);
        let what = format!("{status} {words:?}");
        self.bed.wait_for(&what, &object, LIMIT, is_told).await?;
        Ok(())
    }

    async fn is_bare(&self, kind: &str, name: &str) -> anyhow::Result<bool> {
        let found = self.bed.cluster().get(&self.object(kind, name)).await?;
        Ok(found.is_some_and(|object| object["status"].is_null()))
    }
}

/// Takes the right to cluster stores from the operator.
async fn without_cluster_stores(bed: &Bed) -> anyhow::Result<()> {
    let role = ObjectRef {
        kind: "ClusterRole".to_owned(),
        namespace: None,
        name: "keyferry".to_owned(),
    };
    let mut rules = bed.cluster().get(&role).await?.unwrap_or_default()["rules"].take();
    for rule in rules.as_array_mut().into_iter().flatten() {
        let resources = rule["resources"].as_array_mut().into_iter();
        resources.for_each(|it| it.retain(|name| !text(name).starts_with("clustersecretstores")));
    }
    assert!(array(&rules).all(|rule| array(&rule["resources"]).next().is_some()));
    bed.cluster().patch(&role, &json!({"rules": rules})).await?;
    Ok(())
}

fn reading(name: &str, more: Value) -> Value {
    let mut object = external_secret(name, json!({}));
    replace(&mut object["spec"], more);
    object
}

#[test]
fn what_is_switched_off_needs_no_right_and_is_left_to_others() -> anyhow::Result<()> {
    run(async {
        let flags = [
            "--enable-cluster-store-reconciler=false",
            "--enable-secret-store-reconciler=false",
        ];
        let scene = Scene::start(&flags).await?;
        let cluster = json!({"secretStoreRef": {"name": "all", "kind": "ClusterSecretStore"}});
        scene.apply(reading("foreign", cluster)).await?;
        let from_cluster = json!([{"secretKey": "PASSWORD", "remoteRef": {"key": "password"},
            "sourceRef": {"storeRef": {"name": "all", "kind": "ClusterSecretStore"}}}]);
        scene
            .apply(reading("mixed", json!({"data": from_cluster})))
            .await?;
        scene.apply(reading("own", json!({}))).await?;
        let words = [
            "NotSupported: ",
            "\"all\"",
            "--enable-cluster-store-reconciler=false",
        ];
        scene.says("mixed", "False", &words).await?;
        scene.says("own", "False", &["StoreNotReady: "]).await?;
        assert!(scene.is_bare("ExternalSecret", "foreign").await?);
        assert!(scene.is_bare("SecretStore", "kv").await?);

        // somebody else finds the store ready
        let kv = scene.object("SecretStore", "kv");
        let mut store = scene.bed.cluster().get(&kv).await?.unwrap_or_default();
        store["status"] = json!({"conditions": [{"type": "Ready", "status": "True"}]});
        let cluster = scene.bed.cluster();
        cluster
            .write("PUT", &store, "/status", "external-secrets")
            .await?;
        scene.says("own", "True", &[]).await?;
        let store = cluster.get(&kv).await?.unwrap_or_default();
        assert_eq!(ready(&store), json!({"type": "Ready", "status": "True"}));
        assert_eq!(scene.operator.probe("/readyz").await?, 200);
        Ok(())
    })
}

#[test]
fn without_the_flood_gate_a_store_is_used_before_it_is_found_ready() -> anyhow::Result<()> {
    run(async {
        let flags = [
            "--enable-cluster-store-reconciler=false",
            "--enable-secret-store-reconciler=false",
            "--enable-flood-gate=false",
        ];
        let scene = Scene::start(&flags).await?;
        scene.apply(reading("own", json!({}))).await?;
        scene.says("own", "True", &[]).await?;
        assert!(scene.is_bare("SecretStore", "kv").await?);
        Ok(())
    })
}
