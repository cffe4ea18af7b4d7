//! Everything that the chart can render is admitted: a strict dry run on the API server, its pods in a
//! namespace that takes restricted ones only, and kubeconform with that server's own schemas.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::helm::{NAMESPACE, Stage, restricted, value_files};
use crate::golden::documents;
use crate::support::cluster::{array, text};
use crate::support::run;
use crate::support::settings::{self, repository};

/// The Prometheus operator's kinds as far as the API server must know them.
const MONITORING: [(&str, &str); 2] = [
    ("ServiceMonitor", "servicemonitors"),
    ("PrometheusRule", "prometheusrules"),
];

fn monitoring(kind: &str, plural: &str) -> Value {
    let any = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.monitoring.coreos.com")},
        "spec": {"group": "monitoring.coreos.com", "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.to_lowercase()},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": any}}}}]}})
}

/// One control plane for all tests below: they write nothing that outlives them.
static STAGE: OnceCell<Stage> = OnceCell::const_new();

async fn stage() -> anyhow::Result<&'static Stage> {
    STAGE.get_or_try_init(start).await
}

async fn start() -> anyhow::Result<Stage> {
    let stage = Stage::start().await?;
    for (kind, plural) in MONITORING {
        stage
            .bed
            .install(&monitoring(kind, plural).to_string())
            .await?;
    }
    stage
        .bed
        .cluster()
        .apply(&restricted("team-a"), None)
        .await?;
    Ok(stage)
}

/// Every rendering by the name of its values.
async fn renderings(stage: &Stage) -> anyhow::Result<BTreeMap<String, Vec<Value>>> {
    let mut all = BTreeMap::new();
    for file in value_files() {
        let flag = file.as_ref().map(|file| format!("--values={file}"));
        let flags: Vec<&str> = flag.as_deref().into_iter().collect();
        let name = file.unwrap_or_else(|| "default values".to_owned());
        all.insert(name, stage.rendered(&flags).await?);
    }
    let manifest = std::fs::read_to_string(repository().join("deploy/manifests/keyferry.yaml"))?;
    all.insert("deploy/manifests".to_owned(), documents(&manifest)?);
    Ok(all)
}

#[test]
fn every_rendering_passes_a_strict_dry_run_and_its_pods_are_restricted() {
    let test = async {
        let stage = stage().await?;
        let mut pods = 0;
        for (values, documents) in renderings(stage).await? {
            for document in &documents {
                dry_run(stage, document)
                    .await
                    .with_context(|| format!("{values}: {document}"))?;
                if document["kind"] == "Deployment" {
                    let pod = &document["spec"]["template"];
                    let pod = json!({"apiVersion": "v1", "kind": "Pod", "spec": pod["spec"],
                        "metadata": {"name": "pod", "namespace": NAMESPACE, "labels": pod["metadata"]["labels"]}});
                    stage
                        .bed
                        .apply(NAMESPACE, &account(&pod).to_string())
                        .await?;
                    dry_run(stage, &pod)
                        .await
                        .with_context(|| format!("{values}: the pod"))?;
                    pods += 1;
                }
            }
        }
        assert_eq!(pods, 6);
        anyhow::Ok(())
    };
    run(test).unwrap();
}

/// The ServiceAccount without which admission refuses the pod.
fn account(pod: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": pod["spec"]["serviceAccountName"]}})
}

async fn dry_run(stage: &Stage, object: &Value) -> anyhow::Result<()> {
    let cluster = stage.bed.cluster();
    let kind = cluster
        .kind(text(&object["kind"]), object["apiVersion"].as_str())
        .await?;
    let metadata = &object["metadata"];
    let root = if kind.api_version == "v1" {
        "/api"
    } else {
        "/apis"
    };
    let within = match metadata["namespace"].as_str() {
        Some(namespace) => format!("namespaces/{namespace}/"),
        None => String::new(),
    };
    let path = format!(
        "{root}/{}/{within}{}/{}?dryRun=All&fieldManager=dry-run&force=true&fieldValidation=Strict",
        kind.api_version,
        kind.plural,
        text(&metadata["name"])
    );
    let body = Some((object, "application/apply-patch+yaml"));
    cluster.request("PATCH", &path, body).await?;
    Ok(())
}

