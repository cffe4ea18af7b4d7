//! The shell in which a user follows the HOWTO: at the repository's root, kubectl on PATH, the
//! administrator's kubeconfig. What is shown is what is run. Knows no scenario.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use testbed::ControlPlane;
use tokio::process::Command;
use tokio::time::timeout;

use super::screen::Screen;
use super::stage::root;

/// Longer than any wait that is left to kubectl.
const WITHIN: Duration = Duration::from_mins(2);

/// How commands are run.
pub(super) struct Shell {
    path: OsString,
    kubeconfig: PathBuf,
    home: PathBuf,
}

impl Shell {
    /// A shell with this cluster at hand.
    pub(super) fn new(plane: &ControlPlane) -> Result<Self> {
        let tools = plane.kubectl_path().parent().map(PathBuf::from);
        let others = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(tools.into_iter().chain(std::env::split_paths(&others)));
        Ok(Self {
            path: path.context("put kubectl on PATH")?,
            kubeconfig: plane.admin_kubeconfig().to_owned(),
            home: plane.state().to_owned(),
        })
    }

    /// Runs a line in sight of the user, with all that it says.
    ///
    /// # Errors
    /// As [`Shell::ask`].
    pub(super) async fn show(&self, screen: &Screen<'_>, line: &str) -> Result<()> {
        screen.command(line);
        let output = self.run(line).await?;
        screen.output(&String::from_utf8_lossy(&output.stderr));
        screen.output(&String::from_utf8_lossy(&output.stdout));
        Ok(())
    }

    /// Runs a line behind the scenes; returns its standard output.
    ///
    /// # Errors
    /// It exits with another code than 0, or not within two minutes. The message has the line,
    /// secret values included: it is for [`super::sensitive::Sensitive::redact`].
    pub(super) async fn ask(&self, line: &str) -> Result<String> {
        let output = self.run(line).await?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    async fn run(&self, line: &str) -> Result<Output> {
        let mut command = Command::new("sh");
        command
            .args(["-c", line])
            .current_dir(root())
            .env("PATH", &self.path)
            .env("KUBECONFIG", &self.kubeconfig)
            .env("HOME", &self.home)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let finished = timeout(WITHIN, command.output()).await;
        let output = finished.with_context(|| format!("`{line}` still runs after {WITHIN:?}"))?;
        let output = output.with_context(|| format!("start a shell for `{line}`"))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("`{line}` failed, {}: {}", output.status, said.trim_end());
        }
        Ok(output)
    }
}
