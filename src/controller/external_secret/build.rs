//! The Secret that should stand (spec: external-secrets.md 2.7, 2.10). Pure: present Secret and
//! fetched data in, wished Secret out.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};

use crate::api::meta::{DATA_HASH_ANNOTATION, GROUP, MANAGED_LABEL, MANAGED_VALUE, OWNER_LABEL};
use crate::secret::{SecretData, data_hash, text_hash};

use super::validate::SyncSpec;

const MANAGER_PREFIX: &str = "externalsecrets.external-secrets.io/";
const MANAGER_BYTES: usize = 63;

/// The field manager under which the target of ExternalSecret `name` is written.
pub(super) fn field_manager(name: &str) -> String {
    if MANAGER_PREFIX.len() + name.len() > MANAGER_BYTES {
        format!("{MANAGER_PREFIX}sha3/{}", text_hash(name))
    } else {
        format!("{MANAGER_PREFIX}{name}")
    }
}

/// The value of the label that marks targets of this ExternalSecret.
pub(super) fn owner_hash(spec: &SyncSpec) -> String {
    text_hash(&format!("{}/{}", spec.namespace, spec.name))
}

/// The target as it should be: data replaced, labels and annotations of the ExternalSecret copied,
/// those copied earlier and gone since removed, everything else kept.
pub(super) fn secret(spec: &SyncSpec, present: Option<&Secret>, data: &SecretData) -> Secret {
    let mut wished = present.cloned().unwrap_or_else(|| blank(spec));
    let manager = field_manager(&spec.name);
    let ours_labels = managed_keys(&wished.metadata, &manager, "f:labels");
    let ours_annotations = managed_keys(&wished.metadata, &manager, "f:annotations");
    let labels = wished.metadata.labels.get_or_insert_default();
    labels.retain(|key, _| !ours_labels.contains(key));
    labels.extend(spec.labels.clone());
    labels.insert(MANAGED_LABEL.to_owned(), MANAGED_VALUE.to_owned());
    labels.insert(OWNER_LABEL.to_owned(), owner_hash(spec));
    let annotations = wished.metadata.annotations.get_or_insert_default();
    annotations.retain(|key, _| !ours_annotations.contains(key));
    annotations.extend(spec.annotations.clone());
    annotations.insert(DATA_HASH_ANNOTATION.to_owned(), hash_of(data));
    own(&mut wished.metadata, spec);
    wished.data = Some(
        data.iter()
            .map(|(key, value)| (key.clone(), ByteString(value.expose().to_vec())))
            .collect(),
    );
    wished
}

/// Whether writing `wished` over `present` would change anything.
pub(super) fn differs(present: &Secret, wished: &Secret) -> bool {
    let empty_is_absent = |map: &Option<BTreeMap<String, String>>| map.clone().unwrap_or_default();
    present.data.clone().unwrap_or_default() != wished.data.clone().unwrap_or_default()
        || present.type_ != wished.type_
        || present.immutable != wished.immutable
        || present.metadata.owner_references != wished.metadata.owner_references
        || empty_is_absent(&present.metadata.labels) != empty_is_absent(&wished.metadata.labels)
        || empty_is_absent(&present.metadata.annotations)
            != empty_is_absent(&wished.metadata.annotations)
}

/// Whether `present` is as it was last written: managed, and its data hash still true.
pub(super) fn is_valid(present: Option<&Secret>) -> bool {
    let Some(secret) = present else { return false };
    let has = |map: &Option<BTreeMap<String, String>>, key: &str, value: &str| {
        map.as_ref()
            .and_then(|map| map.get(key))
            .is_some_and(|have| have == value)
    };
    let data = secret
        .data
        .iter()
        .flatten()
        .map(|(key, value)| (key.as_str(), value.0.as_slice()));
    has(&secret.metadata.labels, MANAGED_LABEL, MANAGED_VALUE)
        && has(
            &secret.metadata.annotations,
            DATA_HASH_ANNOTATION,
            &data_hash(data),
        )
}

fn hash_of(data: &SecretData) -> String {
    data_hash(
        data.iter()
            .map(|(key, value)| (key.as_str(), value.expose())),
    )
}

