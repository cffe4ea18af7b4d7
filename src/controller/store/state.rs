//! What is known of the stores: their objects, clients, reachability and failures.

use std::sync::Arc;

use crate::controller::context::Context;
use crate::controller::index::{Consumers, StoreKey};
use crate::controller::reconcile::ledger::Ledger;

use super::cache::{StoreCache, StoreView};
use super::clients::StoreClients;
use super::queues::StoreQueues;
use super::reachability::Reachability;
use super::resource::StoreResource;

/// All stores.
pub struct Stores {
    pub(super) ctx: Context,
    pub(super) cache: StoreCache,
    pub(super) clients: StoreClients,
    pub(super) reachability: Arc<Reachability>,
    pub(super) ledger: Ledger<StoreKey, LastValid>,
    pub(super) queues: StoreQueues,
    pub(super) consumers: Arc<Consumers>,
}

/// The connection with which a store was last found valid.
#[derive(Clone, Debug, Default)]
pub(super) struct LastValid(Option<u64>);

impl Stores {
    /// The store, unless it is absent or does not decode.
    pub fn find(&self, key: &StoreKey) -> Option<StoreView> {
        self.cache.find(key)
    }

    /// Notes that `store` is valid with connection `serial`; whether it was with another one before.
    pub(super) fn is_other_connection(&self, store: &StoreKey, serial: u64) -> bool {
        let before = self
            .ledger
            .update(store, |record| record.own.0.replace(serial));
        before.is_some_and(|before| before != serial)
    }

    /// Forgets what is known of a store that is gone.
    pub(super) fn forget<K: StoreResource>(&self, store: &StoreKey) {
        self.clients.forget(store);
        self.ledger.forget(store);
        self.reachability.forget(store);
        self.queues.forget(store);
        K::metrics(&self.ctx.metrics).remove(store.namespace(), store.name());
    }
}
