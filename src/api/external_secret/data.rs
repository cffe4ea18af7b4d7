//! Where values come from: `data`, `dataFrom`, references to stores and generators, rewrites. Nothing here has a
//! schema default (GitOps tools would see a difference for ever): accessors say what absence means.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::meta::open_enum;
use crate::api::schema;
use crate::api::secret_store::StoreKind;

/// A store by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct StoreRef {
    /// Name of the store.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(schema_with = "schema::dns_subdomain")]
    pub name: String,
    /// SecretStore (default; in the same namespace) or ClusterSecretStore.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<StoreKind>,
}

impl StoreRef {
    /// The store's kind, `SecretStore` where none is named.
    pub fn kind(&self) -> StoreKind {
        self.kind.clone().unwrap_or_default()
    }
}

/// A generator by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GeneratorRef {
    /// API version of the generator; generators.external-secrets.io/v1alpha1 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// Kind of the generator.
    pub kind: GeneratorKind,
    /// Name of the generator.
    #[schemars(schema_with = "schema::dns_subdomain")]
    pub name: String,
}

open_enum! {
    /// Generator kinds that ESO knows.
    GeneratorKind {
        Password = "Password",
        AcrAccessToken = "ACRAccessToken",
        BeyondtrustWorkloadCredentialsDynamicSecret = "BeyondtrustWorkloadCredentialsDynamicSecret",
        ClusterGenerator = "ClusterGenerator",
        CloudsmithAccessToken = "CloudsmithAccessToken",
        EcrAuthorizationToken = "ECRAuthorizationToken",
        Fake = "Fake",
        GcrAccessToken = "GCRAccessToken",
        GithubAccessToken = "GithubAccessToken",
        GitlabDeployToken = "GitlabDeployToken",
        QuayAccessToken = "QuayAccessToken",
        SshKey = "SSHKey",
        StsSessionToken = "STSSessionToken",
        Uuid = "UUID",
        VaultDynamicSecret = "VaultDynamicSecret",
        Webhook = "Webhook",
        Grafana = "Grafana",
        Mfa = "MFA",
    }
}

/// A source other than `spec.secretStoreRef`: exactly one of the two.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub struct SourceRef {
    /// Another store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_ref: Option<StoreRef>,
    /// A generator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generator_ref: Option<GeneratorRef>,
}

/// One remote value for one key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExternalSecretData {
    /// Key in the target.
    #[schemars(schema_with = "schema::data_key")]
    pub secret_key: String,
    /// The remote value.
    pub remote_ref: RemoteRef,
    /// Store to read from instead of spec.secretStoreRef.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_ref: Option<SourceRef>,
}

/// Which remote object a value comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RemoteRef {
    /// Name of the remote object. Azure Key Vault: NAME or secret/NAME, key/NAME, cert/NAME.
    pub key: String,
    /// Path of a field in the object's JSON value (or a tag, with metadataPolicy Fetch).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub property: Option<String>,
    /// Version of the object; the latest if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Fetch reads the object's tags instead of its value; None (default) the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata_policy: Option<MetadataPolicy>,
    /// How characters that a key may not have are replaced: Default (by _) or Unicode (by _Uxxxx_).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversion_strategy: Option<ConversionStrategy>,
    /// How values are decoded: None (default), Base64, Base64URL or Auto.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decoding_strategy: Option<DecodingStrategy>,
    /// What is done about NUL bytes in a value: Ignore (default; keep them) or Fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub null_byte_policy: Option<NullBytePolicy>,
}

open_enum! {
    /// Value or tags. Absent means `None`.
    MetadataPolicy { None = "None", Fetch = "Fetch" }
}
open_enum! {
    /// How odd characters in keys are replaced. Absent means `Default`.
    ConversionStrategy { Default = "Default", Unicode = "Unicode" }
}
open_enum! {
    /// How values are decoded. Absent means `None`.
    DecodingStrategy { None = "None", Auto = "Auto", Base64 = "Base64", Base64Url = "Base64URL" }
}
open_enum! {
    /// What is done about NUL bytes. Absent means `Ignore`.
    NullBytePolicy { Ignore = "Ignore", Fail = "Fail" }
}

