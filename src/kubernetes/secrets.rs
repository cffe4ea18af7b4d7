//! Calls on target Secrets: plain create and replace under ESO's field manager, so that
//! managedFields stay those of an object that ESO wrote.

use k8s_openapi::api::core::v1::Secret;
use kube::api::ListParams;
use kube::{Api, Client, ResourceExt as _};

use super::writes::{by, delete_exactly};

/// The Secret, whole; `None` where it does not exist.
pub async fn get(client: &Client, namespace: &str, name: &str) -> kube::Result<Option<Secret>> {
    api(client, namespace).get_opt(name).await
}

/// Creates `secret` in its own namespace.
pub async fn create(client: &Client, secret: &Secret, manager: &str) -> kube::Result<Secret> {
    api(client, &namespace(secret))
        .create(&by(manager), secret)
        .await
}

/// Replaces the Secret; the resource version in `secret` must still be current.
pub async fn replace(client: &Client, secret: &Secret, manager: &str) -> kube::Result<Secret> {
    api(client, &namespace(secret))
        .replace(&secret.name_any(), &by(manager), secret)
        .await
}

/// The Secrets that carry label `key=value`.
pub async fn labelled(
    client: &Client,
    namespace: &str,
    key: &str,
    value: &str,
) -> kube::Result<Vec<Secret>> {
    let selector = ListParams::default().labels(&format!("{key}={value}"));
    Ok(api(client, namespace).list(&selector).await?.items)
}

/// Deletes exactly this object: one of the same name made meanwhile stays. Absence is success.
pub async fn delete(client: &Client, secret: &Secret) -> kube::Result<()> {
    delete_exactly(&api(client, &namespace(secret)), secret).await
}

fn api(client: &Client, namespace: &str) -> Api<Secret> {
    Api::namespaced(client.clone(), namespace)
}

fn namespace(secret: &Secret) -> String {
    secret.namespace().unwrap_or_default()
}
