//! From the wire type to [`SyncSpec`], which later phases trust. Pure.

use std::collections::BTreeSet;

use kube::ResourceExt as _;

use crate::api::external_secret::{
    DataFrom, ExternalSecret, ExternalSecretData, ExternalSecretSpec, RefreshPolicy, SourceRef,
    StoreRef, Target, TargetTemplate, TemplateFrom,
};
use crate::api::secret_store::StoreKind;
use crate::controller::index::StoreKey;
use crate::secret::metadata_hash;
use crate::template::Place;

use super::policy::{Creation, Deletion};
use super::sync_spec::{
    DataEntry, DataFromEntry, DataFromQuery, RefreshRule, SyncSpec, TargetSpec,
};
use super::windows::Windows;

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
    /// A word that is none of those the API has.
    #[error("{field}: unknown value {word:?}; write {words}")]
    UnknownWord {
        /// The field.
        field: &'static str,
        /// What stands there.
        word: String,
        /// What may stand there.
        words: &'static str,
    },
    /// Two entries write one key; under deletionPolicy Retain that is a mistake.
    #[error("duplicate secretKey found: {0}; give each entry of spec.data a key of its own")]
    DuplicateKey(String),
    /// A reference to a store of a kind that does not exist.
    #[error("unsupported secret store kind: {0}; use SecretStore or ClusterSecretStore")]
    StoreKind(String),
    /// A Secret that the cluster would take for credentials of its own.
    #[error(
        "template.type={0:?} is not allowed: the cluster takes such a Secret for credentials of its \
         own; use another spec.target.template.type"
    )]
    Privileged(String),
    /// Neither `data` nor `dataFrom`.
    #[error("either data or dataFrom should be specified")]
    Empty,
}

/// Checks `object`.
///
/// # Errors
/// The first thing that keeps it from being synced.
pub fn validate(object: &ExternalSecret) -> Result<SyncSpec, Error> {
    let spec = &object.spec;
    if spec.data.is_empty() && spec.data_from.is_empty() {
        return Err(Error::Empty);
    }
    let namespace = object.namespace().unwrap_or_default();
    let entries = spec.data.iter().enumerate();
    let entries = entries
        .map(|(index, data)| entry(index, data, spec, &namespace))
        .collect::<Result<Vec<_>, _>>()?;
    let sources = spec.data_from.iter().enumerate();
    let sources = sources
        .filter_map(|(index, from)| source(index, from, spec, &namespace).transpose())
        .collect::<Result<Vec<_>, _>>()?;
    let target = target(object.target_name(), &spec.target)?;
    refuse_privileged(target.template.as_ref())?;
    if target.deletion == Deletion::Retain {
        refuse_duplicates(&entries)?;
    }
    Ok(SyncSpec {
        version: version(object),
        name: object.name_any(),
        uid: object.uid().unwrap_or_default(),
        labels: object.labels().clone(),
        annotations: object.annotations().clone(),
        target,
        refresh: refresh_rule(spec)?,
        windows: spec.sync_windows.as_ref().and_then(Windows::parse),
        sources,
        entries,
        namespace,
    })
}

/// `<generation>-<hash of labels and annotations>`: equal to the synced one while nothing changed.
pub fn version(object: &ExternalSecret) -> String {
    let hash = metadata_hash(object.annotations(), object.labels());
    format!("{}-{hash}", object.metadata.generation.unwrap_or_default())
}

fn target(name: &str, target: &Target) -> Result<TargetSpec, Error> {
    let unknown = |field, words| move |word| Error::UnknownWord { field, word, words };
    let creation = Creation::try_from(&target.creation_policy).map_err(unknown(
        "spec.target.creationPolicy",
        "Owner, Orphan, Merge, CreateOrMerge or None",
    ))?;
    let deletion = Deletion::try_from(&target.deletion_policy).map_err(unknown(
        "spec.target.deletionPolicy",
        "Retain, Delete or Merge",
    ))?;
    Ok(TargetSpec {
        name: name.to_owned(),
        creation,
        deletion,
        is_immutable: target.is_immutable(),
        manifest: target.manifest.clone(),
        template: target.template.clone(),
    })
}

fn entry(
    index: usize,
    data: &ExternalSecretData,
    spec: &ExternalSecretSpec,
    namespace: &str,
) -> Result<DataEntry, Error> {
    let store = source_store(data.source_ref.as_ref(), spec, namespace)?;
    let store = store.ok_or_else(|| Error::Unsupported {
        field: format!("spec.data[{index}].sourceRef.generatorRef"),
        remedy: "use sourceRef.storeRef, or a generator under spec.dataFrom",
    })?;
    Ok(DataEntry {
        index,
        secret_key: data.secret_key.clone(),
        remote_ref: data.remote_ref.clone(),
        store,
    })
}

/// `None` where the entry names a store and asks nothing of it: it adds nothing, as in ESO.
fn source(
    index: usize,
    from: &DataFrom,
    spec: &ExternalSecretSpec,
    namespace: &str,
) -> Result<Option<DataFromEntry>, Error> {
    let query = match (&from.find, &from.extract) {
        (Some(find), _) => Some(DataFromQuery::Find(find.clone())),
        (None, Some(remote_ref)) => Some(DataFromQuery::Extract(remote_ref.clone())),
        (None, None) => None,
    };
    let store = source_store(from.source_ref.as_ref(), spec, namespace)?;
    match (query, store) {
        (Some(query), Some(store)) => Ok(Some(DataFromEntry {
            index,
            query,
            store,
            rewrite: from.rewrite.clone(),
        })),
        (None, Some(_)) => Ok(None),
        (_, None) => Err(Error::Unsupported {
            field: format!("spec.dataFrom[{index}].sourceRef.generatorRef"),
            remedy: "make the value elsewhere and keep it in a store",
        }),
    }
}

/// The store that an entry reads from: its own, else the one for all; `None` for a generator.
fn source_store(
    source: Option<&SourceRef>,
    spec: &ExternalSecretSpec,
    namespace: &str,
) -> Result<Option<StoreKey>, Error> {
    let store = match source {
        None => spec.secret_store_ref.clone().unwrap_or_default(),
        Some(source) => match &source.store_ref {
            Some(store) => store.clone(),
            None if source.generator_ref.is_some() => return Ok(None),
            None => StoreRef::default(),
        },
    };
    store_key(&store, namespace).map(Some)
}

/// The store that `store` names in an object of `namespace`.
///
/// # Errors
/// The kind is none of the two.
pub fn store_key(store: &StoreRef, namespace: &str) -> Result<StoreKey, Error> {
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

/// Secrets that would be credentials of the cluster itself are not made from outside. The schema refuses them too; an old object may have one.
fn refuse_privileged(template: Option<&TargetTemplate>) -> Result<(), Error> {
    let Some(template) = template else {
        return Ok(());
    };
    let is_annotated = template.metadata.iter().any(|metadata| {
        let mut annotations = metadata.annotations.iter().flat_map(|map| map.keys());
        annotations.any(|key| key == "kubernetes.io/service-account.name")
    });
    let mut targets = template.template_from.iter().map(TemplateFrom::target);
    let annotates =
        is_annotated || targets.any(|target| Place::named(target) == Some(Place::Annotations));
    match template.type_.as_deref() {
        Some(kind @ "bootstrap.kubernetes.io/token") => Err(Error::Privileged(kind.to_owned())),
        Some(kind @ "kubernetes.io/service-account-token") if annotates => {
            Err(Error::Privileged(kind.to_owned()))
        }
        _ => Ok(()),
    }
}

fn refuse_duplicates(entries: &[DataEntry]) -> Result<(), Error> {
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
