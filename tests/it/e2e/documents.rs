//! The common cases about documents within secrets: nested JSON, Docker configurations, SSH keys.

use serde_json::json;

use super::{Case, TARGET, entry};

/// Not a key: what counts is that its lines and tabs stay.
const SSH_KEY: &str =
    "-----BEGIN OPENSSH EXAMPLE-----\n\tfirst line\n\tsecond line\n-----END OPENSSH EXAMPLE-----\n";
const DOCKER: &str = r#"{"auths":{"https://index.docker.io/v1/":{"auth":"c3R...zE2"}}}"#;
const DOCKER_KEY: &str = ".dockerconfigjson";

/// Paths into objects and arrays.
pub(super) fn nested_json_with_gjson(ns: &str) -> Case {
    let one = format!("{ns}-one");
    let data = json!([
        entry("firstname", &one, "name.first"),
        entry("friend", &one, "friends.1.first")
    ]);
    Case::new(
        &[(
            one,
            r#"{"name":{"first":"Tom","last":"Anderson"},"friends":[{"first":"Dale","last":"Murphy"},{"first":"Roger","last":"Craig"}]}"#,
        )],
        json!({"data": data}),
        json!({"firstname": "Tom", "friend": "Roger"}),
    )
}

/// An object within is taken as its bytes are; the type stays what it is by default.
pub(super) fn docker_json_config(ns: &str) -> Case {
    let one = format!("{ns}-one");
    let value = format!(r#"{{"config":{DOCKER},"other":1}}"#);
    let spec = json!({"data": [entry("mysecret", &one, "config")],
        "target": {"name": TARGET, "template": {"data": {DOCKER_KEY: "{{ .mysecret | toString }}"}}}});
    Case::new(&[(one, &value)], spec, json!({DOCKER_KEY: DOCKER}))
}

/// A string that holds the document, in a Secret of its type.
pub(super) fn data_property_dockerconfig_json(ns: &str) -> Case {
    let one = format!("{ns}-one");
    let value = json!({"dockerconfig": DOCKER}).to_string();
    let spec = json!({"data": [entry("mysecret", &one, "dockerconfig")],
        "target": {"name": TARGET, "template": {"type": "kubernetes.io/dockerconfigjson",
            "data": {DOCKER_KEY: "{{ .mysecret | toString }}"}}}});
    Case {
        kind: "kubernetes.io/dockerconfigjson",
        ..Case::new(&[(one, &value)], spec, json!({DOCKER_KEY: DOCKER}))
    }
}

/// A value of several lines, in a Secret of its type.
pub(super) fn ssh_key_sync(ns: &str) -> Case {
    let one = format!("{ns}-one");
    let data = json!([entry("mysecret", &one, "")]);
    ssh_key(&[(one, SSH_KEY)], &data)
}

/// The same as a property of a JSON secret.
pub(super) fn ssh_key_sync_data_property(ns: &str) -> Case {
    let one = format!("{ns}-one");
    let data = json!([entry("mysecret", &one, "ssh-auth")]);
    let value = json!({"ssh-auth": SSH_KEY}).to_string();
    ssh_key(&[(one, &value)], &data)
}

fn ssh_key(secrets: &[(String, &str)], data: &serde_json::Value) -> Case {
    let kind = "kubernetes.io/ssh-auth";
    let template = json!({"type": kind, "data": {"ssh-privatekey": "{{ .mysecret | toString }}"}});
    let spec = json!({"data": data, "target": {"name": TARGET, "template": template}});
    Case {
        kind,
        ..Case::new(secrets, spec, json!({"ssh-privatekey": SSH_KEY}))
    }
}
