//! Tells consumers that something they depend on changed: whoever watches a dependency names no kind of
//! consumer.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::api::meta::NamespacedName;

use super::graph::{Consumer, Index, References};
use super::names::{Dependency, StoreKey};

/// How a dependency changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// What it holds, or how it is reached: its consumers refresh, without the pause of earlier failures.
    Content,
    /// It can be used again: its consumers reconcile, without the pause of earlier failures.
    Recovered,
    /// Its state: its consumers reconcile.
    State,
}

/// A kind of consumers.
pub trait Subscriber: Send + Sync {
    /// Something that `object` depends on changed.
    fn dependency_changed(&self, object: &NamespacedName, change: Change);
}

/// All consumers, and who reconciles them.
pub struct Consumers {
    index: Mutex<Index>,
    external_secrets: Arc<dyn Subscriber>,
}

impl Consumers {
    /// No consumers yet; changes are reported to the subscriber of their kind.
    pub fn new(external_secrets: Arc<dyn Subscriber>) -> Self {
        Self {
            index: Mutex::default(),
            external_secrets,
        }
    }

    /// Notes what `consumer` names now.
    pub fn set(&self, consumer: &Consumer, references: References) {
        self.index.lock().set(consumer, references);
    }

    /// `consumer` is gone.
    pub fn remove(&self, consumer: &Consumer) {
        self.index.lock().remove(consumer);
    }

    /// Whether `consumer` is known.
    pub fn contains(&self, consumer: &Consumer) -> bool {
        self.index.lock().contains(consumer)
    }

    /// The consumers of `dependency`.
    pub fn depending_on(&self, dependency: &Dependency) -> Vec<Consumer> {
        self.index.lock().consumers(dependency)
    }

    /// Whether `dependency` has a consumer.
    pub fn has(&self, dependency: &Dependency) -> bool {
        self.index.lock().has_consumers(dependency)
    }

    /// The reads of `store` that all consumers make when each refreshes once.
    pub fn reads(&self, store: &StoreKey) -> usize {
        self.index.lock().reads(store)
    }

    /// Tells every consumer of `dependency`.
    pub fn notify(&self, dependency: &Dependency, change: Change) {
        self.notify_in(dependency, change, |_| true);
    }

    /// Tells the consumers of `dependency` in the namespaces that `picked` accepts.
    pub fn notify_in(
        &self,
        dependency: &Dependency,
        change: Change,
        picked: impl Fn(&str) -> bool,
    ) {
        // the index is not locked while they are told
        for consumer in self.depending_on(dependency) {
            let Consumer::ExternalSecret(object) = &consumer;
            if picked(&object.namespace) {
                self.external_secrets.dependency_changed(object, change);
            }
        }
    }
}
