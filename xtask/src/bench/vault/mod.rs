//! `cargo xtask bench vault`: what a vault is asked while nothing changes, how soon a change and a new
//! ExternalSecret arrive, what a restart costs, and what happens while the vault throttles. Everything on
//! the real clock at a short interval; figures for one hour are scaled and say so.

mod latency;
mod phases;

use std::io::{Write as _, stdout};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use super::stage::Stage;
use super::{manifests, say};
use phases::{quiet, restart, rotation, throttled, while_due};

/// The namespace and vault that are measured.
const TEAM: &str = "bench";
/// A vault that nothing happens to.
const HEALTHY: &str = "healthy";
const SYNCED_WITHIN: Duration = Duration::from_mins(20);

/// Arguments of `bench vault`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How many ExternalSecrets.
    #[arg(long, default_value_t = 1_500)]
    count: usize,
    /// Secrets that each reads; the vault has as many for each.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=50))]
    keys: u16,
    /// Their refreshInterval, in seconds.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(5..=3_600))]
    interval: u64,
    /// How many intervals are watched while nothing changes.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    cycles: u32,
    /// Only the first sync and the quiet cycles.
    #[arg(long)]
    quiet: bool,
    /// A built operator, in place of a release build.
    #[arg(long, value_name = "PROGRAM")]
    operator: Option<PathBuf>,
    /// Further flags of the operator.
    #[arg(last = true)]
    flags: Vec<String>,
}

/// A line of the table: what was measured, and its figure.
type Row = (String, String);

/// Measures and prints a table.
pub(super) async fn run(args: &Args) -> Result<()> {
    let mut stage = Stage::set_up(args.operator.as_deref(), &args.flags).await?;
    let mut rows = vec![first_sync(&stage, args).await?];
    rows.extend(quiet(&stage, args).await?);
    if !args.quiet {
        rows.extend(rotation(&stage, args).await?);
        rows.extend(restart(&mut stage, args).await?);
        rows.extend(while_due(&stage, args).await?);
        rows.extend(throttled(&stage, args).await?);
    }
    let mut table = format!(
        "\n{} ExternalSecrets x {} keys, one vault of {} names, refreshInterval {} s\n\n| what | figure |\n| --- | ---: |\n",
        args.count,
        args.keys,
        args.count * usize::from(args.keys),
        args.interval
    );
    for (what, figure) in rows {
        table.extend(["| ", &what, " | ", &figure, " |\n"]);
    }
    let printed = stdout().write_all(table.as_bytes());
    printed.context("print the table")
}

/// Names of the secrets that the ExternalSecret of this number reads.
fn names(number: usize, keys: u16) -> Vec<String> {
    let keys = usize::from(keys);
    (number * keys..(number + 1) * keys)
        .map(|n| format!("s{n}"))
        .collect()
}

async fn first_sync(stage: &Stage, args: &Args) -> Result<Row> {
    stage.seed(TEAM, args.count * usize::from(args.keys))?;
    stage.seed(HEALTHY, 100)?;
    let mut documents = manifests::team(TEAM);
    documents.extend(manifests::team(HEALTHY));
    documents.extend((0..args.count).map(|n| {
        let names = names(n, args.keys);
        manifests::reader(TEAM, &format!("e{n}"), &names, args.interval)
    }));
    say(&format!("{} ExternalSecrets are made", args.count))?;
    let start = Instant::now();
    stage.create(&documents).await?;
    stage.all_ready(TEAM, args.count, SYNCED_WITHIN).await?;
    let took = start.elapsed().as_secs_f64();
    Ok((
        "all in step after the first was made (kubectl's pace included)".to_owned(),
        format!("{took:.1} s"),
    ))
}
