//! Workload identity: a token of the cluster is shown to Entra, which trusts its issuer
//! (RFC 7523; azure-workload-identity). The token is asked for anew at each sign-in and never kept.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use azure_core::credentials::AccessToken;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::application::Application;
use super::{SignIn, entra_client};
use crate::azure::entra::{Failure, Shown};
use crate::azure::http::Http;
use crate::credentials::{self, ServiceAccountTokens};
use crate::provider::Error;
use crate::secret::SecretValue;

/// Who signs in, and with what.
#[derive(Clone, Debug)]
pub struct Federated {
    /// Who.
    pub application: Application,
    /// Where the cluster's token comes from.
    pub token: TokenSource,
}

/// Where a token of the cluster comes from.
#[derive(Clone)]
pub enum TokenSource {
    /// A projected volume, rewritten by the kubelet.
    File(PathBuf),
    /// The TokenRequest API.
    ServiceAccount {
        /// The ServiceAccount's namespace.
        namespace: String,
        /// The ServiceAccount's name.
        name: String,
        /// What the token is for; the first is the one that Entra wants.
        audiences: Vec<String>,
        /// Who issues it.
        tokens: Arc<dyn ServiceAccountTokens>,
    },
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "File({})", path.display()),
            Self::ServiceAccount {
                namespace, name, ..
            } => write!(f, "ServiceAccount({namespace}/{name})"),
        }
    }
}

impl TokenSource {
    /// A fresh token.
    ///
    /// # Errors
    /// The file cannot be read, or the API server issues none.
    pub async fn token(&self) -> Result<SecretValue, credentials::Error> {
        match self {
            Self::File(path) => {
                let text = tokio::fs::read_to_string(path).await;
                let text = text.map_err(|error| credentials::Error::NoTokenFile {
                    path: path.display().to_string(),
                    message: error.to_string(),
                })?;
                Ok(SecretValue::new(text.trim()))
            }
            Self::ServiceAccount {
                namespace,
                name,
                audiences,
                tokens,
            } => tokens.issue(namespace, name, audiences).await,
        }
    }
}

pub(in crate::azure) struct FederatedSignIn {
    identity: Federated,
    http: Http,
}

impl FederatedSignIn {
    pub(in crate::azure) fn new(identity: Federated, http: Http) -> Self {
        Self { identity, http }
    }
}

#[async_trait]
impl SignIn for FederatedSignIn {
    async fn token(&self, scope: &str) -> Result<AccessToken, Failure> {
        let Federated { application, token } = &self.identity;
        let token = token.token().await;
        let token = token.map_err(Error::Credential)?;
        let shown = claims(&token);
        let exchanged = entra_client::exchange(application, token, &self.http, scope).await;
        exchanged.map_err(|error| Failure::Answered { error, shown })
    }

    fn host(&self) -> &str {
        self.identity.application.cloud.authority_host()
    }
}

/// What of a token may be told: who issued it, about whom, for whom. Verifies nothing.
fn claims(token: &SecretValue) -> Option<Shown> {
    #[derive(Deserialize)]
    struct Claims {
        iss: String,
        sub: String,
        aud: Audiences,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Audiences {
        One(String),
        Many(Vec<String>),
    }
    let payload = token.expose_text()?.split('.').nth(1)?;
    let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
    let Claims { iss, sub, aud } = serde_json::from_slice(&payload).ok()?;
    let audiences = match aud {
        Audiences::One(audience) => audience,
        Audiences::Many(audiences) => audiences.join(", "),
    };
    Some(Shown::Federated {
        issuer: iss,
        subject: sub,
        audiences,
    })
}
