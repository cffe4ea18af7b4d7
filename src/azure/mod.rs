//! Microsoft identity and HTTP, shared by everything that talks to Azure: one [`Azure`] per
//! process holds the connections and the tokens. Knows no vault, no secret and no cluster.

pub mod auth;
mod authorization;
pub mod cloud;
pub mod entra;
pub mod errors;
pub mod http;
pub mod token;

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use azure_core::http::Pipeline;
use azure_core::http::policies::Policy;
use parking_lot::Mutex;

use auth::identity::{Identity, IdentityKey};
use authorization::VaultAuthorization;
use cloud::Cloud;
use http::Http;
use token::{Credential, FailureMemory};

use crate::secret::SecretValue;

/// Tokens of an identity that nobody holds any more are dropped after this.
const IDLE: Duration = Duration::from_hours(1);

/// Is told about calls, so that they can be counted elsewhere.
pub trait Observer: Send + Sync {
    /// A logical call of the data plane ended, retries included; `call` is ESO's name for it
    /// (`GetSecret`, ...).
    fn provider_call(&self, call: &'static str, ok: bool);
}

/// Counts nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn provider_call(&self, _: &'static str, _: bool) {}
}

/// What whoever runs the operator decides about Azure.
#[derive(Clone)]
pub struct AzureOptions {
    /// Hosts besides those of the clouds that may be named in `vaultUrl` and get tokens, such as a
    /// private alias: exact names, lower case.
    pub allowed_hosts: Vec<String>,
    /// How long failures to sign in are remembered.
    pub failure_memory: FailureMemory,
    /// Who is told about calls.
    pub observer: Arc<dyn Observer>,
    /// Identities that the process itself was given.
    pub ambient: Ambient,
}

/// What the environment says of identities that the process itself was given; empty texts are none.
#[derive(Clone, Debug, Default)]
pub struct Ambient {
    /// `AZURE_CLIENT_ID`
    pub client_id: Option<String>,
    /// `AZURE_TENANT_ID`
    pub tenant_id: Option<String>,
    /// `AZURE_FEDERATED_TOKEN_FILE`
    pub token_file: Option<PathBuf>,
    /// `IDENTITY_ENDPOINT`: App Service gives out tokens of managed identities here.
    pub identity_endpoint: Option<String>,
    /// `IDENTITY_HEADER`: what it wants to be shown.
    pub identity_header: Option<SecretValue>,
}

impl Default for AzureOptions {
    fn default() -> Self {
        Self {
            allowed_hosts: Vec::new(),
            failure_memory: FailureMemory::default(),
            observer: Arc::new(Unobserved),
            ambient: Ambient::default(),
        }
    }
}

/// The process's access to Azure. Identities share connections and nothing else.
pub struct Azure {
    http: Http,
    options: AzureOptions,
    salt: [u8; 32],
    credentials: Mutex<HashMap<IdentityKey, Pooled>>,
}

struct Pooled {
    credential: Arc<Credential>,
    used: Instant,
}

impl Azure {
    /// One per process.
    pub fn new(http: Http, options: AzureOptions) -> Self {
        Self {
            http,
            options,
            salt: salt(),
            credentials: Mutex::default(),
        }
    }

    /// The tokens of `identity`: the same object for all who act as it.
    pub fn credential(&self, identity: Identity) -> Arc<Credential> {
        let key = identity.key(&self.salt);
        let now = Instant::now();
        let mut pool = self.credentials.lock();
        pool.retain(|_, pooled| {
            Arc::strong_count(&pooled.credential) > 1 || now.duration_since(pooled.used) < IDLE
        });
        let pooled = pool.entry(key).or_insert_with(|| Pooled {
            credential: Arc::new(Credential::new(
                identity.sign_in(self.http.clone()),
                self.options.failure_memory,
                self.http.request_timeout(),
            )),
            used: now,
        });
        pooled.used = now;
        Arc::clone(&pooled.credential)
    }

    /// The way of requests to a vault in `cloud` as the identity behind `credential`.
    pub fn vault_pipeline(&self, cloud: &Cloud, credential: Arc<Credential>) -> Pipeline {
        let resource = cloud.vault_resource();
        let authorization = VaultAuthorization::new(credential, resource.as_deref());
        Pipeline::new(
            option_env!("CARGO_PKG_NAME"),
            option_env!("CARGO_PKG_VERSION"),
            self.http.client_options(),
            Vec::new(),
            vec![Arc::new(authorization) as Arc<dyn Policy>],
            None,
        )
    }

    /// Hosts besides those of the clouds that get tokens.
    pub fn allowed_hosts(&self) -> &[String] {
        &self.options.allowed_hosts
    }

    /// Identities that the process itself was given.
    pub fn ambient(&self) -> &Ambient {
        &self.options.ambient
    }

    /// Longest wait for one answer.
    pub fn request_timeout(&self) -> Duration {
        self.http.request_timeout()
    }

    /// Who is told about calls.
    pub fn observer(&self) -> &dyn Observer {
        &*self.options.observer
    }
}

impl fmt::Debug for Azure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Azure")
            .field("allowed_hosts", &self.options.allowed_hosts)
            .finish_non_exhaustive()
    }
}

/// Random bytes that differ from process to process.
fn salt() -> [u8; 32] {
    let mut salt = [0; 32];
    let provider = rustls::crypto::ring::default_provider();
    // Without randomness TLS does not work either; a fixed salt then costs nothing further.
    let _ = provider.secure_random.fill(&mut salt);
    salt
}
