//! HOWTO, sections 5 to 7: the ExternalSecret, the Secret it makes, and the workload that uses it.

use anyhow::Result;

use super::{EXTERNAL_SECRET, KEY, REMOTE, Scenario, TARGET, WORKLOAD};

const MANIFEST: &str = "examples/howto/externalsecret-netbox-db-password.yaml";
const DEPLOYMENT: &str = "examples/howto/deployment-netbox.yaml";

impl Scenario<'_> {
    /// HOWTO, sections 5 and 6.
    pub(super) async fn declare(&mut self) -> Result<()> {
        self.screen
            .part("HOWTO 5 and 6: an ExternalSecret, and the Secret it makes");
        self.show(&format!("kubectl create namespace {WORKLOAD}"))
            .await?;
        self.show(&format!("kubectl apply -f {MANIFEST}")).await?;
        self.show(&format!(
            "kubectl wait --for=condition=Ready externalsecret/{EXTERNAL_SECRET} -n {WORKLOAD} --timeout=60s"
        ))
        .await?;
        self.evidence.note("Secret in the cluster");
        self.show(&format!("kubectl get externalsecret -n {WORKLOAD}"))
            .await?;
        self.show(&format!(
            "kubectl describe externalsecret {EXTERNAL_SECRET} -n {WORKLOAD} | sed -n '/^Events:/,$p'"
        ))
        .await?;
        self.show(&format!("kubectl get secret {TARGET} -n {WORKLOAD}"))
            .await?;
        self.screen.command(&format!(
            "kubectl get secret {TARGET} -n {WORKLOAD} -o yaml  # values redacted here"
        ));
        self.screen.output(&self.secret().await?.redacted_yaml()?);
        let spec = &self.external_secret().await?["spec"];
        let source = &spec["data"][0];
        let is_as_told = source["remoteRef"]["key"] == REMOTE
            && source["secretKey"] == KEY
            && spec["target"]["name"] == TARGET;
        self.evidence.verified(
            is_as_told,
            format!("`{MANIFEST}` refers to the vault's `{REMOTE}` and to Secret `{TARGET}`"),
        );
        Ok(())
    }

    /// HOWTO, section 7.
    pub(super) async fn wire_workload(&mut self) -> Result<()> {
        self.screen.part("HOWTO 7: the workload");
        self.show(&format!("kubectl apply -f {DEPLOYMENT}")).await
    }
}
