//! Scripts as a reader of the documentation runs them.

#![expect(
    clippy::unwrap_used,
    reason = "clippy's exception for tests does not reach their helpers"
)]

use std::path::Path;
use std::time::Duration;

use testbed::ControlPlane;
use tokio::process::Command;
use tokio::time::timeout;

const WITHIN: Duration = Duration::from_mins(2);

/// Runs a script in a folder with the bed's kubectl as the administrator; returns what it printed. A script that does
/// not succeed ends the test.
pub(crate) async fn run(plane: &ControlPlane, folder: &Path, script: &str) -> String {
    let kubectl = plane.kubectl_path().parent().unwrap();
    let mut command = Command::new("sh");
    command
        .args(["-euxc", script])
        .current_dir(folder)
        .env("PATH", format!("{}:/usr/bin:/bin", kubectl.display()))
        .env("KUBECONFIG", plane.admin_kubeconfig())
        .env("HOME", folder)
        .kill_on_drop(true);
    let output = timeout(WITHIN, command.output()).await.unwrap().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {told}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}
