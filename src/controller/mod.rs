//! The controllers: what is done when, and what is told about it. `run` starts them all and ends
//! when all have come to rest.

mod allowed_keys;
mod conditions;
mod context;
mod dependents;
pub mod external_secret;
mod manifest_watches;
mod outcome;
mod own_writes;
mod providers;
mod queue;
mod reach;
mod secret_store;
mod store_clients;
mod store_conditions;
mod store_status;
mod stores;
mod template_sources;
mod triggers;
mod unserved;
mod wake;
mod watch_pauses;
mod workers;

use std::fmt::Debug;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::Stream;
use futures::future::{BoxFuture, FutureExt as _};
use k8s_openapi::NamespaceResourceScope;
use kube::core::PartialObjectMeta;
use kube::runtime::reflector::store::Writer;
use kube::runtime::reflector::{ObjectRef, Store, store};
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;

use crate::api::external_secret::ExternalSecret;
use crate::api::secret_store::{ClusterSecretStore, SecretStore};
use crate::clock::Clock;
use crate::kubernetes::events::Recorder;
use crate::kubernetes::manifests::Kinds;
use crate::lifecycle::{Drain, Readiness, Stop};
use crate::telemetry::Metrics;

use context::Context;
use dependents::ObjectKey;
use manifest_watches::{ManifestWatches, Wanted};
use secret_store::StoreResource;
use store_clients::StoreClients;
use stores::{Guarded, Stores};
use wake::Wake;
use watch_pauses::WatchPauses;
use workers::{Next, Turn, work_off};

pub use context::{Options, Switches};
pub use dependents::TemplateSource;
pub use outcome::chain;
pub use providers::Providers;
pub use stores::StoreKey;

const COMPONENT: &str = "external-secrets";
/// Statuses that tell of a failure are written so many at a time: nobody waits for them, and a busy API server
/// is late with its watches. By these comes what somebody waits for.
const FAILURES_AT_ONCE: usize = 8;
/// So long the last events may take to be written.
const EVENTS_WITHIN: Duration = Duration::from_secs(3);

/// What the controllers are given by the process.
pub struct Setup {
    /// The cluster.
    pub client: Client,
    /// The adapters.
    pub providers: Providers,
    /// The metric families.
    pub metrics: Metrics,
    /// The flags.
    pub options: Options,
    /// Is told when every cache was filled.
    pub readiness: Readiness,
    /// Ends when this process may work; caches are filled before.
    pub lead: BoxFuture<'static, ()>,
}

/// Runs all controllers until `stop`, then lets running reconciles finish and writes the last events.
pub async fn run(setup: Setup, stop: Stop) -> Drain {
    let (recorder, write_events) = Recorder::new(setup.client.clone(), COMPONENT);
    let mut write_events = pin!(write_events);
    let drain = tokio::select! {
        drain = follow_and_work(setup, recorder, stop) => drain,
        () = &mut write_events => Drain::Aborted,
    };
    // every recorder is gone: what is queued is written, then it ends
    if tokio::time::timeout(EVENTS_WITHIN, write_events)
        .await
        .is_err()
    {
        tracing::warn!("events were left unwritten after {EVENTS_WITHIN:?}");
    }
    drain
}

async fn follow_and_work(mut setup: Setup, recorder: Recorder, stop: Stop) -> Drain {
    let lead = std::mem::replace(&mut setup.lead, std::future::pending().boxed());
    let wake = Wake::new(&setup.metrics, setup.options.concurrent);
    let (external_secrets, es_writer) = store();
    let (secret_stores, ss_writer) = store();
    let (cluster_stores, css_writer) = store();
    let stores = Stores {
        namespaced: secret_stores,
        cluster: cluster_stores,
    };
    let (manifest_watches, wanted) = ManifestWatches::new();
    let ctx = context(setup, recorder, stores, wake, manifest_watches);
    let watches = watches(&ctx, es_writer, ss_writer, css_writer, wanted);
    let controllers = async {
        tokio::select! {
            () = caches_filled(&ctx, &external_secrets) => {}
            () = stop.clone() => return Drain::Completed,
        }
        ctx.readiness.reached();
        tracing::info!("all caches are filled");
        tokio::select! {
            () = lead => {}
            () = stop.clone() => return Drain::Completed,
        }
        let grace = ctx.options.shutdown_grace;
        let expired = stop.clone().then(|()| tokio::time::sleep(grace));
        tokio::select! {
            () = controllers(&ctx, external_secrets, stop) => Drain::Completed,
            () = expired => {
                tracing::warn!("what is in work is not finished after {grace:?} and cut off");
                Drain::Aborted
            }
        }
    };
    // watches have no end of their own: they go with the controllers
    tokio::select! {
        drain = controllers => drain,
        () = watches => Drain::Aborted,
    }
}

fn context(
    setup: Setup,
    recorder: Recorder,
    stores: Stores,
    wake: Wake,
    manifest_watches: ManifestWatches,
) -> Arc<Context> {
    Arc::new(Context {
        clients: StoreClients::new(setup.client.clone(), setup.providers),
        client: setup.client,
        clock: Clock::System,
        options: setup.options,
        metrics: setup.metrics,
        recorder,
        readiness: setup.readiness,
        stores,
        dependents: Mutex::default(),
        kinds: Kinds::default(),
        manifest_watches,
        memories: external_secret::Memories::default(),
        own_writes: own_writes::OwnWrites::default(),
        template_sources: template_sources::TemplateSources::default(),
        reach: Arc::default(),
        failure_reports: Semaphore::new(FAILURES_AT_ONCE),
        store_failures: context::Failures::default(),
        validated: context::Validated::default(),
        wake,
    })
}

