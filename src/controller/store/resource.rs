//! What SecretStore and ClusterSecretStore have in common: one algorithm serves both.

use kube::{Resource, ResourceExt as _};
use serde::de::DeserializeOwned;

use crate::api::kinds::{CLUSTER_SECRET_STORE, SECRET_STORE};
use crate::api::secret_store::{
    ClusterSecretStore, SecretStore, SecretStoreSpec, SecretStoreStatus,
};
use crate::controller::index::StoreKey;
use crate::telemetry::{Metrics, ObjectMetrics};

/// What the two kinds have in common.
pub trait StoreResource:
    Resource<DynamicType = ()> + Clone + std::fmt::Debug + DeserializeOwned + Send + Sync + 'static
{
    /// The source component of the kind's events.
    const COMPONENT: &'static str;
    /// The controller's name in metrics.
    const CONTROLLER: &'static str;

    /// The spec.
    fn spec(&self) -> &SecretStoreSpec;
    /// The status, once there is one.
    fn status(&self) -> Option<&SecretStoreStatus>;
    /// By what others refer to it.
    fn key(&self) -> StoreKey;
    /// The kind's metric families.
    fn metrics(metrics: &Metrics) -> &ObjectMetrics;
}

impl StoreResource for SecretStore {
    const COMPONENT: &'static str = SECRET_STORE.component;
    const CONTROLLER: &'static str = SECRET_STORE.controller;

    fn spec(&self) -> &SecretStoreSpec {
        &self.spec
    }

    fn status(&self) -> Option<&SecretStoreStatus> {
        self.status.as_ref()
    }

    fn key(&self) -> StoreKey {
        let namespace = self.namespace().unwrap_or_default();
        StoreKey::Namespaced {
            namespace,
            name: self.name_any(),
        }
    }

    fn metrics(metrics: &Metrics) -> &ObjectMetrics {
        &metrics.secret_store
    }
}

impl StoreResource for ClusterSecretStore {
    const COMPONENT: &'static str = CLUSTER_SECRET_STORE.component;
    const CONTROLLER: &'static str = CLUSTER_SECRET_STORE.controller;

    fn spec(&self) -> &SecretStoreSpec {
        &self.spec
    }

    fn status(&self) -> Option<&SecretStoreStatus> {
        self.status.as_ref()
    }

    fn key(&self) -> StoreKey {
        StoreKey::Cluster {
            name: self.name_any(),
        }
    }

    fn metrics(metrics: &Metrics) -> &ObjectMetrics {
        &metrics.cluster_secret_store
    }
}
