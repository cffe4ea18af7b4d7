//! The command line: one module per command; without one, the controller runs.

mod controller;
mod crds;
mod go_bool;
mod render;
mod templates;

use clap::{Parser, Subcommand};

/// Keeps Kubernetes Secrets in step with Azure Key Vault.
#[derive(Debug, Parser)]
// of a flag that is given several times the last one counts, as with Go's
#[command(name = "keyferry", version, about, args_override_self = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    controller: controller::Args,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the `CustomResourceDefinitions`.
    Crds,
    /// Print the Secrets that `ExternalSecrets` would make, offline and from files.
    Render(render::Args),
}

/// Runs what the command line asks for.
///
/// # Errors
/// Whatever keeps the command from its end.
pub async fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        None => Box::pin(controller::run(cli.controller)).await,
        Some(Command::Crds) => crds::print(),
        Some(Command::Render(args)) => render::run(args).await,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_flags_of_all_modules_go_together() {
        Cli::command().debug_assert();
    }
}
