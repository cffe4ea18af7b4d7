//! `cargo xtask bench failover`: two replicas under load. All values change in the vault, and while the leader
//! writes them it ends, ten times in as many ways. Counts what did not arrive, how long it took, and the
//! events. Knows leaders by their age: who was started first leads.

use std::collections::BTreeMap;
use std::io::{Write as _, stdout};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::events::v1::Event;
use kube::Api;
use kube::api::{ListParams, Patch, PatchParams};
use serde_json::json;
use testbed::{Process, Signal};
use tokio::time::sleep;

use super::stage::Stage;
use super::{manifests, say};
use crate::operator;

const TEAM: &str = "bench";
const LEASE: &str = "external-secrets-controller";
/// Who takes the Lease and never renews it.
const STRANGER: &str = "a stranger";
const POLL: Duration = Duration::from_millis(100);
const WITHIN: Duration = Duration::from_mins(5);
/// Between SIGTERM and SIGKILL of a kubelet without patience.
const NO_GRACE: Duration = Duration::from_millis(100);

/// Arguments of `bench failover`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How many ExternalSecrets, each with one secret of the vault.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(10..=100_000))]
    count: u32,
    /// Their refreshInterval, in seconds.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    interval: u64,
    /// A built operator, in place of a release build.
    #[arg(long, value_name = "PROGRAM")]
    operator: Option<PathBuf>,
}

/// How a leader ends.
#[derive(Clone, Copy, Debug)]
enum End {
    /// By this signal.
    By(Signal),
    /// SIGTERM, and SIGKILL soon after.
    Impatient,
    /// SIGSTOP; woken when another leads.
    Asleep,
    /// Its Lease is somebody else's, who never renews it.
    Robbed,
    /// Both replicas by SIGKILL; two others are started.
    Both,
}

const ENDS: [(&str, End); 10] = [
    ("SIGTERM", End::By(Signal::TERM)),
    ("SIGKILL", End::By(Signal::KILL)),
    ("SIGINT", End::By(Signal::INT)),
    ("SIGSTOP, SIGCONT when another leads", End::Asleep),
    ("its Lease taken by a stranger who ends", End::Robbed),
    ("SIGABRT", End::By(Signal::ABORT)),
    ("SIGTERM, SIGKILL 100 ms later", End::Impatient),
    ("SIGQUIT", End::By(Signal::QUIT)),
    ("SIGKILL of both, two others started", End::Both),
    ("SIGTERM of the last one", End::By(Signal::TERM)),
];

/// What came of one end.
struct Round {
    way: &'static str,
    led_after: Duration,
    arrived_after: Duration,
    at_end: usize,
}

/// Measures and prints a table.
pub(super) async fn run(args: &Args) -> Result<()> {
    let flags = ["--enable-leader-election".to_owned()];
    let mut stage = Stage::set_up(args.operator.as_deref(), &flags).await?;
    let count = usize::try_from(args.count)?;
    stage.seed(TEAM, count)?;
    let mut documents = manifests::team(TEAM);
    documents.extend(manifests::readers(TEAM, count, args.interval));
    stage.create(&documents).await?;
    stage.all_ready(TEAM, count, WITHIN).await?;
    let mut rounds = Vec::new();
    for (number, (way, end)) in ENDS.into_iter().enumerate() {
        rounds.push(round(&mut stage, count, &format!("round {number}"), (way, end)).await?);
    }
    say("one more change, to see that nothing was left behind")?;
    change(&stage, count, "last");
    until_holding(&stage, "last", count).await?;
    let events = Events::of(&stage).await?;
    show(args, &rounds, &events)?;
    // one Created, and one Updated for each change
    let changes = ENDS.len() + 1;
    ensure!(
        events.most <= changes + 1,
        "an ExternalSecret has {} events after {changes} changes of its value",
        events.most
    );
    Ok(())
}

