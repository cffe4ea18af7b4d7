//! A cluster that Helm installs into, and Helm itself. Nothing of the operator's is there before a chart is.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};
use testbed::{Output, assets};
use tokio::process::Command;
use tokio::time::timeout;

use crate::golden::documents;
use crate::support::bed::{Bed, Kind};
use crate::support::cluster::{ObjectRef, text};
use crate::support::operator::{Operator, Options};
use crate::support::settings::{self, repository};

/// The chart below the repository's root.
pub(super) const CHART: &str = "deploy/charts/keyferry";
/// Where releases go.
pub(super) const NAMESPACE: &str = "external-secrets";
const WITHIN: Duration = Duration::from_mins(2);

/// Control plane, fake Azure and both Helms; namespace `external-secrets` enforces the Pod Security
/// standard "restricted".
pub(super) struct Stage {
    pub(super) bed: Bed,
    helm: assets::Helm,
}

/// Which Helm.
#[derive(Clone, Copy, Debug)]
pub(super) enum Major {
    Third,
    Fourth,
}

impl Stage {
    pub(super) async fn start() -> anyhow::Result<Self> {
        let stage = Self::empty().await?;
        let namespace = restricted(NAMESPACE);
        stage.bed.cluster().apply(&namespace, None).await?;
        Ok(stage)
    }

    /// Without the namespace.
    pub(super) async fn empty() -> anyhow::Result<Self> {
        let helm = tokio::task::spawn_blocking(|| assets::helm(&assets::to_stderr)).await??;
        let bed = Bed::start_as(Kind::Empty).await?;
        Ok(Self { bed, helm })
    }

    /// Runs Helm in the repository's root as the cluster's administrator.
    pub(super) async fn helm(&self, major: Major, arguments: &[&str]) -> anyhow::Result<Output> {
        self.tool(self.helm_path(major), arguments).await
    }

    /// Where a Helm is.
    pub(super) fn helm_path(&self, major: Major) -> &Path {
        match major {
            Major::Third => &self.helm.helm,
            Major::Fourth => &self.helm.helm4,
        }
    }

    /// Runs kubeconform.
    pub(super) async fn kubeconform(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        self.tool(&self.helm.kubeconform, arguments).await
    }

    async fn tool(&self, program: &Path, arguments: &[&str]) -> anyhow::Result<Output> {
        let plane = self.bed.plane();
        let mut command = Command::new(program);
        command.args(arguments).current_dir(repository());
        command.env_clear().env("HOME", plane.state());
        command.env("KUBECONFIG", plane.admin_kubeconfig());
        let output = timeout(WITHIN, command.kill_on_drop(true).output()).await;
        let output = output.with_context(|| format!("{arguments:?}"))??;
        Ok(Output {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// The documents that this Helm renders of the chart for these values.
    pub(super) async fn rendered(&self, flags: &[&str]) -> anyhow::Result<Vec<Value>> {
        let mut arguments = vec!["template", "keyferry", CHART, "--namespace", NAMESPACE];
        arguments.extend(flags);
        let text = self.helm(Major::Third, &arguments).await?.success()?;
        documents(&text)
    }

    /// Runs the operator as the release's ServiceAccount, with the flags that the Deployment gives
    /// it; only its addresses are others.
    pub(super) async fn operate(&mut self, release: &str) -> anyhow::Result<Operator> {
        let deployment = object("Deployment", Some(NAMESPACE), release);
        let found = self.bed.cluster().get(&deployment).await?;
        let pod = found.context("no Deployment")?["spec"]["template"]["spec"].take();
        let flags = pod["containers"][0]["args"]
            .as_array()
            .context("no flags")?;
        let flags = flags.iter().map(text).filter(|flag| {
            !flag.starts_with("--metrics-addr=") && !flag.starts_with("--live-addr=")
        });
        let options = Options::flags(&flags.collect::<Vec<_>>());
        self.bed
            .sign_in(NAMESPACE, text(&pod["serviceAccountName"]))
            .await?;
        Operator::start(&settings::operator(), &self.bed, options)
    }
}

/// A namespace that refuses pods which are not restricted.
pub(super) fn restricted(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {
        "pod-security.kubernetes.io/enforce": "restricted",
        "pod-security.kubernetes.io/enforce-version": "latest",
    }}})
}

/// An object by kind, namespace and name.
pub(super) fn object(kind: &str, namespace: Option<&str>, name: &str) -> ObjectRef {
    ObjectRef {
        kind: kind.to_owned(),
        namespace: namespace.map(str::to_owned),
        name: name.to_owned(),
    }
}

/// None for the default values, then each file of the chart's ci/.
pub(super) fn value_files() -> Vec<Option<String>> {
    let folder = std::fs::read_dir(repository().join(CHART).join("ci")).unwrap();
    let paths = folder.map(|entry| entry.unwrap().path().display().to_string());
    let mut files: Vec<_> = std::iter::once(None).chain(paths.map(Some)).collect();
    files.sort();
    assert!(files.len() >= 5, "{files:?}");
    files
}
