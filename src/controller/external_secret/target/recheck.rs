//! Whether the ExternalSecret itself still exists, before something is made for it.

use kube::{Api, ResourceExt as _};

use crate::api::external_secret::ExternalSecret;
use crate::controller::external_secret::state::Env;

/// Whether the object still exists as the cache has it. While its watch is behind it may be
/// deleted, and a Secret made for it would be collected and made again and again.
pub async fn still_exists(object: &ExternalSecret, env: &Env) -> kube::Result<bool> {
    let namespace = object.namespace().unwrap_or_default();
    let api: Api<ExternalSecret> = Api::namespaced(env.ctx.client.clone(), &namespace);
    let found = api.get_metadata_opt(&object.name_any()).await;
    Ok(found?.is_some_and(|found| {
        found.uid() == object.uid() && found.metadata.deletion_timestamp.is_none()
    }))
}
