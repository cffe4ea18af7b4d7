//! What `keyferry render` reads from: manifests and a file of values in place of cluster and vault.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Context as _;
use async_trait::async_trait;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::ResourceExt as _;
use serde_json::{Map, Value};

use crate::api::fake::{Fake, FakeData};
use crate::api::meta::NamespacedName;
use crate::api::secret_store::{Backend, ClusterSecretStore, SecretStore, SecretStoreSpec};
use crate::controller::{
    StoreAccess, StoreError, StoreKey, TemplateSource, TextSources, of_config_map, of_secret,
};
use crate::provider::StoreReader;
use crate::provider::fake::FakeClient;
use crate::secret::SecretData;

/// Store name → remote key → value.
#[derive(Debug, Default)]
pub(super) struct Values(HashMap<String, Fake>);

impl Values {
    /// Reads the file of values. A value that is no text is taken as its JSON.
    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        let stores: HashMap<String, Map<String, Value>> =
            serde_saphyr::from_str(text).context("not a map of stores to maps of values")?;
        let entry = |(key, value): (String, Value)| FakeData {
            key,
            value: match value {
                Value::String(text) => text,
                other => other.to_string(),
            },
            version: None,
        };
        let stores = stores.into_iter().map(|(store, values)| {
            let data = values.into_iter().map(entry).collect();
            let fake = Fake {
                data,
                validation_result: None,
            };
            (store, fake)
        });
        Ok(Self(stores.collect()))
    }
}

/// Everything that the files hold beside ExternalSecrets.
pub(super) struct Files {
    values: Values,
    stores: HashMap<StoreKey, Fake>,
    texts: HashMap<TemplateSource, SecretData>,
    secrets: HashMap<NamespacedName, Secret>,
}

impl Files {
    /// Only values yet.
    pub(super) fn new(values: Values) -> Self {
        Self {
            values,
            stores: HashMap::new(),
            texts: HashMap::new(),
            secrets: HashMap::new(),
        }
    }

    /// A store of one namespace.
    pub(super) fn add_store(&mut self, store: &SecretStore) {
        let key = StoreKey::Namespaced {
            namespace: store.namespace().unwrap_or_default(),
            name: store.name_any(),
        };
        self.add(key, &store.spec);
    }

    /// A store of all namespaces.
    pub(super) fn add_cluster_store(&mut self, store: &ClusterSecretStore) {
        let key = StoreKey::Cluster {
            name: store.name_any(),
        };
        self.add(key, &store.spec);
    }

    /// A fake store has its own values, any other those of the file.
    fn add(&mut self, key: StoreKey, spec: &SecretStoreSpec) {
        let fake = match spec.provider.backend() {
            Ok(Backend::Fake(fake)) => fake,
            _ => self.values.0.get(key.name()).cloned().unwrap_or_default(),
        };
        self.stores.insert(key, fake);
    }

    /// A ConfigMap that may hold templates.
    pub(super) fn add_config_map(&mut self, map: &ConfigMap) {
        let key = NamespacedName::of(map);
        self.texts
            .insert(TemplateSource::ConfigMap(key), of_config_map(map));
    }

    /// A Secret that may hold templates or be a target.
    pub(super) fn add_secret(&mut self, mut secret: Secret) {
        let texts = secret.string_data.take().into_iter().flatten();
        let data = secret.data.get_or_insert_default();
        data.extend(texts.map(|(key, text)| (key, ByteString(text.into_bytes()))));
        let key = NamespacedName::of(&secret);
        self.texts
            .insert(TemplateSource::Secret(key.clone()), of_secret(&secret));
        self.secrets.insert(key, secret);
    }

    /// The Secret of this name.
    pub(super) fn secret(&self, namespace: &str, name: &str) -> Option<&Secret> {
        self.secrets.get(&NamespacedName::new(namespace, name))
    }
}

#[async_trait]
impl StoreAccess for Files {
    /// A store that no file has is taken for one with the values of its name.
    async fn reader(&self, store: &StoreKey, _: &str) -> Result<StoreReader, StoreError> {
        let known = self.stores.get(store);
        let fake = known.or_else(|| self.values.0.get(store.name()));
        match fake {
            Some(fake) => Ok(StoreReader::new(Arc::new(FakeClient::new(fake)))),
            None => Err(StoreError::Absent {
                store: store.clone(),
            }),
        }
    }

    fn reads(&self, _: &StoreKey) -> usize {
        0
    }
}

#[async_trait]
impl TextSources for Files {
    fn version(&self, _: &TemplateSource) -> Option<String> {
        None
    }

    async fn texts(&self, source: &TemplateSource) -> kube::Result<Option<SecretData>> {
        Ok(self.texts.get(source).cloned())
    }
}
