//! Reads the values (spec: external-secrets.md 2.5). Takes the stores and their clients; the only
//! thing it asks of the cluster is the consumer's namespace, where a store has conditions.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::api::core::v1::Namespace;
use kube::{Api, ResourceExt as _};

use crate::controller::context::Context;
use crate::controller::outcome::ReconcileError;
use crate::controller::store_conditions;
use crate::controller::stores::{StoreKey, StoreView};
use crate::provider::{self, Retry};
use crate::secret::{SecretData, SecretValue};

use super::validate::{Entry, SyncSpec};

/// Reads of one ExternalSecret at a time.
const PARALLEL: usize = 8;

/// Why one entry could not be read; the text begins as ESO's does.
#[derive(Debug, thiserror::Error)]
#[error("error processing spec.data[{index}] (key: {key}), err")]
pub struct Error {
    /// Index of the entry.
    index: usize,
    /// Its remote key.
    key: String,
    /// What failed.
    #[source]
    cause: Cause,
}

/// What failed for one entry.
#[derive(Debug, thiserror::Error)]
pub(super) enum Cause {
    /// The store does not exist.
    #[error(
        "could not get {store}, {kind}.external-secrets.io {name:?} not found; create it, or \
         correct secretStoreRef", kind = store.kind(), name = store.name()
    )]
    NoStore {
        /// The store.
        store: StoreKey,
    },
    /// The store is not valid (yet).
    #[error("{store} is not ready; its status says why")]
    StoreNotReady {
        /// The store.
        store: StoreKey,
    },
    /// The store's conditions exclude the namespace.
    #[error(
        "using cluster store {name:?} is not allowed from namespace {namespace:?}: denied by \
         spec.condition"
    )]
    StoreDenied {
        /// The store's name.
        name: String,
        /// The consumer's namespace.
        namespace: String,
    },
    /// The store's conditions cannot be evaluated.
    #[error("spec.conditions of {store} cannot be evaluated")]
    StoreConditions {
        /// The store.
        store: StoreKey,
        /// Why.
        source: store_conditions::Error,
    },
    /// The consumer's namespace cannot be read.
    #[error("could not read namespace {namespace:?}")]
    Namespace {
        /// The namespace.
        namespace: String,
        /// The API server's answer.
        source: kube::Error,
    },
    /// The vault has no such object.
    #[error(
        "Secret does not exist: {key:?} in {store}; create it in the vault, or correct remoteRef"
    )]
    Missing {
        /// The remote key.
        key: String,
        /// The store.
        store: StoreKey,
    },
    /// The provider could not answer.
    #[error(transparent)]
    Provider(#[from] provider::Error),
}

impl ReconcileError for Error {
    fn category(&self) -> &'static str {
        match &self.cause {
            Cause::NoStore { .. } => "StoreNotFound",
            Cause::StoreNotReady { .. } => "StoreNotReady",
            Cause::StoreDenied { .. } | Cause::StoreConditions { .. } => "StoreDenied",
            Cause::Namespace { .. } => "KubernetesUnavailable",
            Cause::Missing { .. } => "SecretNotFound",
            Cause::Provider(error) => error.category(),
        }
    }

    fn retry(&self) -> Retry {
        match &self.cause {
            Cause::Provider(error) => error.retry(),
            _ => Retry::Backoff,
        }
    }
}

/// All values of `spec`, by key; the first failure in the entries' order wins.
pub(super) async fn collect(spec: &SyncSpec, ctx: &Context) -> Result<SecretData, Error> {
    let reads: Vec<_> = spec
        .entries
        .iter()
        .map(|entry| keyed(entry, spec, ctx))
        .collect();
    stream::iter(reads).buffered(PARALLEL).try_collect().await
}

async fn keyed(
    entry: &Entry,
    spec: &SyncSpec,
    ctx: &Context,
) -> Result<(String, SecretValue), Error> {
    let read = read(entry, spec, ctx).await;
    let value = read.map_err(|cause| Error {
        index: entry.index,
        key: entry.remote_ref.key.clone(),
        cause,
    })?;
    Ok((entry.secret_key.clone(), value))
}

async fn read(entry: &Entry, spec: &SyncSpec, ctx: &Context) -> Result<SecretValue, Cause> {
    let store = usable_store(&entry.store, &spec.namespace, ctx).await?;
    let client = ctx.clients.get(&store, &spec.namespace).await?;
    let value = client.get(&entry.remote_ref).await?;
    value.ok_or_else(|| Cause::Missing {
        key: entry.remote_ref.key.clone(),
        store: entry.store.clone(),
    })
}

async fn usable_store(key: &StoreKey, namespace: &str, ctx: &Context) -> Result<StoreView, Cause> {
    let found = ctx.stores.find(key);
    let store = found.ok_or_else(|| Cause::NoStore { store: key.clone() })?;
    let has_conditions = !store.spec.conditions.is_empty();
    if has_conditions && let StoreKey::Cluster { name } = key {
        let api: Api<Namespace> = Api::all(ctx.client.clone());
        let consumer = api
            .get(namespace)
            .await
            .map_err(|source| Cause::Namespace {
                namespace: namespace.to_owned(),
                source,
            })?;
        let verdict = store_conditions::allow(&store.spec.conditions, namespace, consumer.labels());
        let is_allowed = verdict.map_err(|source| Cause::StoreConditions {
            store: key.clone(),
            source,
        })?;
        if !is_allowed {
            return Err(Cause::StoreDenied {
                name: name.clone(),
                namespace: namespace.to_owned(),
            });
        }
    }
    if store.is_ready != Some(true) {
        return Err(Cause::StoreNotReady { store: key.clone() });
    }
    Ok(store)
}
