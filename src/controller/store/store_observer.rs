//! Notes what reads show about a store, and has the store's status written if that is news.

use std::sync::Arc;

use crate::controller::index::StoreKey;
use crate::kubernetes::answers::chain;
use crate::provider::{Error, ReadObserver};

use super::queues::StoreQueues;
use super::reachability::Reachability;

/// Learns from the reads of one store.
pub struct StoreObserver {
    pub store: StoreKey,
    pub reachability: Arc<Reachability>,
    pub queues: StoreQueues,
}

impl ReadObserver for StoreObserver {
    fn read(&self, error: Option<&Error>) {
        if self.reachability.note(&self.store, error) {
            self.queues.add(&self.store);
        }
    }

    fn listing(&self, refusal: Option<&Error>) {
        let listing = refusal.map_or(Ok(()), |error| Err(chain(error)));
        if self.reachability.note_listing(&self.store, listing) {
            self.queues.add(&self.store);
        }
    }
}
