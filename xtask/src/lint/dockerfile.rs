//! The Dockerfile: BuildKit's checks, and the numbers in it that stand elsewhere too. Builds nothing.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use testbed::assets::Linters;

use crate::cargo;
use crate::chart::helm::{self, run as run_tool};

/// Checks it and says what was looked at.
///
/// # Errors
/// BuildKit finds something, or a number is not what it is elsewhere.
pub(super) fn check(found: &Linters) -> Result<String> {
    run_tool(&found.dockerfile, &["Dockerfile"])?;
    let read = |file: &str| {
        fs::read_to_string(cargo::root().join(file)).with_context(|| format!("read {file}"))
    };
    let values = serde_saphyr::from_str(&helm::read("values.yaml")?)?;
    agree(&read("Dockerfile")?, &read("rust-toolchain.toml")?, &values)?;
    Ok("BuildKit's checks; versions; the chart's user".to_owned())
}

/// The toolchain is rust-toolchain.toml's, the version the workspace's, the user the chart's.
fn agree(dockerfile: &str, toolchain: &str, values: &Value) -> Result<()> {
    let channel = toolchain
        .lines()
        .find_map(|line| line.strip_prefix("channel = "));
    let channel = channel.context("rust-toolchain.toml names no channel")?;
    let user = user(values)?;
    for wanted in [
        format!(
            "ARG RUST=docker.io/library/rust:{}-slim-bookworm",
            channel.trim_matches('"')
        ),
        format!("ARG VERSION={}", env!("CARGO_PKG_VERSION")),
        format!("USER {user}"),
    ] {
        ensure!(
            dockerfile.lines().any(|line| line == wanted),
            "Dockerfile: there is no line `{wanted}`"
        );
    }
    Ok(())
}

/// The chart's `UID:GID`.
pub(crate) fn user(values: &Value) -> Result<String> {
    let context = &values["securityContext"];
    let number = |field: &str| {
        let number = context[field].as_u64();
        number.with_context(|| format!("values.yaml: no number in securityContext.{field}"))
    };
    Ok(format!(
        "{}:{}",
        number("runAsUser")?,
        number("runAsGroup")?
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_number_that_stands_elsewhere_must_be_the_same() {
        let values = json!({"securityContext": {"runAsUser": 7, "runAsGroup": 8}});
        let good = format!(
            "ARG RUST=docker.io/library/rust:1.2.3-slim-bookworm\nARG VERSION={}\nUSER 7:8\n",
            env!("CARGO_PKG_VERSION")
        );
        let toolchain = "[toolchain]\nchannel = \"1.2.3\"\n";
        agree(&good, toolchain, &values).unwrap();
        for (present, other) in [
            ("1.2.3", "1.2.4"),
            ("ARG VERSION=", "ARG VERSION=9"),
            ("7:8", "7:9"),
        ] {
            let bad = good.replace(present, other);
            let error = agree(&bad, toolchain, &values).unwrap_err().to_string();
            assert!(error.contains("there is no line"), "{other}: {error}");
        }
    }
}
