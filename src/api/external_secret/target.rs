//! What values become: the target object and its template.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::meta::open_enum;
use crate::api::schema;

/// The object that is made (ESO's API reference).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = schema::rules(TARGET_RULES)))]
pub struct Target {
    /// Name of the target; the ExternalSecret's own if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::dns_subdomain")]
    pub name: Option<String>,
    /// Owner (create it, delete it with this object), Orphan (create it, leave it), Merge (write into an existing
    /// one), CreateOrMerge, or None (write nothing).
    #[serde(default)]
    pub creation_policy: CreationPolicy,
    /// When the vault no longer has the values: Retain (keep the target and say so), Delete (delete it), Merge (remove the keys).
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,
    /// Whether the Secret is made immutable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub immutable: Option<bool>,
    /// Kind of the target where it is not a Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Manifest>,
    /// Shape of the target: type, metadata and data rendered from the values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<TargetTemplate>,
}

const TARGET_RULES: &[(&str, &str)] = &[
    (
        "self.deletionPolicy != 'Delete' || !(self.creationPolicy in ['Merge', 'None', 'CreateOrMerge'])",
        "deletionPolicy=Delete must not be used when the controller doesn't own the secret. Please set creationPolicy=Owner",
    ),
    (
        "self.deletionPolicy != 'Merge' || self.creationPolicy != 'None'",
        "deletionPolicy=Merge must not be used with creationPolicy=None. There is no Secret to merge with",
    ),
    (
        "(has(self.manifest) && !(self.manifest.apiVersion == 'v1' && self.manifest.kind == 'Secret')) || !has(self.template) \
         || !has(self.template.templateFrom) || self.template.templateFrom.all(t, !has(t.target) \
         || t.target.lowerAscii() in ['', 'data', 'annotations', 'labels'])",
        "templateFrom target must be one of \"Data\", \"Annotations\" or \"Labels\" when targeting a Secret",
    ),
];

impl Target {
    /// Whether the Secret is made immutable.
    pub fn is_immutable(&self) -> bool {
        self.immutable.unwrap_or_default()
    }
}

open_enum! {
    /// Who makes the target and whose it is (ESO's API reference).
    CreationPolicy { Owner = "Owner", Orphan = "Orphan", Merge = "Merge", None = "None", CreateOrMerge = "CreateOrMerge" }
}
open_enum! {
    /// What becomes of the target when the provider has nothing any more (ESO's API reference).
    DeletionPolicy { Retain = "Retain", Delete = "Delete", Merge = "Merge" }
}

/// Kind of a target that is not a Secret (ESO's API reference).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// apiVersion of the target, e.g. v1.
    #[schemars(schema_with = "schema::non_empty")]
    pub api_version: String,
    /// Kind of the target, e.g. ConfigMap.
    #[schemars(schema_with = "schema::non_empty")]
    pub kind: String,
}

/// Shape of the target (ESO's API reference).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = schema::rules(TEMPLATE_RULES)))]
pub struct TargetTemplate {
    /// Type of the Secret, e.g. kubernetes.io/tls.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub type_: Option<String>,
    /// Template engine.
    #[serde(default)]
    pub engine_version: EngineVersion,
    /// Replace (default): only what the template renders; Merge: rendered keys beside the values.
    #[serde(default)]
    pub merge_policy: MergePolicy,
    /// Labels, annotations and finalizers. With a template the ExternalSecret's own labels and annotations are not copied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<TemplateMetadata>,
    /// Key to Go template; the values are at hand as .KEY.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<BTreeMap<String, String>>,
    /// Templates kept in ConfigMaps or Secrets of this namespace, or given literally.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub template_from: Vec<TemplateFrom>,
}

const TEMPLATE_RULES: &[(&str, &str)] = &[
    (
        "!has(self.type) || self.type != 'bootstrap.kubernetes.io/token'",
        "template.type=\"bootstrap.kubernetes.io/token\" is not allowed",
    ),
    (
        "!has(self.type) || self.type != 'kubernetes.io/service-account-token' || !has(self.metadata) || !has(self.metadata.annotations) \
         || !('kubernetes.io/service-account.name' in self.metadata.annotations)",
        "template.type=\"kubernetes.io/service-account-token\" with annotation \"kubernetes.io/service-account.name\" is not allowed",
    ),
    (
        "!has(self.type) || self.type != 'kubernetes.io/service-account-token' || !has(self.templateFrom) \
         || self.templateFrom.all(t, !has(t.target) || t.target.lowerAscii() != 'annotations')",
        "template.type=\"kubernetes.io/service-account-token\" with templateFrom target=\"Annotations\" is not allowed",
    ),
];

open_enum! {
    /// Template engine; there is one.
    EngineVersion { V2 = "v2" }
}
open_enum! {
    /// Whether rendered keys replace the values or stand beside them.
    MergePolicy { Replace = "Replace", Merge = "Merge" }
}

/// Metadata of the target; the values of labels and annotations are templates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TemplateMetadata {
    /// Annotations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
    /// Labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, String>>,
    /// Finalizers added to the target, never removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finalizers: Option<Vec<String>>,
}

/// One source of templates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TemplateFrom {
    /// A ConfigMap of this namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_map: Option<TemplateRef>,
    /// A Secret of this namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<TemplateRef>,
    /// A template that renders YAML: a map of keys to values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub literal: Option<String>,
    /// Where rendered keys go: Data (default), Annotations or Labels; a path where the target is not a Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub target: Option<String>,
    /// How rendered values are decoded: None (default), Base64, Base64URL or Auto.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values_decoding_strategy: Option<super::DecodingStrategy>,
}

impl TemplateFrom {
    /// Where rendered keys go.
    pub fn target(&self) -> &str {
        self.target
            .as_deref()
            .filter(|t| !t.is_empty())
            .unwrap_or("Data")
    }

    /// How rendered values are decoded.
    pub fn values_decoding_strategy(&self) -> super::DecodingStrategy {
        self.values_decoding_strategy.clone().unwrap_or_default()
    }
}

/// Keys of a ConfigMap or Secret that hold templates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TemplateRef {
    /// Name of the object.
    #[schemars(schema_with = "schema::dns_subdomain")]
    pub name: String,
    /// Its keys that are templates.
    pub items: Vec<TemplateItem>,
}

/// One key that holds a template.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TemplateItem {
    /// Key in the object's data.
    #[schemars(schema_with = "schema::data_key")]
    pub key: String,
    /// Values (default; renders the value of the key of this name) or KeysAndValues (renders a YAML map).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template_as: Option<TemplateScope>,
}

impl TemplateItem {
    /// What the template renders.
    pub fn template_as(&self) -> TemplateScope {
        self.template_as.clone().unwrap_or_default()
    }
}

open_enum! {
    /// What a template renders. Absent means `Values`.
    TemplateScope { Values = "Values", KeysAndValues = "KeysAndValues" }
}
