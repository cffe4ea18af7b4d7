//! `cargo xtask bench release`: a release of the chart from its installation to its end, by Helm 3 and by Helm 4: how
//! long each step takes, what it makes, and what it leaves. There is no kubelet: the operator is started
//! with the Deployment's flags, as its ServiceAccount.

use std::io::{Write as _, stdout};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use azfake::AzFake;
use serde_json::{Value, json};
use testbed::{ControlPlane, Process, assets};
use tokio::process::Command;

use super::stage::start_operator;
use super::{manifests, say};
use crate::{cargo, operator};

const CHART: &str = "deploy/charts/keyferry";
const RELEASE: &str = "keyferry";
const GRACE: Duration = Duration::from_secs(20);
const WITHIN: &str = "--timeout=60s";
const VAULT: &str = "kv-howto";
/// What must outlive a release, as kubectl names it.
const KEPT: [&str; 2] = [
    "crd/externalsecrets.external-secrets.io crd/secretstores.external-secrets.io \
     crd/clustersecretstores.external-secrets.io",
    "externalsecret/netbox-db-password secret/netbox-db-credentials --namespace=netbox",
];
/// Uid and version of each object.
const VERSIONS: &str =
    "--output=jsonpath={range .items[*]}{.metadata.uid} {.metadata.resourceVersion}{\"\\n\"}{end}";

/// Arguments of `bench release`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A built operator, in place of a release build.
    #[arg(long, value_name = "PROGRAM")]
    operator: Option<PathBuf>,
}

/// Measures and prints a table.
pub(super) async fn run(args: &Args) -> Result<()> {
    let program = match &args.operator {
        Some(program) => program.clone(),
        None => cargo::build_operator(true).await?,
    };
    let helm = tokio::task::spawn_blocking(|| assets::helm(&assets::to_stderr)).await??;
    let mut columns = Vec::new();
    for (name, helm) in [("Helm 3", &helm.helm), ("Helm 4", &helm.helm4)] {
        say(&format!("a release by {name}"))?;
        let (plane, azure) = operator::empty_bed().await?;
        let release = Release {
            plane,
            azure,
            helm,
            program: &program,
        };
        columns.push(release.live().await.with_context(|| name.to_owned())?);
    }
    let mut out = stdout().lock();
    writeln!(out, "\n| step | Helm 3 | Helm 4 |\n| --- | ---: | ---: |")?;
    for ((step, third), (_, fourth)) in columns[0].iter().zip(&columns[1]) {
        writeln!(out, "| {step} | {third} | {fourth} |")?;
    }
    Ok(())
}

/// What a step came to.
type Row = (&'static str, String);

struct Release<'a> {
    plane: ControlPlane,
    azure: AzFake,
    helm: &'a Path,
    program: &'a Path,
}

