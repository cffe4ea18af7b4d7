//! `cargo xtask bench first-sync`: how long the operator takes for the first sync of many ExternalSecrets, beside
//! a bare loader that makes the API server do the same writes (a Secret, a status, an event for each) and
//! nothing else, on the same machine in the same run.

use std::io::{Write as _, stdout};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use k8s_openapi::api::core::v1::{Event, Secret};
use kube::Api;
use kube::api::{DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::figures::{Figures, as_float};
use super::stage::Stage;
use super::{manifests, say};

const TEAM: &str = "bench";
const LOADED: &str = "loaded";
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
    stage.stop_operator().await?;
    stage.seed(TEAM, args.count)?;
    for team in [TEAM, LOADED] {
        say(&format!(
            "{} ExternalSecrets are made in {team}",
            args.count
        ))?;
        let mut documents = manifests::team(team);
        documents.extend((0..args.count).map(|n| {
            let name = format!("s{n}");
            let mut reader = manifests::reader(team, &name, std::slice::from_ref(&name), INTERVAL);
            if team == LOADED {
                // nobody's: no such store
                reader["spec"]["secretStoreRef"]["name"] = json!("nobody");
            }
            reader
        }));
        stage.create(&documents).await?;
    }
    say("the bare loader writes")?;
    let bare = loader(&stage, args.count).await?;
    let api = stage.external_secrets(LOADED);
    api.delete_collection(&DeleteParams::default(), &ListParams::default())
        .await?;
    stage
        .until("the loader's objects are gone", WITHIN, async |stage| {
            let api = stage.external_secrets(LOADED);
            let left = api.list(&ListParams::default().limit(1)).await?;
            Ok(left.items.is_empty())
        })
        .await?;
    say("the operator syncs")?;
    let before = Figures::now(&stage)?;
    let start = Instant::now();
    stage.start_operator().await?;
    stage.all_ready(TEAM, args.count, WITHIN).await?;
    let ours = start.elapsed();
    let used = Figures::now(&stage)?.since(&before);
    let (bare, ours) = (bare.as_secs_f64(), ours.as_secs_f64());
    let each = |name| as_float(used.of_all(name)) / as_float(args.count);
    let [resident, peak] = used.resident_mib();
    let table = format!(
        "\n{} ExternalSecrets, first sync\n\n| what | figure |\n| --- | ---: |\n\
         | bare loader: Secret, status and event for each | {bare:.1} s |\n\
         | the operator, from its start | {ours:.1} s |\n\
         | share of the ceiling | {:.2} |\n\
         | requests to the API server for each | {:.2} |\n\
         | requests to the vault for each | {:.2} |\n\
         | CPU of the operator | {:.0} % of a core |\n\
         | resident memory of the operator (peak) | {resident} MiB ({peak} MiB) |\n",
        args.count,
        bare / ours,
        each("API server: "),
        each("vault: "),
        used.cpu_share(),
    );
    let printed = stdout().write_all(table.as_bytes());
    printed.context("print the table")
}

/// Writes what a first sync writes, for every object; how long that takes.
async fn loader(stage: &Stage, count: usize) -> Result<Duration> {
    let start = Instant::now();
    let next = Arc::new(AtomicUsize::new(0));
    let mut writers = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (next, writer) = (Arc::clone(&next), Writer::new(stage));
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

/// What the loader writes through.
struct Writer {
    secrets: Api<Secret>,
    external_secrets: Api<DynamicObject>,
    events: Api<Event>,
}

impl Writer {
    fn new(stage: &Stage) -> Self {
        Self {
            secrets: Api::namespaced(stage.client(), LOADED),
            external_secrets: stage.external_secrets(LOADED),
            events: Api::namespaced(stage.client(), LOADED),
        }
    }

    async fn write(&self, name: &str) -> Result<()> {
        let params = PostParams::default();
        self.secrets.create(&params, &made(secret(name))?).await?;
        let status = Patch::Merge(json!({"status": status(name)}));
        self.external_secrets
            .patch_status(name, &PatchParams::default(), &status)
            .await?;
        self.events.create(&params, &made(event(name))?).await?;
        Ok(())
    }
}

fn made<T: serde::de::DeserializeOwned>(value: Value) -> Result<T> {
    serde_json::from_value(value).context("an object of the loader")
}

fn secret(name: &str) -> Value {
    let owner = json!({"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "name": name,
        "uid": "00000000-0000-0000-0000-000000000000"});
    json!({"metadata": {
            "name": name,
            "labels": {"reconcile.external-secrets.io/managed": "true",
                "reconcile.external-secrets.io/created-by": "2b1f4ab1ab4d"},
            "annotations": {"reconcile.external-secrets.io/data-hash": "ef095ac5a86020a4b48df634ea0238",
                "owner": owner.to_string()},
        },
        "data": {"value0": "dmFsdWU="}})
}

fn status(name: &str) -> Value {
    json!({
        "binding": {"name": name},
        "conditions": [{"type": "Ready", "status": "True", "reason": "SecretSynced",
            "message": "secret synced", "lastTransitionTime": "2026-01-01T00:00:00Z"}],
        "refreshTime": "2026-01-01T00:00:00Z",
        "syncedResourceVersion": "1-2b1f4ab1ab4d",
    })
}

fn event(name: &str) -> Value {
    json!({
        "metadata": {"generateName": format!("{name}.")},
        "involvedObject": {"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret",
            "name": name, "namespace": LOADED},
        "reason": "Created", "message": "secret created", "type": "Normal",
        "source": {"component": "external-secrets"}, "count": 1,
        "firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-01T00:00:00Z",
    })
}
