//! The manifests that a scene is made of, and what objects show. Knows no cluster.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy's exception for tests does not reach their helpers"
)]

use serde_json::{Value, json};

use super::cluster::{array, text};

/// Secret `creds` with the client that azfake knows and this client secret.
pub(crate) fn credentials(secret: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "creds"},
        "stringData": {"id": azfake::CLIENT, "secret": secret}})
}

/// SecretStore `kv` with this `spec.provider`.
pub(crate) fn store_of(provider: &Value) -> Value {
    json!({"apiVersion": "external-secrets.io/v1", "kind": "SecretStore", "metadata": {"name": "kv"},
        "spec": {"provider": provider}})
}

/// An ExternalSecret that reads `password` from `kv` into `PASSWORD`; `more` replaces members of
/// its spec, null leaves one out.
pub(crate) fn external_secret(name: &str, more: Value) -> Value {
    let mut spec = json!({
        "refreshInterval": "1h",
        "secretStoreRef": {"name": "kv", "kind": "SecretStore"},
        "data": [{"secretKey": "PASSWORD", "remoteRef": {"key": "password"}}],
    });
    replace(&mut spec, more);
    json!({"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret",
        "metadata": {"name": name}, "spec": spec})
}

/// Replaces members of an object; null leaves one out.
pub(crate) fn replace(object: &mut Value, more: Value) {
    let (Value::Object(members), Value::Object(more)) = (object, more) else {
        panic!("not an object");
    };
    for (name, value) in more {
        if value.is_null() {
            members.remove(&name);
        } else {
            members.insert(name, value);
        }
    }
}

/// The Ready condition; null where there is none.
pub(crate) fn ready(object: &Value) -> Value {
    let mut conditions = array(&object["status"]["conditions"]);
    let found = conditions.find(|condition| condition["type"] == "Ready");
    found.cloned().unwrap_or_default()
}

/// A value of a Secret; empty where there is none.
pub(crate) fn value(secret: &Value, key: &str) -> String {
    use base64::Engine as _;
    let decoded = base64::engine::general_purpose::STANDARD.decode(text(&secret["data"][key]));
    String::from_utf8(decoded.unwrap()).unwrap()
}
