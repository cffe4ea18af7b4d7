//! The parts of the measurement, each a few rows of the table.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use azfake::Fault;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{DynamicObject, PostParams};
use tokio::time::sleep;

use super::latency::Latencies;
use super::{Args, HEALTHY, Row, TEAM, names};
use crate::bench::figures::{Figures, as_float};
use crate::bench::stage::{Stage, is_ready};
use crate::bench::{manifests, say};

const POLL: Duration = Duration::from_millis(50);
const ROTATIONS: usize = 20;
const NEW: usize = 20;
/// ExternalSecrets that are due besides, so that it is 2,000.
const MORE: usize = 500;
const BAN: Duration = Duration::from_mins(1);
const WITHIN: Duration = Duration::from_mins(10);

/// Nothing changes.
pub(super) async fn quiet(stage: &Stage, args: &Args) -> Result<Vec<Row>> {
    say("waiting until the consumers of the vault come together")?;
    let interval = Duration::from_secs(args.interval);
    // each refresh brings them a tenth of the interval nearer to each other
    sleep(interval * 10).await;
    say(&format!(
        "watching {} intervals in which nothing changes",
        args.cycles
    ))?;
    let before = Figures::now(stage)?;
    sleep(interval * args.cycles).await;
    let used = Figures::now(stage)?.since(&before);
    let cycles = f64::from(args.cycles);
    let each = |count: usize| format!("{:.1}", as_float(count) / cycles);
    let hourly = 3_600.0 / (cycles * interval.as_secs_f64());
    let writes = used.of("API server: write externalsecrets/status");
    let scaled = |count: usize| format!("{count} ({:.1} per hour)", as_float(count) * hourly);
    Ok(vec![
        (
            "vault calls per interval, all objects unchanged (so per hour at 1h)".to_owned(),
            each(used.of_all("vault: ")),
        ),
        (
            "of them reads of values".to_owned(),
            each(used.of("vault: secrets.get")),
        ),
        ("tokens".to_owned(), scaled(used.of("Entra: token.issued"))),
        (
            "connections to the vault since the start".to_owned(),
            connections(stage).to_string(),
        ),
        (
            format!(
                "status writes in {} s (the heartbeat is 15 min)",
                used.seconds()
            ),
            format!("{writes} of {} ExternalSecrets", args.count),
        ),
        (
            "writes to Secrets".to_owned(),
            used.of("API server: write secrets").to_string(),
        ),
        (
            "CPU of the operator".to_owned(),
            format!("{:.1} % of a core", used.cpu_share()),
        ),
        (
            "resident memory of the operator (peak)".to_owned(),
            format!(
                "{} MiB ({} MiB)",
                used.resident_mib()[0],
                used.resident_mib()[1]
            ),
        ),
    ])
}

/// Values change in the vault at any time of the interval.
pub(super) async fn rotation(stage: &Stage, args: &Args) -> Result<Vec<Row>> {
    say(&format!("{ROTATIONS} values change, one after the other"))?;
    let interval = Duration::from_secs(args.interval);
    let step = interval / 7;
    let mut waiting = Vec::new();
    for number in 0..ROTATIONS {
        let key = &names(number, args.keys)[0];
        stage.azure().set_secret(TEAM, key, "rotated");
        waiting.push(tokio::spawn(holds(
            Api::namespaced(stage.client(), TEAM),
            format!("e{number}"),
            Instant::now(),
        )));
        sleep(step).await;
    }
    let mut latencies = Latencies::default();
    for arrival in waiting {
        latencies.add(arrival.await.context("wait for a value")??);
    }
    Ok(vec![(
        format!(
            "a changed value arrives (interval {} s), 99 % within",
            args.interval
        ),
        latencies.shown(),
    )])
}

async fn holds(secrets: Api<Secret>, name: String, since: Instant) -> Result<Duration> {
    while since.elapsed() < WITHIN {
        let secret = secrets.get(&name).await?;
        let value = secret.data.as_ref().and_then(|data| data.get("value0"));
        if value.is_some_and(|value| value.0 == b"rotated") {
            return Ok(since.elapsed());
        }
        sleep(POLL).await;
    }
    anyhow::bail!("Secret {name} never got its new value")
}

/// The operator is stopped for more than an interval and started again.
pub(super) async fn restart(stage: &mut Stage, args: &Args) -> Result<Vec<Row>> {
    say("the operator is stopped, and started again when all are due")?;
    stage.stop_operator().await?;
    sleep(Duration::from_secs(args.interval)).await;
    let before = Figures::now(stage)?;
    stage.start_operator().await?;
    stage
        .until("all were looked at", WITHIN, async |stage| {
            let used = Figures::now(stage)?.since(&before);
            Ok(used.of("API server: get secrets") >= args.count)
        })
        .await?;
    let used = Figures::now(stage)?.since(&before);
    let pages = (args.count * usize::from(args.keys)).div_ceil(25);
    Ok(vec![
        (
            "after a restart with all due: values read".to_owned(),
            used.of("vault: secrets.get").to_string(),
        ),
        (
            format!("pages of listings ({pages} are one listing)"),
            used.of("vault: secrets.list").to_string(),
        ),
        (
            "writes to Secrets and statuses".to_owned(),
            format!(
                "{} and {}",
                used.of("API server: write secrets"),
                used.of("API server: write externalsecrets/status")
            ),
        ),
    ])
}

