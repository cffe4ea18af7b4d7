//! `cargo xtask bench`: what the operator costs, measured on a real control plane and azfake, and what
//! templates cost beside Go's. The parts: `stage` runs, `figures` counts and shows, each measurement
//! is in a file of its own.

mod failover;
mod figures;
mod first_sync;
mod idle;
pub(crate) mod manifests;
mod release;
mod stage;
mod templates;
mod vault;

use std::io::{Write as _, stderr};

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
    /// How close a first sync comes to what the API server can do.
    FirstSync(first_sync::Args),
    /// What a vault is asked, and how soon changes arrive.
    Vault(vault::Args),
    /// What becomes of refreshes while leaders end in many ways.
    Failover(failover::Args),
    /// How long a release takes to install, upgrade and uninstall, and what it leaves.
    Release(release::Args),
    /// What templates cost, in ours and in Go's engine.
    Templates,
}

/// Measures; Ctrl-C stops everything.
///
/// # Errors
/// Something did not start, or did not come to rest.
pub(crate) fn run(args: &Args) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new().context("start the runtime")?;
    let measurement = async {
        match &args.command {
            Command::Idle(args) => idle::run(args).await,
            Command::FirstSync(args) => first_sync::run(args).await,
            Command::Vault(args) => vault::run(args).await,
            Command::Failover(args) => failover::run(args).await,
            Command::Release(args) => release::run(args).await,
            Command::Templates => templates::run(),
        }
    };
    runtime.block_on(async {
        tokio::select! {
            biased;
            result = measurement => result,
            _ = tokio::signal::ctrl_c() => bail!("interrupted; everything is stopped"),
        }
    })
}

/// Tells how far it is.
fn say(line: &str) -> Result<()> {
    writeln!(stderr(), "{line}").context("tell how far it is")
}
