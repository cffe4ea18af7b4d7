//! Why the target could not be brought in sync.

use crate::controller::reconcile::failure::ReconcileError;
use crate::controller::templates;
use crate::provider::Retry;

use super::{apply, manifest, plan, size};

/// Why the target could not be brought in sync.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The cluster could not be asked.
    #[error("could not read the target secret")]
    Observe(#[source] kube::Error),
    /// The cluster could not be asked whether the object still exists.
    #[error("could not read the ExternalSecret again")]
    Reread(#[source] kube::Error),
    /// The target's template gives nothing.
    #[error(transparent)]
    Templates(#[from] templates::Error),
    /// The target is not ours to write or to delete.
    #[error(transparent)]
    Plan(#[from] plan::Error),
    /// The target would be larger than a Secret may be.
    #[error(transparent)]
    TooLarge(#[from] size::TooLarge),
    /// A write failed.
    #[error(transparent)]
    Apply(#[from] apply::Error),
    /// The target is not a Secret, and was not kept in sync.
    #[error(transparent)]
    Manifest(#[from] manifest::Error),
}

impl ReconcileError for Error {
    fn category(&self) -> &'static str {
        match self {
            Self::Templates(_) => "TemplateFailed",
            Self::TooLarge(_) | Self::Apply(apply::Error::TooLarge { .. }) => "TargetTooLarge",
            Self::Plan(error) | Self::Apply(apply::Error::Frozen(error)) => error.category(),
            Self::Observe(_) | Self::Reread(_) | Self::Apply(_) => "KubernetesRefused",
            Self::Manifest(error) => error.category(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Plan(_) | Self::Apply(apply::Error::Frozen(_)) => Retry::OnChange,
            Self::Manifest(error) if error.is_final() => Retry::OnChange,
            Self::Manifest(_)
            | Self::Observe(_)
            | Self::Reread(_)
            | Self::Templates(_)
            | Self::TooLarge(_)
            | Self::Apply(_) => Retry::Backoff,
        }
    }
}

impl Error {
    /// ESO's words for the failed act.
    pub fn condition_text(&self) -> &'static str {
        match self {
            Self::Plan(error) | Self::Apply(apply::Error::Frozen(error)) => match error {
                plan::Error::OwnedByExternalSecret(_) => {
                    "target is owned by another ExternalSecret"
                }
                plan::Error::OwnedByOther { .. } => "failed to take ownership of target secret",
                plan::Error::NotDeletable { .. } | plan::Error::NotOurs(_) => {
                    "could not delete secret"
                }
                plan::Error::Immutable(_) => "could not update secret, target is immutable",
            },
            Self::Apply(apply::Error::DeleteOrphans(_)) => "could not delete orphaned secrets",
            Self::Apply(apply::Error::Delete { .. }) => "could not delete secret",
            Self::Observe(_)
            | Self::Reread(_)
            | Self::Templates(_)
            | Self::TooLarge(_)
            | Self::Apply(_) => "could not update secret",
            Self::Manifest(error) => error.condition_text(),
        }
    }

    /// The reason of the condition.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Manifest(error) => error.reason(),
            _ => "SecretSyncedError",
        }
    }

    /// The target exists, is known, and could not be written.
    pub fn is_about_target(&self) -> bool {
        matches!(
            self,
            Self::Plan(plan::Error::OwnedByExternalSecret(_) | plan::Error::OwnedByOther { .. })
                | Self::Apply(apply::Error::Frozen(_) | apply::Error::Update { .. })
        )
    }
}
