//! Who the operator is in the cluster, and what points it at a test bed. Starts nothing.

use std::time::Duration;

use anyhow::{Context as _, Result};
use azfake::AzFake;
use testbed::ControlPlane;

/// Where deploy/rbac.yaml puts the operator, and where the HOWTO keeps its credentials.
pub(crate) const NAMESPACE: &str = "external-secrets";
/// Its ServiceAccount there.
pub(crate) const ACCOUNT: &str = "keyferry";

/// Its environment: the kubeconfig of its ServiceAccount, good for `token_life`, and azfake in place
/// of Azure.
///
/// # Errors
/// The control plane gives no token, or a file cannot be written.
pub(crate) async fn environment(
    plane: &ControlPlane,
    azure: &AzFake,
    token_life: Duration,
) -> Result<Vec<(String, String)>> {
    let kubeconfig = plane
        .service_account_kubeconfig(NAMESPACE, ACCOUNT, token_life)
        .await?;
    let authority = plane.state().join("azfake-ca.pem");
    std::fs::write(&authority, azure.ca_pem()).context("write azfake's certificate authority")?;
    let mut environment = azure.environment(&authority);
    environment.push(("KUBECONFIG".to_owned(), kubeconfig.display().to_string()));
    Ok(environment)
}
