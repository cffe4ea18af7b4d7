//! From the wire type to [`SyncSpec`], which later phases trust. Pure.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::jiff::SignedDuration;
use kube::ResourceExt as _;

use crate::api::external_secret::{
    CreationPolicy, DecodingStrategy, DeletionPolicy, ExternalSecret, ExternalSecretData,
    ExternalSecretSpec, MetadataPolicy, NullBytePolicy, RefreshPolicy, RemoteRef, StoreRef, Target,
};
use crate::api::secret_store::StoreKind;
use crate::controller::dependents::{ObjectKey, Uses};
use crate::controller::stores::StoreKey;
use crate::secret::metadata_hash;

/// Why a spec cannot be synced as it is written. Nothing is fetched and the target stays.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// `spec.refreshInterval` is no duration.
    #[error("spec.refreshInterval: {0}; write it like 30s, 15m or 1h")]
    Interval(#[from] crate::api::duration::Error),
    /// A part of the API that this version does not serve yet.
    #[error("{field} is not supported yet; {remedy}")]
    Unsupported {
        /// The field, with its index.
        field: String,
        /// What to do instead.
        remedy: &'static str,
    },
    /// Two entries write one key; the later would win silently.
    #[error("duplicate secretKey found: {0}; give each entry of spec.data a key of its own")]
    DuplicateKey(String),
    /// A reference to a store of a kind that does not exist.
    #[error("unsupported secret store kind: {0}; use SecretStore or ClusterSecretStore")]
    StoreKind(String),
    /// Neither `data` nor `dataFrom`.
    #[error("either data or dataFrom should be specified")]
    Empty,
}

/// What is to be kept in step, checked and with every default filled in.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct SyncSpec {
    /// Namespace of the ExternalSecret, its target and its SecretStores.
    pub namespace: String,
    /// Name of the ExternalSecret.
    pub name: String,
    /// Uid of the ExternalSecret.
    pub uid: String,
    /// What `status.syncedResourceVersion` will be: generation and hash of labels and annotations.
    pub version: String,
    /// Labels of the ExternalSecret, copied to the target.
    pub labels: BTreeMap<String, String>,
    /// Annotations of the ExternalSecret, copied to the target.
    pub annotations: BTreeMap<String, String>,
    /// Name of the target Secret.
    pub target_name: String,
    /// When to fetch again.
    pub refresh: RefreshRule,
    /// What to fetch, in order; later entries win.
    pub entries: Vec<Entry>,
}

/// `refreshPolicy` and `refreshInterval` in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RefreshRule {
    /// Each interval and on change; zero or less: once.
    Periodic(SignedDuration),
    /// On change only.
    OnChange,
    /// Once.
    CreatedOnce,
}

impl Default for RefreshRule {
    fn default() -> Self {
        Self::Periodic(SignedDuration::from_hours(1))
    }
}

/// One entry of `spec.data`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    /// Its index.
    pub index: usize,
    /// The key in the target.
    pub secret_key: String,
    /// The remote value.
    pub remote_ref: RemoteRef,
    /// Where it is read.
    pub store: StoreKey,
}

/// Checks `object`.
///
/// # Errors
/// The first thing that keeps it from being synced.
pub(super) fn validate(object: &ExternalSecret) -> Result<SyncSpec, Error> {
    let spec = &object.spec;
    refuse_unsupported(spec)?;
    let namespace = object.namespace().unwrap_or_default();
    let entries = spec
        .data
        .iter()
        .enumerate()
        .map(|(index, data)| entry(index, data, spec, &namespace))
        .collect::<Result<Vec<_>, _>>()?;
    if entries.is_empty() {
        return Err(Error::Empty);
    }
    refuse_duplicates(&entries)?;
    Ok(SyncSpec {
        version: version(object),
        name: object.name_any(),
        uid: object.uid().unwrap_or_default(),
        labels: object.labels().clone(),
        annotations: object.annotations().clone(),
        target_name: object.target_name().to_owned(),
        refresh: refresh_rule(spec)?,
        entries,
        namespace,
    })
}

/// `<generation>-<hash of labels and annotations>`: equal to the synced one while nothing changed.
pub(super) fn version(object: &ExternalSecret) -> String {
    let hash = metadata_hash(object.annotations(), object.labels());
    format!("{}-{hash}", object.metadata.generation.unwrap_or_default())
}