async fn round(
    stage: &mut Stage,
    count: usize,
    value: &str,
    (way, end): (&'static str, End),
) -> Result<Round> {
    say(&format!("the leader ends: {way}"))?;
    let standby = stage.start_operator().await?;
    logs(standby, "standing by").await?;
    change(stage, count, value);
    until_holding(stage, value, count / 10).await?;
    let at_end = holding(stage, value).await?;
    let before = holder(stage).await?;
    let leader = stage.take_oldest()?;
    let ended = Instant::now();
    let leader = begin(stage, leader, end).await?;
    let led_after = taken_from(stage, &before, ended).await?;
    if matches!(end, End::Asleep) {
        leader.signal(Signal::CONT)?;
    }
    until_holding(stage, value, count).await?;
    let arrived_after = ended.elapsed();
    finish(leader).await?;
    Ok(Round {
        way,
        led_after,
        arrived_after,
        at_end,
    })
}

/// Ends the leader, or has it end.
async fn begin(stage: &mut Stage, mut leader: Process, end: End) -> Result<Process> {
    match end {
        End::By(signal) => leader.signal(signal)?,
        End::Asleep => leader.signal(Signal::STOP)?,
        End::Impatient => {
            leader.signal(Signal::TERM)?;
            sleep(NO_GRACE).await;
            leader.kill()?;
        }
        End::Robbed => {
            let stranger = json!({"spec": {"holderIdentity": STRANGER}});
            leases(stage)
                .patch(LEASE, &PatchParams::default(), &Patch::Merge(stranger))
                .await?;
        }
        End::Both => {
            leader.kill()?;
            stage.take_oldest()?.kill()?;
            stage.start_operator().await?;
        }
    }
    Ok(leader)
}

/// The leader that was ended is gone, or goes.
async fn finish(mut leader: Process) -> Result<()> {
    leader.wait(WITHIN).await.map(drop)
}

fn leases(stage: &Stage) -> Api<Lease> {
    Api::namespaced(stage.client(), operator::NAMESPACE)
}

async fn holder(stage: &Stage) -> Result<String> {
    let lease = leases(stage).get(LEASE).await?;
    let holder = lease.spec.and_then(|spec| spec.holder_identity);
    Ok(holder.unwrap_or_default())
}

/// Waits until another replica leads; how long that took from `ended`.
async fn taken_from(stage: &Stage, before: &str, ended: Instant) -> Result<Duration> {
    while ended.elapsed() < WITHIN {
        let holder = holder(stage).await?;
        if !holder.is_empty() && holder != before && holder != STRANGER {
            return Ok(ended.elapsed());
        }
        sleep(POLL).await;
    }
    bail!("nobody else leads within {WITHIN:?}")
}

async fn logs(replica: &Process, line: &str) -> Result<()> {
    let start = Instant::now();
    while start.elapsed() < WITHIN {
        let log = std::fs::read_to_string(replica.log()).context("read the operator's log")?;
        if log.contains(line) {
            return Ok(());
        }
        sleep(POLL).await;
    }
    bail!("{line:?} is not in the log: {}", replica.log_tail(20))
}

/// All secrets of the vault get a value.
fn change(stage: &Stage, count: usize, value: &str) {
    for number in 0..count {
        stage.azure().set_secret(TEAM, &format!("s{number}"), value);
    }
}

/// How many Secrets hold `value`.
async fn holding(stage: &Stage, value: &str) -> Result<usize> {
    let secrets: Api<Secret> = Api::namespaced(stage.client(), TEAM);
    let listed = secrets.list(&ListParams::default()).await?;
    let values = listed.items.iter().filter_map(|secret| {
        let data = secret.data.as_ref()?;
        data.get("value0")
    });
    Ok(values.filter(|held| held.0 == value.as_bytes()).count())
}

async fn until_holding(stage: &Stage, value: &str, count: usize) -> Result<()> {
    let holds = async |stage: &Stage| Ok(holding(stage, value).await? >= count);
    let what = format!("{count} Secrets hold {value:?}");
    stage.until(&what, WITHIN, holds).await
}

/// Events about the ExternalSecrets.
struct Events {
    /// How often each reason was told, repetitions counted.
    reasons: BTreeMap<String, usize>,
    /// The most that one ExternalSecret has.
    most: usize,
}

impl Events {
    async fn of(stage: &Stage) -> Result<Self> {
        let api: Api<Event> = Api::namespaced(stage.client(), TEAM);
        let (mut reasons, mut objects) = (BTreeMap::new(), BTreeMap::<String, usize>::new());
        for event in api.list(&ListParams::default()).await?.items {
            let Some(about) = event
                .regarding
                .filter(|about| about.kind.as_deref() == Some("ExternalSecret"))
            else {
                continue;
            };
            let repeated = event.series.map(|series| series.count);
            let times = repeated.or(event.deprecated_count).unwrap_or(1);
            let times = usize::try_from(times).context("count of an event")?;
            *reasons.entry(event.reason.unwrap_or_default()).or_default() += times;
            *objects.entry(about.name.unwrap_or_default()).or_default() += times;
        }
        let most = objects.into_values().max().unwrap_or_default();
        Ok(Self { reasons, most })
    }
}

fn show(args: &Args, rounds: &[Round], events: &Events) -> Result<()> {
    let mut out = stdout().lock();
    writeln!(
        out,
        "\n{} ExternalSecrets, refreshInterval {} s, all values changed each time\n\n\
         | how the leader ended | written by then | another leads after | all values arrived after |\n\
         | --- | ---: | ---: | ---: |",
        args.count, args.interval
    )?;
    for round in rounds {
        let [led, arrived] = [round.led_after, round.arrived_after].map(|took| took.as_secs_f64());
        let (way, written) = (round.way, round.at_end);
        writeln!(out, "| {way} | {written} | {led:.1} s | {arrived:.1} s |")?;
    }
    let told: Vec<String> = events
        .reasons
        .iter()
        .map(|(reason, times)| format!("{reason} {times}"))
        .collect();
    writeln!(
        out,
        "\nEvents of {} changes, repetitions counted: {}; at most {} for one ExternalSecret",
        rounds.len() + 1,
        told.join(", "),
        events.most
    )?;
    Ok(())
}
