//! Port: how an adapter gets at credentials that live in the cluster, without seeing the cluster.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use crate::secret::SecretValue;

/// Why a credential could not be read. The texts are ESO's (ESO's resolvers package).
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The Secret cannot be read; `message` is the API server's.
    #[error(
        "cannot get Kubernetes secret {name:?} from namespace {namespace:?}: {message}; {}",
        remedy(*.is_absent)
    )]
    Unreadable {
        /// The Secret's name.
        name: String,
        /// The Secret's namespace.
        namespace: String,
        /// The API server's own words.
        message: String,
        /// The Secret does not exist, as opposed to an API server that cannot be asked.
        is_absent: bool,
    },
    /// The Secret is there, the key is not.
    #[error(
        "cannot find secret data for key: {key:?} (Secret {namespace}/{name}); add the key, or \
         correct the store's reference to it"
    )]
    NoKey {
        /// The Secret's name.
        name: String,
        /// The Secret's namespace.
        namespace: String,
        /// The key that is missing.
        key: String,
    },
    /// The ServiceAccount cannot be read; `message` is the API server's.
    #[error(
        "cannot get ServiceAccount {name:?} from namespace {namespace:?}: {message}; {}",
        remedy(*.is_absent)
    )]
    NoServiceAccount {
        /// The ServiceAccount's name.
        name: String,
        /// The ServiceAccount's namespace.
        namespace: String,
        /// The API server's own words.
        message: String,
        /// The ServiceAccount does not exist, as opposed to an API server that cannot be asked.
        is_absent: bool,
    },
    /// The file with the operator's own projected token cannot be read.
    #[error(
        "unable to read token file {path}: {message}; mount a projected ServiceAccount token there, \
         as the azure-workload-identity webhook does, or correct AZURE_FEDERATED_TOKEN_FILE"
    )]
    NoTokenFile {
        /// The file.
        path: String,
        /// The system's words.
        message: String,
    },
    /// The API server issues no token for the ServiceAccount; `message` is its own.
    #[error(
        "cannot get a token of ServiceAccount {name:?} in namespace {namespace:?}: {message}; the \
         operator's role must allow create on serviceaccounts/token, and the ServiceAccount exist"
    )]
    NoToken {
        /// The ServiceAccount's name.
        name: String,
        /// The ServiceAccount's namespace.
        namespace: String,
        /// The API server's own words.
        message: String,
    },
}

fn remedy(is_absent: bool) -> &'static str {
    if is_absent {
        "create it, or correct the store's reference to it"
    } else {
        "check the operator's role and the API server"
    }
}

/// Reads credentials for an adapter.
#[async_trait]
pub trait CredentialReader: Send + Sync {
    /// The value under `key` of Secret `namespace/name`, verbatim.
    async fn secret_key(
        &self,
        namespace: &str,
        name: &str,
        key: &str,
    ) -> Result<SecretValue, Error>;

    /// The annotations of ServiceAccount `namespace/name`.
    async fn annotations(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<BTreeMap<String, String>, Error>;

    /// Who issues tokens of ServiceAccounts, for as long as a client lives.
    fn tokens(&self) -> Arc<dyn ServiceAccountTokens>;
}

/// Issues tokens of ServiceAccounts (the TokenRequest API).
#[async_trait]
pub trait ServiceAccountTokens: Send + Sync {
    /// A fresh token of ServiceAccount `namespace/name` for these audiences, of the API server's
    /// usual life.
    async fn issue(
        &self,
        namespace: &str,
        name: &str,
        audiences: &[String],
    ) -> Result<SecretValue, Error>;
}
