//! What every reconcile is handed: passed, never global.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use k8s_openapi::jiff::SignedDuration;
use kube::Client;
use tokio::sync::Semaphore;

use crate::clock::Clock;
use crate::kubernetes::events::Recorder;
use crate::kubernetes::manifests::Kinds;
use crate::lifecycle::Readiness;
use crate::telemetry::{Metrics, ObjectMetrics};
use crate::template::Engine;

use super::dependents::{Dependents, ObjectKey};
use super::external_secret::Memories;
use super::manifest_watches::ManifestWatches;
use super::own_writes::OwnWrites;
use super::reach::Reach;
use super::store_clients::StoreClients;
use super::stores::{StoreKey, Stores};
use super::template_sources::TemplateSources;
use super::wake::Wake;

/// What the flags say.
#[derive(Clone, Debug)]
pub struct Options {
    /// `--controller-class`
    pub controller_class: String,
    /// `--namespace`; `None` is all.
    pub namespace: Option<String>,
    /// `--concurrent`: reconciles at a time, per kind.
    pub concurrent: u16,
    /// `--store-requeue-interval`
    pub store_requeue_interval: Duration,
    /// `--status-heartbeat`: how old `status.refreshTime` may grow while nothing changes.
    pub status_heartbeat: SignedDuration,
    /// `--expiry-warning`: how long before an object of a vault ends it is told; zero: never.
    pub expiry_warning: SignedDuration,
    /// `--shutdown-grace-period`: what is in work when the process is asked to stop may take so long.
    pub shutdown_grace: Duration,
    /// `--template-left-delimiter` and `--template-right-delimiter`.
    pub templates: Engine,
    /// What is switched on and off.
    pub switches: Switches,
}

/// The parts that flags switch on and off (spec: external-secrets.md 7.4).
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "they are switches")]
pub struct Switches {
    /// ClusterSecretStores are served.
    pub cluster_stores: bool,
    /// SecretStores are validated; else they are used where somebody else found them ready.
    pub secret_store_validation: bool,
    /// Stores are read from only while they are ready.
    pub flood_gate: bool,
    /// Targets may be other than Secrets.
    pub generic_targets: bool,
    /// Kinds that are not served and shall not be missed.
    pub off: Vec<&'static str>,
}

/// Shared by all controllers.
pub struct Context {
    /// The cluster.
    pub client: Client,
    /// The time.
    pub clock: Clock,
    /// The flags.
    pub options: Options,
    /// The metric families.
    pub metrics: Metrics,
    /// Events, with ExternalSecret's component.
    pub recorder: Recorder,
    /// Whether the caches are filled, and if not, why.
    pub readiness: Readiness,
    /// The stores as watched.
    pub stores: Stores,
    /// ConfigMaps and Secrets that hold templates.
    pub template_sources: TemplateSources,
    /// One client per store.
    pub clients: StoreClients,
    /// Who looks again when something changes.
    pub dependents: Mutex<Dependents>,
    /// The kinds of targets that are no Secret.
    pub kinds: Kinds,
    /// Their watches.
    pub manifest_watches: ManifestWatches,
    /// What is known of each ExternalSecret beyond its status.
    pub memories: Memories,
    /// Our last write to each target.
    pub own_writes: OwnWrites,
    /// Whether the vaults behind the stores answer.
    pub reach: Arc<Reach>,
    /// Places for writes that tell of failures.
    pub failure_reports: Semaphore,
    /// Failures in a row of each store.
    pub store_failures: Failures<StoreKey>,
    /// With what each store was last found valid.
    pub validated: Validated,
    /// The queues.
    pub wake: Wake,
}

impl Context {
    /// Whether a store of `class` is this controller's.
    pub fn is_ours(&self, class: Option<&str>) -> bool {
        class.is_none_or(|class| class.is_empty() || class == self.options.controller_class)
    }

    /// Forgets what is known of an ExternalSecret that is gone.
    pub fn forget(&self, object: &ObjectKey) {
        self.memories.forget(object);
        self.wake.forget_external_secret(object);
        self.metrics.forget_external_secret(&object.0, &object.1);
    }

    /// Forgets what is known of a store that is gone.
    pub fn forget_store(&self, store: &StoreKey, metrics: &ObjectMetrics) {
        self.clients.forget(store);
        self.store_failures.succeeded(store);
        self.reach.forget(store);
        metrics.remove(store.namespace(), store.name());
    }

    /// The index of dependents.
    pub fn dependents(&self) -> MutexGuard<'_, Dependents> {
        self.dependents
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Failures in a row, by object.
#[derive(Debug)]
pub struct Failures<K>(Mutex<HashMap<K, u32>>);

impl<K> Default for Failures<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash + Clone> Failures<K> {
    /// One more; returns how many there are in a row now.
    pub fn failed(&self, key: &K) -> u32 {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(key.clone()).or_default();
        *count = count.saturating_add(1);
        *count
    }

    /// None any more.
    pub fn succeeded(&self, key: &K) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(key);
    }
}

/// The connection with which each store was last found valid.
#[derive(Debug, Default)]
pub struct Validated(Mutex<HashMap<StoreKey, u64>>);

impl Validated {
    /// Notes `serial`; whether the store was valid with another one before.
    pub fn is_news(&self, store: &StoreKey, serial: u64) -> bool {
        let mut serials = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        serials
            .insert(store.clone(), serial)
            .is_some_and(|before| before != serial)
    }
}
