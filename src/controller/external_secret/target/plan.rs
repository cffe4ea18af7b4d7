//! What is to be done to the target. Pure: whoever applies a plan has no choice left.

use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::ResourceExt as _;

use crate::api::meta::OWNER_LABEL;
use crate::controller::external_secret::spec::{self, Act, Creation, SyncSpec};
use crate::secret::SecretData;
use crate::template::Rendered;

use super::build;
use super::outcome::Verdict;

/// Why the target is not ours to write.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Another ExternalSecret is its controller.
    #[error(
        "secret is owned by another ExternalSecret: {0}; \
         give spec.target.name another value in one of the two"
    )]
    OwnedByExternalSecret(String),
    /// Something else is its controller.
    #[error(
        "could not set controller reference on secret: Object {name} is already owned by another \
         {kind} controller {owner}; give spec.target.name another value"
    )]
    OwnedByOther {
        /// The Secret, with its namespace.
        name: String,
        /// The owner's kind.
        kind: String,
        /// The owner's name.
        owner: String,
    },
    /// Only an owned target can be deleted.
    #[error(
        "unable to delete secret {name}: creationPolicy={policy} is not Owner; use deletionPolicy \
         Retain or Merge"
    )]
    NotDeletable {
        /// The target.
        name: String,
        /// The policy.
        policy: String,
    },
    /// The target to be deleted belongs to nobody or to somebody else.
    #[error(
        "unable to delete secret {0}: this ExternalSecret does not own it; delete it by hand, or \
         use deletionPolicy Retain"
    )]
    NotOurs(String),
    /// The target was made immutable by somebody else, and other data is due.
    #[error(
        "unable to update secret {0}: secret is immutable; delete it, so that it is made again, or \
         set spec.target.immutable"
    )]
    Immutable(String),
}

impl Error {
    /// The first word of the condition's message.
    pub fn category(&self) -> &'static str {
        match self {
            Self::OwnedByExternalSecret(_) | Self::OwnedByOther { .. } => "TargetOwnedByOther",
            Self::NotDeletable { .. } | Self::NotOurs(_) => "TargetNotOwned",
            Self::Immutable(_) => "TargetImmutable",
        }
    }
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The one write to the target, if any.
    pub target: TargetPlan,
    /// Earlier targets (another name, our label) are to be deleted first.
    pub has_orphans: bool,
    /// What the status says then.
    pub verdict: Verdict,
}

/// The write to the target.
#[derive(Clone, Debug, PartialEq)]
pub enum TargetPlan {
    /// It does not exist.
    Create(Box<Secret>),
    /// It differs.
    Update {
        /// As it should be.
        secret: Box<Secret>,
        /// It belonged to nobody; these keys of it go.
        adopted: Option<Vec<String>>,
    },
    /// It is as it should be.
    Keep,
    /// It goes.
    Delete(Box<Secret>),
    /// Its metadata may be brought up to date, its data not.
    Frozen(Option<Box<Secret>>),
}

/// What stands and what is wished.
pub struct Situation<'a> {
    /// The target.
    pub present: Option<&'a Secret>,
    /// The target's name in the status.
    pub bound: &'a str,
    /// What was fetched.
    pub data: &'a SecretData,
    /// What the template made of it.
    pub rendered: Option<&'a Rendered>,
}

/// Whether the target's content will be written, so that its template has to be rendered.
pub fn needs_content(spec: &SyncSpec, present: Option<&Secret>, data: &SecretData) -> bool {
    let target = &spec.target;
    let act = spec::act(
        target.creation,
        target.deletion,
        !data.is_empty(),
        present.is_some(),
    );
    match act {
        Act::Create => true,
        Act::Update => !target.is_immutable,
        Act::Delete | Act::Retain | Act::Wait | Act::Leave | Act::Refuse => false,
    }
}

