//! `cargo xtask bench first-sync`: how long the operator takes for the first sync of many ExternalSecrets, beside
//! a bare loader that makes the API server do the same writes (a Secret, a status, an event for each, as the
//! operator wrote them for a sample) and nothing else, on the same machine in the same run. The loader writes
//! before the operator and after it, since the API server's pace changes with its age.

use std::io::{Write as _, stdout};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::core::v1::{Event, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Api;
use kube::api::{DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::figures::{Figures, Used, as_float};
use super::stage::Stage;
use super::{manifests, say};

const TEAM: &str = "bench";
const LOADED: &str = "loaded";
/// The ExternalSecret whose Secret, status and event the loader repeats.
const SAMPLE: &str = "sample";
/// An interval beyond the measurement.
const INTERVAL: u64 = 36_000;
/// Where the API server's throughput no longer grows (testbed.md, write ceiling).
const AT_ONCE: usize = 32;
const WITHIN: Duration = Duration::from_hours(1);

/// Arguments of `bench first-sync`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How many ExternalSecrets, each with one secret of the vault.
    #[arg(long, default_value_t = 10_000)]
    count: usize,
    /// A built operator, in place of a release build.
    #[arg(long, value_name = "PROGRAM")]
    operator: Option<PathBuf>,
    /// Further flags of the operator.
    #[arg(last = true)]
    flags: Vec<String>,
}

/// Measures and prints a table.
pub(super) async fn run(args: &Args) -> Result<()> {
    let mut stage = Stage::set_up(args.operator.as_deref(), &args.flags).await?;
    stage.seed(TEAM, args.count)?;
    let sample = Arc::new(Sample::take(&stage).await?);
    stage.stop_operator().await?;
    declare(&stage, TEAM, args.count).await?;
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": LOADED}});
    stage.create(&[namespace]).await?;
    let first = loader(&stage, args.count, &sample).await?;
    clear(&stage).await?;
    say("the operator syncs")?;
    let before = Figures::now(&stage)?;
    let start = Instant::now();
    stage.start_operator().await?;
    stage
        .until("all are synced", WITHIN, async |stage| {
            Ok(stage.told_synced()? >= args.count)
        })
        .await?;
    let ours = start.elapsed();
    let ready = stage.ready(TEAM).await?;
    ensure!(ready == args.count + 1, "{ready} are ready");
    let used = Figures::now(&stage)?.since(&before);
    stage.stop_operator().await?;
    let second = loader(&stage, args.count, &sample).await?;
    show(args.count, [first, second, ours], &used)
}

/// Makes the ExternalSecrets of a namespace.
async fn declare(stage: &Stage, team: &str, count: usize) -> Result<()> {
    say(&format!("{count} ExternalSecrets are made in {team}"))?;
    let documents = manifests::readers(team, count, INTERVAL).map(|mut reader| {
        if team == LOADED {
            // nobody's: no such store
            reader["spec"]["secretStoreRef"]["name"] = json!("nobody");
        }
        reader
    });
    stage.create(&documents.collect::<Vec<_>>()).await
}

fn show(count: usize, took: [Duration; 3], used: &Used) -> Result<()> {
    let [first, second, ours] = took.map(|took| took.as_secs_f64());
    let each = |name| as_float(used.of_all(name)) / as_float(count);
    let [resident, peak] = used.resident_mib();
    let table = format!(
        "\n{count} ExternalSecrets, first sync\n\n| what | figure |\n| --- | ---: |\n\
         | bare loader before: Secret, status and event for each | {first:.1} s |\n\
         | the operator, from its start | {ours:.1} s |\n\
         | bare loader after | {second:.1} s |\n\
         | share of the ceiling, which is the mean of both | {:.2} |\n\
         | requests to the API server for each | {:.2} |\n\
         | requests to the vault for each | {:.2} |\n\
         | CPU of the operator | {:.0} % of a core |\n\
         | resident memory of the operator (peak) | {resident} MiB ({peak} MiB) |\n",
        f64::midpoint(first, second) / ours,
        each("API server: "),
        each("vault: "),
        used.cpu_share(),
    );
    let printed = stdout().write_all(table.as_bytes());
    printed.context("print the table")
}

/// Makes ExternalSecrets that are nobody's and writes what a first sync writes for each; how long the writes
/// take.
async fn loader(stage: &Stage, count: usize, sample: &Arc<Sample>) -> Result<Duration> {
    declare(stage, LOADED, count).await?;
    say("the bare loader writes")?;
    let start = Instant::now();
    let next = Arc::new(AtomicUsize::new(0));
    let mut writers = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (next, writer) = (Arc::clone(&next), Writer::new(stage, sample));
        writers.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return anyhow::Ok(());
                }
                writer.write(&format!("s{number}")).await?;
            }
        });
    }
    while let Some(ended) = writers.join_next().await {
        ended.context("a writer of the loader")??;
    }
    Ok(start.elapsed())
}

