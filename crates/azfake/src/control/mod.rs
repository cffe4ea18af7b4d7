//! The control of a fake: what tests, the golden runner and people do to it beside the wire. Knows no HTTP.

pub(crate) mod dump;
pub(crate) mod http;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use dump::{SecretDump, VaultDump};

use crate::Error;
use crate::cloud::label;
use crate::entra::{App, Jwks};
use crate::fault::Fault;
use crate::journal::{Counters, LoggedRequest};
use crate::seed::{CertificateContent, Content, KeyContent, SecretContent};
use crate::state::State;
use crate::vault::public::{self, Public};
use crate::vault::route::Kind;
use crate::vault::store::Vault;

/// A handle on a running fake; clones act on the same one. No call waits for anything but short locks.
///
/// Where a vault is named, its label (`kv`) or a host name (`kv.vault.azure.net`) will do.
#[derive(Clone)]
pub struct Control {
    state: Arc<State>,
}

impl Control {
    pub(crate) fn new(state: Arc<State>) -> Self {
        Self { state }
    }

    /// Puts content into a vault, beside what it has. Objects are upserted, `None` soft-deletes.
    ///
    /// # Errors
    /// A key or certificate fixture that cannot be read; nothing is changed then.
    pub fn seed(&self, target: &str, content: Content) -> Result<(), Error> {
        let Content {
            tenant,
            secrets,
            keys,
            certificates,
        } = content;
        let fixtures = self.state.fixtures.as_deref();
        let mut made_keys = Vec::new();
        for (name, key) in keys {
            let made = key
                .map(|key| Ok((public::jwk(fixtures, &key.kty)?, key)))
                .transpose()?;
            made_keys.push((name, made));
        }
        let mut made_certificates = Vec::new();
        for (name, content) in certificates {
            let made = content
                .map(|content| Ok((public::certificate(fixtures, &content.fixture)?, content)));
            made_certificates.push((name, made.transpose()?));
        }
        let vault = self.state.vault(&label(target));
        let mut vault = vault.lock();
        vault.tenant = tenant.unwrap_or(std::mem::take(&mut vault.tenant));
        for (name, secret) in secrets {
            vault.seed(&name, secret);
        }
        for (name, key) in made_keys {
            seed_key(&mut vault, &name, key);
        }
        for (name, certificate) in made_certificates {
            seed_certificate(&mut vault, &name, certificate);
        }
        Ok(())
    }

    /// Gives a secret a new version (recovering it where it was deleted) and returns the version's id.
    pub fn set_secret(&self, target: &str, name: &str, value: &str) -> String {
        let vault = self.state.vault(&label(target));
        let mut vault = vault.lock();
        vault.seed(name, Some(SecretContent::value(value)));
        vault
            .get(name, "")
            .map(|(_, version)| version.id.clone())
            .unwrap_or_default()
    }

    /// Upserts one secret: a value makes a version, attributes alone change the newest one.
    pub fn put_secret(&self, target: &str, name: &str, content: SecretContent) {
        let vault = self.state.vault(&label(target));
        vault.lock().seed(name, Some(content));
    }

    /// Soft-deletes a secret; one that is not there is no error.
    pub fn delete_secret(&self, target: &str, name: &str) {
        let vault = self.state.vault(&label(target));
        vault.lock().seed(name, None);
    }

    /// Puts a fault on a vault label, a host name or `*` (everything), or clears it with `None`.
    pub fn fault(&self, target: &str, fault: Option<Fault>) {
        self.state.faults.set(target, fault.into_iter().collect());
    }

    /// Puts several faults on a target; of those that match a request the first that is not used up strikes.
    pub fn faults(&self, target: &str, faults: Vec<Fault>) {
        self.state.faults.set(target, faults);
    }

    /// Registers an application in a tenant (made known by it), or removes it with `None`.
    pub fn entra(&self, tenant: &str, client: &str, app: Option<App>) {
        self.state.directory.set(tenant, client, app);
    }

    /// States the keys that federated tokens of an issuer must be signed with; `None`: their signature is not checked.
    pub fn jwks(&self, issuer: &str, jwks: Option<Jwks>) {
        self.state.directory.set_keys(issuer, jwks);
    }

