//! The vaults of this process: one client per vault and identity however many stores name them, one
//! gate per vault. Nothing crosses two identities.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::client::VaultClient;
use super::config::Vault;
use super::gate::Gate;
use super::lister::Lister;
use crate::azure::Azure;
use crate::azure::token::Credential;
use crate::provider::Error;
use crate::telemetry::VaultMetrics;

/// Which vault as which identity. The credential is told apart by its address: one identity has one
/// ([`Azure::credential`]), and a client holds it, so that the address stays taken as long as the
/// client lives.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct ClientKey {
    url: String,
    credential: usize,
}

/// All clients and gates.
pub struct Hub {
    azure: Arc<Azure>,
    metrics: VaultMetrics,
    clients: Mutex<HashMap<ClientKey, Weak<Lister>>>,
    gates: Mutex<HashMap<String, Weak<Gate>>>,
}

impl Hub {
    /// One per process; what the vaults let through is told in `metrics`.
    pub fn new(azure: Arc<Azure>, metrics: VaultMetrics) -> Self {
        Self {
            azure,
            metrics,
            clients: Mutex::default(),
            gates: Mutex::default(),
        }
    }

    /// What all vaults share.
    pub(super) fn azure(&self) -> &Azure {
        &self.azure
    }

    /// The client of `vault` as the identity behind `credential`.
    ///
    /// # Errors
    /// The vault's URL is none.
    pub(super) fn client(
        &self,
        vault: Vault,
        credential: Arc<Credential>,
    ) -> Result<Arc<Lister>, Error> {
        let key = ClientKey {
            url: vault.url.clone(),
            credential: Arc::as_ptr(&credential).addr(),
        };
        let gate = self.gate(&vault.host);
        let mut clients = self.clients.lock();
        clients.retain(|_, client| client.strong_count() > 0);
        if let Some(client) = clients.get(&key).and_then(Weak::upgrade) {
            return Ok(client);
        }
        let client = VaultClient::new(Arc::clone(&self.azure), vault, credential, gate)?;
        let client = Arc::new(Lister::new(client));
        clients.insert(key, Arc::downgrade(&client));
        Ok(client)
    }

    fn gate(&self, host: &str) -> Arc<Gate> {
        let mut gates = self.gates.lock();
        gates.retain(|_, gate| gate.strong_count() > 0);
        if let Some(gate) = gates.get(host).and_then(Weak::upgrade) {
            return gate;
        }
        let gate = Arc::new(Gate::new(host.to_owned(), self.metrics.vault(host)));
        gates.insert(host.to_owned(), Arc::downgrade(&gate));
        gate
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub")
            .field("azure", &self.azure)
            .finish_non_exhaustive()
    }
}