fn blank(spec: &SyncSpec) -> Secret {
    Secret {
        metadata: ObjectMeta {
            name: Some(spec.target_name.clone()),
            namespace: Some(spec.namespace.clone()),
            ..ObjectMeta::default()
        },
        ..Secret::default()
    }
}

/// Makes the ExternalSecret the controller; an entry of the same kind and name (an old uid or
/// version) is replaced.
fn own(metadata: &mut ObjectMeta, spec: &SyncSpec) {
    let owner = OwnerReference {
        api_version: format!("{GROUP}/v1"),
        kind: "ExternalSecret".to_owned(),
        name: spec.name.clone(),
        uid: spec.uid.clone(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    };
    let owners = metadata.owner_references.get_or_insert_default();
    match owners
        .iter_mut()
        .find(|have| is_external_secret(have) && have.name == spec.name)
    {
        Some(entry) => *entry = owner,
        None => owners.push(owner),
    }
}

/// Whether the reference names an ExternalSecret of any version.
pub(super) fn is_external_secret(owner: &OwnerReference) -> bool {
    let group = owner.api_version.split_once('/').map(|(group, _)| group);
    owner.kind == "ExternalSecret" && group == Some(GROUP)
}

/// The keys below `metadata.<map>` that managedFields gives to `manager`, whatever the operation.
fn managed_keys(metadata: &ObjectMeta, manager: &str, map: &str) -> BTreeSet<String> {
    metadata
        .managed_fields
        .iter()
        .flatten()
        .filter(|entry| entry.manager.as_deref() == Some(manager))
        .filter_map(|entry| {
            entry
                .fields_v1
                .as_ref()?
                .0
                .get("f:metadata")?
                .get(map)?
                .as_object()
        })
        .flat_map(|fields| fields.keys())
        .filter_map(|field| field.strip_prefix("f:").map(str::to_owned))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::secret::SecretValue;

    use super::*;

    #[test]
    fn long_names_are_hashed_into_the_field_manager() {
        assert_eq!(
            field_manager("netbox"),
            "externalsecrets.external-secrets.io/netbox"
        );
        assert_eq!(
            field_manager("my-very-long-external-secret-x"),
            "externalsecrets.external-secrets.io/sha3/7bccf0330f0a19eae00b932e98afbd581a867476f17c0aa48fc63f31"
        );
        assert!(field_manager(&"x".repeat(27)).len() == 63);
    }

    #[test]
    fn labels_we_set_go_with_their_source_and_others_stay() {
        let present: Secret = serde_json::from_value(json!({"metadata": {
            "name": "app", "namespace": "g",
            "labels": {"mine": "1", "theirs": "2"},
            "annotations": {"note": "1", "kept": "2"},
            "managedFields": [{"manager": "externalsecrets.external-secrets.io/app", "operation": "Update",
                "fieldsV1": {"f:metadata": {
                    "f:labels": {".": {}, "f:mine": {}}, "f:annotations": {"f:note": {}}}}}],
        }}))
        .unwrap();
        let spec = SyncSpec {
            namespace: "g".to_owned(),
            name: "app".to_owned(),
            target_name: "app".to_owned(),
            labels: [("new".to_owned(), "3".to_owned())].into(),
            ..SyncSpec::default()
        };
        let data = SecretData::from([("A".to_owned(), SecretValue::new("x"))]);
        let wished = secret(&spec, Some(&present), &data);
        let labels: Vec<_> = wished
            .metadata
            .labels
            .iter()
            .flatten()
            .map(|(k, _)| k)
            .collect();
        assert_eq!(labels, ["new", OWNER_LABEL, MANAGED_LABEL, "theirs"]);
        let annotations: Vec<_> = wished
            .metadata
            .annotations
            .iter()
            .flatten()
            .map(|(k, _)| k)
            .collect();
        assert_eq!(annotations, ["kept", DATA_HASH_ANNOTATION]);
    }

    #[test]
    fn a_missing_or_unlabelled_target_is_not_valid() {
        assert!(!is_valid(None));
        assert!(!is_valid(Some(&Secret::default())));
    }
}
