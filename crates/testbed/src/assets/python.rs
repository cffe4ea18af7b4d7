//! Python with the packages that a requirements.txt pins by hash, fetched by pip into the cache once per
//! machine and content.
//!
//! The packages are a plain directory for `PYTHONPATH`, not a virtual environment: what is moved to its
//! place by a rename must not know where it is, and a Python without its venv module will do.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use super::{Progress, cache};
use crate::process::{Launch, on_path};

/// What the pinned packages need.
const OLDEST: (u32, u32) = (3, 10);
const REMEDY: &str =
    "install Python 3.10 or newer with pip (Debian, Ubuntu: python3 and python3-pip)";

/// An interpreter and what it can import beside its own library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Python {
    /// python3
    pub program: PathBuf,
    /// The directory with the packages.
    pub packages: PathBuf,
}

impl Python {
    /// Arguments and environment that run a script with the packages, without what else the machine has
    /// installed for Python, and without leaving compiled files in the script's directory.
    pub fn command(&self, script: &Path) -> (Vec<OsString>, Vec<(&'static str, OsString)>) {
        (
            vec!["-S".into(), "-B".into(), script.into()],
            vec![("PYTHONPATH", self.packages.clone().into())],
        )
    }
}

/// The `python3` on PATH with the packages of `testbed/NAME/requirements.txt`.
pub(super) fn with_packages(name: &str, progress: Progress<'_>) -> Result<Python> {
    let requirements = cache::source(name).join("requirements.txt");
    from(
        &requirements,
        &name.replace('/', "-"),
        &cache::root()?,
        progress,
    )
}

fn from(
    requirements: &Path,
    name: &str,
    cache_root: &Path,
    progress: Progress<'_>,
) -> Result<Python> {
    let Some(program) = on_path("python3") else {
        bail!("there is no `python3` on PATH: {REMEDY}");
    };
    let version = version(&program)?;
    let pinned = fs::read_to_string(requirements)
        .with_context(|| format!("read {}", requirements.display()))?;
    let packages = cache_root.join(format!(
        "{name}-{}",
        cache::key([pinned.as_str(), &version])
    ));
    cache::fill(&packages, progress, |partial| {
        ensure!(
            ask(&program, &["-m", "pip", "--version"]).is_ok(),
            "{} has no pip: {REMEDY}",
            program.display()
        );
        progress(&format!(
            "fetching Python packages into {}",
            packages.display()
        ));
        partial
            .run("fetching Python packages", |log| {
                Launch::new(&program, log)
                    .args(["-m", "pip", "install", "--no-input", "--quiet"])
                    .args(["--require-hashes", "--only-binary", ":all:", "--target"])
                    .args([partial.path, "--requirement".as_ref(), requirements])
            })
            .context("pip uses the index of its own configuration; is it reachable?")
    })?;
    Ok(Python { program, packages })
}

/// Version and platform: packages with native code are for one of each.
fn version(program: &Path) -> Result<String> {
    let script = "import sys, sysconfig; print(*sys.version_info[:2], sys.version, sysconfig.get_platform())";
    let text = ask(program, &["-c", script])?;
    ensure!(
        is_new_enough(&text),
        "{} is too old ({}): {REMEDY}",
        program.display(),
        text.trim()
    );
    Ok(text)
}

/// `3 12 …`
fn is_new_enough(version: &str) -> bool {
    let mut numbers = version.split(' ').map(str::parse::<u32>);
    matches!((numbers.next(), numbers.next()), (Some(Ok(major)), Some(Ok(minor))) if (major, minor) >= OLDEST)
}

fn ask(program: &Path, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program).args(arguments).output();
    let output = output.with_context(|| format!("run {}", program.display()))?;
    ensure!(
        output.status.success(),
        "{} {} ended with {}: {}",
        program.display(),
        arguments.join(" "),
        output.status,
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert!(is_new_enough("3 10 3.10.0 (main) linux-x86_64"));
        assert!(is_new_enough("4 0 4.0.0"));
        assert!(!is_new_enough("3 9 3.9.18 (main) linux-x86_64"));
        assert!(!is_new_enough("Python 2.7"));
    }
}
