//! `cargo xtask image`: an image from scratch without pulling anything, from the release build and the Debian
//! packages of this machine; started as the chart would, on the test bed; with its SBOM. The parts: `rootfs` gathers,
//! `podman` makes and runs, `start` proves, `sbom` lists.

mod podman;
mod rootfs;
mod sbom;
mod start;

use std::fs;
use std::io::{Write as _, stdout};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::chart::helm;
use crate::lint::dockerfile;
use crate::{cargo, git};
use podman::Podman;
use rootfs::Rootfs;

/// Arguments of `image`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Write keyferry.oci.tar and keyferry.cdx.json into this directory; default: they are made and thrown away.
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// A built operator, in place of a release build.
    #[arg(long, value_name = "PROGRAM")]
    operator: Option<PathBuf>,
}

/// Makes the image, starts it and prints what was seen.
///
/// # Errors
/// Something cannot be made on this machine, or the image does not do what it should.
pub(crate) fn run(args: &Args) -> Result<()> {
    let podman = Podman::find()?;
    let runtime = podman.runtime.unwrap_or("its default runtime");
    say(&format!("by {} and {runtime}", podman.version))?;
    let runtime = tokio::runtime::Runtime::new().context("start the runtime")?;
    let program = match &args.operator {
        Some(program) => program.clone(),
        None => runtime.block_on(cargo::build_operator(true))?,
    };
    let temporary = tempfile::tempdir().context("make a temporary directory")?;
    let output = args.output.as_deref().unwrap_or(temporary.path());
    fs::create_dir_all(output).with_context(|| format!("make {}", output.display()))?;
    let values: Value = serde_saphyr::from_str(&helm::read("values.yaml")?)?;
    let user = dockerfile::user(&values)?;
    let root = Rootfs::assemble(&program, &user)?;
    let image = make(&podman, &root, &user)?;
    let archive = output.join("keyferry.oci.tar");
    podman.save(&image, &archive)?;
    tell_sizes(&podman, &image, &archive, &root)?;
    let version = podman.run_once(&image, &["--version"])?;
    let expected = format!("keyferry {}", env!("CARGO_PKG_VERSION"));
    ensure!(
        version.trim() == expected,
        "--version in a container: {version:?}, expected {expected:?}"
    );
    say(&format!("--version in a container: {}", version.trim()))?;
    runtime.block_on(async {
        tokio::select! {
            biased;
            result = start::prove(&podman, &image, &user) => result,
            _ = tokio::signal::ctrl_c() => bail!("interrupted; everything is stopped"),
        }
    })?;
    let (crates, packages) = sbom::write(&root, &output.join("keyferry.cdx.json"))?;
    say(&format!(
        "SBOM (CycloneDX): {crates} crates, {packages} Debian packages"
    ))?;
    if let Some(output) = &args.output {
        say(&format!("archive and SBOM: {}", output.display()))?;
    }
    Ok(())
}

/// Makes the image twice: the same program and packages are the same image. Times in it are the commit's.
fn make(podman: &Podman, root: &Rootfs, user: &str) -> Result<String> {
    let (commit, time) = git::head()?;
    let first = podman.build(root, user, &commit, &time)?;
    let second = podman.build(root, user, &commit, &time)?;
    ensure!(
        first == second,
        "two images of the same files differ: {first}, {second}"
    );
    say(&format!("image {first}, made twice with the same id"))?;
    Ok(first)
}

fn tell_sizes(podman: &Podman, image: &str, archive: &Path, root: &Rootfs) -> Result<()> {
    let whole = podman.size(image)?;
    let compressed = fs::metadata(archive).context("look at the archive")?.len();
    say(&format!(
        "size: {} uncompressed, {} compressed (OCI archive)",
        megabytes(whole),
        megabytes(compressed)
    ))?;
    let packages = root.packages.iter();
    let packages: Vec<String> = packages
        .map(|package| format!("{} {}", package.name, package.version))
        .collect();
    say(&format!(
        "in it: keyferry ({}), {} trust roots, {}; from {}",
        megabytes(root.program_size),
        root.certificates,
        root.libraries.join(", "),
        packages.join(", ")
    ))
}

/// In units of 10^6 bytes.
fn megabytes(bytes: u64) -> String {
    format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10)
}

fn say(line: &str) -> Result<()> {
    writeln!(stdout(), "image: {line}").context("print")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_shown_in_tenths_of_megabytes() {
        assert_eq!(megabytes(20_624_976), "20.6 MB");
        assert_eq!(megabytes(999_999), "0.9 MB");
    }
}
