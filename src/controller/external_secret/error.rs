//! Why a reconcile failed: its category, ESO's words for it, and when trying again makes sense.

use crate::api::external_secret::RemoteError;
use crate::controller::outcome::ReconcileError;
use crate::provider::Retry;

use super::failures::Failures;
use super::{LIMIT, apply, manifest, plan, shape, size, templates, validate};

/// Why a reconcile failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The spec cannot be synced as written.
    #[error(transparent)]
    Invalid(#[from] validate::Error),
    /// The cluster could not be asked.
    #[error("could not read the target secret")]
    Observe(#[source] kube::Error),
    /// The cluster could not be asked whether the object still stands.
    #[error("could not read the ExternalSecret again")]
    Reread(#[source] kube::Error),
    /// A value could not be read.
    #[error(transparent)]
    Collect(#[from] Failures),
    /// A value cannot be used.
    #[error(transparent)]
    Shape(#[from] shape::Error),
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
    /// The target is no Secret, and was not kept in step.
    #[error(transparent)]
    Manifest(#[from] manifest::Error),
    /// The finalizer that ESO left could not be removed.
    #[error("could not remove the finalizer")]
    Finalizer(#[source] kube::Error),
    /// Out of time.
    #[error("gave up after {} s; the next try starts afresh", LIMIT.as_secs())]
    TimedOut,
    /// A defect of this program, contained.
    #[error("internal error: {0}; please report it")]
    Panicked(String),
}

impl ReconcileError for Error {
    fn category(&self) -> &'static str {
        match self {
            Self::Invalid(validate::Error::Unsupported { .. }) => "NotSupported",
            Self::Invalid(_) => "InvalidSpec",
            Self::Collect(error) => error.category(),
            Self::Shape(_) => "InvalidValue",
            Self::Templates(_) => "TemplateFailed",
            Self::TooLarge(_) | Self::Apply(apply::Error::TooLarge { .. }) => "TargetTooLarge",
            Self::Plan(error) | Self::Apply(apply::Error::Frozen(error)) => error.category(),
            Self::Observe(_) | Self::Reread(_) | Self::Apply(_) | Self::Finalizer(_) => {
                "KubernetesRefused"
            }
            Self::Manifest(error) => error.category(),
            Self::TimedOut => "TimedOut",
            Self::Panicked(_) => "InternalError",
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Invalid(_) | Self::Plan(_) | Self::Apply(apply::Error::Frozen(_)) => {
                Retry::OnChange
            }
            Self::Manifest(error) if error.is_final() => Retry::OnChange,
            Self::Collect(error) => error.retry(),
            _ => Retry::Backoff,
        }
    }
}

impl Error {
    /// ESO's words for the failed act (spec: external-secrets.md 2.13): the condition's message
    /// holds them, for people and scripts look for them.
    pub(super) fn condition_text(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "could not sync the spec as it is written",
            Self::Collect(_) | Self::Shape(_) => "could not get secret data from provider",
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
            Self::Finalizer(_) | Self::TimedOut | Self::Panicked(_) => "could not reconcile",
        }
    }

    /// What the status says of each entry that could not be read.
    pub(super) fn entries(&self) -> Vec<RemoteError> {
        match self {
            Self::Collect(failures) => failures.told(),
            _ => Vec::new(),
        }
    }

    /// The reason of the condition.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::Manifest(error) => error.reason(),
            _ => "SecretSyncedError",
        }
    }

    /// The target stands, is known, and could not be written.
    pub(super) fn is_about_target(&self) -> bool {
        matches!(
            self,
            Self::Plan(plan::Error::OwnedByExternalSecret(_) | plan::Error::OwnedByOther { .. })
                | Self::Apply(apply::Error::Frozen(_) | apply::Error::Update { .. })
        )
    }
}
