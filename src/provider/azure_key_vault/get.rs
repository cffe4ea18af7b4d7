//! Reads values from one vault as one identity.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use azure_security_keyvault_secrets::models::{Secret, SecretClientGetSecretOptions};
use azure_security_keyvault_secrets::{SecretClient, SecretClientOptions};

use super::answer::{Question, pause};
use super::config::Vault;
use super::object::{self, Object};
use crate::api::external_secret::{Find, RemoteRef};
use crate::azure::Azure;
use crate::azure::token::Credential;
use crate::provider::{Error, SecretsClient};
use crate::secret::{SecretData, SecretValue, members, property};

/// One vault, one identity.
pub(super) struct VaultClient {
    azure: Arc<Azure>,
    vault: Vault,
    credential: Arc<Credential>,
    sdk: SecretClient,
}

impl VaultClient {
    /// Contacts nobody.
    pub(super) fn new(
        azure: Arc<Azure>,
        vault: Vault,
        credential: Arc<Credential>,
    ) -> Result<Self, Error> {
        let options = SecretClientOptions {
            client_options: azure.vault_options(&vault.cloud),
            // the audience of a known cloud is pinned; the host was checked when it was configured
            verify_challenge_resource: Some(vault.cloud.vault_suffix().is_none()),
            ..SecretClientOptions::default()
        };
        let sdk =
            SecretClient::new(&vault.url, credential.clone(), Some(options)).map_err(|_| {
                Error::Config {
                    message: "spec.provider.azurekv.vaultUrl: not a URL".to_owned(),
                }
            })?;
        Ok(Self {
            azure,
            vault,
            credential,
            sdk,
        })
    }

    async fn read(&self, object: &Object) -> Result<Option<SecretValue>, Error> {
        let mut tries = 1;
        let mut may_renew = true;
        let error = loop {
            let error = match self.ask(object).await {
                Ok(secret) => return self.value_of(secret).map(Some),
                Err(error) => error,
            };
            if error.http_status() == Some(azure_core::http::StatusCode::Unauthorized)
                && std::mem::take(&mut may_renew)
                && self.credential.give_up_tokens()
            {
                continue;
            }
            let Some(pause) = pause(&error, tries) else {
                break error;
            };
            tokio::time::sleep(pause).await;
            tries += 1;
        };
        let question = Question {
            host: &self.vault.host,
            object: object.describe(),
            limit: self.azure.request_timeout(),
        };
        question.refusal(&error).map_or(Ok(None), Err)
    }

    async fn ask(&self, object: &Object) -> azure_core::Result<Secret> {
        let options = SecretClientGetSecretOptions {
            secret_version: object.version.clone(),
            ..SecretClientGetSecretOptions::default()
        };
        self.sdk
            .get_secret(&object.name, Some(options))
            .await?
            .into_model()
    }

    fn value_of(&self, secret: Secret) -> Result<SecretValue, Error> {
        secret
            .value
            .map(SecretValue::new)
            .ok_or_else(|| Error::Unavailable {
                host: self.vault.host.clone(),
                message: "an answer without a value".to_owned(),
                remedy: "check for a proxy in between".to_owned(),
                after: None,
            })
    }
}

#[async_trait]
impl SecretsClient for VaultClient {
    async fn get(&self, remote_ref: &RemoteRef) -> Result<Option<SecretValue>, Error> {
        let object = object::readable(remote_ref)?;
        let value = self.read(&object).await;
        // a missing secret counts as an error: so it does in ESO's metric
        let is_success = matches!(value, Ok(Some(_)));
        self.azure.observer().provider_call("GetSecret", is_success);
        let Some(value) = value? else {
            return Ok(None);
        };
        let Some(path) = remote_ref.property.as_deref().filter(|p| !p.is_empty()) else {
            return Ok(Some(value));
        };
        property::select(&value, path)
            .map(Some)
            .ok_or_else(|| Error::Invalid {
                message: format!(
                    "property {path} does not exist in key {}; check remoteRef.property, and that the value is JSON",
                    remote_ref.key
                ),
            })
    }

    async fn extract(&self, remote_ref: &RemoteRef) -> Result<Option<SecretData>, Error> {
        let Some(value) = self.get(remote_ref).await? else {
            return Ok(None);
        };
        let found = members(&value).map_err(|error| Error::Invalid {
            message: error.to_string(),
        });
        found.map(Some)
    }

    async fn find(&self, _: &Find) -> Result<SecretData, Error> {
        Err(Error::Invalid {
            message: "dataFrom.find is not supported yet; list the keys under spec.data".to_owned(),
        })
    }
}

impl fmt::Debug for VaultClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultClient")
            .field("vault", &self.vault)
            .finish_non_exhaustive()
    }
}
