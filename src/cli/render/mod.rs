//! `keyferry render`: the Secrets that would be written, offline and from files, by the controller's
//! own code. Values come from a file; no cluster and no vault is asked.

mod sources;

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args as ClapArgs;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::ResourceExt as _;
use serde::Deserialize as _;
use serde_json::Value;

use super::templates::Templates;
use crate::api::external_secret::ExternalSecret;
use crate::api::meta::{DATA_HASH_ANNOTATION, GROUP};
use crate::api::secret_store::{ClusterSecretStore, SecretStore};
use crate::controller::TemplateError;
use crate::controller::external_secret::{Error, TargetError, plan};
use crate::kubernetes::answers::chain;
use crate::template;

use sources::{Files, Values};

/// Flags of `render`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Manifests: ExternalSecrets, stores, ConfigMaps, Secrets; - is standard input.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// What the vaults hold, as YAML: a map of store names to maps of remote keys to values. Stores
    /// with the fake provider have their own.
    #[arg(long)]
    values: Option<PathBuf>,
    /// Print values instead of their lengths.
    #[arg(long)]
    show_values: bool,
    /// The namespace of manifests that name none.
    #[arg(long, short, default_value = "default")]
    namespace: String,
    #[command(flatten)]
    templates: Templates,
}

/// Prints the Secrets; fails if one ExternalSecret does, after all were tried.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let values = match &args.values {
        Some(file) => Values::parse(&read(file)?).with_context(|| in_file(file))?,
        None => Values::default(),
    };
    let mut files = Files::new(values);
    let mut objects = Vec::new();
    for file in &args.files {
        let text = read(file)?;
        for document in documents(&text).with_context(|| in_file(file))? {
            take(document, &args.namespace, &mut files, &mut objects)
                .with_context(|| in_file(file))?;
        }
    }
    if objects.is_empty() {
        bail!("no ExternalSecret in the files given");
    }
    let engine = args.templates.engine();
    let mut failed = 0;
    for object in &objects {
        let namespace = object.namespace().unwrap_or_default();
        let present = files.secret(&namespace, object.target_name());
        let name = format!("{namespace}/{}", object.name_any());
        let planned = plan(object, present, &engine, &files, &files).await;
        match planned.and_then(|plan| plan.target_after(present)) {
            Ok(Some(secret)) => print(&name, secret, args.show_values)?,
            Ok(None) => say(&format!("# ExternalSecret {name}: nothing is written\n"))?,
            Err(error) => {
                failed += 1;
                say(&failure(&name, &error))?;
            }
        }
    }
    if failed > 0 {
        bail!("{failed} of {} ExternalSecrets fail", objects.len());
    }
    Ok(())
}

/// What went wrong, as comments between the documents; of a template also where.
fn failure(name: &str, error: &Error) -> String {
    let mut text = format!("# ExternalSecret {name} fails: {}\n", chain(error));
    if let Error::Target(TargetError::Templates(TemplateError::Render(template::Error::Engine {
        excerpt,
        ..
    }))) = error
    {
        for line in excerpt.to_string().lines() {
            text.extend(["#   ", line, "\n"]);
        }
    }
    text
}

fn in_file(file: &Path) -> String {
    format!("in {}", file.display())
}

fn read(file: &Path) -> anyhow::Result<String> {
    if file.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .context("cannot read standard input")?;
        return Ok(text);
    }
    std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

/// The YAML documents of a text; empty ones are left out.
fn documents(text: &str) -> anyhow::Result<Vec<Value>> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(text).context("not YAML")?;
    Ok(documents.into_iter().filter(|it| !it.is_null()).collect())
}

/// Puts a document where it belongs; kinds that have no part in a sync are passed over.
fn take(
    mut document: Value,
    namespace: &str,
    files: &mut Files,
    objects: &mut Vec<ExternalSecret>,
) -> anyhow::Result<()> {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (api, kind) = (word(&document["apiVersion"]), word(&document["kind"]));
    let name = word(&document["metadata"]["name"]);
    let group = api.split_once('/').map_or("", |(group, _)| group);
    if kind != "ClusterSecretStore" && document["metadata"]["namespace"].is_null() {
        document["metadata"]["namespace"] = namespace.into();
    }
    let what = || format!("{kind} {name}");
    match (group, kind.as_str()) {
        (GROUP, "ExternalSecret") => {
            objects.push(ExternalSecret::deserialize(document).with_context(what)?);
        }
        (GROUP, "SecretStore") => {
            files.add_store(&SecretStore::deserialize(document).with_context(what)?);
        }
        (GROUP, "ClusterSecretStore") => {
            files.add_cluster_store(&ClusterSecretStore::deserialize(document).with_context(what)?);
        }
        ("", "ConfigMap") => {
            files.add_config_map(&ConfigMap::deserialize(document).with_context(what)?);
        }
        ("", "Secret") => files.add_secret(Secret::deserialize(document).with_context(what)?),
        _ => {}
    }
    Ok(())
}

fn print(name: &str, mut secret: Secret, show_values: bool) -> anyhow::Result<()> {
    secret.metadata.managed_fields = None;
    let mut lengths = BTreeMap::new();
    if !show_values {
        for (key, ByteString(value)) in secret.data.take().into_iter().flatten() {
            lengths.insert(key, format!("<redacted, {} bytes>", value.len()));
        }
        // short values can be guessed from their hash
        secret.annotations_mut().remove(DATA_HASH_ANNOTATION);
    }
    let mut document = serde_json::to_value(&secret)?;
    if !lengths.is_empty() {
        document["data"] = serde_json::to_value(lengths)?;
    }
    let yaml = serde_saphyr::to_string(&document).context("cannot write YAML")?;
    say(&format!("---\n# ExternalSecret {name}\n{yaml}"))
}

fn say(text: &str) -> anyhow::Result<()> {
    std::io::stdout()
        .write_all(text.as_bytes())
        .context("cannot write to stdout")
}
