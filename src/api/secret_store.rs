//! SecretStore and ClusterSecretStore: where values are kept. Both share spec and status.

use std::borrow::Cow;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use k8s_openapi::jiff::SignedDuration;
use kube::CustomResource;
use kube::core::object::{HasSpec, HasStatus};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::azure_kv::AzureKv;
use super::duration::{self, GoDuration};
use super::fake::Fake;
use super::meta::{Condition, GROUP, VERSION, open_enum};
use super::schema;

open_enum! {
    /// The two kinds of store. A reference that names none means `SecretStore`.
    StoreKind { SecretStore = "SecretStore", ClusterSecretStore = "ClusterSecretStore" }
}

/// Spec of both kinds of store (ESO's API reference).
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    doc = "A place outside the cluster where secrets are kept, for one namespace.",
    group = "external-secrets.io",
    version = "v1",
    kind = "SecretStore",
    plural = "secretstores",
    namespaced,
    status = "SecretStoreStatus",
    derive = "PartialEq",
    derive = "Default"
)]
#[serde(rename_all = "camelCase")]
#[schemars(description = "Where the secrets are and who may read them.")]
pub struct SecretStoreSpec {
    /// Class of the operator that serves this store; any if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controller: Option<String>,
    /// The backend: exactly one, azurekv or fake. Others are kept and reported as not supported.
    pub provider: StoreProvider,
    /// Accepted for compatibility; azurekv and fake ignore it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_settings: Option<RetrySettings>,
    /// Time between two validations of the store: seconds, or a duration such as 10m; 0 means the operator's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_interval: Option<StoreInterval>,
    /// ClusterSecretStore: which namespaces may use it; all if absent. One matching entry is enough.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub conditions: Vec<StoreCondition>,
}

/// Retries, as ESO's schema has them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RetrySettings {
    /// Number of retries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_retries: Option<i32>,
    /// Time between retries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_interval: Option<String>,
}

/// Namespaces that may use a ClusterSecretStore: any of the three (ESO's API reference).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StoreCondition {
    /// Namespaces by label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::label_selector")]
    pub namespace_selector: Option<LabelSelector>,
    /// Namespaces by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::namespaces")]
    pub namespaces: Vec<String>,
    /// Namespaces by regular expression (RE2) that some part of the name matches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::regexes")]
    pub namespace_regexes: Vec<String>,
}

/// A store's refresh interval: seconds, or a duration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum StoreInterval {
    /// Seconds.
    Seconds(i64),
    /// A duration in Go's notation.
    Text(GoDuration),
    /// Neither: the schema refuses it, an old object may have it.
    Other(Value),
}

/// Why a store's refresh interval is none; the words are ESO's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IntervalError {
    /// Not a duration.
    #[error("invalid refreshInterval {text:?}")]
    Invalid {
        /// What stands there.
        text: String,
        /// What is wrong with it.
        source: duration::Error,
    },
    /// Below zero.
    #[error("invalid refreshInterval {0}: must not be negative")]
    Negative(String),
}

impl StoreInterval {
    /// The interval; `None` for zero, which means the operator's default.
    pub fn parse(&self) -> Result<Option<SignedDuration>, IntervalError> {
        let (text, interval) = match self {
            Self::Seconds(seconds) => (seconds.to_string(), SignedDuration::from_secs(*seconds)),
            Self::Text(text) => (format!("{:?}", text.0), invalid_as(&text.0, text.parse())?),
            Self::Other(value) => {
                let text = value.to_string();
                let error = duration::Error::Invalid(text.clone());
                return invalid_as(&text, Err(error)).map(Some);
            }
        };
        if interval.is_negative() {
            return Err(IntervalError::Negative(text));
        }
        Ok((!interval.is_zero()).then_some(interval))
    }
}

fn invalid_as(
    text: &str,
    parsed: Result<SignedDuration, duration::Error>,
) -> Result<SignedDuration, IntervalError> {
    parsed.map_err(|source| IntervalError::Invalid {
        text: text.to_owned(),
        source,
    })
}

impl JsonSchema for StoreInterval {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "StoreInterval".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        duration::int_or_duration()
    }
}

/// `spec.provider` as it came; [`Self::backend`] decodes it, so that a block of another shape harms only its own store.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StoreProvider(pub Map<String, Value>);

