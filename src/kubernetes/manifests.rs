//! Calls on targets that are no Secret: their kind is looked up once, then they are read and
//! written whole. ESO names no field manager for them, so it is the program's.

use std::collections::HashMap;

use kube::core::{DynamicObject, GroupVersionKind};
use kube::discovery::{self, ApiResource, Scope};
use kube::{Api, Client, ResourceExt as _};
use parking_lot::Mutex;

use super::status::MANAGER;
use super::writes::{by, delete_exactly};
use crate::api::external_secret::Manifest;

/// Why the kind is none that a target can be of.
#[derive(Debug, thiserror::Error)]
pub enum KindError {
    /// Its apiVersion is none.
    #[error("{0:?} is no apiVersion; write it like v1 or group/v1")]
    Version(String),
    /// There is none of the name.
    #[error(
        "the API server does not serve kind {kind} in {version}; install its \
         CustomResourceDefinition, or correct the kind"
    )]
    Unserved {
        /// The kind.
        kind: String,
        /// The apiVersion.
        version: String,
    },
    /// The API server does not tell.
    #[error("the API server was asked for the kinds in {version} in vain")]
    Asked {
        /// The apiVersion.
        version: String,
        /// Its answer.
        source: kube::Error,
    },
    /// Its objects are in no namespace.
    #[error(
        "kind {kind} in {version} is cluster-scoped; a target is in the ExternalSecret's namespace"
    )]
    ClusterScoped {
        /// The kind.
        kind: String,
        /// The apiVersion.
        version: String,
    },
}

/// The kinds found so far.
#[derive(Debug, Default)]
pub struct Kinds(Mutex<HashMap<Manifest, ApiResource>>);

impl Kinds {
    /// The namespaced kind of `manifest`; one request where it was not found before.
    ///
    /// # Errors
    /// There is none.
    pub async fn find(
        &self,
        client: &Client,
        manifest: &Manifest,
    ) -> Result<ApiResource, KindError> {
        if let Some(found) = self.0.lock().get(manifest) {
            return Ok(found.clone());
        }
        let (version, kind) = (manifest.api_version.clone(), manifest.kind.clone());
        let (group, name) = match version.split_once('/') {
            Some((_, name)) if name.contains('/') => return Err(KindError::Version(version)),
            Some((group, name)) => (group, name),
            None => ("", version.as_str()),
        };
        let wanted = GroupVersionKind::gvk(group, name, &kind);
        match discovery::pinned_kind(client, &wanted).await {
            Ok((resource, is)) if is.scope == Scope::Namespaced => {
                self.0.lock().insert(manifest.clone(), resource.clone());
                Ok(resource)
            }
            Ok(_) => Err(KindError::ClusterScoped { kind, version }),
            Err(kube::Error::Discovery(_)) => Err(KindError::Unserved { kind, version }),
            Err(kube::Error::Api(answer)) if answer.is_not_found() => {
                Err(KindError::Unserved { kind, version })
            }
            Err(source) => Err(KindError::Asked { version, source }),
        }
    }

    /// Looks it up anew next time: its definition may have been replaced.
    pub fn forget(&self, manifest: &Manifest) {
        self.0.lock().remove(manifest);
    }
}

/// The object; `None` where it does not exist.
pub async fn get(
    client: &Client,
    kind: &ApiResource,
    namespace: &str,
    name: &str,
) -> kube::Result<Option<DynamicObject>> {
    api(client, kind, namespace).get_opt(name).await
}

/// Creates `object` in its own namespace.
pub async fn create(
    client: &Client,
    kind: &ApiResource,
    object: &DynamicObject,
) -> kube::Result<DynamicObject> {
    api(client, kind, &namespace(object))
        .create(&by(MANAGER), object)
        .await
}

/// Replaces the object; the resource version in `object` must still be current.
pub async fn replace(
    client: &Client,
    kind: &ApiResource,
    object: &DynamicObject,
) -> kube::Result<DynamicObject> {
    api(client, kind, &namespace(object))
        .replace(&object.name_any(), &by(MANAGER), object)
        .await
}

/// Deletes exactly this object. Absence is success.
pub async fn delete(
    client: &Client,
    kind: &ApiResource,
    object: &DynamicObject,
) -> kube::Result<()> {
    delete_exactly(&api(client, kind, &namespace(object)), object).await
}

fn api(client: &Client, kind: &ApiResource, namespace: &str) -> Api<DynamicObject> {
    Api::namespaced_with(client.clone(), namespace, kind)
}

fn namespace(object: &DynamicObject) -> String {
    object.namespace().unwrap_or_default()
}
