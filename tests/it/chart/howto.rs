//! The HOWTO's objects on a stage: credentials, store and ExternalSecret of examples/howto, in sync.

use serde_json::{Value, json};

use super::helm::{NAMESPACE, Stage, object};
use crate::support::cluster::ObjectRef;
use crate::support::manifests::value;
use crate::support::settings::repository;

const VAULT: &str = "kv-howto";

/// The HOWTO's ExternalSecret.
pub(super) fn external_secret() -> ObjectRef {
    object("ExternalSecret", Some("netbox"), "netbox-db-password")
}

/// The Secret that it keeps.
pub(super) fn secret() -> ObjectRef {
    object("Secret", Some("netbox"), "netbox-db-credentials")
}

impl Stage {
    /// Puts a value into the vault and applies the HOWTO's manifests as they stand, but for the
    /// vault's name.
    pub(super) async fn declare_howto(&self, password: &str) -> anyhow::Result<()> {
        let control = self.bed.azure();
        control.set_secret(VAULT, "netbox-db-password", password);
        let namespace =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "netbox"}});
        self.bed.cluster().apply(&namespace, None).await?;
        let credentials = json!({"apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "akv-sp-credentials", "namespace": NAMESPACE},
            "stringData": {"tenant-id": azfake::TENANT, "client-id": azfake::CLIENT,
                "client-secret": azfake::CLIENT_SECRET}});
        self.bed.cluster().apply(&credentials, None).await?;
        for file in [
            "clustersecretstore_akv-hybridops.yaml",
            "externalsecret-netbox-db-password.yaml",
        ] {
            let text = std::fs::read_to_string(repository().join("examples/howto").join(file))?;
            let text = text.replace("<YOUR_KEYVAULT_NAME>", VAULT);
            self.bed.apply("netbox", &text).await?;
        }
        Ok(())
    }

    /// Waits until the HOWTO's ExternalSecret is in sync and returns its Secret.
    pub(super) async fn howto_synced(&self, password: &str) -> anyhow::Result<Value> {
        self.bed.wait_ready(&external_secret(), "True").await?;
        let found = self.bed.cluster().get(&secret()).await?;
        let found = found.unwrap_or_default();
        assert_eq!(value(&found, "DB_PASSWORD"), password);
        Ok(found)
    }
}
