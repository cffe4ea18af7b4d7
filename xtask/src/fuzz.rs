//! `cargo xtask fuzz`: long runs of the differential tests. What they generate and compare stands in
//! the tests themselves, which run short by default.

use anyhow::{Context as _, Result, ensure};

use crate::cargo;

/// Arguments of `fuzz`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Random templates with random data: gotemplate against Go's own engine.
    Templates {
        /// How many.
        #[arg(long, default_value_t = 200_000)]
        pairs: u64,
        /// Another seed makes other pairs.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
}

/// Runs; the test says what it counted.
///
/// # Errors
/// The two disagree on a pair, or the test does not build.
pub(crate) fn run(args: &Args) -> Result<()> {
    let Command::Templates { pairs, seed } = args.command;
    let status = cargo::command()
        .args(["test", "--package=gotemplate", "--test=go"])
        .args(["pairs", "--", "--nocapture"])
        .env("GOTEMPLATE_PAIRS", pairs.to_string())
        .env("GOTEMPLATE_SEED", seed.to_string())
        .current_dir(cargo::root())
        .status()
        .context("start cargo, which must be on PATH")?;
    ensure!(
        status.success(),
        "the two disagree, or the test did not run; see above"
    );
    Ok(())
}
