//! The shell in which a user follows the HOWTO: at the repository's root, kubectl on PATH, the
//! administrator's kubeconfig. What is shown is what is run. Knows no scenario.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use testbed::{ControlPlane, Launch, Process};

use super::screen::Screen;
use crate::cargo::root;

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
        let (output, errors) = self.run(line).await?;
        screen.output(&errors);
        screen.output(&output);
        Ok(())
    }

    /// Runs a line behind the scenes; returns its standard output.
    ///
    /// # Errors
    /// It exits with another code than 0, or not within two minutes. The message has the line,
    /// secret values included: it is for [`super::sensitive::Sensitive::redact`].
    pub(super) async fn ask(&self, line: &str) -> Result<String> {
        let (output, _) = self.run(line).await?;
        Ok(output)
    }

    /// What the line says on standard output and standard error. An interruption ends it with all
    /// that it started.
    async fn run(&self, line: &str) -> Result<(String, String)> {
        let [output, errors] = ["shell.out", "shell.err"].map(|name| self.home.join(name));
        for file in [&output, &errors] {
            fs::write(file, "").with_context(|| format!("empty {}", file.display()))?;
        }
        let launch = Launch::new("sh", &output)
            .args(["-c", &format!("exec 2>\"$STDERR\"\n{line}")])
            .current_dir(root())
            .envs([
                ("PATH", self.path.as_os_str()),
                ("STDERR", errors.as_os_str()),
            ])
            .envs([("KUBECONFIG", &self.kubeconfig), ("HOME", &self.home)]);
        let mut process = Process::spawn(launch)?;
        let status = process.wait(WITHIN).await;
        let status = status.with_context(|| format!("wait for `{line}`"))?;
        let errors = read(&errors)?;
        ensure!(
            status.success(),
            "`{line}` failed, {status}: {}",
            errors.trim_end()
        );
        Ok((read(&output)?, errors))
    }
}

fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).with_context(|| format!("read {}", file.display()))
}
