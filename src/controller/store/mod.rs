//! SecretStore and ClusterSecretStore: whether they are valid, whether their vaults answer, and the one
//! door through which consumers read from them ([`StoreAccess`]). Names no kind of consumer.
//!
//! | layer | module | knows |
//! | --- | --- | --- |
//! | 0 | [`conditions`], [`providers`], [`resource`], [`queues`] | who may use a store; adapters; both kinds and their queues |
//! | 1 | [`allowed_keys`], [`reachability`] | which keys a namespace may read; whether vaults answer |
//! | 2 | [`cache`], [`store_observer`], [`status`] | the watched stores; what reads show about a store; the status |
//! | 3 | [`clients`] | one client per store, generation and credentials |
//! | 4 | [`state`] | all of that |
//! | 5 | [`access`], [`reconcile`], [`watch`] | the door; validation; what changes cause |

mod access;
mod allowed_keys;
mod cache;
mod clients;
mod conditions;
mod providers;
mod queues;
mod reachability;
mod reconcile;
mod resource;
mod state;
mod status;
mod store_observer;
mod watch;

use std::sync::Arc;

use futures::FutureExt as _;
use k8s_openapi::api::core::v1::{Secret, ServiceAccount};
use kube::Api;
use kube::core::{DeserializeGuard, PartialObjectMeta};
use kube::runtime::reflector::store::Writer;
use kube::runtime::reflector::{Store, store};

use crate::api::secret_store::{ClusterSecretStore, SecretStore};
use crate::controller::context::Context;
use crate::controller::engine::watch::{self as watches, Observer};
use crate::controller::engine::{self, Controller, WorkQueue};
use crate::controller::index::{Consumers, StoreKey};
use crate::controller::reconcile::ledger::Ledger;
use crate::kubernetes::credentials::Used;
use crate::lifecycle::{Readiness, Stop};

use cache::StoreCache;
use clients::StoreClients;
use queues::StoreQueues;
use reconcile::StoreReconciler;
use resource::StoreResource;
use watch::{CredentialWatch, StoreWatch};

pub use access::{Error, StoreAccess};
pub use providers::Providers;
pub use state::Stores;

/// The caches of both kinds, to be filled.
pub struct Writers {
    namespaced: Writer<DeserializeGuard<SecretStore>>,
    cluster: Writer<DeserializeGuard<ClusterSecretStore>>,
}

/// Stores of which nothing is known yet. Their changes are reported to `consumers`.
pub fn new(ctx: Context, providers: Providers, consumers: Arc<Consumers>) -> (Stores, Writers) {
    let (namespaced, namespaced_writer) = store();
    let (cluster, cluster_writer) = store();
    let work = &ctx.metrics.work;
    let workers = ctx.options.concurrent;
    let queue = |name| WorkQueue::new(work.controller(name, workers));
    let queues = StoreQueues {
        namespaced: queue(SecretStore::CONTROLLER),
        cluster: queue(ClusterSecretStore::CONTROLLER),
    };
    let stores = Stores {
        clients: StoreClients::new(ctx.client.clone(), providers),
        cache: StoreCache {
            namespaced,
            cluster,
        },
        reachability: Arc::default(),
        ledger: Ledger::default(),
        queues,
        consumers,
        ctx,
    };
    let writers = Writers {
        namespaced: namespaced_writer,
        cluster: cluster_writer,
    };
    (stores, writers)
}

/// The controllers of both kinds.
pub fn controller(
    stores: &Arc<Stores>,
    writers: Writers,
    readiness: &Readiness,
    stop: &Stop,
) -> Controller {
    let ctx = &stores.ctx;
    let switches = &ctx.options.switches;
    let mut controller = Controller::default();
    let api = watches::scoped(&ctx.client, ctx.options.namespace.as_deref());
    let cache = stores.cache.namespaced.clone();
    follow(
        api,
        writers.namespaced,
        &cache,
        stores,
        readiness,
        &mut controller,
    );
    if switches.secret_store_validation {
        let queue = stores.queues.namespaced.clone();
        work(cache, queue, stores, stop, &mut controller);
    }
    if switches.cluster_stores {
        let api = Api::all(ctx.client.clone());
        let cache = stores.cache.cluster.clone();
        follow(
            api,
            writers.cluster,
            &cache,
            stores,
            readiness,
            &mut controller,
        );
        let queue = stores.queues.cluster.clone();
        work(cache, queue, stores, stop, &mut controller);
    }
    let accounts = service_accounts(Arc::clone(stores), readiness.clone());
    controller.watches.push(accounts.boxed());
    controller
}

/// What follows the metadata of Secrets for the sake of credentials.
pub fn secret_observer(stores: &Arc<Stores>) -> Box<dyn Observer<PartialObjectMeta<Secret>>> {
    Box::new(CredentialWatch {
        stores: Arc::clone(stores),
        kind: Used::Secret,
    })
}

fn follow<K: StoreResource>(
    api: Api<DeserializeGuard<K>>,
    writer: Writer<DeserializeGuard<K>>,
    cache: &Store<DeserializeGuard<K>>,
    stores: &Arc<Stores>,
    readiness: &Readiness,
    controller: &mut Controller,
) {
    let observer = StoreWatch::<K>::new(Arc::clone(stores));
    let events = watches::cached(api, writer);
    let followed = watches::follow::<K, _>(events, vec![Box::new(observer)], readiness.clone());
    controller.watches.push(followed.boxed());
    let cache = cache.clone();
    // an error means that the process is ending
    let filled = async move { drop(cache.wait_until_ready().await) };
    controller.caches.push(filled.boxed());
}

fn work<K: StoreResource>(
    cache: Store<DeserializeGuard<K>>,
    queue: WorkQueue<StoreKey>,
    stores: &Arc<Stores>,
    stop: &Stop,
    controller: &mut Controller,
) {
    let reconciler = Arc::new(StoreReconciler {
        stores: Arc::clone(stores),
        cache,
        queue,
    });
    let workers = stores.ctx.options.concurrent;
    let work = engine::run(reconciler, workers, stop.clone());
    controller.work.push(work.boxed());
}

/// Follows the metadata of all ServiceAccounts, from when the first store signs in as one.
async fn service_accounts(stores: Arc<Stores>, readiness: Readiness) {
    stores.clients.service_accounts_wanted().await;
    let ctx = &stores.ctx;
    let namespace = ctx.options.namespace.as_deref();
    let events = watches::metadata::<ServiceAccount>(&ctx.client, namespace);
    let observer = CredentialWatch {
        stores: Arc::clone(&stores),
        kind: Used::ServiceAccount,
    };
    watches::follow::<ServiceAccount, _>(events, vec![Box::new(observer)], readiness).await;
}
