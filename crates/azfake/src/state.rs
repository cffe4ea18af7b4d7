//! Everything the fake knows, shared by the proxy and the control API. No lock is held across an await.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use crate::entra::token::Signer;
use crate::entra::{CLIENT, Directory, TENANT};
use crate::fault::Faults;
use crate::journal::Journal;
use crate::vault::store::{Clock, Vault};

/// The shared state of one fake.
pub(crate) struct State {
    pub(crate) sa_issuer: Option<String>,
    pub(crate) fixtures: Option<PathBuf>,
    /// Certificates of applications that state none.
    pub(crate) certificates: Vec<CertificateDer<'static>>,
    pub(crate) clock: Clock,
    pub(crate) directory: Directory,
    pub(crate) signer: Signer,
    pub(crate) faults: Faults,
    pub(crate) journal: Arc<Journal>,
    vaults: RwLock<HashMap<String, Arc<Mutex<Vault>>>>,
    permissions: RwLock<HashMap<(String, String), BTreeSet<String>>>,
    /// Managed identities of the machine: id (empty: system-assigned) → client.
    identities: RwLock<HashMap<String, String>>,
}

impl State {
    /// A state without vaults that knows the default application.
    pub(crate) fn new(
        sa_issuer: Option<String>,
        fixtures: Option<PathBuf>,
        clock: Clock,
        log_capacity: usize,
    ) -> Self {
        let certificate = fixtures
            .as_ref()
            .map(|directory| directory.join("sp-client.pem"));
        let certificate = certificate.and_then(|file| CertificateDer::from_pem_file(file).ok());
        Self {
            certificates: certificate.into_iter().collect(),
            sa_issuer,
            fixtures,
            clock,
            directory: Directory::default(),
            signer: Signer::new(),
            faults: Faults::default(),
            journal: Arc::new(Journal::new(log_capacity)),
            vaults: RwLock::default(),
            permissions: RwLock::default(),
            identities: RwLock::new(HashMap::from([(String::new(), CLIENT.to_owned())])),
        }
    }

    /// The vault of a label, made empty where it is not known.
    pub(crate) fn vault(&self, label: &str) -> Arc<Mutex<Vault>> {
        if let Some(vault) = self.vaults.read().get(label) {
            return Arc::clone(vault);
        }
        let mut vaults = self.vaults.write();
        let vault = vaults
            .entry(label.to_owned())
            .or_insert_with(|| Arc::new(Mutex::new(Vault::new(label, TENANT, self.clock))));
        Arc::clone(vault)
    }

    /// The vaults whose label begins with a prefix.
    pub(crate) fn vaults(&self, prefix: &str) -> Vec<(String, Arc<Mutex<Vault>>)> {
        let vaults = self.vaults.read();
        let wanted = vaults.iter().filter(|(label, _)| label.starts_with(prefix));
        wanted
            .map(|(label, vault)| (label.clone(), Arc::clone(vault)))
            .collect()
    }

    /// Forgets the vaults whose label begins with a prefix, with their faults and permissions.
    pub(crate) fn forget(&self, prefix: &str) {
        self.vaults
            .write()
            .retain(|label, _| !label.starts_with(prefix));
        self.permissions
            .write()
            .retain(|(_, label), _| !label.starts_with(prefix));
        self.faults.clear(prefix);
    }

    /// Gives the machine a managed identity, or takes it; the empty id is the system-assigned one.
    pub(crate) fn assign(&self, id: &str, client: Option<String>) {
        let mut identities = self.identities.write();
        match client {
            Some(client) => identities.insert(id.to_ascii_lowercase(), client),
            None => identities.remove(&id.to_ascii_lowercase()),
        };
    }

    /// The client behind a managed identity; applications of the first tenant are the machine's too.
    pub(crate) fn identity(&self, id: &str) -> Option<String> {
        let id = id.to_ascii_lowercase();
        let assigned = self.identities.read().get(&id).cloned();
        assigned.or_else(|| self.directory.find(TENANT, &id).is_ok().then_some(id))
    }

    /// Limits what a client may do in a vault; `None` allows everything.
    pub(crate) fn permit(&self, client: &str, label: &str, allowed: Option<BTreeSet<String>>) {
        let key = (client.to_ascii_lowercase(), label.to_owned());
        let mut permissions = self.permissions.write();
        match allowed {
            Some(allowed) => permissions.insert(key, allowed),
            None => permissions.remove(&key),
        };
    }

    /// Whether a client may do something, such as `get` of kind `secrets`.
    pub(crate) fn may(&self, client: &str, label: &str, kind: &str, permission: &str) -> bool {
        let permissions = self.permissions.read();
        if permissions.is_empty() {
            return true;
        }
        let find = |label: &str| permissions.get(&(client.to_owned(), label.to_owned()));
        find(label).or_else(|| find("*")).is_none_or(|allowed| {
            allowed.contains(permission) || allowed.contains(&format!("{kind}/{permission}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_are_per_client_and_vault() {
        let state = State::new(None, None, Clock::Golden, 10);
        let set = |words: &[&str]| Some(words.iter().map(ToString::to_string).collect());
        assert!(state.may("c", "kv", "secrets", "list"));
        state.permit("C", "kv", set(&["get", "keys/list"]));
        assert!(state.may("c", "kv", "secrets", "get"));
        assert!(!state.may("c", "kv", "secrets", "list"));
        assert!(state.may("c", "kv", "keys", "list"));
        assert!(
            state.may("d", "kv", "secrets", "list") && state.may("c", "other", "secrets", "list")
        );
        state.permit("c", "kv", None);
        assert!(state.may("c", "kv", "secrets", "list"));
    }
}
