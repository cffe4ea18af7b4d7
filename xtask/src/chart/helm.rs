//! Runs Helm on the chart. Knows no rule about what is rendered.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use testbed::assets;

use crate::cargo;

/// The chart below the repository's root.
pub(crate) const CHART: &str = "deploy/charts/keyferry";

/// A Helm of either major version.
pub(crate) struct Helm {
    program: PathBuf,
}

/// A release's name and namespace.
#[derive(Clone, Copy)]
pub(crate) struct Release {
    name: &'static str,
    namespace: &'static str,
}

impl Release {
    /// What deploy/ and the documentation speak of.
    pub(crate) const KEYFERRY: Self = Self {
        name: "keyferry",
        namespace: "external-secrets",
    };
}

impl Helm {
    /// Helm 3.
    pub(crate) fn third(found: &assets::Helm) -> Self {
        Self {
            program: found.helm.clone(),
        }
    }

    /// Helm 4.
    pub(crate) fn fourth(found: &assets::Helm) -> Self {
        Self {
            program: found.helm4.clone(),
        }
    }

    /// What `helm template` prints.
    ///
    /// # Errors
    /// Helm refuses; the message is its own.
    pub(crate) fn template(&self, release: Release, arguments: &[&str]) -> Result<String> {
        let namespace = format!("--namespace={}", release.namespace);
        let mut all = vec!["template", release.name, CHART, &namespace];
        all.extend(arguments);
        run(&self.program, &all)
    }

    /// `helm lint --strict`.
    ///
    /// # Errors
    /// It finds something.
    pub(crate) fn lint(&self, arguments: &[&str]) -> Result<String> {
        let mut all = vec!["lint", "--strict", CHART];
        all.extend(arguments);
        run(&self.program, &all)
    }
}

/// Runs a tool in the repository's root and returns its standard output. It finds no configuration
/// of the user's.
///
/// # Errors
/// It cannot be run or fails; the message has what it printed.
pub(crate) fn run(program: &PathBuf, arguments: &[&str]) -> Result<String> {
    let home = tempfile::tempdir().context("make a directory")?;
    let mut command = Command::new(program);
    command.args(arguments).current_dir(cargo::root());
    command.env_clear().env("HOME", home.path());
    let output = command
        .output()
        .with_context(|| format!("run {}", program.display()))?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(
        output.status.success(),
        "{command:?} failed\n{stdout}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(stdout)
}

/// A file of the chart.
///
/// # Errors
/// It cannot be read.
pub(crate) fn read(file: &str) -> Result<String> {
    let path = cargo::root().join(CHART).join(file);
    fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))
}
