//! How a program that cargo runs calls cargo. Knows no subcommand.

use std::env;
use std::process::Command;

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
}
