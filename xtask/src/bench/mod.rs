//! `cargo xtask bench`: what the operator costs, measured on a real control plane and azfake. The
//! parts: `stage` runs, `figures` counts and shows, each measurement stands in a file of its own.

mod figures;
mod idle;
mod stage;

use anyhow::{Context as _, Result, bail};

/// Arguments of `bench`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// What refreshes cost while nothing changes.
    Idle(idle::Args),
}

/// Measures; Ctrl-C stops everything.
///
/// # Errors
/// Something did not start, or did not come to rest.
pub(crate) fn run(args: &Args) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new().context("start the runtime")?;
    runtime.block_on(async {
        tokio::select! {
            biased;
            result = async { match &args.command { Command::Idle(args) => idle::run(args).await } } => result,
            _ = tokio::signal::ctrl_c() => bail!("interrupted; everything is stopped"),
        }
    })
}
