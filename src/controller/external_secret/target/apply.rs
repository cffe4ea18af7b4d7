//! Carries a plan out: the writes to a target that is a Secret. No choice is made here.

use k8s_openapi::api::core::v1::Secret;
use kube::{Resource as _, ResourceExt};

use crate::api::external_secret::ExternalSecret;
use crate::api::meta::{NamespacedName, OWNER_LABEL};
use crate::controller::external_secret::spec::SyncSpec;
use crate::controller::external_secret::state::Env;
use crate::controller::index::{Change, Dependency, Target};
use crate::kubernetes::events::{EventBody, EventType};
use crate::kubernetes::secrets;

use super::build::{field_manager, owner_hash};
use super::plan::{self, Plan, TargetPlan};
use super::snapshot;

/// Which write failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An earlier target stays.
    #[error("could not delete orphaned secrets")]
    DeleteOrphans(#[source] kube::Error),
    /// The target is not there yet.
    #[error("unable to create secret {name}")]
    Create {
        /// The target.
        name: String,
        /// The API server's answer.
        source: kube::Error,
    },
    /// The target stays as it was.
    #[error("unable to update secret {name}")]
    Update {
        /// The target.
        name: String,
        /// The API server's answer.
        source: kube::Error,
    },
    /// The target, with its names and metadata, is more than the cluster stores in one object.
    #[error(
        "unable to write secret {name}: with its keys, labels and annotations it is larger than the \
         cluster stores; take fewer or shorter ones, or give parts of it to other ExternalSecrets"
    )]
    TooLarge {
        /// The target.
        name: String,
        /// The API server's answer.
        source: kube::Error,
    },
    /// The target is not gone yet.
    #[error("unable to delete secret {name}")]
    Delete {
        /// The target.
        name: String,
        /// The API server's answer.
        source: kube::Error,
    },
    /// The data of the target cannot be written.
    #[error(transparent)]
    Frozen(#[from] plan::Error),
}

impl Error {
    /// Somebody else wrote meanwhile: look again, there is nothing to report.
    pub fn is_conflict(&self) -> bool {
        match self {
            Self::DeleteOrphans(kube::Error::Api(status))
            | Self::Delete {
                source: kube::Error::Api(status),
                ..
            }
            | Self::Update {
                source: kube::Error::Api(status),
                ..
            } => status.is_conflict() || status.is_not_found(),
            Self::Create {
                source: kube::Error::Api(status),
                ..
            } => status.is_already_exists(),
            _ => false,
        }
    }

    /// The namespace is being deleted: nothing more can be made in it.
    pub fn is_terminating(&self) -> bool {
        matches!(self, Self::Create { source, .. } if is_terminating(source))
    }
}

/// Whether the API server refused to make something in a namespace that is being deleted.
pub fn is_terminating(error: &kube::Error) -> bool {
    let kube::Error::Api(status) = error else {
        return false;
    };
    let causes = status.details.iter().flat_map(|details| &details.causes);
    causes
        .into_iter()
        .any(|cause| cause.reason == "NamespaceTerminating")
}

/// Writes what `plan` says and tells about each write.
pub async fn apply(
    plan: Plan,
    object: &ExternalSecret,
    spec: &SyncSpec,
    env: &Env,
) -> Result<(), Error> {
    if plan.has_orphans {
        delete_orphans(object, spec, env)
            .await
            .map_err(Error::DeleteOrphans)?;
    }
    let normal = |reason, message: &str| tell_normal(object, env, reason, message.to_owned());
    match plan.target {
        TargetPlan::Keep => {}
        TargetPlan::Create(secret) => {
            create(&secret, spec, env).await?;
            normal("Created", "secret created");
        }
        TargetPlan::Update { secret, adopted } => {
            update(&secret, spec, env).await?;
            normal("Updated", "secret updated");
            if let Some(keys) = adopted {
                tell(
                    object,
                    env,
                    EventType::Warning,
                    "Adopted",
                    adoption(spec, &keys),
                );
            }
        }
        TargetPlan::Delete(secret) => {
            let deleted = secrets::delete(&env.ctx.client, &secret).await;
            deleted.map_err(|source| Error::Delete {
                name: spec.target.name.clone(),
                source,
            })?;
            normal("Deleted", "secret deleted due to DeletionPolicy=Delete");
        }
        TargetPlan::Frozen(secret) => {
            if let Some(secret) = secret {
                update(&secret, spec, env).await?;
            }
            return Err(plan::Error::Immutable(spec.target.name.clone()).into());
        }
    }
    Ok(())
}

