//! Azure Key Vault (`spec.provider.azurekv`). This file only delegates.
//!
//! | layer | module | knows |
//! | --- | --- | --- |
//! | 0 | [`ids`], [`object`], [`metadata`], [`property`], [`certificate`], [`gate`], [`flights`] | parts of the block; references; parts of values; the pace of one vault |
//! | 1 | [`workload`], [`operation`], [`document`] | workload identities; requests; what a vault holds |
//! | 2 | [`identity`], [`answer`], [`filter`], [`index`] | who signs in; refusals; what `find` means; when to list |
//! | 3 | [`config`] | the block |
//! | 4 | [`rest`] | URLs |
//! | 5 | [`client`] | one vault, one identity |
//! | 6 | [`lister`] | listings, and what changed by them |
//! | 7 | [`hub`], [`find`] | all vaults of the process; `dataFrom.find` |
//! | 8 | [`get`] | the port's reads |

mod answer;
mod certificate;
mod client;
mod config;
mod document;
mod filter;
mod find;
mod flights;
mod gate;
mod get;
mod hub;
mod identity;
mod ids;
mod index;
mod lister;
mod metadata;
mod object;
mod operation;
mod property;
mod rest;
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
