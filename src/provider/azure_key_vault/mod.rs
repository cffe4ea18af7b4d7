//! Azure Key Vault (`spec.provider.azurekv`). This file only delegates: `config` reads the block,
//! `object` the reference; `client` asks the vault, `answer` says what its refusals mean and
//! `document` what it holds; `get`, `find` and `metadata` make of it what was asked for.

mod answer;
mod client;
mod config;
mod document;
mod find;
mod get;
mod identity;
mod metadata;
mod object;

use std::sync::Arc;

use async_trait::async_trait;

use super::{Connection, Error, Provider, Scope};
use crate::api::azure_kv::AzureKv;
use crate::azure::Azure;
use crate::credentials::CredentialReader;

use client::VaultClient;
use config::Config;

/// A store whose `spec.provider` is `azurekv`.
#[derive(Debug)]
pub struct AzureKeyVault {
    azure: Arc<Azure>,
    spec: AzureKv,
}

impl AzureKeyVault {
    /// The store as its block says; nothing is checked yet. `azure` is the process's one.
    pub fn new(azure: Arc<Azure>, spec: &AzureKv) -> Self {
        Self {
            azure,
            spec: spec.clone(),
        }
    }

    fn config(&self, scope: &Scope) -> Result<Config, Error> {
        Config::parse(&self.spec, scope, self.azure.allowed_hosts())
    }
}

#[async_trait]
impl Provider for AzureKeyVault {
    fn validate(&self, scope: &Scope) -> Result<(), Error> {
        self.config(scope).map(drop)
    }

    async fn connect(
        &self,
        scope: &Scope,
        credentials: &dyn CredentialReader,
    ) -> Result<Connection, Error> {
        let config = self.config(scope)?;
        config.refuse_unsupported()?;
        if config.is_referent(scope) {
            return Ok(Connection::Referent);
        }
        let identity = config.principal()?.read(scope, credentials).await?;
        let credential = self.azure.credential(identity);
        let client = VaultClient::new(Arc::clone(&self.azure), config.vault, credential)?;
        Ok(Connection::Client(Arc::new(client)))
    }
}