/// What the operator wrote for one ExternalSecret, without what is its own.
struct Sample {
    secret: Secret,
    status: Value,
    event: Event,
}

impl Sample {
    /// Has the running operator sync one more.
    async fn take(stage: &Stage) -> Result<Self> {
        let mut documents = manifests::team(TEAM);
        let key = ["s0".to_owned()];
        documents.push(manifests::reader(TEAM, SAMPLE, &key, INTERVAL));
        stage.create(&documents).await?;
        stage.all_ready(TEAM, 1, WITHIN).await?;
        stage
            .until("the sample has its event", WITHIN, async |stage| {
                Ok(Self::event(stage).await?.is_some())
            })
            .await?;
        let secrets: Api<Secret> = Api::namespaced(stage.client(), TEAM);
        let mut secret = secrets.get(SAMPLE).await?;
        // the loader's have no owner that stands
        let plain = |metadata: &ObjectMeta| ObjectMeta {
            labels: metadata.labels.clone(),
            annotations: metadata.annotations.clone(),
            ..ObjectMeta::default()
        };
        secret.metadata = plain(&secret.metadata);
        let mut event = Self::event(stage).await?.context("no event")?;
        event.metadata = plain(&event.metadata);
        event.involved_object.namespace = Some(LOADED.to_owned());
        let found = stage.external_secrets(TEAM).get(SAMPLE).await?;
        let status = found.data["status"].clone();
        Ok(Self {
            secret,
            status,
            event,
        })
    }

    async fn event(stage: &Stage) -> Result<Option<Event>> {
        let events: Api<Event> = Api::namespaced(stage.client(), TEAM);
        let about = ListParams::default().fields(&format!("involvedObject.name={SAMPLE}"));
        Ok(events.list(&about).await?.items.into_iter().next())
    }
}

/// Deletes what the loader wrote, and what it wrote about.
async fn clear(stage: &Stage) -> Result<()> {
    let (how, all) = (DeleteParams::default(), ListParams::default());
    let secrets: Api<Secret> = Api::namespaced(stage.client(), LOADED);
    secrets.delete_collection(&how, &all).await?;
    stage
        .external_secrets(LOADED)
        .delete_collection(&how, &all)
        .await?;
    let what = "the loader's objects are gone";
    stage
        .until(what, WITHIN, async |stage| {
            let api = stage.external_secrets(LOADED);
            let left = api.list(&ListParams::default().limit(1)).await?;
            Ok(left.items.is_empty())
        })
        .await
}

/// What the loader writes through.
struct Writer {
    secrets: Api<Secret>,
    external_secrets: Api<DynamicObject>,
    events: Api<Event>,
    sample: Arc<Sample>,
}

impl Writer {
    fn new(stage: &Stage, sample: &Arc<Sample>) -> Self {
        Self {
            secrets: Api::namespaced(stage.client(), LOADED),
            external_secrets: stage.external_secrets(LOADED),
            events: Api::namespaced(stage.client(), LOADED),
            sample: Arc::clone(sample),
        }
    }

    async fn write(&self, name: &str) -> Result<()> {
        let params = PostParams::default();
        let mut secret = self.sample.secret.clone();
        secret.metadata.name = Some(name.to_owned());
        self.secrets.create(&params, &secret).await?;
        let status = Patch::Merge(json!({"status": self.sample.status}));
        self.external_secrets
            .patch_status(name, &PatchParams::default(), &status)
            .await?;
        let mut event = self.sample.event.clone();
        event.metadata.generate_name = Some(format!("{name}."));
        event.involved_object.name = Some(name.to_owned());
        self.events.create(&params, &event).await?;
        Ok(())
    }
}
