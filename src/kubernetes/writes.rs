//! What writes of every kind have in common.

use std::fmt::Debug;

use kube::api::{DeleteParams, PostParams, Preconditions};
use kube::{Api, ResourceExt};
use serde::de::DeserializeOwned;

/// A write in the name of `manager`.
pub fn by(manager: &str) -> PostParams {
    PostParams {
        field_manager: Some(manager.to_owned()),
        ..PostParams::default()
    }
}

/// Deletes exactly this object: one of the same name made meanwhile stays. Absence is success.
pub async fn delete_exactly<K>(api: &Api<K>, object: &K) -> kube::Result<()>
where
    K: ResourceExt + Clone + Debug + DeserializeOwned,
{
    let exactly = DeleteParams::default().preconditions(Preconditions {
        uid: object.uid(),
        resource_version: None,
    });
    match api.delete(&object.name_any(), &exactly).await {
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        other => other.map(drop),
    }
}
