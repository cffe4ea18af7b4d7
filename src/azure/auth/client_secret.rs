//! A service principal with a client secret (spec: azure-key-vault.md 2.3).

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use azure_core::cloud::{CloudConfiguration, CustomConfiguration};
use azure_core::credentials::{AccessToken, Secret, TokenCredential as _};
use azure_core::error::ErrorKind;
use azure_core::http::ClientOptions;
use azure_identity::{ClientSecretCredential, ClientSecretCredentialOptions};
use sha3::{Digest as _, Sha3_256};

use super::SignIn;
use crate::azure::cloud::Cloud;
use crate::azure::entra::KeepAnswer;
use crate::azure::http::Http;
use crate::secret::SecretValue;

/// Who signs in, and with what. Debug does not show the secret.
#[derive(Clone, Debug)]
pub struct ClientSecret {
    /// Where to sign in.
    pub cloud: Cloud,
    /// Tenant: GUID or domain, without surrounding space.
    pub tenant: String,
    /// Client (application) id, without surrounding space.
    pub client_id: String,
    /// The client secret: text, without trailing line break.
    pub secret: SecretValue,
}

/// Tells identities apart without holding the secret. Two identities never share anything.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct IdentityKey {
    authority: String,
    tenant: String,
    client_id: String,
    secret_hash: [u8; 32],
}

impl fmt::Debug for IdentityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.authority, self.tenant, self.client_id)
    }
}

impl ClientSecret {
    /// The key under which this identity's tokens are kept. `salt` is one per process, so that the
    /// hash says nothing elsewhere.
    pub fn key(&self, salt: &[u8]) -> IdentityKey {
        let mut hasher = Sha3_256::new();
        hasher.update(salt);
        hasher.update(self.secret.expose());
        IdentityKey {
            authority: self.cloud.authority().to_owned(),
            tenant: self.tenant.clone(),
            client_id: self.client_id.clone(),
            secret_hash: hasher.finalize().into(),
        }
    }
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

    fn options(&self) -> ClientSecretCredentialOptions {
        // always named: otherwise the pod's AZURE_AUTHORITY_HOST would override the store
        let mut cloud = CustomConfiguration::default();
        self.identity
            .cloud
            .authority()
            .clone_into(&mut cloud.authority_host);
        ClientSecretCredentialOptions {
            client_options: ClientOptions {
                cloud: Some(Arc::new(CloudConfiguration::Custom(cloud))),
                per_try_policies: vec![Arc::new(KeepAnswer)],
                ..self.http.client_options()
            },
        }
    }
}

#[async_trait]
impl SignIn for ClientSecretSignIn {
    async fn token(&self, scope: &str) -> azure_core::Result<AccessToken> {
        let ClientSecret {
            tenant,
            client_id,
            secret,
            ..
        } = &self.identity;
        let secret = secret.expose_text().ok_or_else(|| {
            azure_core::Error::with_message(
                ErrorKind::Credential,
                "the client secret is not UTF-8 text",
            )
        })?;
        ClientSecretCredential::new(
            tenant,
            client_id.clone(),
            Secret::new(secret.to_owned()),
            Some(self.options()),
        )?
        .get_token(&[scope], None)
        .await
    }

    fn host(&self) -> &str {
        self.identity.cloud.authority_host()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(tenant: &str, secret: &str) -> ClientSecret {
        ClientSecret {
            cloud: Cloud::public(),
            tenant: tenant.to_owned(),
            client_id: "client".to_owned(),
            secret: SecretValue::new(secret),
        }
    }

    #[test]
    fn every_part_of_an_identity_counts_and_none_shows_the_secret() {
        let key = identity("t", "hunter2").key(b"salt");
        assert_eq!(key, identity("t", "hunter2").key(b"salt"));
        assert_ne!(key, identity("t", "hunter3").key(b"salt"));
        assert_ne!(key, identity("u", "hunter2").key(b"salt"));
        let mut elsewhere = identity("t", "hunter2");
        elsewhere.cloud = Cloud::china();
        assert_ne!(key, elsewhere.key(b"salt"));
        let shown = format!("{key:?} {:?}", identity("t", "hunter2"));
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
