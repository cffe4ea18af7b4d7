//! The CustomResourceDefinitions: names, versions, columns, and the schemas that the wire types give, brought into the shape
//! of ESO's. Knows every kind; nothing else knows it.
//!
//! v1 is stored, v1beta1 is served with the same schema, so conversion `None` loses nothing in either direction.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};
use serde_saphyr::FlowSeq;

use super::external_secret::ExternalSecret;
use super::kinds::{KINDS, Kind, Served};
use super::meta::{COMPONENT_LABEL, COMPONENT_VALUE, VERSION};
use super::secret_store::SecretStore;

/// What the API server shows of a kind, and checks.
struct Definition {
    kind: &'static str,
    /// Name, type, path.
    columns: &'static [(&'static str, &'static str, &'static str)],
    /// v1 only, as in ESO.
    selectable: &'static [&'static str],
    schema: fn() -> Value,
}

const READY_REASON: &str = r#".status.conditions[?(@.type=="Ready")].reason"#;
const READY: &str = r#".status.conditions[?(@.type=="Ready")].status"#;
const REACHABLE: &str = r#".status.conditions[?(@.type=="Reachable")].status"#;

/// ESO's columns first and in its order: scripts count them.
const STORE_COLUMNS: &[(&str, &str, &str)] = &[
    ("AGE", "date", ".metadata.creationTimestamp"),
    ("Status", "string", READY_REASON),
    ("Capabilities", "string", ".status.capabilities"),
    ("Ready", "string", READY),
    ("Reachable", "string", REACHABLE),
];

const DEFINITIONS: &[Definition] = &[
    Definition {
        kind: "ExternalSecret",
        columns: &[
            ("StoreType", "string", ".spec.secretStoreRef.kind"),
            ("Store", "string", ".spec.secretStoreRef.name"),
            ("Refresh Interval", "string", ".spec.refreshInterval"),
            ("Status", "string", READY_REASON),
            ("Ready", "string", READY),
            ("Last Sync", "date", ".status.refreshTime"),
        ],
        selectable: &[
            ".spec.secretStoreRef.name",
            ".spec.secretStoreRef.kind",
            ".spec.target.name",
            ".spec.refreshInterval",
        ],
        schema: || derived_schema(&ExternalSecret::crd()),
    },
    Definition {
        kind: "SecretStore",
        columns: STORE_COLUMNS,
        selectable: &[],
        schema: || derived_schema(&SecretStore::crd()),
    },
    Definition {
        kind: "ClusterSecretStore",
        columns: STORE_COLUMNS,
        selectable: &[],
        schema: || {
            let mut schema = derived_schema(&SecretStore::crd());
            schema["description"] =
                json!("A place outside the cluster where secrets are kept, for all namespaces.");
            schema
        },
    },
];

/// All definitions, in the order in which they are installed.
pub fn all() -> Vec<CustomResourceDefinition> {
    let served = KINDS.iter().filter_map(|kind| {
        let definition = DEFINITIONS.iter().find(|it| it.kind == kind.name)?;
        Some((kind, kind.served.as_ref()?, definition))
    });
    served
        .map(|(kind, served, definition)| {
            serde_json::from_value(crd(kind, served, definition))
                .expect("the definition is built of JSON that the type describes")
        })
        .collect()
}

/// One definition as a YAML document, keys sorted.
pub fn to_yaml(definition: &CustomResourceDefinition) -> Result<String, YamlError> {
    let value = serde_json::to_value(definition).expect("a definition has string keys only");
    serde_saphyr::to_string(&Yaml(&value)).map_err(|source| YamlError {
        name: definition.metadata.name.clone().unwrap_or_default(),
        source,
    })
}

/// All definitions as one multi-document YAML text.
pub fn bundle_yaml() -> Result<String, YamlError> {
    all()
        .iter()
        .map(|crd| Ok(format!("---\n{}", to_yaml(crd)?)))
        .collect()
}

/// A definition that YAML cannot hold.
#[derive(Debug, thiserror::Error)]
#[error("write the definition of {name} as YAML")]
pub struct YamlError {
    name: String,
    source: serde_saphyr::ser::Error,
}

/// Writes lists of scalars in one line: `enum: [A, B]`.
struct Yaml<'v>(&'v Value);

impl Serialize for Yaml<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
                serializer.collect_seq(items.iter().map(Yaml))
            }
            Value::Array(items) => FlowSeq(items).serialize(serializer),
            Value::Object(members) => {
                serializer.collect_map(members.iter().map(|(key, value)| (key, Yaml(value))))
            }
            scalar => scalar.serialize(serializer),
        }
    }
}

