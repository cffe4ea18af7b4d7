//! ExternalSecret: which remote values become which Secret. This file holds the object itself and its status;
//! [`data`] says where values come from, [`target`] what they become.

mod data;
mod remote;
mod target;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use data::{
    ConflictPolicy, ConversionStrategy, DataFrom, DecodingStrategy, ExternalSecretData, Find,
    FindName, GeneratorKind, GeneratorRef, MergeStrategy, MetadataPolicy, NullBytePolicy,
    PriorityPolicy, RemoteRef, Rewrite, RewriteMerge, RewriteRegexp, RewriteTransform, SourceRef,
    StoreRef,
};
pub use remote::{RemoteError, RemoteObject, RemoteState};
pub use target::{
    CreationPolicy, DeletionPolicy, EngineVersion, Manifest, MergePolicy, Target, TargetTemplate,
    TemplateFrom, TemplateItem, TemplateMetadata, TemplateRef, TemplateScope,
};

use super::duration::GoDuration;
use super::meta::{Condition, open_enum};
use super::schema;

/// Spec of an ExternalSecret (ESO's API reference).
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    doc = "Which remote values become which Secret.",
    group = "external-secrets.io",
    version = "v1",
    kind = "ExternalSecret",
    plural = "externalsecrets",
    namespaced,
    status = "ExternalSecretStatus",
    derive = "PartialEq",
    derive = "Default"
)]
#[serde(rename_all = "camelCase")]
#[schemars(description = "What is wanted.")]
#[schemars(extend("x-kubernetes-validations" = schema::rules(SPEC_RULES)))]
pub struct ExternalSecretSpec {
    /// Store that all entries without a sourceRef read from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_store_ref: Option<StoreRef>,
    /// What is made of the values; by default a Secret with the name of the ExternalSecret.
    #[serde(default)]
    pub target: Target,
    /// When the vault is asked again: Periodic (default; every refreshInterval), OnChange (when this object changes) or
    /// CreatedOnce.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_policy: Option<RefreshPolicy>,
    /// Time between two refreshes, e.g. 15m or 1h. 0 reads the values once.
    #[serde(default = "default_refresh_interval")]
    pub refresh_interval: GoDuration,
    /// Times (UTC) at which periodic refreshes may or may not happen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sync_windows: Option<SyncWindows>,
    /// Single values: one remote value becomes one key. They win over dataFrom.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data: Vec<ExternalSecretData>,
    /// Many values at once; of two entries with the same key the later wins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub data_from: Vec<DataFrom>,
}

const SPEC_RULES: &[(&str, &str)] = &[
    (
        "(has(self.data) && size(self.data) > 0) || (has(self.dataFrom) && size(self.dataFrom) > 0)",
        "either data or dataFrom should be specified",
    ),
    // Making a map of the list fails on a key that is there already, and names it. Comparing each with each would need a
    // bound on the list to be affordable. (transformMapEntry: Kubernetes 1.33.)
    (
        "!has(self.data) || self.target.deletionPolicy != 'Retain' || size(self.data.transformMapEntry(i, d, {d.secretKey: i})) >= 0",
        "duplicate secretKey found",
    ),
];

fn default_refresh_interval() -> GoDuration {
    "1h0m0s".into()
}

open_enum! {
    /// When the provider is asked again. Absent means `Periodic`.
    RefreshPolicy { Periodic = "Periodic", CreatedOnce = "CreatedOnce", OnChange = "OnChange" }
}

open_enum! {
    /// Whether the windows are when refreshes may happen or when they may not.
    WindowKind { Allow = "allow", Deny = "deny" }
}

/// Maintenance windows (ESO's API reference).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SyncWindows {
    /// allow: refreshes happen only within the windows; deny: only outside.
    pub kind: WindowKind,
    /// The windows.
    #[schemars(length(min = 1, max = 1000))]
    pub windows: Vec<SyncWindow>,
}

/// One window: from each firing of `schedule`, for `duration`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SyncWindow {
    /// Cron expression (UTC) at which the window opens.
    #[schemars(schema_with = "schema::cron")]
    pub schedule: String,
    /// How long it stays open, e.g. 2h.
    pub duration: GoDuration,
}

impl ExternalSecretSpec {
    /// The refresh policy in force.
    pub fn refresh_policy(&self) -> RefreshPolicy {
        self.refresh_policy.clone().unwrap_or_default()
    }
}

impl ExternalSecret {
    /// The target's name: `spec.target.name`, else the object's own.
    pub fn target_name(&self) -> &str {
        let own = self.metadata.name.as_deref().unwrap_or_default();
        self.spec.target.name.as_deref().unwrap_or(own)
    }
}

/// Status of an ExternalSecret (ESO's API reference). `refreshTime` is written as null and `binding` as
/// `{name: ""}` until there is something to say, as ESO does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(description = "What was achieved.")]
pub struct ExternalSecretStatus {
    /// When the last successful refresh began.
    #[serde(default)]
    pub refresh_time: Option<Time>,
    /// Generation and metadata hash of the last successful sync.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub synced_resource_version: Option<String>,
    /// Ready: whether the target holds what this object asks for, and if not, why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// The Secret made, for servicebinding.io.
    #[serde(default)]
    #[schemars(extend("x-kubernetes-map-type" = "atomic"))]
    pub binding: Binding,
    /// The objects that the target was last made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<RemoteState>,
}

/// Name of the Secret made; empty before there is one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Binding {
    /// Name of the Secret.
    #[serde(default)]
    pub name: String,
}
