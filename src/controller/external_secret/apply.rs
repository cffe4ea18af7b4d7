//! Carries a plan out: the only writes to targets. No choice is made here.

use k8s_openapi::api::core::v1::Secret;
use kube::{Resource as _, ResourceExt as _};

use crate::api::external_secret::ExternalSecret;
use crate::api::meta::OWNER_LABEL;
use crate::controller::context::Context;
use crate::kubernetes::events::{Kind, Note};
use crate::kubernetes::secrets;

use super::build::{field_manager, owner_hash};
use super::plan::{Plan, TargetPlan};
use super::validate::SyncSpec;

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
}

impl Error {
    /// Somebody else wrote meanwhile: look again, there is nothing to report.
    pub fn is_conflict(&self) -> bool {
        match self {
            Self::DeleteOrphans(kube::Error::Api(status))
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
}

/// Writes what `plan` says and tells about each write.
pub(super) async fn apply(
    plan: Plan,
    object: &ExternalSecret,
    spec: &SyncSpec,
    ctx: &Context,
) -> Result<(), Error> {
    if plan.has_orphans {
        delete_orphans(object, spec, ctx)
            .await
            .map_err(Error::DeleteOrphans)?;
    }
    let manager = field_manager(&spec.name);
    let name = spec.target_name.clone();
    match plan.target {
        TargetPlan::Keep => {}
        TargetPlan::Create(secret) => {
            let written = secrets::create(&ctx.client, &secret, &manager).await;
            remember(
                ctx,
                &written.map_err(|source| Error::Create { name, source })?,
            );
            tell(
                object,
                ctx,
                Kind::Normal,
                "Created",
                "secret created".to_owned(),
            );
        }
        TargetPlan::Update { secret, adopted } => {
            let written = secrets::replace(&ctx.client, &secret, &manager).await;
            remember(
                ctx,
                &written.map_err(|source| Error::Update { name, source })?,
            );
            tell(
                object,
                ctx,
                Kind::Normal,
                "Updated",
                "secret updated".to_owned(),
            );
            if let Some(keys) = adopted {
                tell(object, ctx, Kind::Warning, "Adopted", adoption(spec, &keys));
            }
        }
    }
    Ok(())
}

/// Deletes earlier targets: our label and our uid, another name.
async fn delete_orphans(
    object: &ExternalSecret,
    spec: &SyncSpec,
    ctx: &Context,
) -> kube::Result<()> {
    let labelled =
        secrets::labelled(&ctx.client, &spec.namespace, OWNER_LABEL, &owner_hash(spec)).await?;
    let is_orphan = |secret: &&Secret| {
        let is_owned = secret
            .owner_references()
            .iter()
            .any(|owner| owner.uid == spec.uid);
        is_owned && secret.name_any() != spec.target_name
    };
    for orphan in labelled.iter().filter(is_orphan) {
        secrets::delete(&ctx.client, orphan).await?;
        let message = "secret deleted because it was orphaned".to_owned();
        tell(object, ctx, Kind::Normal, "Deleted", message);
    }
    Ok(())
}

fn remember(ctx: &Context, secret: &Secret) {
    let target = (secret.namespace().unwrap_or_default(), secret.name_any());
    ctx.memories
        .wrote_target(&target, &secret.resource_version().unwrap_or_default());
}

fn tell(object: &ExternalSecret, ctx: &Context, kind: Kind, reason: &'static str, message: String) {
    let note = Note {
        kind,
        reason,
        message,
    };
    ctx.recorder
        .publish(object.object_ref(&()), note, ctx.clock.now());
}

fn adoption(spec: &SyncSpec, keys: &[String]) -> String {
    let name = &spec.target_name;
    if keys.is_empty() {
        return format!("secret {name} existed without an owner and is managed from now on");
    }
    format!(
        "secret {name} existed without an owner and is managed from now on; keys that \
         spec.data does not list were removed: {}",
        keys.join(", ")
    )
}
