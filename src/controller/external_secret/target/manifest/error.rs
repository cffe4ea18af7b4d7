//! Why a target that is not a Secret could not be kept in sync.

use crate::controller::external_secret::target::plan;
use crate::controller::templates;
use crate::kubernetes::manifests::KindError;

/// Why the target could not be kept in sync.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The flag is off.
    #[error("generic targets are disabled. Enable with --unsafe-allow-generic-targets flag")]
    Disabled,
    /// No object of the kind can be a target.
    #[error("spec.target.manifest: {0}")]
    Kind(#[from] KindError),
    /// The target cannot be read.
    #[error("could not read {0}; {remedy}", remedy = RIGHTS)]
    Read(String, #[source] kube::Error),
    /// The target's template gives nothing.
    #[error(transparent)]
    Templates(#[from] templates::Error),
    /// The target has another owner.
    #[error(transparent)]
    Owner(#[from] plan::Error),
    /// The target to be deleted is not ours.
    #[error(
        "unable to delete {0}: this ExternalSecret does not own it; delete it by hand, or use deletionPolicy Retain"
    )]
    NotOurs(String),
    /// Only an owned target can be deleted.
    #[error(
        "unable to delete {target}: creationPolicy={policy:?} is not Owner; use deletionPolicy Retain or Merge"
    )]
    NotDeletable {
        /// The target.
        target: String,
        /// The policy.
        policy: String,
    },
    /// The cluster could not be asked whether the ExternalSecret still exists.
    #[error("could not read the ExternalSecret again")]
    Reread(#[source] kube::Error),
    /// A write failed.
    #[error("unable to {act} {target}; {remedy}", remedy = RIGHTS)]
    Write {
        /// `create`, `update` or `delete`.
        act: &'static str,
        /// The target.
        target: String,
        /// The API server's answer.
        source: kube::Error,
    },
}

const RIGHTS: &str = "where a right is missing, grant get, list, watch, create, update and delete on this kind to the operator";

impl Error {
    /// The first word of the condition's message.
    pub fn category(&self) -> &'static str {
        match self {
            Self::Disabled => "NotSupported",
            Self::Kind(_) => "InvalidSpec",
            Self::Templates(_) => "TemplateFailed",
            Self::Owner(error) => error.category(),
            Self::NotOurs(_) | Self::NotDeletable { .. } => "TargetNotOwned",
            Self::Read(..) | Self::Reread(_) | Self::Write { .. } => "KubernetesRefused",
        }
    }

    /// The reason of the condition.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Disabled | Self::Reread(_) => "SecretSyncedError",
            _ => "ResourceSyncedError",
        }
    }

    /// ESO's words for the failed act.
    pub fn condition_text(&self) -> &'static str {
        match self {
            Self::Disabled => "invalid generic target",
            Self::Kind(_) | Self::Read(..) => "could not get target resource",
            Self::Templates(_) => "could not apply template to manifest",
            Self::NotOurs(_) | Self::NotDeletable { .. } | Self::Write { act: "delete", .. } => {
                "could not delete resource"
            }
            Self::Owner(_) | Self::Reread(_) | Self::Write { .. } => "could not update secret",
        }
    }

    /// Only a change of the spec or of the flags helps.
    pub fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Disabled
                | Self::Owner(_)
                | Self::NotOurs(_)
                | Self::NotDeletable { .. }
                | Self::Kind(KindError::Version(_) | KindError::ClusterScoped { .. })
        )
    }
}
