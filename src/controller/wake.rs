//! The queues of the controllers, and who is put into them. Queueing an object that waits already
//! changes nothing.

use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use kube::runtime::reflector::ObjectRef;

use crate::api::external_secret::ExternalSecret;
use crate::api::secret_store::{ClusterSecretStore, SecretStore};

use super::context::Context;
use super::dependents::ObjectKey;
use super::stores::{Guarded, StoreKey};

/// One end of each queue.
#[derive(Clone)]
pub struct Wake {
    external_secrets: UnboundedSender<ObjectRef<Guarded<ExternalSecret>>>,
    secret_stores: UnboundedSender<ObjectRef<Guarded<SecretStore>>>,
    cluster_secret_stores: UnboundedSender<ObjectRef<Guarded<ClusterSecretStore>>>,
}

/// The other ends.
pub struct Queues {
    /// Of ExternalSecrets.
    pub external_secrets: UnboundedReceiver<ObjectRef<Guarded<ExternalSecret>>>,
    /// Of SecretStores.
    pub secret_stores: UnboundedReceiver<ObjectRef<Guarded<SecretStore>>>,
    /// Of ClusterSecretStores.
    pub cluster_secret_stores: UnboundedReceiver<ObjectRef<Guarded<ClusterSecretStore>>>,
}

impl Wake {
    /// Empty queues.
    pub fn new() -> (Self, Queues) {
        let (external_secrets, from_external_secrets) = unbounded();
        let (secret_stores, from_secret_stores) = unbounded();
        let (cluster_secret_stores, from_cluster_secret_stores) = unbounded();
        let queues = Queues {
            external_secrets: from_external_secrets,
            secret_stores: from_secret_stores,
            cluster_secret_stores: from_cluster_secret_stores,
        };
        (
            Self {
                external_secrets,
                secret_stores,
                cluster_secret_stores,
            },
            queues,
        )
    }

    /// Queues an ExternalSecret. (A closed queue means that the process is ending.)
    pub fn external_secret(&self, (namespace, name): &ObjectKey) {
        let reference = ObjectRef::new(name).within(namespace);
        let _ = self.external_secrets.unbounded_send(reference);
    }

    /// Queues a store.
    pub fn store(&self, key: &StoreKey) {
        let _ = match key {
            StoreKey::Namespaced { namespace, name } => self
                .secret_stores
                .unbounded_send(ObjectRef::new(name).within(namespace))
                .map_err(drop),
            StoreKey::Cluster { name } => self
                .cluster_secret_stores
                .unbounded_send(ObjectRef::new(name))
                .map_err(drop),
        };
    }

    /// Marks what the consumers of `store` in the namespaces that `picked` accepts hold as out of
    /// date, and queues them.
    pub fn consumers_of(&self, store: &StoreKey, ctx: &Context, picked: impl Fn(&str) -> bool) {
        let consumers = ctx.dependents().of_store(store);
        for consumer in consumers.iter().filter(|(namespace, _)| picked(namespace)) {
            ctx.memories.mark_stale(consumer);
            self.external_secret(consumer);
        }
    }
}
