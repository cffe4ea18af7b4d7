//! What a sync reads beside its target: clients of stores, and texts of templates. The operator has
//! them from the cluster; `keyferry render` has them from files.

use std::sync::Arc;

use async_trait::async_trait;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret};
use k8s_openapi::jiff::Timestamp;
use kube::{Api, ResourceExt as _};

use crate::controller::allowed_keys::{self, ANNOTATION, AllowedKeys};
use crate::controller::context::Context;
use crate::controller::dependents::TemplateSource;
use crate::controller::outcome::ReconcileError;
use crate::controller::reach::Watched;
use crate::controller::store_conditions;
use crate::controller::stores::{StoreKey, StoreView};
use crate::provider::{self, Guarded, KeyPatterns, Retry, SecretsClient};
use crate::secret::{SecretData, SecretValue};

/// Where a sync reads from.
#[async_trait]
pub trait Sources: Send + Sync {
    /// The client of `store` for a consumer in `namespace`.
    ///
    /// # Errors
    /// The store is absent, not ready, or not for that namespace.
    async fn client(
        &self,
        store: &StoreKey,
        namespace: &str,
    ) -> Result<Arc<dyn SecretsClient>, StoreError>;

    /// The reads that all consumers of `store` make when each refreshes once.
    fn reads(&self, store: &StoreKey) -> usize;

    /// The present.
    fn now(&self) -> Timestamp;

    /// The version of a ConfigMap or Secret that templates are read from; `None` where it is not known.
    fn version(&self, source: &TemplateSource) -> Option<String>;

    /// The data of a ConfigMap or Secret; `None` where it does not exist.
    ///
    /// # Errors
    /// The API server's answer.
    async fn texts(&self, source: &TemplateSource) -> kube::Result<Option<SecretData>>;
}

/// Why a store cannot be read from.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
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
        source: store_conditions::Error,
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

impl ReconcileError for StoreError {
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

#[async_trait]
impl Sources for Context {
    async fn client(
        &self,
        store: &StoreKey,
        namespace: &str,
    ) -> Result<Arc<dyn SecretsClient>, StoreError> {
        let (store, patterns) = usable_store(store, namespace, self).await?;
        let (client, is_shared) = self.clients.get(&store, namespace).await?;
        let client: Arc<dyn SecretsClient> = if is_shared {
            Arc::new(Watched {
                inner: client,
                store: store.key.clone(),
                reach: Arc::clone(&self.reach),
                wake: self.wake.clone(),
            })
        } else {
            client
        };
        Ok(match patterns {
            None => client,
            Some(patterns) => {
                let rule = format!("annotation {} of {}", ANNOTATION, store.key);
                Arc::new(Guarded::new(client, patterns, rule))
            }
        })
    }

    fn reads(&self, store: &StoreKey) -> usize {
        self.dependents().reads_of(store)
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn version(&self, source: &TemplateSource) -> Option<String> {
        self.template_sources.version(source)
    }

    async fn texts(&self, source: &TemplateSource) -> kube::Result<Option<SecretData>> {
        match source {
            TemplateSource::ConfigMap((namespace, name)) => {
                let api: Api<ConfigMap> = Api::namespaced(self.client.clone(), namespace);
                let found = api.get_opt(name).await?;
                Ok(found.map(|map| of_config_map(&map)))
            }
            TemplateSource::Secret((namespace, name)) => {
                let api: Api<Secret> = Api::namespaced(self.client.clone(), namespace);
                let found = api.get_opt(name).await?;
                Ok(found.map(|secret| of_secret(&secret)))
            }
        }
    }
}

/// The texts of a ConfigMap; its binary data holds no templates.
pub fn of_config_map(map: &ConfigMap) -> SecretData {
    let data = map.data.iter().flatten();
    data.map(|(key, text)| (key.clone(), SecretValue::new(text.as_str())))
        .collect()
}

/// The values of a Secret.
pub fn of_secret(secret: &Secret) -> SecretData {
    let data = secret.data.iter().flatten();
    data.map(|(key, value)| (key.clone(), SecretValue::new(value.0.as_slice())))
        .collect()
}

async fn usable_store(
    key: &StoreKey,
    namespace: &str,
    ctx: &Context,
) -> Result<(StoreView, Option<KeyPatterns>), StoreError> {
    let found = ctx.stores.find(key);
    let store = found.ok_or_else(|| unusable(key, ctx))?;
    let is_limited = !store.spec.conditions.is_empty() || store.allowed_keys.is_some();
    let mut patterns = None;
    if is_limited && let StoreKey::Cluster { name } = key {
        let api: Api<Namespace> = Api::all(ctx.client.clone());
        let consumer = api
            .get(namespace)
            .await
            .map_err(|source| StoreError::Namespace {
                namespace: namespace.to_owned(),
                source,
            })?;
        let verdict = store_conditions::allow(&store.spec.conditions, namespace, consumer.labels());
        let is_allowed = verdict.map_err(|source| StoreError::Conditions {
            store: key.clone(),
            source,
        })?;
        if !is_allowed {
            return Err(StoreError::Denied {
                name: name.clone(),
                namespace: namespace.to_owned(),
            });
        }
        let list = store.allowed_keys.as_deref();
        let of_namespace = |list| AllowedKeys::parse(list)?.of_namespace(consumer.labels());
        let found = list.map(of_namespace);
        patterns = found.transpose().map_err(|source| StoreError::Guard {
            store: key.clone(),
            source,
        })?;
    }
    if ctx.options.switches.flood_gate && store.is_ready != Some(true) {
        return Err(StoreError::NotReady {
            store: key.clone(),
            is_new: store.is_ready.is_none(),
        });
    }
    Ok((store, patterns))
}

fn unusable(key: &StoreKey, ctx: &Context) -> StoreError {
    let store = key.clone();
    if matches!(key, StoreKey::Cluster { .. }) && !ctx.options.switches.cluster_stores {
        return StoreError::SwitchedOff { store };
    }
    match ctx.stores.problem(key) {
        Some(problem) => StoreError::Undecodable { store, problem },
        None => StoreError::Absent { store },
    }
}
