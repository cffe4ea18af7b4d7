//! The software bill of materials: the crates as cargo-cyclonedx lists them, and the Debian packages. Knows nothing of
//! the image but its packages.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use testbed::assets;

use super::rootfs::{Package, Rootfs};
use crate::{cargo, git};

/// What cargo reads to know the program's crates.
const PARTS: [&str; 5] = ["Cargo.toml", "Cargo.lock", "src/", "crates/", "xtask/"];

/// Writes the list as CycloneDX JSON and counts crates and packages.
///
/// # Errors
/// cargo-cyclonedx cannot be built or fails, or a file cannot be written.
pub(super) fn write(root: &Rootfs, file: &Path) -> Result<(usize, usize)> {
    let mut list = crates()?;
    let components = list["components"].as_array_mut();
    let components = components.context("cargo-cyclonedx lists no components")?;
    let count = components.len();
    ensure!(count > 100, "cargo-cyclonedx lists {count} crates only");
    components.extend(root.packages.iter().map(component));
    let text = serde_json::to_string_pretty(&list)?;
    fs::write(file, text + "\n").with_context(|| format!("write {}", file.display()))?;
    Ok((count, root.packages.len()))
}

/// The crates. cargo-cyclonedx writes beside each Cargo.toml, so it gets a copy.
fn crates() -> Result<Value> {
    let program = assets::cyclonedx(&assets::to_stderr)?;
    let copy = tempfile::tempdir().context("make a temporary directory")?;
    for file in git::files()? {
        let source = cargo::root().join(&file);
        // a deleted file is listed too
        if PARTS.iter().any(|part| file.starts_with(part)) && source.is_file() {
            let target = copy.path().join(&file);
            fs::create_dir_all(target.parent().context("a file stands in a folder")?)?;
            fs::copy(&source, &target).with_context(|| format!("copy {file}"))?;
        }
    }
    let (_, time) = git::head()?;
    let output = Command::new(program)
        .args(["cyclonedx", "--format=json", "--spec-version=1.5"])
        .args(["--describe=binaries", "--no-build-deps"])
        .current_dir(copy.path())
        .env("CARGO_NET_OFFLINE", "true")
        .env("SOURCE_DATE_EPOCH", time)
        .output()
        .context("run cargo-cyclonedx")?;
    ensure!(
        output.status.success(),
        "cargo-cyclonedx: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    let text = fs::read_to_string(copy.path().join("keyferry_bin.cdx.json"))
        .context("read what cargo-cyclonedx wrote")?;
    // the copy's place means nothing to anybody
    let text = text.replace(&format!("{}", copy.path().display()), "");
    serde_json::from_str(&text).context("read cargo-cyclonedx's list")
}

fn component(package: &Package) -> Value {
    let Package {
        name,
        version,
        architecture,
    } = package;
    let url = format!("pkg:deb/debian/{name}@{version}?arch={architecture}").replace('+', "%2B");
    json!({"type": "library", "bom-ref": url, "name": name, "version": version, "purl": url})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_named_by_its_package_url() {
        let libc = component(&Package {
            name: "libc6".to_owned(),
            version: "2.36-9+deb12u14".to_owned(),
            architecture: "amd64".to_owned(),
        });
        assert_eq!(
            libc["purl"],
            "pkg:deb/debian/libc6@2.36-9%2Bdeb12u14?arch=amd64"
        );
    }
}
