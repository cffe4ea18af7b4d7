//! What changes of stores and of their credentials cause.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::Arc;

use kube::ResourceExt;
use kube::core::{DeserializeGuard, PartialObjectMeta};

use crate::api::meta::NamespacedName;
use crate::controller::engine::trigger::TriggerFingerprint;
use crate::controller::engine::watch::Observer;
use crate::controller::index::{Change, Dependency, StoreKey};
use crate::kubernetes::credentials::Used;

use super::allowed_keys::ANNOTATION;
use super::cache::ready;
use super::resource::StoreResource;
use super::state::Stores;

/// Follows the stores of one kind.
pub struct StoreWatch<K> {
    stores: Arc<Stores>,
    known: HashMap<StoreKey, Known>,
    kind: PhantomData<fn() -> K>,
}

/// A store as the watch brought it last.
struct Known {
    fingerprint: TriggerFingerprint,
    is_ready: Option<bool>,
}

impl Known {
    fn allowed_keys(&self) -> Option<&String> {
        self.fingerprint.annotations.get(ANNOTATION)
    }
}

impl<K> StoreWatch<K> {
    /// Of none yet.
    pub fn new(stores: Arc<Stores>) -> Self {
        Self {
            stores,
            known: HashMap::new(),
            kind: PhantomData,
        }
    }
}

impl<K: StoreResource> Observer<DeserializeGuard<K>> for StoreWatch<K> {
    fn present(&mut self, name: &NamespacedName, object: &DeserializeGuard<K>, _: bool) {
        let key = store_key(name);
        let status = object.0.as_ref().ok().and_then(StoreResource::status);
        let now = Known {
            fingerprint: TriggerFingerprint::new(object),
            is_ready: status.and_then(ready),
        };
        let before = self.known.get(&key);
        if before.is_none_or(|before| before.fingerprint != now.fingerprint) {
            self.stores.queues.add(&key);
        }
        let was_ready = before.and_then(|before| before.is_ready);
        let consumers = &self.stores.consumers;
        let dependency = Dependency::Store(key.clone());
        if now.is_ready == Some(true) && was_ready != Some(true) {
            // a store met ready at start is not news to consumers that are synced
            let change = before.map_or(Change::State, |_| Change::Recovered);
            consumers.notify(&dependency, change);
        } else if now.is_ready.is_some() && was_ready.is_none() && before.is_some() {
            consumers.notify(&dependency, Change::State);
        }
        if before.is_some_and(|before| before.allowed_keys() != now.allowed_keys()) {
            consumers.notify(&dependency, Change::Content);
        }
        self.known.insert(key, now);
    }

    fn gone(&mut self, name: &NamespacedName) {
        let key = store_key(name);
        self.known.remove(&key);
        self.stores.forget::<K>(&key);
    }
}

fn store_key(name: &NamespacedName) -> StoreKey {
    let NamespacedName { namespace, name } = name.clone();
    if namespace.is_empty() {
        StoreKey::Cluster { name }
    } else {
        StoreKey::Namespaced { namespace, name }
    }
}

/// Follows the objects of one kind that credentials may be read from.
pub struct CredentialWatch {
    /// Whose clients are made from them.
    pub stores: Arc<Stores>,
    /// The kind.
    pub kind: fn(NamespacedName) -> Used,
}

impl CredentialWatch {
    /// The credential is at this resource version, or gone.
    fn changed(&self, name: &NamespacedName, version: Option<&str>) {
        let stores = &self.stores;
        let object = (self.kind)(name.clone());
        let affected = stores.clients.credential_changed(&object, version);
        for store in &affected.stores {
            stores.ledger.forgive(store);
            stores.queues.add(store);
        }
        for (store, consumer) in affected.consumers {
            let dependency = Dependency::Store(store);
            stores
                .consumers
                .notify_in(&dependency, Change::Content, |namespace| {
                    namespace == consumer
                });
        }
    }
}

impl<K> Observer<PartialObjectMeta<K>> for CredentialWatch
where
    PartialObjectMeta<K>: ResourceExt,
{
    fn present(&mut self, name: &NamespacedName, object: &PartialObjectMeta<K>, _: bool) {
        self.changed(name, object.resource_version().as_deref());
    }

    fn gone(&mut self, name: &NamespacedName) {
        self.changed(name, None);
    }
}
