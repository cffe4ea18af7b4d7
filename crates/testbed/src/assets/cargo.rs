//! Programs from crates.io, built by cargo into the cache once per machine and version.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::{Progress, cache};
use crate::process::{Launch, on_path};

/// The program `name` of the crate of that name, with the dependencies of its own lock file.
pub(super) fn program(name: &str, version: &str, progress: Progress<'_>) -> Result<PathBuf> {
    // without dots: the cache puts other endings after the last one
    let directory = format!("{name}-{}", version.replace('.', "-"));
    let directory = cache::root()?.join(directory);
    cache::fill(&directory, progress, |partial| {
        let cargo = on_path("cargo").context("there is no `cargo` on PATH")?;
        let what = format!("building {name} {version}");
        progress(&format!("{what}, about 3 minutes on two cores"));
        let products = partial.path.join("target");
        partial.run(&what, |log| {
            Launch::new(cargo, log)
                .args(["install", "--quiet", "--locked", "--root"])
                .args([partial.path, "--target-dir".as_ref(), &products])
                .args([format!("{name}@{version}")])
        })?;
        std::fs::remove_dir_all(&products).context("remove the build's products")
    })?;
    Ok(directory.join("bin").join(name))
}
