//! Reads the values (spec: external-secrets.md 2.5). Takes the stores and their clients; the only
//! thing it asks of the cluster is the consumer's namespace, where a store has conditions. What
//! becomes of the values is `shape`'s.

use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::api::core::v1::Namespace;
use kube::{Api, ResourceExt as _};

use crate::controller::context::Context;
use crate::controller::outcome::ReconcileError;
use crate::controller::store_conditions;
use crate::controller::stores::{StoreKey, StoreView};
use crate::provider::{self, Retry, SecretsClient};
use crate::secret::{SecretData, SecretValue};

use super::policy::Deletion;
use super::spec::{Entry, Query, Source, SyncSpec};

/// Reads of one ExternalSecret at a time.
const PARALLEL: usize = 8;

/// What the providers have, in the order of the spec; `None`: the object does not exist there,
/// and the deletion policy makes that no error.
#[derive(Debug, Default)]
pub(super) struct Fetched {
    /// For each entry of `dataFrom`.
    pub sources: Vec<Option<SecretData>>,
    /// For each entry of `data`.
    pub entries: Vec<Option<SecretValue>>,
}

/// Why one entry could not be read; the text begins as ESO's does.
#[derive(Debug, thiserror::Error)]
#[error("error processing {place}, err")]
pub struct Error {
    /// `spec.data[INDEX] (key: KEY)` or `spec.dataFrom[INDEX].FIELD`.
    place: String,
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
    /// The store does not decode.
    #[error("{store} cannot be decoded: {problem}; correct it by its CustomResourceDefinition")]
    StoreUndecodable {
        /// The store.
        store: StoreKey,
        /// What does not decode.
        problem: String,
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
    /// The provider could not list or read what matches.
    #[error("error getting all secrets")]
    Find(#[source] provider::Error),
    /// The provider could not answer.
    #[error(transparent)]
    Provider(#[from] provider::Error),
}

impl ReconcileError for Error {
    fn category(&self) -> &'static str {
        match &self.cause {
            Cause::NoStore { .. } => "StoreNotFound",
            Cause::StoreNotReady { .. } | Cause::StoreUndecodable { .. } => "StoreNotReady",
            Cause::StoreDenied { .. } | Cause::StoreConditions { .. } => "StoreDenied",
            Cause::Namespace { .. } => "KubernetesUnavailable",
            Cause::Missing { .. } => "SecretNotFound",
            Cause::Find(error) | Cause::Provider(error) => error.category(),
        }
    }

    fn retry(&self) -> Retry {
        match &self.cause {
            Cause::Find(error) | Cause::Provider(error) => error.retry(),
            _ => Retry::Backoff,
        }
    }
}

/// All that `spec` names; the first failure in its order wins.
pub(super) async fn collect(spec: &SyncSpec, ctx: &Context) -> Result<Fetched, Error> {
    let sources: Vec<_> = spec.sources.iter().map(|s| source(s, spec, ctx)).collect();
    let sources = stream::iter(sources).buffered(PARALLEL).try_collect();
    let entries: Vec<_> = spec.entries.iter().map(|e| entry(e, spec, ctx)).collect();
    let entries = stream::iter(entries).buffered(PARALLEL).try_collect();
    Ok(Fetched {
        sources: sources.await?,
        entries: entries.await?,
    })
}

async fn source(
    source: &Source,
    spec: &SyncSpec,
    ctx: &Context,
) -> Result<Option<SecretData>, Error> {
    let read = async {
        let client = client(&source.store, spec, ctx).await?;
        match &source.query {
            Query::Extract(remote_ref) => {
                let found = client.extract(remote_ref).await?;
                or_missing(found, &remote_ref.key, &source.store, spec)
            }
            Query::Find(find) => Ok(Some(client.find(find).await.map_err(Cause::Find)?)),
        }
    };
    read.await.map_err(|cause| Error {
        place: format!("spec.dataFrom[{}].{}", source.index, source.query.field()),
        cause,
    })
}

async fn entry(
    entry: &Entry,
    spec: &SyncSpec,
    ctx: &Context,
) -> Result<Option<SecretValue>, Error> {
    let key = &entry.remote_ref.key;
    let read = async {
        let client = client(&entry.store, spec, ctx).await?;
        or_missing(
            client.get(&entry.remote_ref).await?,
            key,
            &entry.store,
            spec,
        )
    };
    read.await.map_err(|cause| Error {
        place: format!("spec.data[{}] (key: {key})", entry.index),
        cause,
    })
}

/// Under `deletionPolicy: Retain` absence is an error.
fn or_missing<T>(
    found: Option<T>,
    key: &str,
    store: &StoreKey,
    spec: &SyncSpec,
) -> Result<Option<T>, Cause> {
    if found.is_none() && spec.target.deletion == Deletion::Retain {
        return Err(Cause::Missing {
            key: key.to_owned(),
            store: store.clone(),
        });
    }
    Ok(found)
}

async fn client(
    store: &StoreKey,
    spec: &SyncSpec,
    ctx: &Context,
) -> Result<Arc<dyn SecretsClient>, Cause> {
    let store = usable_store(store, &spec.namespace, ctx).await?;
    Ok(ctx.clients.get(&store, &spec.namespace).await?)
}

async fn usable_store(key: &StoreKey, namespace: &str, ctx: &Context) -> Result<StoreView, Cause> {
    let found = ctx.stores.find(key);
    let store = found.ok_or_else(|| unusable(key, ctx))?;
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

fn unusable(key: &StoreKey, ctx: &Context) -> Cause {
    let store = key.clone();
    match ctx.stores.problem(key) {
        Some(problem) => Cause::StoreUndecodable { store, problem },
        None => Cause::NoStore { store },
    }
}
