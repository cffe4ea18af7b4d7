//! The command line: one module per command; without one, the controller runs.

mod controller;
mod crds;
mod leadership;
mod metrics;
mod render;
mod render_sources;
mod switches;
mod templates;

use clap::{Parser, Subcommand};

/// Keeps Kubernetes Secrets in step with Azure Key Vault.
#[derive(Debug, Parser)]
#[command(name = "keyferry", version, about)]
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
