//! `cargo xtask bench idle`: ExternalSecrets of one vault that nobody changes, watched for whole
//! refresh cycles.

use std::fmt::Write as _;
use std::io::{Write as _, stdout};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::figures::Figures;
use super::manifests;
use super::say;
use super::stage::Stage;
use anyhow::{Context as _, Result};

const TEAM: &str = "bench";
/// On a busy machine of two cores 500 first syncs take about 10 s.
const SYNCED_WITHIN: Duration = Duration::from_mins(10);

/// Arguments of `bench idle`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How many ExternalSecrets, each with one secret of the vault.
    #[arg(long, default_value_t = 500)]
    count: usize,
    /// Their refreshInterval, in seconds.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(5..=86_400))]
    interval: u64,
    /// How many intervals are watched.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    cycles: u32,
    /// A built operator, in place of a release build.
    #[arg(long, value_name = "PROGRAM")]
    operator: Option<PathBuf>,
    /// Further flags of the operator.
    #[arg(last = true)]
    flags: Vec<String>,
}

/// Measures and prints a table.
pub(super) async fn run(args: &Args) -> Result<()> {
    let stage = Stage::set_up(args.operator.as_deref(), &args.flags).await?;
    let (count, interval) = (args.count, Duration::from_secs(args.interval));
    stage.seed(TEAM, count)?;
    say(&format!("{count} ExternalSecrets are made"))?;
    let mut documents = manifests::team(TEAM);
    documents.extend(manifests::readers(TEAM, count, args.interval));
    stage.create(&documents).await?;
    let start = Instant::now();
    stage.all_ready(TEAM, count, SYNCED_WITHIN).await?;
    let took = start.elapsed().as_secs_f64();
    say(&format!(
        "all are in step {took:.1} s after the last was made"
    ))?;
    say("waiting for a first refresh of each, which also lets the events be written")?;
    let settled = SYNCED_WITHIN + 3 * interval;
    stage
        .until("each was refreshed", settled, async |stage| {
            let looks = stage.asked()?;
            let looks = looks
                .iter()
                .filter(|it| it.verb == "get" && it.resource == "secrets");
            Ok(looks.count() >= 2 * count)
        })
        .await?;
    let window = interval * args.cycles;
    say(&format!("watching for {} s", window.as_secs()))?;
    let before = Figures::now(&stage)?;
    // the measurement itself: time has to pass
    tokio::time::sleep(window).await;
    let used = Figures::now(&stage)?.since(&before);
    let mut table = format!(
        "\n{count} ExternalSecrets, one vault, refreshInterval {} s, watched for {} s\n\n",
        args.interval,
        window.as_secs()
    );
    // writing into a String cannot fail
    let _ = write!(table, "{used}");
    stdout()
        .write_all(table.as_bytes())
        .context("print the table")
}
