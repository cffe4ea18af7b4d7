//! What is to be kept in sync, checked and with every default filled in: later phases trust it.
//! Made by `validate`. Pure: values and what follows from them alone.

use std::collections::BTreeMap;

use k8s_openapi::jiff::SignedDuration;

use crate::api::external_secret::{
    Find, Manifest, MergePolicy, RemoteRef, Rewrite, TargetTemplate,
};
use crate::controller::index::StoreKey;

use super::policy::{Creation, Deletion};
use super::windows::Windows;

/// One ExternalSecret.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SyncSpec {
    /// Namespace of the ExternalSecret, its target and its SecretStores.
    pub namespace: String,
    /// Name of the ExternalSecret.
    pub name: String,
    /// Uid of the ExternalSecret.
    pub uid: String,
    /// What `status.syncedResourceVersion` will be: generation and hash of labels and annotations.
    pub version: String,
    /// Labels of the ExternalSecret, copied to the target where it has no template.
    pub labels: BTreeMap<String, String>,
    /// Annotations of the ExternalSecret, copied to the target where it has no template.
    pub annotations: BTreeMap<String, String>,
    /// What is made.
    pub target: TargetSpec,
    /// When to fetch again.
    pub refresh: RefreshRule,
    /// When periodic refreshes may happen, where that is limited.
    pub windows: Option<Windows>,
    /// `spec.dataFrom`, in order; later ones win.
    pub sources: Vec<DataFromEntry>,
    /// `spec.data`, in order; later ones win, and all of them over `sources`.
    pub entries: Vec<DataEntry>,
}

impl SyncSpec {
    /// The labels that the target gets as they are: the template's where there is one.
    pub fn target_labels(&self) -> Option<&BTreeMap<String, String>> {
        match &self.target.template {
            None => Some(&self.labels),
            Some(template) => template.metadata.as_ref()?.labels.as_ref(),
        }
    }

    /// The annotations that the target gets as they are: the template's where there is one.
    pub fn target_annotations(&self) -> Option<&BTreeMap<String, String>> {
        match &self.target.template {
            None => Some(&self.annotations),
            Some(template) => template.metadata.as_ref()?.annotations.as_ref(),
        }
    }

    /// Whether the fetched data goes into the target as it is.
    pub fn copies_data(&self) -> bool {
        self.target.template.as_ref().is_none_or(|template| {
            let renders_data = template.data.as_ref().is_some_and(|data| !data.is_empty())
                || !template.template_from.is_empty();
            template.merge_policy == MergePolicy::Merge || !renders_data
        })
    }
}

/// The target Secret.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TargetSpec {
    /// Its name.
    pub name: String,
    /// Who makes it and whose it is.
    pub creation: Creation,
    /// What becomes of it when the provider has nothing any more.
    pub deletion: Deletion,
    /// It is made immutable.
    pub is_immutable: bool,
    /// Its kind, where it is no Secret.
    pub manifest: Option<Manifest>,
    /// Its shape.
    pub template: Option<TargetTemplate>,
}

/// `refreshPolicy` and `refreshInterval` in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshRule {
    /// Each interval and on change; zero or less: once.
    Periodic(SignedDuration),
    /// On change only.
    OnChange,
    /// Once.
    CreatedOnce,
}

impl RefreshRule {
    /// The time between two refreshes, where there is one.
    pub fn interval(self) -> Option<SignedDuration> {
        match self {
            Self::Periodic(interval) if interval > SignedDuration::ZERO => Some(interval),
            _ => None,
        }
    }
}

impl Default for RefreshRule {
    fn default() -> Self {
        Self::Periodic(SignedDuration::from_hours(1))
    }
}

/// One entry of `spec.data`.
#[derive(Clone, Debug, PartialEq)]
pub struct DataEntry {
    /// Its index.
    pub index: usize,
    /// The key in the target.
    pub secret_key: String,
    /// The remote value.
    pub remote_ref: RemoteRef,
    /// Where it is read.
    pub store: StoreKey,
}

/// One entry of `spec.dataFrom`.
#[derive(Clone, Debug, PartialEq)]
pub struct DataFromEntry {
    /// Its index.
    pub index: usize,
    /// What is read.
    pub query: DataFromQuery,
    /// Where it is read.
    pub store: StoreKey,
    /// Changes to the keys, in order.
    pub rewrite: Vec<Rewrite>,
}

/// What a `dataFrom` entry reads.
#[derive(Clone, Debug, PartialEq)]
pub enum DataFromQuery {
    /// One JSON object.
    Extract(RemoteRef),
    /// All objects that match.
    Find(Find),
}

impl DataEntry {
    /// Where it stands, in ESO's words.
    pub fn place(&self) -> String {
        format!("spec.data[{}] (key: {})", self.index, self.remote_ref.key)
    }
}

impl DataFromEntry {
    /// Where it stands, in ESO's words.
    pub fn place(&self) -> String {
        format!("spec.dataFrom[{}].{}", self.index, self.query.field())
    }
}

impl DataFromQuery {
    /// The field's name, for messages.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Extract(_) => "extract",
            Self::Find(_) => "find",
        }
    }
}
