//! Credentials from Secrets and ServiceAccounts, read on demand. Remembers which objects were read,
//! and in which version, so that a client built from them can be dropped when they change.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::{Secret, ServiceAccount};
use kube::api::PostParams;
use kube::{Api, Client};
use parking_lot::Mutex;

use crate::api::meta::NamespacedName;
use crate::credentials::{CredentialReader, Error, ServiceAccountTokens};
use crate::secret::SecretValue;

/// An object that credentials were read from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Used {
    /// A Secret.
    Secret(NamespacedName),
    /// A ServiceAccount.
    ServiceAccount(NamespacedName),
}

/// Which objects were read: resource version, or `None` where the object could not be read.
pub type Uses = BTreeMap<Used, Option<String>>;

/// Reads the credentials of one store for one connection; each Secret is fetched once.
pub struct Credentials {
    client: Client,
    fetched: tokio::sync::Mutex<BTreeMap<NamespacedName, Secret>>,
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
        self.uses.lock().clone()
    }

    async fn fetch(&self, key: &NamespacedName) -> Result<Secret, Error> {
        let mut fetched = self.fetched.lock().await;
        if let Some(secret) = fetched.get(key) {
            return Ok(secret.clone());
        }
        let used = Used::Secret(key.clone());
        self.uses.lock().insert(used.clone(), None);
        let api: Api<Secret> = Api::namespaced(self.client.clone(), &key.namespace);
        let secret = api
            .get(&key.name)
            .await
            .map_err(|error| unreadable(key, &error))?;
        self.uses
            .lock()
            .insert(used, secret.metadata.resource_version.clone());
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
        let secret = self.fetch(&NamespacedName::new(namespace, name)).await?;
        let value = secret.data.as_ref().and_then(|data| data.get(key));
        value
            .map(|bytes| SecretValue::new(bytes.0.clone()))
            .ok_or_else(|| Error::NoKey {
                name: name.to_owned(),
                namespace: namespace.to_owned(),
                key: key.to_owned(),
            })
    }

    async fn annotations(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<BTreeMap<String, String>, Error> {
        let used = Used::ServiceAccount(NamespacedName::new(namespace, name));
        self.uses.lock().insert(used.clone(), None);
        let api: Api<ServiceAccount> = Api::namespaced(self.client.clone(), namespace);
        let account = api.get_metadata(name).await.map_err(|error| {
            let (message, is_absent) = in_words(&error);
            Error::NoServiceAccount {
                name: name.to_owned(),
                namespace: namespace.to_owned(),
                message,
                is_absent,
            }
        })?;
        self.uses
            .lock()
            .insert(used, account.metadata.resource_version);
        Ok(account.metadata.annotations.unwrap_or_default())
    }

    fn tokens(&self) -> Arc<dyn ServiceAccountTokens> {
        Arc::new(Tokens(self.client.clone()))
    }
}

/// The API server's TokenRequest.
struct Tokens(Client);

#[async_trait]
impl ServiceAccountTokens for Tokens {
    async fn issue(
        &self,
        namespace: &str,
        name: &str,
        audiences: &[String],
    ) -> Result<SecretValue, Error> {
        let api: Api<ServiceAccount> = Api::namespaced(self.0.clone(), namespace);
        let request = TokenRequest {
            spec: TokenRequestSpec {
                audiences: audiences.to_vec(),
                ..TokenRequestSpec::default()
            },
            ..TokenRequest::default()
        };
        let failed = |message| Error::NoToken {
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            message,
        };
        let answer = api
            .create_token_request(name, &PostParams::default(), &request)
            .await
            .map_err(|error| failed(in_words(&error).0))?;
        let token = answer.status.map(|status| SecretValue::new(status.token));
        token.ok_or_else(|| failed("the answer holds none".to_owned()))
    }
}

fn unreadable(object: &NamespacedName, error: &kube::Error) -> Error {
    let (message, is_absent) = in_words(error);
    Error::Unreadable {
        name: object.name.clone(),
        namespace: object.namespace.clone(),
        message,
        is_absent,
    }
}

/// The API server's words, and whether they say that there is no such object.
fn in_words(error: &kube::Error) -> (String, bool) {
    match error {
        kube::Error::Api(status) => (status.message.clone(), status.is_not_found()),
        other => (other.to_string(), false),
    }
}
