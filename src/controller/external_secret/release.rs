//! Releases an object that is being deleted.

use kube::ResourceExt as _;

use crate::api::external_secret::{DeletionPolicy, ExternalSecret};
use crate::api::meta::EXTERNAL_SECRET_FINALIZER;
use crate::kubernetes::{secrets, status};

use super::state::Env;
use super::target;

/// Does for an object under deletion what its finalizer stands for, and removes it. We add none:
/// it is ESO's, from before a takeover.
pub async fn release(object: &ExternalSecret, env: &Env) -> kube::Result<()> {
    let has_finalizer = object
        .finalizers()
        .iter()
        .any(|finalizer| finalizer == EXTERNAL_SECRET_FINALIZER);
    if !has_finalizer {
        return Ok(());
    }
    if object.spec.target.deletion_policy == DeletionPolicy::Delete {
        match &object.spec.target.manifest {
            None => delete_owned(object, env).await?,
            Some(manifest) => target::delete_owned_manifest(object, manifest, env).await?,
        }
    }
    status::remove_finalizer(&env.ctx.client, object, EXTERNAL_SECRET_FINALIZER).await
}

async fn delete_owned(object: &ExternalSecret, env: &Env) -> kube::Result<()> {
    let namespace = object.namespace().unwrap_or_default();
    let found = secrets::get(&env.ctx.client, &namespace, object.target_name()).await?;
    let uid = object.uid();
    match found.filter(|found| target::is_controlled_by_uid(&found.metadata, uid.as_deref())) {
        Some(secret) => secrets::delete(&env.ctx.client, &secret).await,
        None => Ok(()),
    }
}
