//! Reads of the cluster before anything is decided, and the release of objects being deleted.

use k8s_openapi::api::core::v1::Secret;
use kube::{Api, ResourceExt as _};

use crate::api::external_secret::{DeletionPolicy, ExternalSecret};
use crate::api::meta::EXTERNAL_SECRET_FINALIZER;
use crate::api::secret_store::StoreKind;
use crate::controller::context::Context;
use crate::kubernetes::{secrets, status};

use super::spec::SyncSpec;
use super::uses::uses;
use super::{Error, Known, build, manifest, plan};

/// The target as it stands.
pub(super) enum Target {
    /// A Secret, or its absence.
    Secret(Option<Secret>),
    /// A Secret that nobody looked for: there is none, as a rule, and making it tells.
    Presumed,
    /// A Secret that is known to stand as a refresh would write it, but for values.
    Untouched,
    /// An object of another kind.
    Manifest(manifest::Observed),
}

impl Target {
    /// Whether it can wait for the next refresh: it is as it was last written, or nobody minds it.
    pub(super) fn needs_no_write(&self, spec: &SyncSpec, ctx: &Context) -> bool {
        match self {
            Self::Secret(present) => build::needs_no_write(spec, present.as_ref()),
            Self::Presumed => build::needs_no_write(spec, None),
            Self::Untouched => true,
            Self::Manifest(observed) => observed.needs_no_write(spec, ctx),
        }
    }

    /// Whether all that can be told without the values is as a refresh would write it.
    pub(super) fn is_untouched(&self, spec: &SyncSpec, ctx: &Context) -> bool {
        match self {
            Self::Secret(present) => build::is_untouched(spec, present.as_ref()),
            Self::Presumed => build::is_untouched(spec, None),
            Self::Untouched => true,
            Self::Manifest(observed) => observed.is_untouched(spec, ctx),
        }
    }
}

/// Reads the target, unless what is known of it does: there is none of a new ExternalSecret, and one that
/// was in step stays so until the watch brings something else.
pub(super) async fn target(spec: &SyncSpec, known: &Known, ctx: &Context) -> Result<Target, Error> {
    if let Some(manifest) = &spec.target.manifest {
        let observed = manifest::observe(spec, manifest, ctx).await?;
        return Ok(Target::Manifest(observed));
    }
    if known.is_new() {
        return Ok(Target::Presumed);
    }
    if known.memory.target_stands(&spec.version) {
        return Ok(Target::Untouched);
    }
    Ok(Target::Secret(secret(spec, ctx).await?))
}

/// Reads the target, a Secret.
pub(super) async fn secret(spec: &SyncSpec, ctx: &Context) -> Result<Option<Secret>, Error> {
    let found = secrets::get(&ctx.client, &spec.namespace, &spec.target.name).await;
    let found = found.map_err(Error::Observe)?;
    if let Some(secret) = &found {
        remember(spec, secret, ctx);
    }
    Ok(found)
}

/// Remembers a target that was read or written, if it is as a refresh would write it.
pub(super) fn remember(spec: &SyncSpec, target: &Secret, ctx: &Context) {
    if let Some(version) = &target.metadata.resource_version
        && build::is_untouched(spec, Some(target))
    {
        let object = (spec.namespace.clone(), spec.name.clone());
        ctx.memories
            .target_is_in_step(&object, version, &spec.version);
    }
}

/// Whether the object still stands as the cache has it. While its watch is behind it may be
/// deleted, and a Secret made for it would be collected and made again and again.
pub(super) async fn still_stands(object: &ExternalSecret, ctx: &Context) -> Result<bool, Error> {
    let namespace = object.namespace().unwrap_or_default();
    let api: Api<ExternalSecret> = Api::namespaced(ctx.client.clone(), &namespace);
    let found = api.get_metadata_opt(&object.name_any()).await;
    Ok(found.map_err(Error::Reread)?.is_some_and(|found| {
        found.uid() == object.uid() && found.metadata.deletion_timestamp.is_none()
    }))
}

/// Whether no store of the object belongs to another controller class, and its store is not of a
/// kind that is switched off. Stores that are absent speak for nobody.
pub(super) fn is_ours(object: &ExternalSecret, ctx: &Context) -> bool {
    let default_store = object.spec.secret_store_ref.as_ref();
    let is_cluster = default_store.is_some_and(|it| it.kind() == StoreKind::ClusterSecretStore);
    if is_cluster && !ctx.options.switches.cluster_stores {
        return false;
    }
    let stores = uses(object).stores;
    stores
        .keys()
        .filter_map(|key| ctx.stores.find(key))
        .all(|store| ctx.is_ours(store.spec.controller.as_deref()))
}

/// Does for an object under deletion what its finalizer stands for, and removes it. We add none:
/// it is ESO's, from before a takeover.
pub(super) async fn release(object: &ExternalSecret, ctx: &Context) -> kube::Result<()> {
    let has_finalizer = object
        .finalizers()
        .iter()
        .any(|finalizer| finalizer == EXTERNAL_SECRET_FINALIZER);
    if !has_finalizer {
        return Ok(());
    }
    if object.spec.target.deletion_policy == DeletionPolicy::Delete {
        match &object.spec.target.manifest {
            None => delete_owned(object, ctx).await?,
            Some(manifest) => manifest::delete_owned(object, manifest, ctx).await?,
        }
    }
    status::remove_finalizer(&ctx.client, object, EXTERNAL_SECRET_FINALIZER).await
}

async fn delete_owned(object: &ExternalSecret, ctx: &Context) -> kube::Result<()> {
    let namespace = object.namespace().unwrap_or_default();
    let found = secrets::get(&ctx.client, &namespace, object.target_name()).await?;
    let uid = object.uid();
    match found.filter(|found| plan::is_controlled_by_uid(&found.metadata, uid.as_deref())) {
        Some(secret) => secrets::delete(&ctx.client, &secret).await,
        None => Ok(()),
    }
}
