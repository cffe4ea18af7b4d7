//! The objects of a measurement as YAML (JSON documents, which are YAML too): a namespace with the
//! credentials of a vault, its store, and ExternalSecrets.

use serde_json::{Value, json};

/// Namespace `team`, Secret `creds` and SecretStore `kv` for the vault of the same name.
pub(crate) fn team(team: &str) -> Vec<Value> {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": team}});
    let credentials = json!({"apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "creds", "namespace": team},
        "stringData": {"id": azfake::CLIENT, "secret": azfake::CLIENT_SECRET}});
    let key = |key: &str| json!({"name": "creds", "key": key});
    let provider = json!({"azurekv": {
        "tenantId": azfake::TENANT,
        "vaultUrl": format!("https://{team}.vault.azure.net"),
        "authSecretRef": {"clientId": key("id"), "clientSecret": key("secret")},
    }});
    let store = own("SecretStore", team, "kv", &json!({"provider": provider}));
    vec![namespace, credentials, store]
}

/// An ExternalSecret that puts the vault's `names` under `value0`, `value1`, ...
pub(crate) fn reader(team: &str, name: &str, names: &[String], interval: u64) -> Value {
    let entry = |(index, key): (usize, &String)| json!({"secretKey": format!("value{index}"), "remoteRef": {"key": key}});
    let data: Vec<Value> = names.iter().enumerate().map(entry).collect();
    let spec = json!({
        "refreshInterval": format!("{interval}s"),
        "secretStoreRef": {"name": "kv", "kind": "SecretStore"},
        "data": data,
    });
    own("ExternalSecret", team, name, &spec)
}

/// ExternalSecrets `s0`, `s1`, ..., each of the secret of that name.
pub(crate) fn readers(team: &str, count: usize, interval: u64) -> impl Iterator<Item = Value> {
    (0..count).map(move |n| {
        let name = format!("s{n}");
        reader(team, &name, std::slice::from_ref(&name), interval)
    })
}

fn own(kind: &str, team: &str, name: &str, spec: &Value) -> Value {
    json!({"apiVersion": "external-secrets.io/v1", "kind": kind,
        "metadata": {"name": name, "namespace": team}, "spec": spec})
}

/// The documents in one text.
pub(crate) fn text(documents: &[Value]) -> String {
    let texts: Vec<String> = documents.iter().map(ToString::to_string).collect();
    texts.join("\n---\n")
}

/// So many secrets `s0`, `s1`, ... of a vault.
pub(crate) fn secrets(count: usize) -> Value {
    let secrets = (0..count).map(|n| (format!("s{n}"), json!({"value": format!("value {n}")})));
    json!({"secrets": secrets.collect::<serde_json::Map<_, _>>()})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_external_secret_reads_secrets_of_its_own() {
        let names = ["s1".to_owned(), "s2".to_owned()];
        let text = text(&[reader("team", "app", &names, 60)]);
        for part in [
            r#""remoteRef":{"key":"s2"}"#,
            r#""secretKey":"value1""#,
            r#""refreshInterval":"60s""#,
        ] {
            assert!(text.contains(part), "{text}");
        }
        assert_eq!(secrets(2)["secrets"]["s1"]["value"], "value 1");
    }
}
