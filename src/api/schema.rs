//! Pieces of OpenAPI schema that several wire types share: name patterns, durations, CEL rules. Knows no kind.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

const DNS_SUBDOMAIN: &str = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";
const DNS_LABEL: &str = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";
const DATA_KEY: &str = "^[-._a-zA-Z0-9]+$";
const CRON: &str = r"^(@(annually|yearly|monthly|weekly|daily|midnight|hourly)|@every [^\s]+.*|[^\s]+( [^\s]+){4})$";

/// Name of an object.
pub(super) fn dns_subdomain(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "minLength": 1, "maxLength": 253, "pattern": DNS_SUBDOMAIN})
}

/// Name of a namespace.
pub(super) fn namespace(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "minLength": 1, "maxLength": 63, "pattern": DNS_LABEL})
}

/// Key in a Secret's or ConfigMap's data.
pub(super) fn data_key(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "minLength": 1, "maxLength": 253, "pattern": DATA_KEY})
}

/// Text of at least one character.
pub(super) fn non_empty(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "minLength": 1})
}

/// A cron expression of five fields, or a descriptor such as `@daily`.
pub(super) fn cron(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "minLength": 1, "pattern": CRON})
}

/// Anything: the controller validates it. CEL cannot see such a field.
pub(super) fn any(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"x-kubernetes-preserve-unknown-fields": true})
}

/// A label selector, without the Kubernetes API's long descriptions.
pub(super) fn label_selector(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "x-kubernetes-map-type": "atomic",
        "properties": {
            "matchLabels": {"type": "object", "additionalProperties": {"type": "string"}},
            "matchExpressions": {
                "type": "array",
                "x-kubernetes-list-type": "atomic",
                "items": {
                    "type": "object",
                    "required": ["key", "operator"],
                    "properties": {
                        "key": {"type": "string"},
                        "operator": {"type": "string"},
                        "values": {"type": "array", "x-kubernetes-list-type": "atomic", "items": {"type": "string"}},
                    },
                },
            },
        },
    })
}

/// Names of namespaces.
pub(super) fn namespaces(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "array", "items": namespace(generator)})
}

/// Regular expressions; evaluating one tells whether it compiles.
pub(super) fn regexes(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "maxItems": 50,
        "items": {
            "type": "string",
            "maxLength": 1536,
            "x-kubernetes-validations": rules(&[("''.matches(self) in [true, false]", "must be a regular expression (RE2)")]),
        },
    })
}

/// `x-kubernetes-validations` from (CEL rule, message) pairs.
pub(super) fn rules(pairs: &[(&str, &str)]) -> Value {
    pairs
        .iter()
        .map(|(rule, message)| json!({"rule": rule, "message": message}))
        .collect()
}
