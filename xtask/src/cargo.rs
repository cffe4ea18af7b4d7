//! How a program that cargo runs calls cargo, and has the operator built by it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

/// What `cargo run` tells this program about its own package. Build scripts that look at them
/// (ring's) would run again, and all that depends on them would be built again.
const OF_THIS_PACKAGE: [&str; 2] = ["CARGO_MANIFEST_", "CARGO_PKG_"];

/// The cargo that runs this program, else the one on PATH, as a user's shell would call it.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if OF_THIS_PACKAGE
            .iter()
            .any(|prefix| text.starts_with(prefix))
        {
            command.env_remove(&name);
        }
    }
    command
}

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask stands in the repository")
}

/// Builds the operator and says where it is. Cargo's own progress goes to standard error, which
/// the user sees.
///
/// # Errors
/// There is no cargo, or the operator does not build.
pub(crate) async fn build_operator(release: bool) -> Result<PathBuf> {
    let mut command = tokio::process::Command::from(command());
    command.args(["build", "--bins", "--package=keyferry"]);
    // in the profile of this program it would have its dependencies built a second time without
    // it: this program is why syn has debug information, and what depends on syn's build depends
    // on that
    command.arg(if release {
        "--release"
    } else {
        "--package=xtask"
    });
    let child = command
        .arg("--message-format=json-render-diagnostics")
        .current_dir(root())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("start cargo, which must be on PATH")?;
    let output = child.wait_with_output().await.context("wait for cargo")?;
    ensure!(
        output.status.success(),
        "the operator does not build; see above"
    );
    executable(&String::from_utf8_lossy(&output.stdout))
        .context("cargo did not say where the operator is")
}

/// The path of the program `keyferry` in cargo's messages.
fn executable(messages: &str) -> Option<PathBuf> {
    let messages = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let mut paths = messages.filter(|message| message["target"]["name"] == "keyferry");
    paths.find_map(|message| message["executable"].as_str().map(PathBuf::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_package_is_not_told_to_cargo() {
        // cargo sets both for tests too
        let told: Vec<_> = env::vars_os().collect();
        let command = command();
        for name in ["CARGO_PKG_NAME", "CARGO_MANIFEST_DIR"] {
            assert!(told.iter().any(|(told, _)| told == name), "{name}");
            assert!(
                command
                    .get_envs()
                    .any(|change| change == (name.as_ref(), None)),
                "{name}"
            );
        }
        assert!(command.get_envs().all(|(name, _)| name != "PATH"));
    }

    #[test]
    fn the_executable_is_found_in_cargos_messages() {
        let messages = r#"{"reason":"compiler-artifact","target":{"name":"keyferry"},"executable":null}
            {"reason":"compiler-artifact","target":{"name":"xtask"},"executable":"/t/xtask"}
            {"reason":"compiler-artifact","target":{"name":"keyferry"},"executable":"/t/keyferry"}
            {"reason":"build-finished","success":true}"#;
        assert_eq!(executable(messages), Some(PathBuf::from("/t/keyferry")));
        assert_eq!(executable("warning"), None);
    }
}
