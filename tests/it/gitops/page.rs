//! docs/gitops.md: its application, commands and expressions, made fit for a scene. Runs nothing.

#![expect(
    clippy::unwrap_used,
    reason = "clippy's exception for tests does not reach their helpers"
)]

use serde_json::{Value, json};

use crate::golden::documents;
use crate::support::pages;
use crate::support::scene::Scene;

fn manifests() -> Vec<String> {
    pages::blocks("docs/gitops.md", "yaml")
}

/// The application, with this scene's vault.
pub(super) fn application(scene: &Scene) -> String {
    let text = manifests().swap_remove(0);
    text.replace("https://my-vault.vault.azure.net", &scene.vault_url())
        .replace("00000000-0000-0000-0000-000000000000", azfake::TENANT)
}

/// Credentials and a secret of the vault, which the application does not bring along.
pub(super) async fn prepare(scene: &Scene) {
    scene.put("db-password", "first");
    let credentials = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "azure-principal"},
        "stringData": {"client-id": azfake::CLIENT, "client-secret": azfake::CLIENT_SECRET}});
    scene.apply(credentials).await;
}

/// The commands, in this scene's namespace.
pub(super) fn commands(scene: &Scene) -> String {
    let text = pages::commands("docs/gitops.md").concat();
    text.replace("-n shop ", &format!("-n {} ", scene.namespace))
}

/// `healthCheckExprs` of the Kustomization.
pub(super) fn health_check_exprs() -> Value {
    let mut kustomization = documents(&manifests()[1]).unwrap();
    kustomization[0]["spec"]["healthCheckExprs"].take()
}
