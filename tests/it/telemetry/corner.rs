//! An operator with flags of its own, for one namespace of a control plane that these tests share.

use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::exposition::Exposition;
use crate::support::bed::{Bed, Kind};
use crate::support::cluster::ObjectRef;
use crate::support::manifests::{credentials, external_secret, ready, store_of};
use crate::support::operator::{Operator, Options};
use crate::support::scene::eventually;
use crate::support::settings;

static BED: OnceCell<Bed> = OnceCell::const_new();

/// A namespace, a vault of the same name, and the operator that serves both. Its methods end the test
/// where they do not succeed.
pub(super) struct Corner {
    pub(super) bed: &'static Bed,
    pub(super) namespace: String,
    pub(super) operator: Operator,
}

impl Corner {
    /// Store `kv` is ready; the vault holds `password: first`.
    pub(super) async fn new(prefix: &str, flags: &[&str]) -> Self {
        let bed = BED
            .get_or_init(async || Bed::start_as(Kind::Audited).await.unwrap())
            .await;
        let namespace = bed.namespace(prefix).await.unwrap();
        bed.azure().set_secret(&namespace, "password", "first");
        let mut options = Options::flags(flags);
        options.flags.push(format!("--namespace={namespace}"));
        let operator = Operator::start(&settings::operator(), bed, options).unwrap();
        let corner = Self {
            bed,
            namespace,
            operator,
        };
        corner.apply(credentials(azfake::CLIENT_SECRET)).await;
        corner.apply(corner.store()).await;
        corner.is_ready("SecretStore", "kv", "True").await;
        corner
    }

    /// SecretStore `kv` of the vault.
    pub(super) fn store(&self) -> Value {
        let key = |key: &str| json!({"name": "creds", "key": key});
        store_of(&json!({"azurekv": {
            "tenantId": azfake::TENANT,
            "vaultUrl": format!("https://{}", self.vault()),
            "authSecretRef": {"clientId": key("id"), "clientSecret": key("secret")},
        }}))
    }

    /// The vault's host.
    pub(super) fn vault(&self) -> String {
        format!("{}.vault.azure.net", self.namespace)
    }

    /// ExternalSecret `good` is in sync, `bad` names what is not there.
    pub(super) async fn good_and_bad(&self) {
        let absent = json!({"data": [{"secretKey": "x", "remoteRef": {"key": "absent"}}]});
        self.apply(external_secret("good", json!({}))).await;
        self.apply(external_secret("bad", absent)).await;
        self.is_ready("ExternalSecret", "good", "True").await;
        self.is_ready("ExternalSecret", "bad", "False").await;
    }

    /// Applies an object in the namespace.
    pub(super) async fn apply(&self, object: Value) {
        let cluster = self.bed.cluster();
        cluster.apply(&object, Some(&self.namespace)).await.unwrap();
    }

    /// Deletes an object of the namespace.
    pub(super) async fn delete(&self, kind: &str, name: &str) {
        let object = self.object(kind, name);
        self.bed.cluster().delete(&object).await.unwrap();
    }

    /// Waits until condition Ready has this status.
    pub(super) async fn is_ready(&self, kind: &str, name: &str, status: &str) {
        let object = self.object(kind, name);
        eventually(&format!("{object} Ready={status}"), async || {
            let found = self.bed.cluster().get(&object).await.ok()??;
            (ready(&found)["status"] == status).then_some(())
        })
        .await;
    }

    /// An object of the namespace.
    pub(super) fn object(&self, kind: &str, name: &str) -> ObjectRef {
        ObjectRef {
            kind: kind.to_owned(),
            namespace: Some(self.namespace.clone()),
            name: name.to_owned(),
        }
    }

    /// What /metrics says.
    pub(super) async fn metrics(&self) -> Exposition {
        Exposition::parse(&self.operator.metrics().await.unwrap())
    }

    /// Waits until what /metrics says is so.
    pub(super) async fn told(&self, what: &str, holds: impl Fn(&Exposition) -> bool) {
        eventually(what, async || holds(&self.metrics().await).then_some(())).await;
    }
}
