//! Server-side apply of YAML texts as the administrator.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams};
use kube::discovery::{self, ApiCapabilities, Scope};
use kube::{Api, Client, ResourceExt as _};
use serde_json::Value;
use tokio::time::sleep;

use super::ControlPlane;

const MANAGER: &str = "testbed";
/// A kind is served within a second or two after its CRD is accepted.
const SERVED_WITHIN: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(50);

impl ControlPlane {
    /// Applies the documents of a YAML text in their order: server-side apply, field manager
    /// `testbed`, conflicts forced. Objects without namespace go to `default`. A CRD is applied when
    /// its kind is served, so its objects may follow in the same text.
    ///
    /// # Errors
    /// The text is not YAML, a kind is unknown, or the API server refuses an object (named in the
    /// message). What stands before it is applied.
    pub async fn apply_yaml(&self, text: &str) -> Result<()> {
        let documents: Vec<Value> = serde_saphyr::from_multiple(text).context("parse YAML")?;
        let client = self.client()?;
        for document in documents.into_iter().filter(|document| !document.is_null()) {
            let object: DynamicObject =
                serde_json::from_value(document).context("an object without apiVersion or kind")?;
            apply(&client, &object)
                .await
                .with_context(|| format!("apply {}", title(&object)))?;
        }
        Ok(())
    }
}

fn title(object: &DynamicObject) -> String {
    let kind = object.types.as_ref().map_or("object", |types| &types.kind);
    match object.namespace() {
        Some(namespace) => format!("{kind} {namespace}/{}", object.name_any()),
        None => format!("{kind} {}", object.name_any()),
    }
}

async fn apply(client: &Client, object: &DynamicObject) -> Result<()> {
    let types = object.types.as_ref().context("no apiVersion and kind")?;
    let (resource, capabilities) = served(client, &GroupVersionKind::try_from(types)?).await?;
    let api: Api<DynamicObject> = match (&capabilities.scope, object.namespace()) {
        (Scope::Cluster, _) => Api::all_with(client.clone(), &resource),
        (Scope::Namespaced, Some(namespace)) => {
            Api::namespaced_with(client.clone(), &namespace, &resource)
        }
        (Scope::Namespaced, None) => Api::default_namespaced_with(client.clone(), &resource),
    };
    let name = object
        .metadata
        .name
        .as_deref()
        .context("no metadata.name")?;
    api.patch(
        name,
        &PatchParams::apply(MANAGER).force(),
        &Patch::Apply(object),
    )
    .await?;
    if resource.kind == "CustomResourceDefinition" {
        established(client, name).await?;
    }
    Ok(())
}

/// Where a kind is served; waits a little for a kind whose CRD has just come.
async fn served(
    client: &Client,
    kind: &GroupVersionKind,
) -> Result<(ApiResource, ApiCapabilities)> {
    let end = Instant::now() + SERVED_WITHIN;
    loop {
        match discovery::pinned_kind(client, kind).await {
            Ok(found) => return Ok(found),
            Err(error) if kind.group.is_empty() || Instant::now() > end => {
                return Err(error).with_context(|| {
                    format!("{} {} is not served", kind.api_version(), kind.kind)
                });
            }
            Err(_) => sleep(POLL).await,
        }
    }
}

async fn established(client: &Client, name: &str) -> Result<()> {
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    let end = Instant::now() + SERVED_WITHIN;
    loop {
        let conditions = definitions
            .get(name)
            .await?
            .status
            .and_then(|status| status.conditions)
            .unwrap_or_default();
        if conditions
            .iter()
            .any(|c| c.type_ == "Established" && c.status == "True")
        {
            return Ok(());
        }
        if Instant::now() > end {
            bail!("not established after {SERVED_WITHIN:?}: {conditions:?}");
        }
        sleep(POLL).await;
    }
}