impl RemoteRef {
    /// Value or tags.
    pub fn metadata_policy(&self) -> MetadataPolicy {
        self.metadata_policy.clone().unwrap_or_default()
    }

    /// How odd characters in keys are replaced.
    pub fn conversion_strategy(&self) -> ConversionStrategy {
        self.conversion_strategy.clone().unwrap_or_default()
    }

    /// How values are decoded.
    pub fn decoding_strategy(&self) -> DecodingStrategy {
        self.decoding_strategy.clone().unwrap_or_default()
    }

    /// What is done about NUL bytes.
    pub fn null_byte_policy(&self) -> NullBytePolicy {
        self.null_byte_policy.clone().unwrap_or_default()
    }
}

/// Many remote values: one of `extract`, `find`, `sourceRef.generatorRef`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = schema::rules(DATA_FROM_RULES)))]
pub struct DataFrom {
    /// One remote JSON object: each of its members becomes a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extract: Option<RemoteRef>,
    /// All remote objects that match: each becomes a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub find: Option<Find>,
    /// Changes to the keys, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rewrite: Vec<Rewrite>,
    /// Store to read from instead of spec.secretStoreRef, or a generator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_ref: Option<SourceRef>,
}

const DATA_FROM_RULES: &[(&str, &str)] = &[
    (
        "[has(self.extract), has(self.find), has(self.sourceRef) && has(self.sourceRef.generatorRef)].filter(x, x).size() <= 1",
        "extract, find, or generatorRef cannot be set at the same time",
    ),
    (
        "has(self.extract) || has(self.find) || has(self.sourceRef)",
        "either extract, find, or sourceRef must be set to dataFrom",
    ),
];

/// Which remote objects are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Find {
    /// Where to look, for providers that have paths (Azure Key Vault has none).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Objects by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<FindName>,
    /// Objects that have all these tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
    /// As in remoteRef.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversion_strategy: Option<ConversionStrategy>,
    /// As in remoteRef.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decoding_strategy: Option<DecodingStrategy>,
    /// As in remoteRef.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub null_byte_policy: Option<NullBytePolicy>,
}

/// A name pattern.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FindName {
    /// Regular expression (RE2) that some part of the name matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regexp: Option<String>,
}

/// One change to the keys: exactly one of the three.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub struct Rewrite {
    /// Merges the objects found into one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge: Option<RewriteMerge>,
    /// Replaces by regular expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regexp: Option<RewriteRegexp>,
    /// Renders each key with a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transform: Option<RewriteTransform>,
}

/// Merge of the found objects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RewriteMerge {
    /// Key that strategy JSON writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub into: Option<String>,
    /// Keys that are merged last, in this order, so that they win.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub priority: Vec<String>,
    /// What is done about a priority key that was not found: Strict (default; fail) or IgnoreNotFound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority_policy: Option<PriorityPolicy>,
    /// What is done about a key that two objects have: Error (default) or Ignore (the later wins).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conflict_policy: Option<ConflictPolicy>,
    /// Extract (default) makes each member a key; JSON writes one JSON object into the key named by into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<MergeStrategy>,
}

open_enum! {
    /// What is done about an absent priority key. Absent means `Strict`.
    PriorityPolicy { Strict = "Strict", IgnoreNotFound = "IgnoreNotFound" }
}
open_enum! {
    /// What is done about a key that occurs twice. Absent means `Error`.
    ConflictPolicy { Error = "Error", Ignore = "Ignore" }
}
open_enum! {
    /// What a merge makes. Absent means `Extract`.
    MergeStrategy { Extract = "Extract", Json = "JSON" }
}

/// A regular expression and what replaces its matches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RewriteRegexp {
    /// Regular expression (RE2).
    pub source: String,
    /// Replacement; $1 or ${name} stand for groups.
    pub target: String,
}

/// A template for keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RewriteTransform {
    /// Go template; .value is the key.
    pub template: String,
}
