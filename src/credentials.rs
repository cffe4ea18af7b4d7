//! Port: how an adapter gets at credentials that live in the cluster, without seeing the cluster.

use async_trait::async_trait;

use crate::secret::SecretValue;

/// Why a credential could not be read. The texts are ESO's (spec: external-secrets.md 7.1).
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
}
