//! docs/migrate-from-eso.md: its commands, run as they stand there, on a cluster with a release that has
//! the names of ESO's and with objects as ESO was recorded to leave them.

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::time::timeout;

use super::helm::{Major, NAMESPACE, Stage, object};
use crate::golden;
use crate::support::cluster::{array, text};
use crate::support::manifests::{external_secret, ready};
use crate::support::pages;
use crate::support::run;
use crate::support::scene::eventually;
use crate::support::settings::repository;

const WITHIN: Duration = Duration::from_mins(2);
/// Recorded clusters with an ExternalSecret in sync.
const CASES: [&str; 3] = [
    "es-no-refresh-in-interval",
    "es-labels-copied",
    "df-extract-property",
];
/// One of their namespaces, and its store.
const TEAM: &str = "g-es-no-refresh-in-interval";
const ESO: &str = "external-secrets/external-secrets";

#[test]
fn the_documented_way_from_eso_by_helm_3_writes_no_secret() {
    run(migrate(Major::Third)).unwrap();
}

#[test]
fn the_documented_way_from_eso_by_helm_4_writes_no_secret() {
    run(migrate(Major::Fourth)).unwrap();
}

#[test]
fn an_annotation_in_the_cluster_alone_does_not_keep_the_kinds() {
    let test = async {
        for major in [Major::Third, Major::Fourth] {
            let stage = Stage::start().await?;
            let (chart, name) = ("tests/it/chart/eso", "external-secrets");
            let install = ["install", name, chart, "--namespace", NAMESPACE];
            stage.helm(major, &install).await?.success()?;
            let plane = stage.bed.plane();
            let keep = ["annotate", "crd", "--all", "helm.sh/resource-policy=keep"];
            plane.kubectl(keep).await?.success()?;
            let uninstall = ["uninstall", name, "--namespace", NAMESPACE];
            stage.helm(major, &uninstall).await?.success()?;
            for plural in ["externalsecrets", "pushsecrets"] {
                let crd = format!("{plural}.external-secrets.io");
                let crd = object("CustomResourceDefinition", None, &crd);
                let found = stage.bed.cluster().get(&crd).await?.unwrap_or_default();
                // the server may still be clearing up after it
                let goes = &found["metadata"]["deletionTimestamp"];
                assert!(found.is_null() || goes.is_string(), "{major:?}: {found}");
            }
        }
        anyhow::Ok(())
    };
    run(test).unwrap();
}

async fn migrate(major: Major) -> anyhow::Result<()> {
    let mut stage = Stage::start().await?;
    let place = stage.place(major)?;
    let sections = sections();
    assert_eq!(sections.len(), 4, "{sections:?}");
    stage.as_eso_left_it(&place).await?;
    let secrets = secrets(&stage).await?;
    let expected = CASES.len() * 2;
    assert_eq!(secrets.len(), expected, "targets, credentials: {secrets:?}");

    let kept = stage.play(&place, &sections[0]).await?;
    assert_eq!(kept.trim(), "6", "kinds of the stand-in");
    stage.play(&place, &sections[1]).await?;
    let listed = stage.play(&place, &sections[2]).await?;
    assert_eq!(listed.matches("True").count(), CASES.len(), "{listed}");
    let mut operator = stage.operate("keyferry").await?;
    for case in CASES {
        looked_at(&operator, &format!("g-{case}")).await;
    }
    let kinds = stage.play(&place, &sections[3]).await?;
    assert_eq!(kinds.matches(".external-secrets.io").count(), 6, "{kinds}");
    ours(&stage).await?;
    let now = self::secrets(&stage).await?;
    assert_eq!(now, secrets, "a Secret was written");

    let cluster = stage.bed.cluster();
    cluster.apply(&fresh(), Some(TEAM)).await?;
    let fresh = object("ExternalSecret", Some(TEAM), "fresh");
    stage.bed.wait_ready(&fresh, "True").await?;
    for item in cluster.list("ExternalSecret", None).await? {
        assert_eq!(ready(&item)["status"], "True", "{item}");
    }
    operator.stop().await?;
    Ok(())
}

fn fresh() -> Value {
    let data = json!([{"secretKey": "x", "remoteRef": {"key": "db-password"}}]);
    external_secret("fresh", json!({"data": data}))
}

/// The commands of the page's numbered sections, each of which has one block.
fn sections() -> Vec<Vec<String>> {
    let blocks = pages::commands("docs/migrate-from-eso.md");
    let lines = |block: &String| block.lines().map(str::to_owned).collect();
    blocks.iter().map(lines).collect()
}

/// Waits until the operator has reconciled something of a namespace.
async fn looked_at(operator: &crate::support::operator::Operator, namespace: &str) {
    eventually(&format!("a look at {namespace}"), async || {
        let metrics = operator.metrics().await.unwrap_or_default();
        let mut series = metrics
            .lines()
            .filter(|line| line.starts_with("externalsecret_sync_calls_total{"));
        series
            .any(|line| line.contains(&format!("namespace=\"{namespace}\"")))
            .then_some(())
    })
    .await;
}

