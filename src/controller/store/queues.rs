//! The work queues of both kinds of store.

use crate::controller::engine::{Urgency, WorkQueue};
use crate::controller::index::StoreKey;

/// Both queues. A clone is another handle of the same queues.
#[derive(Clone)]
pub struct StoreQueues {
    /// Of SecretStores.
    pub namespaced: WorkQueue<StoreKey>,
    /// Of ClusterSecretStores.
    pub cluster: WorkQueue<StoreKey>,
}

impl StoreQueues {
    /// Adds a store, of which something changed.
    pub fn add(&self, store: &StoreKey) {
        self.queue(store).add(store, Urgency::Changed);
    }

    /// `store` is gone.
    pub fn forget(&self, store: &StoreKey) {
        self.queue(store).forget(store);
    }

    fn queue(&self, store: &StoreKey) -> &WorkQueue<StoreKey> {
        match store {
            StoreKey::Namespaced { .. } => &self.namespaced,
            StoreKey::Cluster { .. } => &self.cluster,
        }
    }
}
