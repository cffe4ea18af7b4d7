//! Kubeconfig files (as JSON, which is YAML) and clients made from them.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kube::Config;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};

use crate::pki::Identity;

/// A `user` entry with a client certificate.
pub(crate) fn certificate_user(identity: &Identity) -> Value {
    json!({
        "client-certificate-data": STANDARD.encode(&identity.certificate),
        "client-key-data": STANDARD.encode(&identity.key),
    })
}

/// Writes a kubeconfig with one cluster, one user and one context, for its owner's eyes only.
pub(crate) fn write(
    path: &Path,
    server: &str,
    ca_pem: &str,
    user: &Value,
    namespace: &str,
) -> Result<()> {
    let context = json!({"cluster": "testbed", "user": "testbed", "namespace": namespace});
    let document = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "testbed",
        "clusters": [{
            "name": "testbed",
            "cluster": {"server": server, "certificate-authority-data": STANDARD.encode(ca_pem)},
        }],
        "contexts": [{"name": "testbed", "context": context}],
        "users": [{"name": "testbed", "user": user}],
    });
    write_private(path, &serde_json::to_vec_pretty(&document)?)
}

/// Writes a file that only its owner may read.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> Result<()> {
    let file = fs::File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path);
    file.and_then(|mut file| file.write_all(content))
        .with_context(|| format!("write {}", path.display()))
}

/// A client configuration from a kubeconfig file, without the proxy of the environment: the server
/// is on loopback.
pub(crate) async fn client_config(path: &Path) -> Result<Config> {
    let read = Kubeconfig::read_from(path).with_context(|| format!("read {}", path.display()))?;
    let mut config = Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await?;
    config.proxy_url = None;
    Ok(config)
}