/// The served kinds have our definitions and are our release's; nothing of ESO's is left but the rest.
async fn ours(stage: &Stage) -> anyhow::Result<()> {
    let cluster = stage.bed.cluster();
    for plural in ["externalsecrets", "secretstores", "clustersecretstores"] {
        let name = format!("{plural}.external-secrets.io");
        let found = cluster
            .get(&object("CustomResourceDefinition", None, &name))
            .await?;
        let found = found.context(name)?;
        let versions: Vec<&str> = array(&found["spec"]["versions"])
            .map(|it| text(&it["name"]))
            .collect();
        assert_eq!(versions, ["v1", "v1beta1"]);
        let schema = &found["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        assert!(schema["x-kubernetes-preserve-unknown-fields"].is_null());
        let annotations = &found["metadata"]["annotations"];
        assert_eq!(annotations["meta.helm.sh/release-name"], "keyferry");
    }
    let deployments = cluster.list("Deployment", Some(NAMESPACE)).await?;
    let names: Vec<&str> = deployments
        .iter()
        .map(|it| text(&it["metadata"]["name"]))
        .collect();
    assert_eq!(names, ["keyferry"]);
    assert!(
        cluster
            .list("ValidatingWebhookConfiguration", None)
            .await?
            .is_empty()
    );
    Ok(())
}

/// Uid and version of every Secret of the recorded clusters.
async fn secrets(stage: &Stage) -> anyhow::Result<BTreeMap<String, [Value; 2]>> {
    let mut found = BTreeMap::new();
    for case in CASES {
        let namespace = format!("g-{case}");
        for secret in stage.bed.cluster().list("Secret", Some(&namespace)).await? {
            let metadata = &secret["metadata"];
            if metadata["name"] != "fresh" {
                let versions = ["uid", "resourceVersion"].map(|field| metadata[field].clone());
                found.insert(format!("{namespace}/{}", text(&metadata["name"])), versions);
            }
        }
    }
    Ok(found)
}

impl Stage {
    /// A directory as a page's reader has it: the repository's deploy/ and examples/, ESO's chart under the name of
    /// its repository, helm and kubectl on the PATH.
    pub(super) fn place(&self, major: Major) -> anyhow::Result<PathBuf> {
        let place = self.bed.state().join("place");
        std::fs::create_dir_all(place.join("bin"))?;
        std::fs::create_dir_all(place.join("external-secrets"))?;
        for folder in ["deploy", "examples"] {
            symlink(repository().join(folder), place.join(folder))?;
        }
        symlink(repository().join("tests/it/chart/eso"), place.join(ESO))?;
        symlink(self.helm_path(major), place.join("bin/helm"))?;
        symlink(self.bed.plane().kubectl_path(), place.join("bin/kubectl"))?;
        Ok(place)
    }

    /// A release with the names of ESO's, objects as it left them, and a webhook that nobody serves:
    /// while it is to be ignored the objects are put in.
    async fn as_eso_left_it(&self, place: &Path) -> anyhow::Result<()> {
        let eso = format!("external-secrets {ESO} --namespace {NAMESPACE}");
        let lenient = format!("helm install {eso} --set webhook.failurePolicy=Ignore");
        self.shell(place, &lenient).await?;
        golden::takeover::leave_as_eso(&self.bed, &CASES).await?;
        let strict = format!("helm upgrade {eso} --reset-values");
        self.shell(place, &strict).await?;
        let change = format!("kubectl annotate externalsecret app -n {TEAM} a=b --dry-run=server");
        eventually("a dead webhook that refuses changes", async || {
            let refusal = self.shell(place, &change).await.err()?.to_string();
            refusal.contains("failed calling webhook").then_some(())
        })
        .await;
        Ok(())
    }

    /// Runs commands one after the other and returns what the last one printed.
    async fn play(&self, place: &Path, commands: &[String]) -> anyhow::Result<String> {
        let mut printed = String::new();
        for command in commands {
            printed = self.shell(place, command).await?;
        }
        Ok(printed)
    }

    /// Runs a script in a directory as the cluster's administrator and returns what it printed.
    pub(super) async fn shell(&self, directory: &Path, command: &str) -> anyhow::Result<String> {
        let plane = self.bed.plane();
        let mut shell = Command::new("sh");
        shell
            .args(["-c", command])
            .current_dir(directory)
            .env_clear();
        shell.env(
            "PATH",
            format!("{}:/usr/bin:/bin", directory.join("bin").display()),
        );
        shell
            .env("HOME", plane.state())
            .env("KUBECONFIG", plane.admin_kubeconfig());
        let output = timeout(WITHIN, shell.kill_on_drop(true).output()).await;
        let output = output.with_context(|| command.to_owned())??;
        let stderr = String::from_utf8_lossy(&output.stderr);
        anyhow::ensure!(output.status.success(), "{command}: {stderr}");
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}
