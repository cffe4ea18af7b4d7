//! A service principal with a client secret (RFC 6749 4.4).

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, Secret, TokenCredential as _};
use azure_core::error::ErrorKind;
use azure_identity::{ClientSecretCredential, ClientSecretCredentialOptions};

use super::application::Application;
use super::{SignIn, entra_client};
use crate::azure::entra::Failure;
use crate::azure::http::Http;
use crate::secret::SecretValue;

/// Who signs in, and with what. Debug does not show the secret.
#[derive(Clone, Debug)]
pub struct ClientSecret {
    /// Who.
    pub application: Application,
    /// The client secret: text, without trailing line break.
    pub secret: SecretValue,
}

/// Signs in through `azure_identity`, whose credential is made for each fetch: its own cache
/// cannot be emptied when a vault rejects a token, and it holds the secret in plain memory.
pub(in crate::azure) struct ClientSecretSignIn {
    identity: ClientSecret,
    http: Http,
}

impl ClientSecretSignIn {
    pub(in crate::azure) fn new(identity: ClientSecret, http: Http) -> Self {
        Self { identity, http }
    }
}

#[async_trait]
impl SignIn for ClientSecretSignIn {
    async fn token(&self, scope: &str) -> Result<AccessToken, Failure> {
        let ClientSecret {
            application,
            secret,
        } = &self.identity;
        let secret = secret.expose_text().ok_or_else(|| {
            azure_core::Error::with_message(
                ErrorKind::Credential,
                "the client secret is not UTF-8 text",
            )
        })?;
        let options = ClientSecretCredentialOptions {
            client_options: entra_client::options(&application.cloud, &self.http),
        };
        let credential = ClientSecretCredential::new(
            &application.tenant,
            application.client_id.clone(),
            Secret::new(secret.to_owned()),
            Some(options),
        )?;
        Ok(credential.get_token(&[scope], None).await?)
    }

    fn host(&self) -> &str {
        self.identity.application.cloud.authority_host()
    }
}