/// ExternalSecrets are made while many others are due.
pub(super) async fn while_due(stage: &Stage, args: &Args) -> Result<Vec<Row>> {
    say(&format!(
        "{MORE} more ExternalSecrets, then {NEW} new ones while all are due"
    ))?;
    let more = (0..MORE).map(|n| {
        let key = format!("s{}", n % (args.count * usize::from(args.keys)));
        manifests::reader(TEAM, &format!("more{n}"), &[key], args.interval)
    });
    stage.create(&more.collect::<Vec<_>>()).await?;
    let all = args.count + MORE;
    stage.all_ready(TEAM, all, WITHIN).await?;
    let mut latencies = Latencies::default();
    // two intervals and more: the time at which all are due is among them
    let step = Duration::from_secs(args.interval) * 3 / u32::try_from(NEW)?;
    for number in 0..NEW {
        let key = format!("s{number}");
        let took = ready(stage, TEAM, &format!("new{number}"), &key, args.interval).await?;
        latencies.add(took);
        sleep(step.saturating_sub(took)).await;
    }
    Ok(vec![(
        format!("a new ExternalSecret is ready while {all} others fall due, 99 % within"),
        latencies.shown(),
    )])
}

/// Makes an ExternalSecret; how long it takes to be ready.
async fn ready(
    stage: &Stage,
    team: &str,
    name: &str,
    key: &str,
    interval: u64,
) -> Result<Duration> {
    let api = stage.external_secrets(team);
    let object = manifests::reader(team, name, &[key.to_owned()], interval);
    let object: DynamicObject = serde_json::from_value(object).context("an ExternalSecret")?;
    let start = Instant::now();
    api.create(&PostParams::default(), &object).await?;
    while start.elapsed() < WITHIN {
        if is_ready(&api.get(name).await?) {
            return Ok(start.elapsed());
        }
        sleep(POLL).await;
    }
    anyhow::bail!("ExternalSecret {name} is not ready within {WITHIN:?}")
}

/// The vault answers 429 for a minute.
pub(super) async fn throttled(stage: &Stage, args: &Args) -> Result<Vec<Row>> {
    say("the vault throttles for a minute")?;
    let mark = stage.azure().mark();
    stage.azure().fault(TEAM, Some(Fault::throttled(20)));
    let start = Instant::now();
    let mut latencies = Latencies::default();
    while start.elapsed() < BAN {
        let number = latencies.count();
        let key = format!("s{number}");
        let name = format!("other{number}");
        latencies.add(ready(stage, HEALTHY, &name, &key, args.interval).await?);
        sleep(Duration::from_secs(5)).await;
    }
    let (_, asked) = stage.azure().requests_since(mark, TEAM);
    let told = stage.told_synced()?;
    stage.azure().fault(TEAM, None);
    let (mark, cleared) = (stage.azure().mark(), Instant::now());
    let all = args.count + MORE + NEW;
    stage
        .until("the vault is asked again", WITHIN, async |stage| {
            Ok(!stage.azure().requests_since(mark, TEAM).1.is_empty())
        })
        .await?;
    let paused = cleared.elapsed();
    stage
        .until("all are synced again", WITHIN, async |stage| {
            Ok(stage.told_synced()? >= told + all)
        })
        .await?;
    let recovered = cleared.elapsed();
    let ready = stage.ready(TEAM).await?;
    ensure!(ready == all, "{ready} of {all} are ready");
    Ok(vec![
        (
            "a minute of 429 with Retry-After 20 s: requests to that vault".to_owned(),
            asked.len().to_string(),
        ),
        (
            "a new ExternalSecret on a healthy vault meanwhile, 99 % within".to_owned(),
            latencies.shown(),
        ),
        (
            format!("all {all} ready again after the vault would answer"),
            format!("{:.1} s", recovered.as_secs_f64()),
        ),
        (
            "of that, the rest of the pause for which it had asked".to_owned(),
            format!("{:.1} s", paused.as_secs_f64()),
        ),
    ])
}

fn connections(stage: &Stage) -> u64 {
    let counters = stage.azure().counters();
    let of_vault = counters
        .connects
        .iter()
        .filter(|(host, _)| host.starts_with(TEAM));
    of_vault.map(|(_, count)| count).sum()
}
