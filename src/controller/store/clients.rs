//! One provider client per store, generation and credentials; dropped exactly when one of them
//! changes. Holds clients, never values.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kube::Client;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::controller::index::StoreKey;
use crate::kubernetes::credentials::{Credentials, Used, Uses};
use crate::provider::{Connection, Error, Scope, SecretsClient};

use super::cache::StoreView;
use super::providers::Providers;

/// Which client. Only where a cluster store takes its credentials from each consumer ("referent"
/// authentication) is there one per consumer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct ClientKey {
    store: StoreKey,
    consumer: Option<String>,
}

struct CachedClient {
    uid: String,
    generation: i64,
    connection: Cached,
    credentials: Uses,
}

#[derive(Clone)]
struct Cached {
    /// `None`: there is one per consumer.
    client: Option<Arc<dyn SecretsClient>>,
    validity: Validity,
}

/// A store that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validity {
    /// Differs for every connection ever made: it changes with the store's spec and credentials.
    pub serial: u64,
    /// Why it could not be checked, where it could not.
    pub doubt: Option<String>,
}

/// The stores that a changed Secret or ServiceAccount affects.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct AffectedStores {
    /// Stores to be validated again.
    pub stores: BTreeSet<StoreKey>,
    /// Consumers (namespaces) of cluster stores whose own credentials changed.
    pub consumers: BTreeSet<(StoreKey, String)>,
}

/// The clients of all stores.
pub struct StoreClients {
    client: Client,
    providers: Providers,
    entries: Mutex<HashMap<ClientKey, CachedClient>>,
    /// Objects read for a client that could not be built, in the version read: a change of them
    /// may mend the store.
    failed: Mutex<HashMap<Used, HashMap<ClientKey, Option<String>>>>,
    /// Held while a client is built, so that many consumers at once read the credentials once.
    building: Mutex<HashMap<ClientKey, Arc<tokio::sync::Mutex<()>>>>,
    serial: AtomicU64,
    /// Told when a ServiceAccount was read: from then on they are watched.
    accounts: Notify,
}

impl StoreClients {
    /// An empty cache.
    pub fn new(client: Client, providers: Providers) -> Self {
        let (entries, failed, building, serial) = Default::default();
        let accounts = Notify::new();
        Self {
            client,
            providers,
            entries,
            failed,
            building,
            serial,
            accounts,
        }
    }

    /// Checks the store's configuration and credentials; says nothing to the vault.
    ///
    /// # Errors
    /// Whatever makes every use of the store fail.
    pub async fn validate(&self, store: &StoreView) -> Result<Validity, Error> {
        Ok(self.connect(store, None).await?.validity)
    }

    /// The client of `store` for a consumer in `namespace`, and whether all consumers have that one.
    pub async fn get(
        &self,
        store: &StoreView,
        namespace: &str,
    ) -> Result<(Arc<dyn SecretsClient>, bool), Error> {
        if let Some(client) = self.connect(store, None).await?.client {
            return Ok((client, true));
        }
        let own = self
            .connect(store, Some(namespace.to_owned()))
            .await?
            .client;
        own.map(|client| (client, false))
            .ok_or_else(|| Error::Config {
                message: format!("{} has no credentials for namespace {namespace}", store.key),
            })
    }

    async fn connect(&self, store: &StoreView, consumer: Option<String>) -> Result<Cached, Error> {
        let scope = match &store.key {
            StoreKey::Namespaced { namespace, .. } => Scope::Namespaced(namespace.clone()),
            StoreKey::Cluster { .. } => Scope::Cluster {
                consumer: consumer.clone(),
            },
        };
        let key = ClientKey {
            store: store.key.clone(),
            consumer,
        };
        let gate = Arc::clone(self.building.lock().entry(key.clone()).or_default());
        let _building = gate.lock().await;
        if let Some(cached) = self.cached(&key, store) {
            return Ok(cached);
        }
        let credentials = Credentials::new(self.client.clone());
        let built = self.build(store, &scope, &credentials).await;
        let uses = credentials.uses();
        let is_account = |used: &Used| matches!(used, Used::ServiceAccount(_));
        if uses.keys().any(is_account) {
            self.accounts.notify_one();
        }
        if built.is_err() {
            self.note_failure(&key, uses.clone());
        }
        let (client, doubt) = match built? {
            Connection::Client(client) => (Some(client), None),
            Connection::Unchecked { client, reason } => (Some(client), Some(reason)),
            Connection::Referent => (None, None),
        };
        let serial = self.serial.fetch_add(1, Ordering::Relaxed);
        let connection = Cached {
            client,
            validity: Validity { serial, doubt },
        };
        let entry = CachedClient {
            uid: store.uid.clone(),
            generation: store.generation,
            connection: connection.clone(),
            credentials: uses,
        };
        self.entries.lock().insert(key, entry);
        Ok(connection)
    }

    async fn build(
        &self,
        store: &StoreView,
        scope: &Scope,
        credentials: &Credentials,
    ) -> Result<Connection, Error> {
        let provider = self.providers.adapter(&store.spec)?;
        provider.validate(scope)?;
        provider.connect(scope, credentials).await
    }

    fn cached(&self, key: &ClientKey, store: &StoreView) -> Option<Cached> {
        let entries = self.entries.lock();
        let entry = entries.get(key)?;
        let is_current = entry.uid == store.uid && entry.generation == store.generation;
        is_current.then(|| entry.connection.clone())
    }

    fn note_failure(&self, key: &ClientKey, uses: Uses) {
        let mut failed = self.failed.lock();
        for (used, version) in uses {
            failed.entry(used).or_default().insert(key.clone(), version);
        }
    }

    /// Waits until a store reads a ServiceAccount.
    pub async fn service_accounts_wanted(&self) {
        self.accounts.notified().await;
    }

    /// `object` is now at `version` (`None`: gone). Drops the clients built from another version
    /// and returns the stores that it affects.
    pub fn credential_changed(&self, object: &Used, version: Option<&str>) -> AffectedStores {
        let mut affected = AffectedStores::default();
        self.entries.lock().retain(|key, entry| {
            let used = entry.credentials.get(object);
            let is_stale = used.is_some_and(|used| used.as_deref() != version);
            if is_stale {
                affected.add(key);
            }
            !is_stale
        });
        let mut failed = self.failed.lock();
        if let Some(tries) = failed.get_mut(object) {
            tries.retain(|key, used| {
                let is_other = used.as_deref() != version;
                if is_other {
                    affected.add(key);
                }
                !is_other
            });
            if tries.is_empty() {
                failed.remove(object);
            }
        }
        affected
    }

    /// Drops every client of a store that is gone.
    pub fn forget(&self, store: &StoreKey) {
        self.entries.lock().retain(|key, _| key.store != *store);
        self.building.lock().retain(|key, _| key.store != *store);
        self.failed.lock().retain(|_, tries| {
            tries.retain(|key, _| key.store != *store);
            !tries.is_empty()
        });
    }
}

impl AffectedStores {
    fn add(&mut self, key: &ClientKey) {
        match &key.consumer {
            None => self.stores.insert(key.store.clone()),
            Some(consumer) => self.consumers.insert((key.store.clone(), consumer.clone())),
        };
    }
}