/// What the object names, even where it cannot be synced: the index of dependents.
pub fn uses(object: &ExternalSecret) -> Uses {
    let namespace = object.namespace().unwrap_or_default();
    let spec = &object.spec;
    let entry_stores = spec
        .data
        .iter()
        .filter_map(|data| data.source_ref.as_ref()?.store_ref.as_ref());
    let from_stores = spec
        .data_from
        .iter()
        .filter_map(|from| from.source_ref.as_ref()?.store_ref.as_ref());
    let stores: BTreeSet<StoreKey> = spec
        .secret_store_ref
        .iter()
        .chain(entry_stores)
        .chain(from_stores)
        .filter_map(|store| store_key(store, &namespace).ok())
        .collect();
    let target: ObjectKey = (namespace, object.target_name().to_owned());
    Uses { stores, target }
}

fn entry(
    index: usize,
    data: &ExternalSecretData,
    spec: &ExternalSecretSpec,
    namespace: &str,
) -> Result<Entry, Error> {
    let remote_ref = &data.remote_ref;
    let unsupported = |field: &str, remedy| {
        Err(Error::Unsupported {
            field: format!("spec.data[{index}].{field}"),
            remedy,
        })
    };
    if remote_ref.decoding_strategy() != DecodingStrategy::None {
        return unsupported("remoteRef.decodingStrategy", "store the value decoded");
    }
    if remote_ref.metadata_policy() != MetadataPolicy::None {
        return unsupported(
            "remoteRef.metadataPolicy",
            "read the value instead of its tags",
        );
    }
    if remote_ref.null_byte_policy() != NullBytePolicy::Ignore {
        return unsupported("remoteRef.nullBytePolicy", "leave it unset");
    }
    let store_ref = match &data.source_ref {
        Some(source) => match &source.store_ref {
            Some(store_ref) => store_ref.clone(),
            None => return unsupported("sourceRef.generatorRef", "use sourceRef.storeRef"),
        },
        None => spec.secret_store_ref.clone().unwrap_or_default(),
    };
    Ok(Entry {
        index,
        secret_key: data.secret_key.clone(),
        remote_ref: remote_ref.clone(),
        store: store_key(&store_ref, namespace)?,
    })
}

fn store_key(store: &StoreRef, namespace: &str) -> Result<StoreKey, Error> {
    let name = store.name.clone();
    match store.kind() {
        StoreKind::SecretStore => Ok(StoreKey::Namespaced {
            namespace: namespace.to_owned(),
            name,
        }),
        StoreKind::ClusterSecretStore => Ok(StoreKey::Cluster { name }),
        StoreKind::Unknown(kind) => Err(Error::StoreKind(kind)),
    }
}

fn refuse_unsupported(spec: &ExternalSecretSpec) -> Result<(), Error> {
    let Target {
        creation_policy,
        deletion_policy,
        immutable,
        manifest,
        template,
        ..
    } = &spec.target;
    let parts: [(bool, &str, &str); 7] = [
        (
            !spec.data_from.is_empty(),
            "spec.dataFrom",
            "list the keys under spec.data",
        ),
        (spec.sync_windows.is_some(), "spec.syncWindows", "remove it"),
        (
            *creation_policy != CreationPolicy::Owner,
            "spec.target.creationPolicy",
            "use Owner",
        ),
        (
            *deletion_policy != DeletionPolicy::Retain,
            "spec.target.deletionPolicy",
            "use Retain",
        ),
        (
            *immutable == Some(true),
            "spec.target.immutable",
            "remove it",
        ),
        (manifest.is_some(), "spec.target.manifest", "remove it"),
        (template.is_some(), "spec.target.template", "remove it"),
    ];
    match parts.into_iter().find(|(is_used, ..)| *is_used) {
        Some((_, field, remedy)) => Err(Error::Unsupported {
            field: field.to_owned(),
            remedy,
        }),
        None => Ok(()),
    }
}

fn refuse_duplicates(entries: &[Entry]) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    match entries.iter().find(|entry| !seen.insert(&entry.secret_key)) {
        Some(entry) => Err(Error::DuplicateKey(entry.secret_key.clone())),
        None => Ok(()),
    }
}

fn refresh_rule(spec: &ExternalSecretSpec) -> Result<RefreshRule, Error> {
    Ok(match spec.refresh_policy() {
        RefreshPolicy::CreatedOnce => RefreshRule::CreatedOnce,
        RefreshPolicy::OnChange => RefreshRule::OnChange,
        // ESO treats what it does not know as Periodic; the schema refuses it
        RefreshPolicy::Periodic | RefreshPolicy::Unknown(_) => {
            RefreshRule::Periodic(spec.refresh_interval.parse()?)
        }
    })
}