impl Release<'_> {
    async fn live(&self) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        let start = Instant::now();
        self.helm(&["install", RELEASE, CHART, "--create-namespace"])
            .await?;
        rows.push(("`helm install` with default values", since(start)));
        rows.push(("objects it makes", self.objects().await?.to_string()));

        let start = Instant::now();
        let operator = self.operate().await?;
        self.declare_howto().await?;
        self.howto_is_synced().await?;
        let step = "the operator starts, the HOWTO's manifests are applied, its Secret is there";
        rows.push((step, since(start)));
        let before = self.kept().await?;

        let start = Instant::now();
        self.helm(&["upgrade", RELEASE, CHART, "--set=log.level=debug"])
            .await?;
        rows.push(("`helm upgrade` with another flag", since(start)));
        let operator = self.replace(operator).await?;
        let kept = self.kept().await?;
        ensure!(
            kept.last() == before.last(),
            "the upgrade wrote: {before:?} {kept:?}"
        );
        rows.push(("writes to ExternalSecret and Secret by it", "0".to_owned()));

        stop(operator).await?;
        let start = Instant::now();
        self.helm(&["uninstall", RELEASE]).await?;
        rows.push(("`helm uninstall`", since(start)));
        ensure!(
            self.kept().await? == kept,
            "the uninstallation touched what is kept"
        );
        let step = "left as they were: CRDs, ExternalSecret, Secret";
        let kept: usize = kept.iter().map(|text| text.lines().count()).sum();
        rows.push((step, kept.to_string()));
        Ok(rows)
    }

    /// Runs Helm on the release, in the repository's root and as the cluster's administrator.
    async fn helm(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(self.helm);
        let command = command.args(arguments).current_dir(cargo::root());
        command.args(["--namespace", operator::NAMESPACE]);
        command.env_clear().env("HOME", self.plane.state());
        command.env("KUBECONFIG", self.plane.admin_kubeconfig());
        let output = command.kill_on_drop(true).output().await;
        let output = output.context("start Helm")?;
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{arguments:?}: {errors}");
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    async fn kubectl(&self, arguments: &[&str], input: &str) -> Result<String> {
        let config = self.plane.admin_kubeconfig();
        let output = self.plane.kubectl_as(config, arguments, input).await?;
        output.success()
    }

    async fn objects(&self) -> Result<usize> {
        let manifest = self.helm(&["get", "manifest", RELEASE]).await?;
        let query = ["get", "--output=name", "--filename", "-"];
        let names = self.kubectl(&query, &manifest).await?;
        Ok(names.lines().count())
    }

    /// Starts the operator with the Deployment's flags, but for the addresses.
    async fn operate(&self) -> Result<Process> {
        let namespace = format!("--namespace={}", operator::NAMESPACE);
        let query = ["get", "deployment/keyferry", &namespace, "--output=json"];
        let deployment: Value = serde_json::from_str(&self.kubectl(&query, "").await?)?;
        let flags = &deployment["spec"]["template"]["spec"]["containers"][0]["args"];
        let flags = flags.as_array().context("a Deployment without flags")?;
        let flags = flags.iter().filter_map(Value::as_str).filter(|flag| {
            !flag.starts_with("--metrics-addr=") && !flag.starts_with("--live-addr=")
        });
        let flags: Vec<String> = flags.map(str::to_owned).collect();
        start_operator((self.program, 0), &self.plane, &self.azure, &flags).await
    }

    /// Another operator in place of this one, as the Deployment replaces its pod.
    async fn replace(&self, old: Process) -> Result<Process> {
        let new = self.operate().await?;
        stop(old).await?;
        self.howto_is_synced().await?;
        Ok(new)
    }

    async fn declare_howto(&self) -> Result<()> {
        let control = self.azure.control();
        control.set_secret(VAULT, "netbox-db-password", "a password");
        let namespace =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "netbox"}});
        let credentials = json!({"apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "akv-sp-credentials", "namespace": operator::NAMESPACE},
            "stringData": {"tenant-id": azfake::TENANT, "client-id": azfake::CLIENT,
                "client-secret": azfake::CLIENT_SECRET}});
        let mut text = manifests::text(&[namespace, credentials]);
        for file in [
            "clustersecretstore_akv-hybridops.yaml",
            "externalsecret-netbox-db-password.yaml",
        ] {
            let path = cargo::root().join("examples/howto").join(file);
            let document = std::fs::read_to_string(&path);
            let document = document.with_context(|| format!("read {}", path.display()))?;
            text.push_str("\n---\n");
            text.push_str(&document.replace("<YOUR_KEYVAULT_NAME>", VAULT));
        }
        let applied = self.kubectl(&["apply", "--filename", "-"], &text).await;
        applied.map(drop)
    }

    async fn howto_is_synced(&self) -> Result<()> {
        let object = "externalsecret/netbox-db-password";
        let wait = [
            "wait",
            "--for=condition=Ready",
            object,
            "--namespace=netbox",
        ];
        let waited = self.kubectl(&[&wait[..], &[WITHIN]].concat(), "").await;
        waited.map(drop)
    }

    /// Uids and versions of all that must outlive a release.
    async fn kept(&self) -> Result<Vec<String>> {
        let mut versions = Vec::new();
        for objects in KEPT {
            let mut query = vec!["get", VERSIONS];
            query.extend(objects.split_whitespace());
            versions.push(self.kubectl(&query, "").await?);
        }
        Ok(versions)
    }
}

async fn stop(mut operator: Process) -> Result<()> {
    operator.stop(GRACE).await.map(drop)
}

fn since(start: Instant) -> String {
    format!("{:.1} s", start.elapsed().as_secs_f64())
}
