//! HOWTO, sections 3 and 4: the value in the vault, and the store through which it is read. Knows
//! nothing of ExternalSecrets.

use anyhow::Result;
use azfake::{App, Content};

use super::super::sensitive::{guid, redacted};
use super::{REMOTE, STORE, Scenario, VAULT};
use crate::operator::NAMESPACE;

const PLACEHOLDER: &str = "<YOUR_KEYVAULT_NAME>";
const MANIFEST: &str = "examples/howto/clustersecretstore_akv-hybridops.yaml";

impl Scenario<'_> {
    /// HOWTO, section 3.
    pub(super) fn create_vault_secret(&mut self, value: &str) {
        self.screen.part("HOWTO 3: a secret in Azure Key Vault");
        self.set_vault_secret(value);
        self.evidence.note("value set in the vault");
        let held = self.vault_value();
        let holds = self.screen.check(
            held.as_deref() == Some(value),
            "the vault has the secret, enabled",
        );
        self.evidence.verified(
            holds,
            format!("Secret `{REMOTE}` created in vault `{VAULT}`"),
        );
    }

    /// What `az keyvault secret set` does to a vault, done to azfake.
    pub(super) fn set_vault_secret(&self, value: &str) {
        let control = self.stage.azure().control();
        let version = control.set_secret(VAULT, REMOTE, value);
        self.screen.step(&format!(
            "Set the vault's secret {REMOTE} to {} random characters in azfake; for Azure itself it would be",
            value.len()
        ));
        self.screen.output(&format!(
            "az keyvault secret set --vault-name \"{VAULT}\" --name \"{REMOTE}\" --value \"{}\"",
            redacted(value.len())
        ));
        self.screen.output(&format!(
            "Its identifier is https://{VAULT}.vault.azure.net/secrets/{REMOTE}/{version}"
        ));
    }

    /// The newest value in the vault, if it may be read.
    pub(super) fn vault_value(&self) -> Option<String> {
        let mut vault = self.stage.azure().control().dump(VAULT);
        let secret = vault.secrets.remove(REMOTE)?;
        (secret.enabled && !secret.deleted).then_some(secret.value)
    }

    /// HOWTO, section 4: credentials by the HOWTO's command, the manifest as it stands but for the
    /// vault's name.
    pub(super) async fn configure_store(&mut self, client_secret: &str) -> Result<()> {
        self.screen
            .part("HOWTO 4: the operator's access to the vault");
        let (tenant, client) = (guid()?, guid()?);
        self.register_app(&tenant, &client, client_secret)?;
        self.show(&format!(
            "kubectl create secret generic akv-sp-credentials -n {NAMESPACE} \
             --from-literal=client-id=\"{client}\" --from-literal=client-secret=\"{client_secret}\" \
             --from-literal=tenant-id=\"{tenant}\""
        ))
        .await?;
        self.show(&format!(
            "sed 's/{PLACEHOLDER}/{VAULT}/' {MANIFEST} | kubectl apply -f -"
        ))
        .await?;
        self.show(&format!(
            "kubectl wait --for=condition=Ready clustersecretstore/{STORE} --timeout=60s"
        ))
        .await?;
        self.evidence.note("store ready");
        self.show("kubectl get clustersecretstore").await?;
        let holds = self.screen.check(
            self.stage.is_operator_running(),
            "the operator runs and the store is Ready",
        );
        self.evidence.verified(
            holds,
            format!("The operator runs; ClusterSecretStore `{STORE}` is Ready"),
        );
        Ok(())
    }

    /// What the HOWTO takes for granted in Azure: a service principal with access to the vault.
    fn register_app(&self, tenant: &str, client: &str, client_secret: &str) -> Result<()> {
        let control = self.stage.azure().control();
        let vault = Content {
            tenant: Some(tenant.to_owned()),
            ..Content::default()
        };
        control.seed(VAULT, vault)?;
        control.entra(tenant, client, Some(App::with_secret(client_secret)));
        control.permissions(client, VAULT, Some(&["get", "list"]));
        self.screen.step(&format!(
            "azfake knows a service principal that may get and list the secrets of {VAULT}"
        ));
        Ok(())
    }
}
