//! Azure Key Vault (`spec.provider.azurekv`). This file only delegates: `config` reads the block,
//! `identity` and `workload` who signs in, `object` the reference; `hub` has one `client` per vault and
//! identity, which asks the vault as its `gate` allows and once for all who ask meanwhile (`flights`);
//! `answer` says what its refusals mean and
//! `document` what it holds; `index` decides when listing is cheaper than reading, and `revisions` says by it what
//! changed; `get`, `find`, `certificate` and `metadata` make of it what was asked for.

mod answer;
mod certificate;
mod client;
mod config;
mod document;
mod find;
mod flights;
mod gate;
mod get;
mod hub;
mod identity;
mod index;
mod metadata;
mod object;
mod revisions;
mod workload;

use std::sync::Arc;

use async_trait::async_trait;

use super::{Connection, Error, Provider, Scope};
use crate::api::azure_kv::AzureKv;
use crate::credentials::CredentialReader;

use config::Config;
use get::Reader;

pub use hub::Hub;

/// A store whose `spec.provider` is `azurekv`.
#[derive(Debug)]
pub struct AzureKeyVault {
    hub: Arc<Hub>,
    spec: AzureKv,
}

impl AzureKeyVault {
    /// The store as its block says; nothing is checked yet. `hub` is the process's one.
    pub fn new(hub: Arc<Hub>, spec: &AzureKv) -> Self {
        Self {
            hub,
            spec: spec.clone(),
        }
    }

    fn config(&self, scope: &Scope) -> Result<Config, Error> {
        Config::parse(&self.spec, scope, self.hub.azure().allowed_hosts())
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
        config.refuse_unknown()?;
        config.refuse_foreign_authority(self.hub.azure().allowed_hosts())?;
        if config.is_referent(scope) {
            return Ok(Connection::Referent);
        }
        let azure = self.hub.azure();
        let sign_in_as = config.sign_in_as()?;
        let identity = sign_in_as.read(scope, credentials, azure.ambient()).await?;
        let credential = azure.credential(identity);
        if let Some(scope) = config.scope_to_check() {
            credential.check(&scope).await?;
        }
        let vault = self.hub.client(config.vault, credential)?;
        Ok(Connection::Client(Arc::new(Reader(vault))))
    }
}
