//! The Go toolchain: is it there, is it new enough, how is it called.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::process::on_path;

/// Static binaries; never another toolchain than the one found.
pub(crate) const ENVIRONMENT: [(&str, &str); 4] = [
    ("CGO_ENABLED", "0"),
    ("GOTOOLCHAIN", "local"),
    ("GOWORK", "off"),
    ("GOFLAGS", ""),
];

/// A `go` command that can build a module.
pub(crate) struct Go {
    pub(crate) path: PathBuf,
    /// As it tells it: `go1.26.8`.
    pub(crate) version: String,
}

impl Go {
    /// The `go` on PATH, if it is at least what this go.mod asks for.
    /// `otherwise` is what else can be done where there is none.
    pub(crate) fn find(go_mod: &str, otherwise: &str) -> Result<Self> {
        let wanted = wanted(go_mod).context("go.mod has no go line")?;
        let remedy = format!("install Go {wanted} or newer{otherwise}");
        let Some(path) = on_path("go") else {
            bail!("the test bed's binaries must be built and there is no `go` on PATH: {remedy}");
        };
        let output = Command::new(&path)
            .args(["env", "GOVERSION"])
            .envs(ENVIRONMENT)
            .current_dir("/")
            .output();
        let output = output.with_context(|| format!("run {}", path.display()))?;
        let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let Some(have) = numbers(version.trim_start_matches("go")) else {
            bail!(
                "{} does not tell its version ({version:?}): {remedy}",
                path.display()
            );
        };
        if numbers(wanted).is_none_or(|wanted| have < wanted) {
            bail!(
                "{} is {version}, too old to build the test bed: {remedy}",
                path.display()
            );
        }
        Ok(Self { path, version })
    }
}

/// The version in the `go` line.
fn wanted(go_mod: &str) -> Option<&str> {
    go_mod
        .lines()
        .find_map(|line| line.strip_prefix("go "))
        .map(str::trim)
}

/// `1.26.8` or `1.27rc1 X:y` as numbers.
fn numbers(version: &str) -> Option<(u32, u32, u32)> {
    let mut parts = version
        .split(|c: char| !c.is_ascii_digit())
        .map(str::parse::<u32>);
    let (major, minor) = (parts.next()?.ok()?, parts.next()?.ok()?);
    Some((major, minor, parts.next().and_then(Result::ok).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert_eq!(numbers("1.26.8"), Some((1, 26, 8)));
        assert!(numbers("1.9.1") < numbers("1.26.0"));
        assert_eq!(numbers("devel"), None);
        assert_eq!(wanted("module m\n\ngo 1.26.0\n"), Some("1.26.0"));
    }

    #[test]
    fn too_old_a_toolchain_is_an_error_with_the_remedy() {
        if on_path("go").is_some() {
            let error = Go::find("module m\ngo 99.1.0\n", "")
                .err()
                .unwrap()
                .to_string();
            assert!(
                error.contains("too old") && error.contains("install Go 99.1.0"),
                "{error}"
            );
        }
    }
}
