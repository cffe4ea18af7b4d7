//! `cargo xtask bench`: what the operator costs, measured on a real control plane and azfake, and what
//! templates cost beside Go's. The parts: `stage` runs, `figures` counts and shows, each measurement
//! stands in a file of its own.

mod figures;
mod idle;
mod stage;
mod templates;

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
    /// What templates cost, in ours and in Go's engine.
    Templates,
}

/// Measures; Ctrl-C stops everything.
///
/// # Errors
/// Something did not start, or did not come to rest.
pub(crate) fn run(args: &Args) -> Result<()> {
    let Command::Idle(args) = &args.command else {
        return templates::run();
    };
    let runtime = tokio::runtime::Runtime::new().context("start the runtime")?;
    runtime.block_on(async {
        tokio::select! {
            biased;
            result = idle::run(args) => result,
            _ = tokio::signal::ctrl_c() => bail!("interrupted; everything is stopped"),
        }
    })
}
