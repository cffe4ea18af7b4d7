//! The common cases that upstream runs against Azure, and those of templates, decoding and deletion.
//! `ns` is the namespace, with which the names in the vault begin.

use serde_json::json;

use super::{Case, EXTERNAL_SECRET, entry};

/// Two keys, copied as they are.
pub(super) fn simple_data_sync(ns: &str) -> Case {
    let (one, two) = (format!("{ns}-one"), format!("{ns}-other"));
    let data = json!([entry("one", &one, ""), entry("other", &two, "")]);
    Case::new(
        &[(one, "bar"), (two, "bazz")],
        json!({"data": data}),
        json!({"one": "bar", "other": "bazz"}),
    )
}

/// Without a name of its own the target has the ExternalSecret's.
pub(super) fn sync_without_target_name(ns: &str) -> Case {
    Case {
        target: EXTERNAL_SECRET,
        ..named_by_nobody(simple_data_sync(ns))
    }
}

/// A property of each of two JSON secrets.
pub(super) fn json_data_with_property(ns: &str) -> Case {
    let (one, two) = (format!("{ns}-one"), format!("{ns}-two"));
    let data = json!([entry("one", &one, "foo1"), entry("two", &two, "bar2")]);
    Case::new(
        &[
            (one, r#"{"foo1":"foo1-val","bar1":"bar1-val"}"#),
            (two, r#"{"foo2":"foo2-val","bar2":"bar2-val"}"#),
        ],
        json!({"data": data}),
        json!({"one": "foo1-val", "two": "bar2-val"}),
    )
}

/// The same with the default name of the target.
pub(super) fn json_data_without_target_name(ns: &str) -> Case {
    Case {
        target: EXTERNAL_SECRET,
        ..named_by_nobody(json_data_with_property(ns))
    }
}

/// A template over two properties; it alone says labels, annotations and finalizers.
pub(super) fn json_data_with_template(ns: &str) -> Case {
    let mut case = json_data_with_property(ns);
    case.spec["target"] = json!({"name": super::TARGET, "template": {
        "engineVersion": "v2",
        "metadata": {
            "labels": {"example": "annotation"},
            "annotations": {"example": "label"},
            "finalizers": ["example.com/finalizer"],
        },
        "data": {"my-data": "executed: {{ .one }}|{{ .two }}"},
    }});
    Case {
        data: json!({"my-data": "executed: foo1-val|bar2-val"}),
        labels: json!({"example": "annotation"}),
        annotations: json!({"example": "label"}),
        ..case
    }
}

/// A template that is written down whole and becomes keys.
pub(super) fn json_data_with_template_from_literal(ns: &str) -> Case {
    let mut case = json_data_with_property(ns);
    let literal = "executed-{{ .one }}: {{ .two }}";
    case.spec["target"] = json!({"name": super::TARGET, "template": {
        "engineVersion": "v2",
        "templateFrom": [{"literal": literal, "target": "Data"}],
    }});
    Case {
        data: json!({"executed-foo1-val": "bar2-val"}),
        ..case
    }
}

/// Templates of a ConfigMap: of a key's value, and of keys with their values.
pub(super) fn template_from_configmaps(ns: &str) -> Case {
    let mut case = json_data_with_property(ns);
    case.objects
        .push(json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "templates"},
        "data": {"value": "one is {{ .one }}", "both": "key-{{ .one }}: {{ .two }}"}}));
    case.spec["target"] = json!({"name": super::TARGET, "template": {
        "engineVersion": "v2",
        "templateFrom": [{"configMap": {"name": "templates", "items": [
            {"key": "value", "templateAs": "Values"},
            {"key": "both", "templateAs": "KeysAndValues"},
        ]}}],
    }});
    Case {
        data: json!({"value": "one is foo1-val", "key-foo1-val": "bar2-val"}),
        ..case
    }
}

/// Each member of a JSON object becomes a key.
pub(super) fn json_data_from_sync(ns: &str) -> Case {
    let one = format!("{ns}-one");
    let spec = json!({"dataFrom": [{"extract": {"key": one}}]});
    Case::new(
        &[(one, r#"{"foo":"foo-val","bar":"bar-val"}"#)],
        spec,
        json!({"foo": "foo-val", "bar": "bar-val"}),
    )
}

/// Members of an object within; what is no string is written as JSON.
pub(super) fn json_data_from_extract_property(ns: &str) -> Case {
    let one = format!("{ns}-one");
    let spec = json!({"dataFrom": [{"extract": {"key": one, "property": "db"}}]});
    Case::new(
        &[(
            one,
            r#"{"db":{"host":"localhost","port":5432},"other":"x"}"#,
        )],
        spec,
        json!({"host": "localhost", "port": "5432"}),
    )
}

/// Each key is renamed once: the empty match at its end counts for nothing.
pub(super) fn json_data_from_rewrite(ns: &str) -> Case {
    let one = format!("{ns}-one");
    let rewrite = json!([{"regexp": {"source": "(.*)", "target": "my_$1"}}]);
    let spec = json!({"dataFrom": [{"extract": {"key": one}, "rewrite": rewrite}]});
    Case::new(
        &[(one, r#"{"username":"foo","password":"bar"}"#)],
        spec,
        json!({"my_username": "foo", "my_password": "bar"}),
    )
}

/// Values that look like base64 are decoded where the strategy says so.
pub(super) fn decoding_policy_sync(ns: &str) -> Case {
    let (all, encoded, plain) = (
        format!("{ns}-all"),
        format!("{ns}-encoded"),
        format!("{ns}-plain"),
    );
    let entry = |name: &str, key: &str, strategy: &str| json!({"secretKey": name, "remoteRef": {"key": key, "decodingStrategy": strategy}});
    let spec = json!({
        "data": [entry("decoded", &encoded, "Base64"), entry("kept", &plain, "None")],
        "dataFrom": [{"extract": {"key": all, "decodingStrategy": "Auto"}}],
    });
    Case::new(
        &[
            (all, r#"{"payload":"YmFyLXZhbA==","name":"not base64"}"#),
            (encoded, "Zm9vLXZhbA=="),
            (plain, "Zm9vLXZhbA=="),
        ],
        spec,
        json!({"payload": "bar-val", "name": "not base64", "decoded": "foo-val", "kept": "Zm9vLXZhbA=="}),
    )
}

/// The target goes with the last secret of the vault; the test deletes those.
pub(super) fn deletion_policy_delete(ns: &str) -> Case {
    let mut case = simple_data_sync(ns);
    case.spec["target"] = json!({"name": super::TARGET, "deletionPolicy": "Delete"});
    case
}

/// Nothing changes: nothing is written.
pub(super) fn status_not_updated_after_successful_sync(ns: &str) -> Case {
    let mut case = simple_data_sync(ns);
    case.spec["refreshInterval"] = json!("1h");
    case
}

fn named_by_nobody(mut case: Case) -> Case {
    case.spec["target"] = json!({});
    case
}
