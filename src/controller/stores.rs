//! The stores as the watches last saw them, and the key by which everything refers to one.

use std::fmt;
use std::sync::Arc;

use kube::ResourceExt as _;
use kube::core::DeserializeGuard;
use kube::runtime::reflector::{ObjectRef, Store};

use crate::api::meta::Condition;
use crate::api::secret_store::{
    ClusterSecretStore, SecretStore, SecretStoreSpec, SecretStoreStatus,
};

use super::allowed_keys::ANNOTATION;

/// An object that may not decode; one that does not harms only itself.
pub(super) type Guarded<K> = DeserializeGuard<K>;

/// One store of either kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StoreKey {
    /// A SecretStore.
    Namespaced {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// A ClusterSecretStore.
    Cluster {
        /// Its name.
        name: String,
    },
}

impl StoreKey {
    /// The kind's name.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Namespaced { .. } => "SecretStore",
            Self::Cluster { .. } => "ClusterSecretStore",
        }
    }

    /// The store's name.
    pub fn name(&self) -> &str {
        match self {
            Self::Namespaced { name, .. } | Self::Cluster { name } => name,
        }
    }

    /// The store's namespace; empty for a cluster store.
    pub fn namespace(&self) -> &str {
        match self {
            Self::Namespaced { namespace, .. } => namespace,
            Self::Cluster { .. } => "",
        }
    }
}

impl fmt::Display for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.kind(), self.name())
    }
}

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
pub struct Stores {
    /// The SecretStores.
    pub namespaced: Store<Guarded<SecretStore>>,
    /// The ClusterSecretStores.
    pub cluster: Store<Guarded<ClusterSecretStore>>,
}

impl Stores {
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
                let found: Arc<Guarded<SecretStore>> = self
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
pub(super) fn view<K: kube::Resource<DynamicType = ()>>(
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
pub(super) fn ready(status: &SecretStoreStatus) -> Option<bool> {
    let found = status
        .conditions
        .iter()
        .find(|condition| condition.type_ == Condition::READY);
    found.map(Condition::is_true)
}
