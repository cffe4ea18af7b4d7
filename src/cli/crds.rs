//! `keyferry crds`: the CRDs, for `kubectl apply --server-side -f -`.

use std::io::Write as _;

use anyhow::Context as _;

/// Prints all CRDs as YAML documents.
pub(super) fn print() -> anyhow::Result<()> {
    let yaml = crate::api::crds::bundle_yaml()?;
    std::io::stdout()
        .write_all(yaml.as_bytes())
        .context("cannot write to stdout")
}
