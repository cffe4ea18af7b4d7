//! The cases of ESO's end-to-end suite that run against Azure, and its other common ones, by their
//! names (ESO's e2e suites for Azure): written from the description, played on a real API
//! server. A case says what the vault holds, what is applied and what the Secret must be.

#![expect(
    clippy::unwrap_used,
    reason = "clippy's exception for tests does not reach their helpers"
)]

mod azure;
mod common;
mod documents;
mod find;

use serde_json::{Map, Value, json};

use crate::support::cluster::text;
use crate::support::manifests::{credentials, replace};
use crate::support::scene::Scene;

/// The ExternalSecret's name and, unless a case says otherwise, the Secret's.
const EXTERNAL_SECRET: &str = "e2e-es";
const TARGET: &str = "target-secret";
const REFRESHED_EVERY: &str = "5s";
/// Of the operator's own, which the suite leaves out of the comparison.
const OWN_LABELS: [&str; 2] = [
    "reconcile.external-secrets.io/created-by",
    "reconcile.external-secrets.io/managed",
];
const OWN_ANNOTATION: &str = "reconcile.external-secrets.io/data-hash";

/// One case, in one namespace.
pub(super) struct Case {
    /// What the vault of that name holds, as azfake takes it.
    vault: Value,
    /// What else is applied beforehand.
    objects: Vec<Value>,
    /// Members of the ExternalSecret's spec.
    spec: Value,
    /// The Secret's name.
    target: &'static str,
    /// The Secret's type.
    kind: &'static str,
    /// The Secret's data: text by key.
    data: Value,
    labels: Value,
    annotations: Value,
}

impl Case {
    /// Secrets of the vault by name; what the ExternalSecret reads; what the Secret must hold.
    fn new(secrets: &[(String, &str)], spec: Value, data: Value) -> Self {
        let secrets = secrets.iter();
        let secrets = secrets.map(|(name, value)| (name.clone(), json!({"value": value})));
        Self {
            vault: json!({"secrets": secrets.collect::<Map<_, _>>()}),
            objects: Vec::new(),
            spec,
            target: TARGET,
            kind: "Opaque",
            data,
            labels: json!({}),
            annotations: json!({}),
        }
    }
}

/// A store of this namespace's vault with static credentials, by either of ESO's two ways.
async fn with_store(scene: &Scene, use_azure_sdk: bool) {
    scene.apply(credentials(azfake::CLIENT_SECRET)).await;
    let store = scene.store(json!({"useAzureSDK": use_azure_sdk}));
    scene.apply(store).await;
}

/// Applies the case on the store that `reference` names and waits until the Secret is equal.
async fn play(scene: &Scene, case: Case, reference: Value) -> Value {
    scene.bed().seed(&scene.namespace, case.vault).unwrap();
    for object in case.objects {
        scene.apply(object).await;
    }
    let mut spec = json!({"refreshInterval": REFRESHED_EVERY, "secretStoreRef": reference,
        "target": {"name": TARGET}});
    replace(&mut spec, case.spec);
    let object = json!({"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret",
        "metadata": {"name": EXTERNAL_SECRET}, "spec": spec});
    scene.apply(object).await;
    let want = json!({"type": case.kind, "data": encoded(&case.data),
        "labels": case.labels, "annotations": case.annotations});
    let target = scene.object("Secret", case.target);
    let is_equal = |found: Option<&Value>| found.is_some_and(|found| compared(found) == want);
    let found = scene.bed().cluster();
    let equal = scene.bed().wait_for("equal", &target, LIMIT, is_equal);
    match equal.await {
        Ok(secret) => secret.unwrap(),
        Err(error) => {
            let found = found.get(&target).await.unwrap().unwrap_or_default();
            assert_eq!(compared(&found), want, "{error}");
            found
        }
    }
}

/// So long the suite waits for a Secret.
const LIMIT: std::time::Duration = std::time::Duration::from_mins(1);

/// What of a Secret is compared, whole: type, data, labels and annotations but for the operator's own.
fn compared(secret: &Value) -> Value {
    let members = |field: &str, own: &[&str]| {
        let mut members = secret["metadata"][field].clone();
        if let Some(members) = members.as_object_mut() {
            members.retain(|name, _| !own.contains(&name.as_str()));
        }
        if members.is_null() {
            json!({})
        } else {
            members
        }
    };
    json!({"type": text(&secret["type"]), "data": secret["data"],
        "labels": members("labels", &OWN_LABELS),
        "annotations": members("annotations", &[OWN_ANNOTATION])})
}

fn encoded(data: &Value) -> Value {
    use base64::Engine as _;
    let encode = |value: &Value| base64::engine::general_purpose::STANDARD.encode(text(value));
    let members = data.as_object().into_iter().flatten();
    let members = members.map(|(name, value)| (name.clone(), Value::from(encode(value))));
    Value::Object(members.collect())
}

fn namespaced_store() -> Value {
    json!({"name": "kv", "kind": "SecretStore"})
}

/// One entry of `spec.data`; no property where it is empty.
fn entry(secret_key: &str, key: &str, property: &str) -> Value {
    let mut remote_ref = json!({"key": key});
    if !property.is_empty() {
        remote_ref["property"] = property.into();
    }
    json!({"secretKey": secret_key, "remoteRef": remote_ref})
}
