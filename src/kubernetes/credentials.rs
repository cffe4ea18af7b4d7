//! Credentials from Secrets, read on demand. Remembers which Secrets were read, and in which
//! version, so that a client built from them can be dropped when they change.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};

use crate::credentials::{CredentialReader, Error};
use crate::secret::SecretValue;

/// Namespace and name of a Secret.
pub type SecretKey = (String, String);

/// Which Secrets were read: resource version, or `None` where the Secret could not be read.
pub type Uses = BTreeMap<SecretKey, Option<String>>;

/// Reads the credentials of one store for one connection; each Secret is fetched once.
pub struct Credentials {
    client: Client,
    fetched: tokio::sync::Mutex<BTreeMap<SecretKey, Secret>>,
    uses: Mutex<Uses>,
}

impl Credentials {
    /// A reader without memory of earlier ones.
    pub fn new(client: Client) -> Self {
        Self {
            client,
            fetched: tokio::sync::Mutex::default(),
            uses: Mutex::default(),
        }
    }

    /// What was read so far, failures included.
    pub fn uses(&self) -> Uses {
        self.lock_uses().clone()
    }

    fn lock_uses(&self) -> MutexGuard<'_, Uses> {
        self.uses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn fetch(&self, key: &SecretKey) -> Result<Secret, Error> {
        let mut fetched = self.fetched.lock().await;
        if let Some(secret) = fetched.get(key) {
            return Ok(secret.clone());
        }
        self.lock_uses().insert(key.clone(), None);
        let (namespace, name) = key;
        let api: Api<Secret> = Api::namespaced(self.client.clone(), namespace);
        let secret = api
            .get(name)
            .await
            .map_err(|error| unreadable(key, &error))?;
        self.lock_uses()
            .insert(key.clone(), secret.metadata.resource_version.clone());
        fetched.insert(key.clone(), secret.clone());
        Ok(secret)
    }
}

#[async_trait]
impl CredentialReader for Credentials {
    async fn secret_key(
        &self,
        namespace: &str,
        name: &str,
        key: &str,
    ) -> Result<SecretValue, Error> {
        let secret = self.fetch(&(namespace.to_owned(), name.to_owned())).await?;
        let value = secret.data.as_ref().and_then(|data| data.get(key));
        value
            .map(|bytes| SecretValue::new(bytes.0.clone()))
            .ok_or_else(|| Error::NoKey {
                name: name.to_owned(),
                namespace: namespace.to_owned(),
                key: key.to_owned(),
            })
    }
}

fn unreadable((namespace, name): &SecretKey, error: &kube::Error) -> Error {
    let (message, is_absent) = match error {
        kube::Error::Api(status) => (status.message.clone(), status.is_not_found()),
        other => (other.to_string(), false),
    };
    Error::Unreadable {
        name: name.clone(),
        namespace: namespace.clone(),
        message,
        is_absent,
    }
}
