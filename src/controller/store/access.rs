//! The one door to a store: a client for a consumer that may use it, or the reason why there is none.

use std::sync::Arc;

use async_trait::async_trait;
use k8s_openapi::api::core::v1::Namespace;
use kube::{Api, ResourceExt as _};

use crate::controller::index::StoreKey;
use crate::controller::reconcile::failure::ReconcileError;
use crate::provider::{self, KeyFilter, KeyPatterns, Retry, StoreReader};

use super::allowed_keys::{self, ANNOTATION, AllowedKeys};
use super::cache::StoreView;
use super::conditions;
use super::state::Stores;
use super::store_observer::StoreObserver;

/// Where consumers get clients of stores: from the cluster, or from files in its place.
#[async_trait]
pub trait StoreAccess: Send + Sync {
    /// A client that reads from `store` for a consumer in `namespace`.
    ///
    /// # Errors
    /// The store is absent, not ready, or not for that namespace.
    async fn reader(&self, store: &StoreKey, namespace: &str) -> Result<StoreReader, Error>;

    /// The reads that all consumers of `store` make when each refreshes once.
    fn reads(&self, store: &StoreKey) -> usize;
}

#[async_trait]
impl StoreAccess for Stores {
    async fn reader(&self, store: &StoreKey, namespace: &str) -> Result<StoreReader, Error> {
        let (store, patterns) = usable_store(store, namespace, self).await?;
        let (client, is_shared) = self.clients.get(&store, namespace).await?;
        let mut reader = StoreReader::new(client);
        if is_shared {
            reader = reader.observed_by(Arc::new(StoreObserver {
                store: store.key.clone(),
                reachability: Arc::clone(&self.reachability),
                queues: self.queues.clone(),
            }));
        }
        Ok(match patterns {
            None => reader,
            Some(patterns) => {
                let rule = format!("annotation {} of {}", ANNOTATION, store.key);
                reader.limited_to(KeyFilter::new(patterns, rule))
            }
        })
    }

    fn reads(&self, store: &StoreKey) -> usize {
        self.consumers.reads(store)
    }
}

/// Why a store cannot be read from.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store does not exist.
    #[error(
        "could not get {store}, {kind}.external-secrets.io {name:?} not found; create it, or \
         correct secretStoreRef", kind = store.kind(), name = store.name()
    )]
    Absent {
        /// The store.
        store: StoreKey,
    },
    /// Stores of its kind are switched off.
    #[error(
        "{store} is not read: --enable-cluster-store-reconciler=false switches such stores off; \
         name a SecretStore"
    )]
    SwitchedOff {
        /// The store.
        store: StoreKey,
    },
    /// The store does not decode.
    #[error("{store} cannot be decoded: {problem}; correct it by its CustomResourceDefinition")]
    Undecodable {
        /// The store.
        store: StoreKey,
        /// What does not decode.
        problem: String,
    },
    /// The store is not valid (yet).
    #[error("{store} is not ready; its status says why")]
    NotReady {
        /// The store.
        store: StoreKey,
        /// Nothing was said of it so far, so that its first validation may still be on its way.
        is_new: bool,
    },
    /// The store's conditions exclude the namespace.
    #[error(
        "using cluster store {name:?} is not allowed from namespace {namespace:?}: denied by \
         spec.condition"
    )]
    Denied {
        /// The store's name.
        name: String,
        /// The consumer's namespace.
        namespace: String,
    },
    /// The store's conditions cannot be evaluated.
    #[error("spec.conditions of {store} cannot be evaluated")]
    Conditions {
        /// The store.
        store: StoreKey,
        /// Why.
        source: conditions::Error,
    },
    /// The list of allowed keys cannot be used.
    #[error("nobody may read from {store}")]
    Guard {
        /// The store.
        store: StoreKey,
        /// Why.
        source: allowed_keys::Error,
    },
    /// The consumer's namespace cannot be read.
    #[error("could not read namespace {namespace:?}")]
    Namespace {
        /// The namespace.
        namespace: String,
        /// The API server's answer.
        source: kube::Error,
    },
    /// Its client cannot be built.
    #[error(transparent)]
    Provider(#[from] provider::Error),
}

impl ReconcileError for Error {
    fn category(&self) -> &'static str {
        match self {
            Self::Absent { .. } => "StoreNotFound",
            Self::SwitchedOff { .. } => "NotSupported",
            Self::NotReady { .. } | Self::Undecodable { .. } => "StoreNotReady",
            Self::Denied { .. } | Self::Conditions { .. } | Self::Guard { .. } => "StoreDenied",
            Self::Namespace { .. } => "KubernetesRefused",
            Self::Provider(error) => error.category(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Provider(error) => error.retry(),
            _ => Retry::Backoff,
        }
    }
}

async fn usable_store(
    key: &StoreKey,
    namespace: &str,
    stores: &Stores,
) -> Result<(StoreView, Option<KeyPatterns>), Error> {
    let found = stores.find(key);
    let store = found.ok_or_else(|| unusable(key, stores))?;
    let is_limited = !store.spec.conditions.is_empty() || store.allowed_keys.is_some();
    let mut patterns = None;
    if is_limited && let StoreKey::Cluster { name } = key {
        let api: Api<Namespace> = Api::all(stores.ctx.client.clone());
        let consumer = api
            .get(namespace)
            .await
            .map_err(|source| Error::Namespace {
                namespace: namespace.to_owned(),
                source,
            })?;
        let verdict = conditions::allow(&store.spec.conditions, namespace, consumer.labels());
        let is_allowed = verdict.map_err(|source| Error::Conditions {
            store: key.clone(),
            source,
        })?;
        if !is_allowed {
            return Err(Error::Denied {
                name: name.clone(),
                namespace: namespace.to_owned(),
            });
        }
        let list = store.allowed_keys.as_deref();
        let of_namespace = |list| AllowedKeys::parse(list)?.of_namespace(consumer.labels());
        let found = list.map(of_namespace);
        patterns = found.transpose().map_err(|source| Error::Guard {
            store: key.clone(),
            source,
        })?;
    }
    if stores.ctx.options.switches.flood_gate && store.is_ready != Some(true) {
        return Err(Error::NotReady {
            store: key.clone(),
            is_new: store.is_ready.is_none(),
        });
    }
    Ok((store, patterns))
}

fn unusable(key: &StoreKey, stores: &Stores) -> Error {
    let store = key.clone();
    if matches!(key, StoreKey::Cluster { .. }) && !stores.ctx.options.switches.cluster_stores {
        return Error::SwitchedOff { store };
    }
    match stores.cache.problem(key) {
        Some(problem) => Error::Undecodable { store, problem },
        None => Error::Absent { store },
    }
}