// Only names: a block may hold what someone should have kept in a Secret.
impl std::fmt::Debug for StoreProvider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A store's backend.
#[derive(Clone, Debug, PartialEq)]
pub enum Backend {
    /// Azure Key Vault.
    AzureKv(Box<AzureKv>),
    /// Values in the store itself.
    Fake(Fake),
    /// A provider that this operator does not have.
    Unknown {
        /// Its key in `spec.provider`.
        name: String,
    },
}

/// Why a provider block cannot be decoded.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// None or several; the words are ESO's.
    #[error("secret stores must only have exactly one backend specified, found {0}")]
    NotOne(usize),
    /// The block has another shape than the schema says.
    #[error("decode spec.provider.{name}")]
    Malformed {
        /// The provider.
        name: String,
        /// Field and fault.
        source: serde_json::Error,
    },
}

impl StoreProvider {
    /// The one backend named.
    pub fn backend(&self) -> Result<Backend, ProviderError> {
        let mut named = self.0.iter().filter(|(_, block)| !block.is_null());
        let (Some((name, block)), None) = (named.next(), named.next()) else {
            return Err(ProviderError::NotOne(
                self.0.values().filter(|v| !v.is_null()).count(),
            ));
        };
        let malformed = |source| ProviderError::Malformed {
            name: name.clone(),
            source,
        };
        Ok(match name.as_str() {
            "azurekv" => {
                Backend::AzureKv(Box::new(AzureKv::deserialize(block).map_err(malformed)?))
            }
            "fake" => Backend::Fake(Fake::deserialize(block).map_err(malformed)?),
            _ => Backend::Unknown { name: name.clone() },
        })
    }
}

/// What [`StoreProvider`] looks like in the schema.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1, "x-kubernetes-preserve-unknown-fields" = true))]
struct ProviderSchema {
    /// Azure Key Vault.
    azurekv: Option<AzureKv>,
    /// Values that stand in the store itself, for tests and trials.
    fake: Option<Fake>,
}

impl JsonSchema for StoreProvider {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "StoreProvider".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        ProviderSchema::json_schema(generator)
    }
}

/// Status of both kinds of store.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "What was found out about the store.")]
pub struct SecretStoreStatus {
    /// Ready: whether the configuration is valid. Reachable: whether the vault answers with these credentials.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// ReadOnly, WriteOnly or ReadWrite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<String>,
}

/// A store for all namespaces. kube's derive makes one kind of one spec, so this kind is written out.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct ClusterSecretStore {
    /// Object metadata.
    pub metadata: ObjectMeta,
    /// Spec, shared with SecretStore.
    pub spec: SecretStoreSpec,
    /// Status, shared with SecretStore.
    #[serde(default)]
    pub status: Option<SecretStoreStatus>,
}

impl Serialize for ClusterSecretStore {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut object = serializer.serialize_struct("ClusterSecretStore", 5)?;
        object.serialize_field("apiVersion", &<Self as kube::Resource>::api_version(&()))?;
        object.serialize_field("kind", &<Self as kube::Resource>::kind(&()))?;
        object.serialize_field("metadata", &self.metadata)?;
        object.serialize_field("spec", &self.spec)?;
        match &self.status {
            Some(status) => object.serialize_field("status", status)?,
            None => object.skip_field("status")?,
        }
        object.end()
    }
}

impl kube::Resource for ClusterSecretStore {
    type DynamicType = ();
    type Scope = kube::core::ClusterResourceScope;

    fn kind((): &()) -> Cow<'_, str> {
        "ClusterSecretStore".into()
    }

    fn group((): &()) -> Cow<'_, str> {
        GROUP.into()
    }

    fn version((): &()) -> Cow<'_, str> {
        VERSION.into()
    }

    fn plural((): &()) -> Cow<'_, str> {
        "clustersecretstores".into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

impl HasSpec for ClusterSecretStore {
    type Spec = SecretStoreSpec;

    fn spec(&self) -> &SecretStoreSpec {
        &self.spec
    }

    fn spec_mut(&mut self) -> &mut SecretStoreSpec {
        &mut self.spec
    }
}

impl HasStatus for ClusterSecretStore {
    type Status = SecretStoreStatus;

    fn status(&self) -> Option<&SecretStoreStatus> {
        self.status.as_ref()
    }

    fn status_mut(&mut self) -> &mut Option<SecretStoreStatus> {
        &mut self.status
    }
}
