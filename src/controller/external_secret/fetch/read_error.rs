//! Why an entry of the spec could not be read.

use crate::controller::index::StoreKey;
use crate::controller::reconcile::failure::ReconcileError;
use crate::controller::store;
use crate::provider::{self, Retry};

use super::entry_error::EntryError;

/// Why one entry could not be read.
pub type ReadError = EntryError<ReadFailure>;

/// What failed for one entry.
#[derive(Debug, thiserror::Error)]
pub enum ReadFailure {
    /// The store cannot be read from.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The vault has no such object.
    #[error(
        "Secret does not exist: {key:?} in {store}; create or recover it in the vault, or correct remoteRef"
    )]
    Missing {
        /// The remote key.
        key: String,
        /// The store.
        store: StoreKey,
    },
    /// The provider could not list or read what matches.
    #[error("error getting all secrets")]
    Find(#[source] provider::Error),
    /// The provider could not answer.
    #[error(transparent)]
    Provider(#[from] provider::Error),
}

impl ReadFailure {
    /// Nobody else is answered by the store either.
    pub fn is_about_the_store(&self) -> bool {
        match self {
            Self::Store(_) => true,
            Self::Find(error) | Self::Provider(error) => error.is_about_the_store(),
            Self::Missing { .. } => false,
        }
    }
}

impl ReconcileError for ReadError {
    fn category(&self) -> &'static str {
        match &self.cause {
            ReadFailure::Store(error) => error.category(),
            ReadFailure::Missing { .. } => "SecretNotFound",
            ReadFailure::Find(error) | ReadFailure::Provider(error) => error.category(),
        }
    }

    fn retry(&self) -> Retry {
        match &self.cause {
            ReadFailure::Store(error) => error.retry(),
            ReadFailure::Find(error) | ReadFailure::Provider(error) => error.retry(),
            ReadFailure::Missing { .. } => Retry::Backoff,
        }
    }
}