async fn create(secret: &Secret, spec: &SyncSpec, env: &Env) -> Result<(), Error> {
    let manager = field_manager(&spec.name);
    let write = secrets::create(&env.ctx.client, secret, &manager);
    let failed = |name, source| Error::Create { name, source };
    put(secret, spec, env, write, failed).await
}

async fn update(secret: &Secret, spec: &SyncSpec, env: &Env) -> Result<(), Error> {
    let manager = field_manager(&spec.name);
    let write = secrets::replace(&env.ctx.client, secret, &manager);
    let failed = |name, source| Error::Update { name, source };
    put(secret, spec, env, write, failed).await
}

/// Makes `write` of `secret` and remembers what the API server made of it.
async fn put(
    secret: &Secret,
    spec: &SyncSpec,
    env: &Env,
    write: impl Future<Output = kube::Result<Secret>>,
    failed: impl FnOnce(String, kube::Error) -> Error,
) -> Result<(), Error> {
    match watched(&target_of(secret), env, write).await {
        Ok(written) => {
            snapshot::remember(spec, &written, env);
            Ok(())
        }
        Err(source) if is_about_size(&source) => Err(Error::TooLarge {
            name: spec.target.name.clone(),
            source,
        }),
        Err(source) => Err(failed(spec.target.name.clone(), source)),
    }
}

fn target_of(secret: &Secret) -> Target {
    Target::secret(NamespacedName::of(secret))
}

/// Writes `target`; the watch event of the write is no news, a version of somebody else that came
/// meanwhile is.
pub async fn watched<K: ResourceExt>(
    target: &Target,
    env: &Env,
    write: impl Future<Output = kube::Result<K>>,
) -> kube::Result<K> {
    let writing = env.state.own_writes.begin(target);
    let written = write.await?;
    if writing.done(&written.resource_version().unwrap_or_default()) {
        let target = Dependency::Target(target.clone());
        env.consumers.notify(&target, Change::State);
    }
    Ok(written)
}

/// The API server's limit on requests, or that of the database behind it.
fn is_about_size(error: &kube::Error) -> bool {
    let kube::Error::Api(answer) = error else {
        return false;
    };
    answer.code == 413 || answer.message.contains("request is too large")
}

/// Deletes earlier targets: our label and our uid, another name.
async fn delete_orphans(object: &ExternalSecret, spec: &SyncSpec, env: &Env) -> kube::Result<()> {
    let labelled = secrets::labelled(
        &env.ctx.client,
        &spec.namespace,
        OWNER_LABEL,
        &owner_hash(spec),
    )
    .await?;
    let is_orphan = |secret: &&Secret| {
        let is_owned = secret
            .owner_references()
            .iter()
            .any(|owner| owner.uid == spec.uid);
        is_owned && secret.name_any() != spec.target.name
    };
    for orphan in labelled.iter().filter(is_orphan) {
        secrets::delete(&env.ctx.client, orphan).await?;
        let message = "secret deleted because it was orphaned".to_owned();
        tell(object, env, EventType::Normal, "Deleted", message);
    }
    Ok(())
}

/// Tells about a write.
pub fn tell_normal(object: &ExternalSecret, env: &Env, reason: &'static str, message: String) {
    tell(object, env, EventType::Normal, reason, message);
}

fn tell(
    object: &ExternalSecret,
    env: &Env,
    kind: EventType,
    reason: &'static str,
    message: String,
) {
    let note = EventBody {
        kind,
        reason,
        message,
    };
    let ctx = &env.ctx;
    ctx.recorder
        .publish(object.object_ref(&()), note, ctx.clock.now());
}

fn adoption(spec: &SyncSpec, keys: &[String]) -> String {
    let name = &spec.target.name;
    if keys.is_empty() {
        return format!("secret {name} existed without an owner and is managed from now on");
    }
    format!(
        "secret {name} existed without an owner and is managed from now on; keys that \
         the ExternalSecret does not list were removed: {}",
        keys.join(", ")
    )
}