/// Follows everything; never ends.
async fn watches(
    ctx: &Arc<Context>,
    external_secrets: Writer<Guarded<ExternalSecret>>,
    secret_stores: Writer<Guarded<SecretStore>>,
    cluster_stores: Writer<Guarded<ClusterSecretStore>>,
    wanted: Wanted,
) {
    let cluster_stores = async {
        if ctx.options.switches.cluster_stores {
            let all: Api<Guarded<ClusterSecretStore>> = Api::all(ctx.client.clone());
            triggers::stores(watch(all, cluster_stores), Arc::clone(ctx)).await;
        }
    };
    tokio::join!(
        triggers::external_secrets(watch(scoped(ctx), external_secrets), Arc::clone(ctx)),
        triggers::stores(watch(scoped(ctx), secret_stores), Arc::clone(ctx)),
        cluster_stores,
        triggers::secrets(watch_metadata(ctx), Arc::clone(ctx)),
        triggers::service_accounts(watch_metadata(ctx), Arc::clone(ctx)),
        template_sources::config_maps(watch_metadata(ctx), Arc::clone(ctx)),
        manifest_watches::run(wanted, Arc::clone(ctx)),
    );
}

/// Reconciles look stores up: an empty cache must not read as "no such store". An error means
/// that the process is ending.
async fn caches_filled(ctx: &Context, external_secrets: &Store<Guarded<ExternalSecret>>) {
    let _ = ctx.stores.namespaced.wait_until_ready().await;
    if ctx.options.switches.cluster_stores {
        let _ = ctx.stores.cluster.wait_until_ready().await;
    }
    let _ = external_secrets.wait_until_ready().await;
}

/// Works off the queues until `stop`.
async fn controllers(
    ctx: &Arc<Context>,
    external_secrets: Store<Guarded<ExternalSecret>>,
    stop: Stop,
) {
    let Stores {
        namespaced,
        cluster,
    } = ctx.stores.clone();
    let wake = ctx.wake.clone();
    let workers = ctx.options.concurrent;
    let secret_stores = async {
        if ctx.options.switches.secret_store_validation {
            let reconcile = store_reconcile(namespaced, ctx);
            work_off(wake.secret_stores, workers, stop.clone(), reconcile).await;
        }
    };
    let cluster_stores = store_reconcile(cluster, ctx);
    let reconcile = |(namespace, name): ObjectKey, turn| {
        let object = external_secrets.get(&ObjectRef::new(&name).within(&namespace));
        let ctx = Arc::clone(ctx);
        async move {
            match object {
                Some(object) => external_secret::reconcile(object, ctx, turn).await,
                None => Next::Change,
            }
        }
    };
    tokio::join!(
        work_off(wake.external_secrets, workers, stop.clone(), reconcile),
        secret_stores,
        work_off(
            wake.cluster_secret_stores,
            workers,
            stop.clone(),
            cluster_stores
        ),
        unserved::warn(
            &ctx.client,
            &ctx.options.switches.off,
            ctx.options.namespace.is_some()
        ),
    );
}

/// Reconciles stores of one kind as they are in the cache.
fn store_reconcile<K: StoreResource>(
    cache: Store<Guarded<K>>,
    ctx: &Arc<Context>,
) -> impl Fn(StoreKey, Arc<Turn>) -> BoxFuture<'static, Next> {
    let ctx = Arc::clone(ctx);
    move |key, _| {
        let mut reference = ObjectRef::new(key.name());
        if let StoreKey::Namespaced { namespace, .. } = &key {
            reference = reference.within(namespace);
        }
        let (object, ctx) = (cache.get(&reference), Arc::clone(&ctx));
        async move {
            match object {
                Some(object) => secret_store::reconcile(object, ctx).await,
                None => Next::Change,
            }
        }
        .boxed()
    }
}

/// The kind's objects that `--namespace` leaves.
fn scoped<K>(ctx: &Context) -> Api<K>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    match &ctx.options.namespace {
        Some(namespace) => Api::namespaced(ctx.client.clone(), namespace),
        None => Api::all(ctx.client.clone()),
    }
}

/// Follows one kind and fills its cache, without the bulk nobody reads: managedFields and
/// kubectl's copy are three quarters of an object.
fn watch<K>(
    api: Api<K>,
    writer: Writer<K>,
) -> impl Stream<Item = watcher::Result<watcher::Event<K>>> + Send
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
{
    watcher(api, watcher::Config::default())
        .backoff(WatchPauses::default())
        .modify(|object| object.meta_mut().managed_fields = None)
        .reflect(writer)
}

/// Follows the metadata of one kind; nothing is cached.
fn watch_metadata<K>(
    ctx: &Context,
) -> impl Stream<Item = watcher::Result<watcher::Event<PartialObjectMeta<K>>>> + Send + use<K>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + Debug
        + Send
        + Sync
        + 'static,
    PartialObjectMeta<K>: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    let api: Api<PartialObjectMeta<K>> = scoped(ctx);
    watcher(api, watcher::Config::default()).backoff(WatchPauses::default())
}
