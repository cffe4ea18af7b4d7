//! Why a reconcile failed: its category, ESO's words for it, and when trying again makes sense. Joins the
//! errors of the phases.

use crate::api::external_secret::RemoteError;
use crate::controller::reconcile::contain;
use crate::controller::reconcile::failure::ReconcileError;
use crate::provider::Retry;

use super::{fetch, spec, target};

/// Why a reconcile failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The spec cannot be synced as written.
    #[error(transparent)]
    Invalid(#[from] spec::Error),
    /// The data of the target is not known.
    #[error(transparent)]
    Fetch(#[from] fetch::Error),
    /// The target could not be brought in sync.
    #[error(transparent)]
    Target(#[from] target::Error),
    /// The finalizer that ESO left could not be removed.
    #[error("could not remove the finalizer")]
    Finalizer(#[source] kube::Error),
    /// The reconcile was cut off.
    #[error(transparent)]
    Contained(#[from] contain::Error),
}

impl ReconcileError for Error {
    fn category(&self) -> &'static str {
        match self {
            Self::Invalid(spec::Error::Unsupported { .. }) => "NotSupported",
            Self::Invalid(_) => "InvalidSpec",
            Self::Fetch(error) => error.category(),
            Self::Target(error) => error.category(),
            Self::Finalizer(_) => "KubernetesRefused",
            Self::Contained(error) => error.category(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Invalid(_) => Retry::OnChange,
            Self::Fetch(error) => error.retry(),
            Self::Target(error) => error.retry(),
            Self::Finalizer(_) | Self::Contained(_) => Retry::Backoff,
        }
    }
}

impl Error {
    /// ESO's words for the failed act: the condition's message holds them, for people and scripts look for
    /// them.
    pub fn condition_text(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "could not sync the spec as it is written",
            Self::Fetch(_) => "could not get secret data from provider",
            Self::Target(error) => error.condition_text(),
            Self::Finalizer(_) | Self::Contained(_) => "could not reconcile",
        }
    }

    /// What the status says of each entry that could not be read.
    pub fn entries(&self) -> Vec<RemoteError> {
        match self {
            Self::Fetch(fetch::Error::Read(failures)) => failures.told(),
            _ => Vec::new(),
        }
    }

    /// The reason of the condition.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Target(error) => error.reason(),
            _ => "SecretSyncedError",
        }
    }

    /// The target exists, is known, and could not be written.
    pub fn is_about_target(&self) -> bool {
        matches!(self, Self::Target(error) if error.is_about_target())
    }
}