#[test]
fn every_flag_of_every_rendering_is_one_that_the_operator_has() {
    let test = async {
        let stage = stage().await?;
        let mut seen = 0;
        for (values, documents) in renderings(stage).await? {
            for deployment in documents.iter().filter(|it| it["kind"] == "Deployment") {
                let flags = &deployment["spec"]["template"]["spec"]["containers"][0]["args"];
                let parsed = |more: &[&str]| {
                    let mut command = std::process::Command::new(settings::operator());
                    command
                        .args(array(flags).map(text))
                        .args(more)
                        .arg("--help");
                    command.output()
                };
                let output = parsed(&[])?;
                let error = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{values}: {error}");
                assert!(
                    !parsed(&["--no-such-flag"])?.status.success(),
                    "an unknown flag passes"
                );
                seen += array(flags).count();
            }
        }
        assert!(seen > 30, "{seen}");
        anyhow::Ok(())
    };
    run(test).unwrap();
}

#[test]
fn every_rendering_fits_the_servers_schemas_in_kubeconforms_eyes() {
    let test = async {
        let stage = stage().await?;
        let folder = stage.bed.state().join("schemas");
        std::fs::create_dir_all(&folder)?;
        let schemas = format!(
            "{}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json",
            folder.display()
        );
        let check = async |file: &str| {
            stage
                .kubeconform(&["-strict", "-summary", "-schema-location", &schemas, file])
                .await
        };
        for (values, documents) in renderings(stage).await? {
            for document in &documents {
                write_schema(stage, &folder, document).await?;
            }
            let text: Vec<String> = documents.iter().map(Value::to_string).collect();
            let file = folder.join("rendering.yaml").display().to_string();
            std::fs::write(&file, text.join("\n---\n"))?;
            let answer = check(&file)
                .await?
                .success()
                .with_context(|| values.clone())?;
            let counts = format!("{} resources found", documents.len());
            assert!(
                answer.contains(&counts) && answer.contains("Skipped: 0"),
                "{values}: {answer}"
            );
            let wrong = text
                .join("\n---\n")
                .replace("revisionHistoryLimit", "revisionLimit");
            if wrong.contains("revisionLimit") {
                std::fs::write(&file, wrong)?;
                let answer = check(&file).await?;
                assert!(
                    answer.code != 0 && answer.stdout.contains("revisionLimit"),
                    "{answer:?}"
                );
            }
        }
        anyhow::Ok(())
    };
    run(test).unwrap();
}

/// Writes the schema of an object's kind from the server's OpenAPI, with unknown fields refused.
async fn write_schema(
    stage: &Stage,
    folder: &std::path::Path,
    object: &Value,
) -> anyhow::Result<()> {
    let (version, kind) = (text(&object["apiVersion"]), text(&object["kind"]));
    let (group, short) = version.split_once('/').unwrap_or(("", version));
    let suffix = match group.split('.').next() {
        Some("") | None => format!("-{short}"),
        Some(first) => format!("-{first}-{short}"),
    };
    let file = folder.join(format!("{}{suffix}.json", kind.to_lowercase()));
    if file.exists() {
        return Ok(());
    }
    let root = if group.is_empty() { "api" } else { "apis" };
    let path = format!("/openapi/v3/{root}/{version}");
    let mut openapi = stage.bed.cluster().request("GET", &path, None).await?;
    let schemas = openapi["components"]["schemas"]
        .as_object_mut()
        .context("no schemas")?;
    let is_wanted = |schema: &Value| {
        array(&schema["x-kubernetes-group-version-kind"])
            .any(|it| it["kind"] == kind && it["group"] == group && it["version"] == short)
    };
    let name = schemas
        .iter()
        .find(|(_, schema)| is_wanted(schema))
        .map(|(name, _)| name.clone());
    let name = name.with_context(|| format!("{version} {kind} is not in the server's OpenAPI"))?;
    schemas.values_mut().for_each(close);
    let schema = json!({"$ref": format!("#/components/schemas/{name}"), "components": openapi["components"]});
    std::fs::write(file, schema.to_string())?;
    Ok(())
}

/// Refuses what a schema does not name.
fn close(schema: &mut Value) {
    let is_open = schema["x-kubernetes-preserve-unknown-fields"] == true;
    let Some(members) = schema.as_object_mut() else {
        return;
    };
    if let Some(properties) = members.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(close);
        if !is_open {
            members
                .entry("additionalProperties")
                .or_insert(false.into());
        }
    }
    members.remove("x-kubernetes-preserve-unknown-fields");
}
