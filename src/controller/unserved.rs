//! Says once at start which kinds of the group have objects and are not served yet.

use kube::api::{ApiResource, DynamicObject, ListParams};
use kube::{Api, Client};

use crate::api::meta::{GENERATOR_GROUP, GROUP};

const SERVED: [&str; 3] = ["ExternalSecret", "SecretStore", "ClusterSecretStore"];

/// Warns about each kind of the groups whose objects nobody looks after, but for those switched `off`.
pub(super) async fn warn(client: &Client, off: &[&str]) {
    for group in [GROUP, GENERATOR_GROUP] {
        match kube::discovery::group(client, group).await {
            Ok(found) => {
                for (resource, _) in found.recommended_resources() {
                    let kind = resource.kind.as_str();
                    if !SERVED.contains(&kind) && !off.contains(&kind) {
                        warn_of(client, &resource).await;
                    }
                }
            }
            Err(error) => tracing::debug!(group, %error, "the group's kinds are not known"),
        }
    }
}

async fn warn_of(client: &Client, resource: &ApiResource) {
    let api: Api<DynamicObject> = Api::all_with(client.clone(), resource);
    match api.list_metadata(&ListParams::default().limit(1)).await {
        Ok(objects) if objects.items.is_empty() => {}
        Ok(_) => tracing::warn!(
            kind = resource.kind,
            group = resource.group,
            "objects of this kind exist and are not served yet: nothing is done for them"
        ),
        Err(error) => {
            tracing::debug!(kind = resource.kind, %error, "not known whether there are objects");
        }
    }
}
