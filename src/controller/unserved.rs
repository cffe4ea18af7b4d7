//! Says once at start which kinds of the group have objects and are not served yet.

use kube::api::{ApiResource, DynamicObject, ListParams};
use kube::{Api, Client};

use crate::api::kinds::is_served;
use crate::api::meta::{GENERATOR_GROUP, GROUP};
use crate::kubernetes::answers::chain;

const UNKNOWN: &str = "not known whether there are objects of this kind, which is not served";

/// Warns about each kind of the groups whose objects nobody looks after, but for those switched `off`.
/// An operator of one namespace may lack the right to look, and is silent about that.
pub async fn warn(client: Client, off: Vec<&'static str>, is_scoped: bool) {
    for group in [GROUP, GENERATOR_GROUP] {
        match kube::discovery::group(&client, group).await {
            Ok(found) => {
                // each kind has versions of its own: v1 of the group has no PushSecret
                for (resource, _) in found.resources_by_stability() {
                    let kind = resource.kind.as_str();
                    if !is_served(group, kind) && !off.contains(&kind) {
                        warn_of(&client, &resource, is_scoped).await;
                    }
                }
            }
            Err(error) => tracing::debug!(group, %error, "the group's kinds are not known"),
        }
    }
}

async fn warn_of(client: &Client, resource: &ApiResource, is_scoped: bool) {
    let api: Api<DynamicObject> = Api::all_with(client.clone(), resource);
    match api.list_metadata(&ListParams::default().limit(1)).await {
        Ok(objects) if objects.items.is_empty() => {}
        Ok(_) => tracing::warn!(
            kind = resource.kind,
            group = resource.group,
            "objects of this kind exist and are not served yet: nothing is done for them"
        ),
        Err(error) if is_scoped => {
            tracing::debug!(kind = resource.kind, error = %chain(&error), "{UNKNOWN}");
        }
        Err(error) => tracing::info!(kind = resource.kind, error = %chain(&error), "{UNKNOWN}"),
    }
}
