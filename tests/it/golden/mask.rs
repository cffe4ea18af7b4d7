//! An object reduced to what a recording holds of it: no uid, no resourceVersion, no times.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::names::Names;
use crate::support::cluster::{array, text};

/// The comparable part of an object (tests/golden/README.md: what is recorded).
pub(crate) fn reduced(object: &Value, kind: &str, names: &Names) -> Value {
    let mut out = Map::new();
    let metadata = reduced_metadata(&object["metadata"], names);
    if !metadata.is_empty() {
        out.insert("metadata".into(), metadata.into());
    }
    if matches!(kind, "Secret" | "ConfigMap") {
        if kind == "Secret" {
            out.insert("type".into(), object["type"].clone());
        }
        let data = content(object);
        if !data.is_empty() {
            out.insert("data".into(), names.told(&json!(data)));
        }
        if let Some(immutable) = object.get("immutable") {
            out.insert("immutable".into(), immutable.clone());
        }
    } else if is_set(&object["status"]) {
        let mut status = names.masked(&object["status"]);
        if let Some(conditions) = status.get_mut("conditions").and_then(Value::as_array_mut) {
            conditions.sort_by(|a, b| text(&a["type"]).cmp(text(&b["type"])));
        }
        out.insert("status".into(), status);
    }
    out.into()
}

fn reduced_metadata(metadata: &Value, names: &Names) -> Map<String, Value> {
    let mut out = Map::new();
    for field in [
        "generation",
        "generateName",
        "finalizers",
        "labels",
        "annotations",
    ] {
        if is_set(&metadata[field]) {
            out.insert(field.into(), names.told(&metadata[field]));
        }
    }
    if is_set(&metadata["deletionTimestamp"]) {
        out.insert("deletionTimestamp".into(), "<time>".into());
    }
    if is_set(&metadata["ownerReferences"]) {
        let masked = array(&metadata["ownerReferences"]).map(|owner| {
            let mut owner = names.told(owner);
            owner["uid"] = "<uid>".into();
            owner
        });
        out.insert("ownerReferences".into(), masked.collect());
    }
    out
}

fn is_set(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(set) => *set,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

/// The content of a Secret or ConfigMap: text, or `{base64: …}` where it is none.
pub(crate) fn content(object: &Value) -> BTreeMap<String, Value> {
    let entries = |field: &str| object[field].as_object().into_iter().flatten();
    if object["kind"] == "ConfigMap" {
        let plain = entries("data").map(|(key, value)| (key.clone(), value.clone()));
        let binary =
            entries("binaryData").map(|(key, value)| (key.clone(), json!({"base64": value})));
        return plain.chain(binary).collect();
    }
    let shown = |(key, value): (&String, &Value)| {
        let plain = STANDARD
            .decode(text(value))
            .ok()
            .and_then(|raw| String::from_utf8(raw).ok());
        let plain = plain.filter(|plain| plain.chars().all(is_plain));
        (
            key.clone(),
            plain.map_or_else(|| json!({"base64": value}), Value::String),
        )
    };
    entries("data").map(shown).collect()
}

fn is_plain(c: char) -> bool {
    match c {
        '\n' | '\t' | '\r' => true,
        '\u{7f}' | '\u{85}' | '\u{feff}' | '\u{2028}' | '\u{2029}' => false,
        other => other >= ' ',
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{content, reduced};
    use crate::golden::names::Names;

    #[test]
    fn a_secret_shows_text_and_bytes_and_hides_what_changes() {
        let secret = json!({"kind": "Secret", "type": "Opaque", "immutable": false,
            "data": {"a": "Zy1j", "b": "AAE=", "c": "4oCo"},
            "metadata": {"name": "s", "uid": "u", "resourceVersion": "7", "managedFields": [{}], "creationTimestamp": "x",
                "labels": {}, "ownerReferences": [{"name": "g-c", "uid": "u"}]}});
        assert_eq!(
            reduced(&secret, "Secret", &Names::new("c")),
            json!({"type": "Opaque", "immutable": false,
                "data": {"a": "${NS}", "b": {"base64": "AAE="}, "c": {"base64": "4oCo"}},
                "metadata": {"ownerReferences": [{"name": "${NS}", "uid": "<uid>"}]}})
        );
    }

    #[test]
    fn a_status_has_masked_times_and_sorted_conditions() {
        let object = json!({"metadata": {"generation": 2, "deletionTimestamp": "2025-01-01T00:00:00Z"},
            "spec": {}, "status": {"refreshTime": "2025-01-01T00:00:00Z", "conditions": [{"type": "b"}, {"type": "a"}]}});
        assert_eq!(
            reduced(&object, "ExternalSecret", &Names::new("c")),
            json!({"metadata": {"generation": 2, "deletionTimestamp": "<time>"},
                "status": {"refreshTime": "<time>", "conditions": [{"type": "a"}, {"type": "b"}]}})
        );
    }

    #[test]
    fn a_config_map_keeps_binary_data_apart() {
        let map = json!({"kind": "ConfigMap", "data": {"a": "1"}, "binaryData": {"b": "AA=="}});
        assert_eq!(
            json!(content(&map)),
            json!({"a": "1", "b": {"base64": "AA=="}})
        );
    }
}
