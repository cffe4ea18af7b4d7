//! The queues of the controllers, and who is put into them.

use crate::telemetry::Metrics;

use super::context::Context;
use super::dependents::ObjectKey;
use super::queue::Urgency;
use super::stores::StoreKey;
use super::workers::Line;

/// One end of each queue.
#[derive(Clone)]
pub struct Wake {
    /// Of ExternalSecrets.
    pub(super) external_secrets: Line<ObjectKey>,
    /// Of SecretStores.
    pub(super) secret_stores: Line<StoreKey>,
    /// Of ClusterSecretStores.
    pub(super) cluster_secret_stores: Line<StoreKey>,
}

impl Wake {
    /// Empty queues, of which so many reconciles come at a time.
    pub(super) fn new(metrics: &Metrics, workers: u16) -> Self {
        let controller = |name| metrics.work.controller(name, workers);
        let external_secrets = Line::new(controller("externalsecret"));
        let line = external_secrets.clone();
        metrics.ask_overdue(move || line.overdue());
        Self {
            external_secrets,
            secret_stores: Line::new(controller("secretstore")),
            cluster_secret_stores: Line::new(controller("clustersecretstore")),
        }
    }

    /// Queues an ExternalSecret.
    pub(super) fn external_secret(&self, key: &ObjectKey, urgency: Urgency) {
        self.external_secrets.add(key, urgency);
    }

    /// An ExternalSecret is gone.
    pub(super) fn forget_external_secret(&self, key: &ObjectKey) {
        self.external_secrets.forget(key);
    }

    /// Queues a store.
    pub fn store(&self, key: &StoreKey) {
        let line = match key {
            StoreKey::Namespaced { .. } => &self.secret_stores,
            StoreKey::Cluster { .. } => &self.cluster_secret_stores,
        };
        line.add(key, Urgency::Changed);
    }

    /// Marks what the consumers of `store` in the namespaces that `picked` accepts hold as out of
    /// date, and queues them.
    pub fn consumers_of(&self, store: &StoreKey, ctx: &Context, picked: impl Fn(&str) -> bool) {
        let consumers = ctx.dependents().of_store(store);
        for consumer in consumers.iter().filter(|(namespace, _)| picked(namespace)) {
            ctx.memories.mark_stale(consumer);
            self.external_secret(consumer, Urgency::Changed);
        }
    }
}