/// Decides.
///
/// # Errors
/// The target is not ours to write or to delete.
pub fn decide(spec: &SyncSpec, now: &Situation<'_>) -> Result<Plan, Error> {
    let target = &spec.target;
    let has_data = !now.data.is_empty();
    let act = spec::act(
        target.creation,
        target.deletion,
        has_data,
        now.present.is_some(),
    );
    let (write, verdict) = match act {
        Act::Create | Act::Update => (write(spec, now)?, Verdict::Bound),
        Act::Delete => (delete(spec, now.present)?, Verdict::Deleted),
        Act::Retain => (TargetPlan::Keep, Verdict::Retained),
        Act::Wait => (TargetPlan::Keep, Verdict::Missing),
        Act::Leave => (TargetPlan::Keep, Verdict::Synced),
        Act::Refuse => {
            return Err(Error::NotDeletable {
                name: target.name.clone(),
                policy: format!("{:?}", target.creation),
            });
        }
    };
    let is_renamed = !now.bound.is_empty() && now.bound != target.name;
    let is_written = matches!(act, Act::Create | Act::Update);
    Ok(Plan {
        target: write,
        has_orphans: is_renamed && is_written && target.creation == Creation::Owner,
        verdict,
    })
}

fn write(spec: &SyncSpec, now: &Situation<'_>) -> Result<TargetPlan, Error> {
    let Some(present) = now.present else {
        let secret = build::secret(spec, None, now.data, now.rendered);
        return Ok(TargetPlan::Create(Box::new(secret)));
    };
    check_owner(spec, &present.metadata)?;
    let mut secret = build::secret(spec, Some(present), now.data, now.rendered);
    let is_frozen = present.immutable == Some(true)
        && (secret.data != present.data || secret.type_ != present.type_);
    if is_frozen {
        // the new hash is noted all the same: the target is known to be out of date
        secret.data.clone_from(&present.data);
        secret.type_.clone_from(&present.type_);
        let differs = build::differs(present, &secret);
        return Ok(TargetPlan::Frozen(differs.then(|| Box::new(secret))));
    }
    if !build::differs(present, &secret) {
        return Ok(TargetPlan::Keep);
    }
    let adopted = adopted_keys(spec, present, &secret);
    let secret = Box::new(secret);
    Ok(TargetPlan::Update { secret, adopted })
}

fn delete(spec: &SyncSpec, present: Option<&Secret>) -> Result<TargetPlan, Error> {
    let Some(present) = present else {
        return Ok(TargetPlan::Keep);
    };
    if is_controlled_by(spec, &present.metadata) {
        Ok(TargetPlan::Delete(Box::new(present.clone())))
    } else {
        Err(Error::NotOurs(spec.target.name.clone()))
    }
}

/// Whether the ExternalSecret itself is the controller.
pub fn is_controlled_by(spec: &SyncSpec, target: &ObjectMeta) -> bool {
    controller(target).is_some_and(|owner| {
        build::is_external_secret(owner) && owner.name == spec.name && owner.uid == spec.uid
    })
}

/// Whether the object of this uid is the controller.
pub fn is_controlled_by_uid(target: &ObjectMeta, uid: Option<&str>) -> bool {
    controller(target).is_some_and(|owner| Some(owner.uid.as_str()) == uid)
}

/// Another ExternalSecret's target is refused under every policy, that of anybody else where it
/// would have to become ours.
pub fn check_owner(spec: &SyncSpec, present: &ObjectMeta) -> Result<(), Error> {
    let Some(owner) = controller(present) else {
        return Ok(());
    };
    if build::is_external_secret(owner) {
        return if owner.name == spec.name {
            Ok(())
        } else {
            Err(Error::OwnedByExternalSecret(owner.name.clone()))
        };
    }
    if spec.target.creation == Creation::Owner {
        return Err(Error::OwnedByOther {
            name: format!("{}/{}", spec.namespace, spec.target.name),
            kind: owner.kind.clone(),
            owner: owner.name.clone(),
        });
    }
    Ok(())
}

fn controller(target: &ObjectMeta) -> Option<&OwnerReference> {
    let mut owners = target.owner_references.iter().flatten();
    owners.find(|owner| owner.controller == Some(true))
}

/// The keys that an adoption removes; `None` where the Secret was ours before or loses nothing to
/// its policy.
fn adopted_keys(spec: &SyncSpec, present: &Secret, wished: &Secret) -> Option<Vec<String>> {
    let was_ours = controller(&present.metadata).is_some()
        || present.labels().contains_key(OWNER_LABEL)
        || build::is_written_by(present, &spec.name);
    (!was_ours && !spec.target.creation.keeps_others()).then(|| {
        let keys = present.data.iter().flat_map(|data| data.keys());
        let stays = |key: &&String| {
            wished
                .data
                .as_ref()
                .is_some_and(|data| data.contains_key(*key))
        };
        keys.filter(|key| !stays(key)).cloned().collect()
    })
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
