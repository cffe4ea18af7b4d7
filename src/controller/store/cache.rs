//! The stores as the watches last saw them. Decides nothing.

use kube::ResourceExt as _;
use kube::core::DeserializeGuard;
use kube::runtime::reflector::{ObjectRef, Store};

use crate::api::meta::Condition;
use crate::api::secret_store::{
    ClusterSecretStore, SecretStore, SecretStoreSpec, SecretStoreStatus,
};

use crate::controller::index::StoreKey;

use super::allowed_keys::ANNOTATION;

/// What a consumer needs to know of a store.
#[derive(Clone, Debug)]
pub struct StoreView {
    /// Which store.
    pub key: StoreKey,
    /// Changes when the store is made again.
    pub uid: String,
    /// Changes with the spec.
    pub generation: i64,
    /// The spec.
    pub spec: SecretStoreSpec,
    /// Of a cluster store: which keys each namespace may read, where that is limited.
    pub allowed_keys: Option<String>,
    /// The Ready condition, if there is one yet.
    pub is_ready: Option<bool>,
}

/// Reads of the watched stores.
#[derive(Clone)]
pub struct StoreCache {
    /// The SecretStores.
    pub namespaced: Store<DeserializeGuard<SecretStore>>,
    /// The ClusterSecretStores.
    pub cluster: Store<DeserializeGuard<ClusterSecretStore>>,
}

impl StoreCache {
    /// Why the store does not decode; `None` where it does, or is absent.
    pub fn problem(&self, key: &StoreKey) -> Option<String> {
        match key {
            StoreKey::Namespaced { namespace, name } => {
                let reference = ObjectRef::new(name).within(namespace);
                let store = self.namespaced.get(&reference)?;
                store.0.as_ref().err().map(ToString::to_string)
            }
            StoreKey::Cluster { name } => {
                let store = self.cluster.get(&ObjectRef::new(name))?;
                store.0.as_ref().err().map(ToString::to_string)
            }
        }
    }

    /// The store, unless it is absent or does not decode.
    pub fn find(&self, key: &StoreKey) -> Option<StoreView> {
        match key {
            StoreKey::Namespaced { namespace, name } => {
                let found = self
                    .namespaced
                    .get(&ObjectRef::new(name).within(namespace))?;
                let store = found.0.as_ref().ok()?;
                Some(view(key, store, &store.spec, store.status.as_ref()))
            }
            StoreKey::Cluster { name } => {
                let found = self.cluster.get(&ObjectRef::new(name))?;
                let store = found.0.as_ref().ok()?;
                Some(view(key, store, &store.spec, store.status.as_ref()))
            }
        }
    }
}

/// What consumers need to know of `store`, which is `key`.
pub fn view<K: kube::Resource<DynamicType = ()>>(
    key: &StoreKey,
    store: &K,
    spec: &SecretStoreSpec,
    status: Option<&SecretStoreStatus>,
) -> StoreView {
    StoreView {
        key: key.clone(),
        uid: store.uid().unwrap_or_default(),
        generation: store.meta().generation.unwrap_or_default(),
        spec: spec.clone(),
        allowed_keys: match key {
            StoreKey::Cluster { .. } => store.annotations().get(ANNOTATION).cloned(),
            StoreKey::Namespaced { .. } => None,
        },
        is_ready: status.and_then(ready),
    }
}

/// Whether the Ready condition is True; `None` without such a condition.
pub fn ready(status: &SecretStoreStatus) -> Option<bool> {
    let found = status
        .conditions
        .iter()
        .find(|condition| condition.type_ == Condition::READY);
    found.map(Condition::is_true)
}
