//! Who the operator is in the cluster, the test bed that knows it, and what points it there. Asks whether it is ready;
//! does not start it.

use std::time::Duration;

use anyhow::{Context as _, Result};
use azfake::AzFake;
use testbed::ControlPlane;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::cargo;

/// Where deploy/rbac.yaml puts the operator, and where the HOWTO keeps its credentials.
pub(crate) const NAMESPACE: &str = "external-secrets";
/// Its ServiceAccount there.
pub(crate) const ACCOUNT: &str = "keyferry";
const PROBE_WITHIN: Duration = Duration::from_secs(2);

/// A control plane with its kinds and rights, with an audit log where that is asked for, and a fake Azure.
///
/// # Errors
/// A file cannot be read, or one of them does not start.
pub(crate) async fn bed(audit: bool) -> Result<(ControlPlane, AzFake)> {
    let read = |file: &str| {
        let text = std::fs::read_to_string(cargo::root().join(file));
        text.with_context(|| format!("read {file}"))
    };
    start(testbed::Options {
        audit,
        manifests: vec![read("crds/bundle.yaml")?, read("deploy/rbac.yaml")?],
        ..testbed::Options::default()
    })
    .await
}

/// The same without its kinds and rights, for a chart to install.
///
/// # Errors
/// One of them does not start.
pub(crate) async fn empty_bed() -> Result<(ControlPlane, AzFake)> {
    start(testbed::Options::default()).await
}

async fn start(options: testbed::Options) -> Result<(ControlPlane, AzFake)> {
    let plane = ControlPlane::start(options).await;
    let plane = plane.context("start the control plane")?;
    let azure = AzFake::start(azfake::Options::default()).await;
    Ok((plane, azure.context("start azfake")?))
}

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

/// Whether the probe server at this port of loopback says so.
pub(crate) async fn is_ready(port: u16) -> bool {
    let exchange = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream
            .write_all(b"GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n")
            .await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        std::io::Result::Ok(answer)
    };
    let answer = timeout(PROBE_WITHIN, exchange).await;
    answer.is_ok_and(|answer| answer.is_ok_and(|text| text.split(' ').nth(1) == Some("200")))
}