    /// Gives the machine a managed identity that acts as `client`, by an id of any kind (the empty one is
    /// system-assigned), or takes it away.
    pub fn identity(&self, id: &str, client: Option<&str>) {
        self.state.assign(id, client.map(str::to_owned));
    }

    /// Limits a client in a vault (or `*`) to permissions such as `get`, `list`, `set`, `delete`, `recover`,
    /// `purge` for every kind of object, or `secrets/get` for one; `None` allows everything again.
    pub fn permissions(&self, client: &str, target: &str, allowed: Option<&[&str]>) {
        let allowed = allowed.map(|words| {
            words
                .iter()
                .map(ToString::to_string)
                .collect::<BTreeSet<_>>()
        });
        self.state.permit(client, &label(target), allowed);
    }

    /// The logged requests, oldest first.
    pub fn requests(&self) -> Vec<LoggedRequest> {
        self.state.journal.since(0, "").1
    }

    /// The logged requests from a mark on whose host begins with a prefix, and the mark for the next call.
    pub fn requests_since(&self, mark: u64, host_prefix: &str) -> (u64, Vec<LoggedRequest>) {
        self.state.journal.since(mark, host_prefix)
    }

    /// The number that the next logged request gets.
    pub fn mark(&self) -> u64 {
        self.state.journal.mark()
    }

    /// Counters since the start or the last [`Control::clear_log`].
    pub fn counters(&self) -> Counters {
        self.state.journal.counters()
    }

    /// The content of one vault.
    pub fn dump(&self, target: &str) -> VaultDump {
        let vault = self.state.vault(&label(target));
        dump::of(&vault.lock(), false)
    }

    /// The content of every vault whose label begins with a prefix; only what clients wrote where asked so
    /// (vaults without any such object are left out then).
    pub fn dump_all(&self, label_prefix: &str, written_only: bool) -> BTreeMap<String, VaultDump> {
        let vaults = self.state.vaults(label_prefix).into_iter();
        let dumps = vaults.map(|(label, vault)| (label, dump::of(&vault.lock(), written_only)));
        dumps
            .filter(|(_, dump)| !written_only || !dump.is_empty())
            .collect()
    }

    /// Forgets logged requests and counts.
    pub fn clear_log(&self) {
        self.state.journal.clear();
    }

    /// Forgets the vaults whose label begins with a prefix, with their faults and permissions.
    pub fn reset(&self, label_prefix: &str) {
        self.state.forget(label_prefix);
    }
}

fn seed_key(vault: &mut Vault, name: &str, key: Option<(serde_json::Value, KeyContent)>) {
    let id = name.to_ascii_lowercase();
    let Some((document, content)) = key else {
        if let Some(key) = vault.keys.get_mut(&id) {
            key.deleted = true;
        }
        return;
    };
    let object = object(
        vault,
        Kind::Keys,
        name,
        document,
        (content.tags, content.enabled),
    );
    vault.keys.insert(id, object);
}

fn seed_certificate(
    vault: &mut Vault,
    name: &str,
    made: Option<(public::Certificate, CertificateContent)>,
) {
    let id = name.to_ascii_lowercase();
    let Some((certificate, content)) = made else {
        if let Some(certificate) = vault.certificates.get_mut(&id) {
            certificate.deleted = true;
        }
        vault.seed(name, None);
        return;
    };
    let document = public::document(&certificate);
    let extras = (content.tags, content.enabled);
    let mut object = object(vault, Kind::Certificates, name, document, extras);
    object.secret_version = vault.seed_managed(name, certificate.secret, certificate.content_type);
    vault.certificates.insert(id, object);
}

type Extras = (Option<BTreeMap<String, String>>, Option<bool>);

fn object(
    vault: &Vault,
    kind: Kind,
    name: &str,
    document: serde_json::Value,
    (tags, enabled): Extras,
) -> Public {
    let mut attributes = vault.attributes(0);
    attributes.enabled = enabled.unwrap_or(true);
    Public {
        name: name.to_owned(),
        version: vault.version_id(kind.word(), name, 0),
        secret_version: String::new(),
        document,
        tags: tags.unwrap_or_default(),
        attributes,
        deleted: false,
    }
}
