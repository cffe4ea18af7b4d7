//! What all kinds share: names of the interface with ESO, open enumerations, conditions, references to Secrets.
//! Knows no kind.

use std::fmt;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::schema;

/// API group of the core kinds.
pub const GROUP: &str = "external-secrets.io";
/// Version the operator reads and writes, and the stored one.
pub const VERSION: &str = "v1";
/// Older version, served with the same schema.
pub const VERSION_BETA: &str = "v1beta1";
/// API group of the generators.
pub const GENERATOR_GROUP: &str = "generators.external-secrets.io";

/// Label on every target, value [`MANAGED_VALUE`].
pub const MANAGED_LABEL: &str = "reconcile.external-secrets.io/managed";
/// Value of [`MANAGED_LABEL`].
pub const MANAGED_VALUE: &str = "true";
/// Label on targets of `creationPolicy: Owner`: SHA3-224 of `<namespace>/<name>`.
pub const OWNER_LABEL: &str = "reconcile.external-secrets.io/created-by";
/// Annotation on every target: SHA3-224 of its data.
pub const DATA_HASH_ANNOTATION: &str = "reconcile.external-secrets.io/data-hash";
/// Label on the CRDs, value [`COMPONENT_VALUE`].
pub const COMPONENT_LABEL: &str = "external-secrets.io/component";
/// Value of [`COMPONENT_LABEL`].
pub const COMPONENT_VALUE: &str = "controller";

/// Finalizer of an ExternalSecret.
pub const EXTERNAL_SECRET_FINALIZER: &str =
    "externalsecrets.external-secrets.io/externalsecret-cleanup";
/// The controller class of a store that names none, and of an operator that is told none.
pub const DEFAULT_CONTROLLER_CLASS: &str = "default";

/// Declares an open enumeration: listed values in the schema, any text in `Unknown` when decoded, written back verbatim.
/// The first variant is the default.
macro_rules! open_enum {
    ($(#[$doc:meta])* $name:ident { $first:ident = $first_text:literal $(, $variant:ident = $text:literal)* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(from = "String", into = "String")]
        pub enum $name {
            #[doc = concat!("`", $first_text, "`; the default.")]
            #[default]
            $first,
            $(#[doc = concat!("`", $text, "`")] $variant,)*
            /// A text that the schema does not list, verbatim.
            Unknown(String),
        }

        impl $name {
            /// What the schema lists.
            pub const VALUES: &[&str] = &[$first_text $(, $text)*];

            /// The text on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    Self::$first => $first_text,
                    $(Self::$variant => $text,)*
                    Self::Unknown(text) => text,
                }
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                match text.as_str() {
                    $first_text => Self::$first,
                    $($text => Self::$variant,)*
                    _ => Self::Unknown(text),
                }
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.as_str().to_owned()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({"type": "string", "enum": Self::VALUES})
            }
        }
    };
}
pub(crate) use open_enum;

/// What names an object of a known kind: its namespace, empty for kinds of the cluster, and its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NamespacedName {
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
}

impl NamespacedName {
    /// `namespace` and `name`.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    /// The name of `object`.
    pub fn of(object: &impl ResourceExt) -> Self {
        Self::new(object.namespace().unwrap_or_default(), object.name_any())
    }
}

impl fmt::Display for NamespacedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// One condition of a status.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// What the condition is about, e.g. Ready.
    #[serde(rename = "type")]
    pub type_: String,
    /// True, False or Unknown.
    pub status: String,
    /// One word for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// A sentence for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When the status last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_transition_time: Option<Time>,
}

impl Condition {
    /// The condition type that every kind has.
    pub const READY: &str = "Ready";

    /// Whether `status` is `True`.
    pub fn is_true(&self) -> bool {
        self.status == "True"
    }
}

/// One key of a Secret. An absent name or key is legal on the wire and fails when it is read, as in ESO.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct SecretKeySelector {
    /// Name of the Secret.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(schema_with = "schema::dns_subdomain")]
    pub name: String,
    /// Namespace of the Secret. A SecretStore reads only its own namespace; a ClusterSecretStore without it reads the
    /// namespace of the ExternalSecret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::namespace")]
    pub namespace: Option<String>,
    /// Key in the Secret's data.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(schema_with = "schema::data_key")]
    pub key: String,
}
