//! Entra ID: the directory of tenants and applications, and its endpoints. Knows no vault.

pub(crate) mod assertion;
mod denial;
pub(crate) mod endpoint;
mod jws;
pub(crate) mod token;

use std::collections::HashMap;

use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

pub use jws::{Jwk, Jwks};

/// The tenant that is known from the start and owns every vault that states no other.
pub const TENANT: &str = "11111111-1111-1111-1111-111111111111";
/// The application that is known from the start.
pub const CLIENT: &str = "22222222-2222-2222-2222-222222222222";
/// That application's client secret.
pub const CLIENT_SECRET: &str = "fake-client-secret";
/// A client secret that every application had once: AADSTS7000222.
pub const EXPIRED_SECRET: &str = "fake-expired-secret";
/// Audience of a federated token.
pub(crate) const EXCHANGE_AUDIENCE: &str = "api://AzureADTokenExchange";

/// What an application may sign in with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct App {
    /// Valid client secrets.
    pub secrets: Vec<String>,
    /// Client secrets that have expired, besides [`EXPIRED_SECRET`].
    pub expired_secrets: Vec<String>,
    /// Certificates (PEM) whose keys sign its assertions; empty: `sp-client.pem` of the fixtures.
    pub certificates: Vec<String>,
    /// Issuers of federated tokens; empty: the `sa_issuer` of the options.
    pub issuers: Vec<String>,
    /// Subjects of federated tokens; empty: any.
    pub subjects: Vec<String>,
    /// Audiences of federated tokens; empty: `api://AzureADTokenExchange`.
    pub audiences: Vec<String>,
    /// Life of its tokens in seconds; default 3599.
    pub token_seconds: Option<i64>,
}

impl App {
    /// An application with one client secret.
    pub fn with_secret(secret: impl Into<String>) -> Self {
        Self {
            secrets: vec![secret.into()],
            ..Self::default()
        }
    }
}

/// Why a directory does not know an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unknown {
    Tenant,
    Client,
}

/// Tenants and their applications, and the keys of token issuers.
pub(crate) struct Directory {
    tenants: RwLock<HashMap<String, HashMap<String, App>>>,
    issuers: RwLock<HashMap<String, Jwks>>,
}

impl Default for Directory {
    fn default() -> Self {
        let directory = Self {
            tenants: RwLock::default(),
            issuers: RwLock::default(),
        };
        directory.set(TENANT, CLIENT, Some(App::with_secret(CLIENT_SECRET)));
        directory
    }
}

impl Directory {
    /// Registers an application (its tenant too), or removes it.
    pub(crate) fn set(&self, tenant: &str, client: &str, app: Option<App>) {
        let mut tenants = self.tenants.write();
        let apps = tenants.entry(tenant.to_ascii_lowercase()).or_default();
        match app {
            Some(app) => apps.insert(client.to_ascii_lowercase(), app),
            None => apps.remove(&client.to_ascii_lowercase()),
        };
    }

    /// States the keys of a token issuer, or forgets them.
    pub(crate) fn set_keys(&self, issuer: &str, jwks: Option<Jwks>) {
        let mut issuers = self.issuers.write();
        match jwks {
            Some(jwks) => issuers.insert(issuer.to_owned(), jwks),
            None => issuers.remove(issuer),
        };
    }

    /// The keys of a token issuer, where they are known.
    pub(crate) fn keys(&self, issuer: &str) -> Option<Jwks> {
        self.issuers.read().get(issuer).cloned()
    }

    /// Whether the tenant exists.
    pub(crate) fn has_tenant(&self, tenant: &str) -> bool {
        self.tenants
            .read()
            .contains_key(&tenant.to_ascii_lowercase())
    }

    /// The application of a tenant.
    pub(crate) fn find(&self, tenant: &str, client: &str) -> Result<App, Unknown> {
        let tenants = self.tenants.read();
        let apps = tenants
            .get(&tenant.to_ascii_lowercase())
            .ok_or(Unknown::Tenant)?;
        apps.get(&client.to_ascii_lowercase())
            .cloned()
            .ok_or(Unknown::Client)
    }
}
