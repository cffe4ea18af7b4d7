//! Writes the status subresource whole (a PUT, as ESO does: a merge patch cannot write `null`).

use http::HeaderValue;
use http::header::ACCEPT;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{GetParams, PostParams};
use kube::core::PartialObjectMeta;
use kube::{Api, Client, Resource, ResourceExt as _};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The field manager of ESO's own writes to its kinds (ESO's controllers).
pub const MANAGER: &str = "external-secrets";

/// Answers hold no more than the metadata (Kubernetes API concepts, "Metadata only fetches").
const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

/// Replaces `status` of `object`, which is at `resource_version`, and returns the new resource version.
///
/// Only metadata that addresses the object is sent: the API server keeps spec and metadata of a
/// status write as they are. An object that is no longer at that version gives a conflict (409).
pub async fn replace<K, S>(
    client: &Client,
    object: &K,
    resource_version: Option<&str>,
    status: &S,
) -> kube::Result<String>
where
    K: Resource<DynamicType = ()> + Clone + std::fmt::Debug + DeserializeOwned,
    S: Serialize,
{
    let address = serde_json::json!({
        "apiVersion": K::api_version(&()),
        "kind": K::kind(&()),
        "metadata": {
            "name": object.name_any(),
            "namespace": object.namespace(),
            "uid": object.uid(),
            "resourceVersion": resource_version,
        },
        "status": status,
    });
    let body = serde_json::to_vec(&address).map_err(kube::Error::SerdeError)?;
    let url = K::url_path(&(), object.namespace().as_deref());
    let params = PostParams {
        field_manager: Some(MANAGER.to_owned()),
        ..PostParams::default()
    };
    let mut request = kube::core::Request::new(url)
        .replace_subresource("status", &object.name_any(), &params, body)
        .map_err(kube::Error::BuildRequest)?;
    // the rest of the answer is what was sent
    let accept = HeaderValue::from_static(METADATA);
    request.headers_mut().insert(ACCEPT, accept);
    let written: PartialObjectMeta<K> = client.request(request).await?;
    Ok(written.resource_version().unwrap_or_default())
}

/// The present metadata of `object`; `None` if it is gone.
pub async fn metadata<K>(client: &Client, object: &K) -> kube::Result<Option<ObjectMeta>>
where
    K: Resource<DynamicType = ()> + Clone + std::fmt::Debug,
{
    let url = K::url_path(&(), object.namespace().as_deref());
    let mut request = kube::core::Request::new(url)
        .get(&object.name_any(), &GetParams::default())
        .map_err(kube::Error::BuildRequest)?;
    let accept = HeaderValue::from_static(METADATA);
    request.headers_mut().insert(ACCEPT, accept);
    match client.request::<PartialObjectMeta<K>>(request).await {
        Ok(found) => Ok(Some(found.metadata)),
        Err(kube::Error::Api(answer)) if answer.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Takes `finalizer` off `object`, if the list is still the one that was read.
pub async fn remove_finalizer<K>(client: &Client, object: &K, finalizer: &str) -> kube::Result<()>
where
    K: Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>
        + Clone
        + std::fmt::Debug
        + DeserializeOwned,
{
    let Some(index) = object
        .finalizers()
        .iter()
        .position(|have| have == finalizer)
    else {
        return Ok(());
    };
    let at = format!("/metadata/finalizers/{index}");
    let removal: json_patch::Patch = serde_json::from_value(serde_json::json!([
        {"op": "test", "path": at, "value": finalizer},
        {"op": "remove", "path": at},
    ]))
    .map_err(kube::Error::SerdeError)?;
    let api: Api<K> = Api::namespaced(client.clone(), &object.namespace().unwrap_or_default());
    let params = kube::api::PatchParams {
        field_manager: Some(MANAGER.to_owned()),
        ..Default::default()
    };
    match api
        .patch(
            &object.name_any(),
            &params,
            &kube::api::Patch::<()>::Json(removal),
        )
        .await
    {
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        other => other.map(drop),
    }
}
