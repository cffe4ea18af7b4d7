//! From a store's spec to its adapter: the one place that names adapters.

use std::sync::Arc;

use crate::api::secret_store::{Backend, SecretStoreSpec};
use crate::azure::Azure;
use crate::kubernetes::answers::chain;
use crate::provider::azure_key_vault::{AzureKeyVault, Hub};
use crate::provider::fake::FakeProvider;
use crate::provider::{Error, Provider};
use crate::telemetry::VaultMetrics;

/// Makes adapters.
#[derive(Clone)]
pub struct Providers {
    hub: Arc<Hub>,
}

impl Providers {
    /// All adapters of Azure share `azure`: its connections and tokens. `metrics` tell of vaults.
    pub fn new(azure: Arc<Azure>, metrics: VaultMetrics) -> Self {
        let hub = Arc::new(Hub::new(azure, metrics));
        Self { hub }
    }

    /// The adapter for `spec.provider`.
    ///
    /// # Errors
    /// A provider that is not served, none or several, or a block that does not decode.
    pub fn adapter(&self, spec: &SecretStoreSpec) -> Result<Box<dyn Provider>, Error> {
        let backend = spec.provider.backend();
        match backend.map_err(|error| Error::Config {
            message: chain(&error),
        })? {
            Backend::AzureKv(block) => {
                Ok(Box::new(AzureKeyVault::new(Arc::clone(&self.hub), &block)))
            }
            Backend::Fake(block) => Ok(Box::new(FakeProvider::new(block))),
            Backend::Unknown { name } => Err(unserved(&name)),
        }
    }

    /// Whether stores like this one bear a warning, as ESO's do: nobody should live on `fake`.
    pub fn is_maintained(spec: &SecretStoreSpec) -> bool {
        !matches!(spec.provider.backend(), Ok(Backend::Fake(_)))
    }
}

fn unserved(name: &str) -> Error {
    Error::Config {
        message: format!(
            "failed to find registered store backend for type: {name}; Keyferry serves azurekv \
             and fake: leave this store to an operator that has it (spec.controller), or replace it"
        ),
    }
}