fn crd(kind: &Kind, served: &Served, definition: &Definition) -> Value {
    let schema = (definition.schema)();
    let versions = served.versions.iter().enumerate();
    let versions = versions.map(|(index, name)| version(name, index == 0, &schema, definition));
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": format!("{}.{}", served.plural, kind.group),
            "labels": {COMPONENT_LABEL: COMPONENT_VALUE},
        },
        "spec": {
            "group": kind.group,
            "names": {
                "kind": kind.name,
                "listKind": format!("{}List", kind.name),
                "plural": served.plural,
                "singular": kind.name.to_lowercase(),
                "shortNames": [served.short],
                "categories": ["external-secrets"],
            },
            "scope": if served.is_namespaced { "Namespaced" } else { "Cluster" },
            "versions": versions.collect::<Value>(),
        },
    })
}

fn version(name: &str, is_stored: bool, schema: &Value, definition: &Definition) -> Value {
    let schema = if is_stored {
        schema.clone()
    } else {
        bare(schema)
    };
    let mut version = json!({
        "name": name,
        "served": true,
        "storage": is_stored,
        "subresources": {"status": {}},
        "schema": {"openAPIV3Schema": schema},
        "additionalPrinterColumns": definition.columns.iter()
            .map(|(name, type_, path)| json!({"name": name, "type": type_, "jsonPath": path}))
            .collect::<Value>(),
    });
    if !is_stored {
        version["deprecated"] = json!(true);
    } else if !definition.selectable.is_empty() {
        version["selectableFields"] = definition
            .selectable
            .iter()
            .map(|path| json!({"jsonPath": path}))
            .collect();
    }
    version
}

/// The same schema without descriptions but one: what is explained is v1. The two texts must differ: the API server lifts
/// schemas that are equal out of the versions, and then refuses `selectableFields`.
fn bare(schema: &Value) -> Value {
    fn strip(schema: &mut Value) {
        let Some(node) = schema.as_object_mut() else {
            return;
        };
        node.remove("description");
        for name in ["items", "additionalProperties"] {
            node.get_mut(name).map(strip);
        }
        if let Some(Value::Object(properties)) = node.get_mut("properties") {
            properties.values_mut().for_each(strip);
        }
    }
    let mut bare = schema.clone();
    strip(&mut bare);
    bare["description"] = json!(format!(
        "Older name of version {VERSION}, with the same fields."
    ));
    bare
}

/// The schema that kube derived, in ESO's shape.
fn derived_schema(derived: &CustomResourceDefinition) -> Value {
    let schema = derived
        .spec
        .versions
        .first()
        .and_then(|version| version.schema.as_ref());
    let mut schema =
        serde_json::to_value(schema.and_then(|schema| schema.open_api_v3_schema.as_ref()))
            .expect("a schema has string keys only");
    tidy(&mut schema, false);
    // An ExternalSecret's status says null and "" until there is more to say.
    if let Some(status) = schema.pointer_mut("/properties/status/properties")
        && status.get("binding").is_some()
    {
        status["refreshTime"]["nullable"] = json!(true);
        status["binding"]["properties"]["name"]["default"] = json!("");
    }
    schema
}

/// Takes away what the derive adds and ESO's schema does not have: titles, `nullable`, null among the values of an enumeration,
/// defaults that say nothing, and every default inside a list item (a GitOps tool would see a difference for ever).
fn tidy(schema: &mut Value, is_in_list: bool) {
    let Some(node) = schema.as_object_mut() else {
        return;
    };
    node.remove("title");
    node.remove("nullable");
    if is_in_list || node.get("default").is_some_and(says_nothing) {
        node.remove("default");
    }
    if let Some(Value::Array(values)) = node.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    if let Some(Value::String(text)) = node.get_mut("description") {
        *text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    if let Some(Value::Object(properties)) = node.get_mut("properties") {
        properties
            .values_mut()
            .for_each(|property| tidy(property, is_in_list));
    }
    if let Some(values) = node.get_mut("additionalProperties") {
        tidy(values, is_in_list);
    }
    if let Some(items) = node.get_mut("items") {
        tidy(items, true);
        // The list's own description is what is printed.
        items
            .as_object_mut()
            .map(|items: &mut Map<_, _>| items.remove("description"));
    }
}

fn says_nothing(default: &Value) -> bool {
    match default {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.values().all(says_nothing),
        _ => false,
    }
}
