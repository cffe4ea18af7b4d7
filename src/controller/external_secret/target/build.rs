//! The Secret as it should be, bit for bit as ESO builds it. Pure: present Secret and fetched data in,
//! desired Secret out.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};

use crate::api::meta::{DATA_HASH_ANNOTATION, GROUP, MANAGED_LABEL, MANAGED_VALUE, OWNER_LABEL};
use crate::controller::external_secret::spec::{Creation, SyncSpec};
use crate::secret::{SecretData, SecretValue, data_hash, text_hash};
use crate::template::Rendered;

const MANAGER_PREFIX: &str = "externalsecrets.external-secrets.io/";
const MANAGER_BYTES: usize = 63;

/// The field manager under which the target of ExternalSecret `name` is written.
pub fn field_manager(name: &str) -> String {
    if MANAGER_PREFIX.len() + name.len() > MANAGER_BYTES {
        format!("{MANAGER_PREFIX}sha3/{}", text_hash(name))
    } else {
        format!("{MANAGER_PREFIX}{name}")
    }
}

/// The value of the label that marks targets of this ExternalSecret.
pub fn owner_hash(spec: &SyncSpec) -> String {
    text_hash(&format!("{}/{}", spec.namespace, spec.name))
}

/// The target as it should be. `present` is what stands there, `rendered` what the template made of
/// `data`, where there is one. Everything that is not ours is kept, but for the data of others
/// where the policy says so.
pub fn secret(
    spec: &SyncSpec,
    present: Option<&Secret>,
    data: &SecretData,
    rendered: Option<&Rendered>,
) -> Secret {
    let mut wished = present.cloned().unwrap_or_else(|| blank(spec));
    if spec.target.is_immutable {
        wished.immutable = Some(true);
    }
    if present.is_none() || !spec.target.is_immutable {
        fill(&mut wished, spec, data, rendered);
    }
    let labels = wished.metadata.labels.get_or_insert_default();
    labels.insert(MANAGED_LABEL.to_owned(), MANAGED_VALUE.to_owned());
    if spec.target.creation == Creation::Owner {
        labels.insert(OWNER_LABEL.to_owned(), owner_hash(spec));
        own(&mut wished.metadata, spec);
    } else {
        labels.remove(OWNER_LABEL);
        disown(&mut wished.metadata, spec);
    }
    stamp(&mut wished);
    wished
}

/// Notes the hash of the data in the annotations.
pub fn stamp(secret: &mut Secret) {
    let hash = data_hash(bytes(secret));
    let annotations = secret.metadata.annotations.get_or_insert_default();
    annotations.insert(DATA_HASH_ANNOTATION.to_owned(), hash);
}

/// Puts in what the ExternalSecret asks for, in place of what it put in before.
fn fill(wished: &mut Secret, spec: &SyncSpec, data: &SecretData, rendered: Option<&Rendered>) {
    let manager = field_manager(&spec.name);
    let ours = |map: &str| managed_keys(&wished.metadata, &manager, map);
    let (labels, annotations) = (
        ours("f:metadata/f:labels"),
        ours("f:metadata/f:annotations"),
    );
    let keys = ours("f:data");
    let kept = wished.data.get_or_insert_default();
    if spec.target.creation.keeps_others() {
        kept.retain(|key, _| !keys.contains(key));
    } else {
        kept.clear();
    }
    if spec.copies_data() {
        kept.extend(data.iter().map(encoded));
    }
    kept.extend(
        rendered
            .iter()
            .flat_map(|made| made.data.iter().map(encoded)),
    );
    renew(&mut wished.metadata.labels, &labels, spec.target_labels());
    renew(
        &mut wished.metadata.annotations,
        &annotations,
        spec.target_annotations(),
    );
    if let Some(made) = rendered {
        wished
            .metadata
            .labels
            .get_or_insert_default()
            .extend(made.labels.clone());
        let annotations = wished.metadata.annotations.get_or_insert_default();
        annotations.extend(made.annotations.clone());
    }
    shape_by_template(wished, spec);
}

/// Type and finalizers, which only a template names.
fn shape_by_template(wished: &mut Secret, spec: &SyncSpec) {
    let Some(template) = &spec.target.template else {
        return;
    };
    if let Some(kind) = template.type_.as_ref().filter(|kind| !kind.is_empty()) {
        wished.type_ = Some(kind.clone());
    }
    let finalizers = template
        .metadata
        .iter()
        .flat_map(|metadata| &metadata.finalizers);
    if wished.metadata.deletion_timestamp.is_none() {
        for finalizer in finalizers.flatten() {
            let have = wished.metadata.finalizers.get_or_insert_default();
            if !have.contains(finalizer) {
                have.push(finalizer.clone());
            }
        }
    }
}

/// Takes `ours` out of `map` and puts `wished` in.
fn renew(
    map: &mut Option<BTreeMap<String, String>>,
    ours: &BTreeSet<String>,
    wished: Option<&BTreeMap<String, String>>,
) {
    let map = map.get_or_insert_default();
    map.retain(|key, _| !ours.contains(key));
    map.extend(
        wished
            .into_iter()
            .flatten()
            .map(|(k, v)| (k.clone(), v.clone())),
    );
}

fn encoded((key, value): (&String, &SecretValue)) -> (String, ByteString) {
    (key.clone(), ByteString(value.expose().to_vec()))
}

fn bytes(secret: &Secret) -> impl Iterator<Item = (&str, &[u8])> {
    let data = secret.data.iter().flatten();
    data.map(|(key, value)| (key.as_str(), value.0.as_slice()))
}

/// Whether writing `wished` over `present` would change anything.
pub fn differs(present: &Secret, wished: &Secret) -> bool {
    let empty_is_absent = |map: &Option<BTreeMap<String, String>>| map.clone().unwrap_or_default();
    present.data.clone().unwrap_or_default() != wished.data.clone().unwrap_or_default()
        || present.type_ != wished.type_
        || present.immutable != wished.immutable
        || present.metadata.finalizers != wished.metadata.finalizers
        || present.metadata.owner_references != wished.metadata.owner_references
        || empty_is_absent(&present.metadata.labels) != empty_is_absent(&wished.metadata.labels)
        || empty_is_absent(&present.metadata.annotations)
            != empty_is_absent(&wished.metadata.annotations)
}

/// Whether the target can wait for the next refresh: it is as it was last written, or nobody minds
/// it. Under creationPolicy None nothing ever is.
pub fn needs_no_write(spec: &SyncSpec, present: Option<&Secret>) -> bool {
    spec.target.creation == Creation::Orphan || is_valid(present)
}

/// Whether `present` is as it was last written: managed, and its data hash still true.
pub fn is_valid(present: Option<&Secret>) -> bool {
    let Some(secret) = present else { return false };
    let has = |map: &Option<BTreeMap<String, String>>, key: &str, value: &str| {
        map.as_ref()
            .and_then(|map| map.get(key))
            .is_some_and(|have| have == value)
    };
    has(&secret.metadata.labels, MANAGED_LABEL, MANAGED_VALUE)
        && has(
            &secret.metadata.annotations,
            DATA_HASH_ANNOTATION,
            &data_hash(bytes(secret)),
        )
}

/// Whether all that can be told without the values is as a refresh would write it, so that unchanged
/// values need no write. Rendered labels and annotations only have to be there.
pub fn is_untouched(spec: &SyncSpec, present: Option<&Secret>) -> bool {
    let Some(secret) = present.filter(|_| is_valid(present)) else {
        return false;
    };
    let is_rendered = spec.target.template.is_some();
    let holds = |have: &Option<BTreeMap<String, String>>,
                 want: Option<&BTreeMap<String, String>>| {
        want.into_iter().flatten().all(|(key, value)| {
            let found = have.as_ref().and_then(|have| have.get(key));
            found.is_some_and(|found| is_rendered || found == value)
        })
    };
    let template = spec.target.template.as_ref();
    let type_ = template.and_then(|template| template.type_.as_ref());
    let is_owned = match spec.target.creation {
        Creation::Owner => {
            let owners = secret.metadata.owner_references.iter().flatten();
            let mut owners = owners.filter(|owner| owner.controller == Some(true));
            let label = secret.metadata.labels.iter().flatten();
            owners.any(|owner| is_external_secret(owner) && owner.uid == spec.uid)
                && label
                    .into_iter()
                    .any(|(key, value)| key == OWNER_LABEL && *value == owner_hash(spec))
        }
        _ => true,
    };
    holds(&secret.metadata.labels, spec.target_labels())
        && holds(&secret.metadata.annotations, spec.target_annotations())
        && type_.is_none_or(|type_| type_.is_empty() || secret.type_.as_ref() == Some(type_))
        && (!spec.target.is_immutable || secret.immutable == Some(true))
        && is_owned
}

fn blank(spec: &SyncSpec) -> Secret {
    Secret {
        metadata: ObjectMeta {
            name: Some(spec.target.name.clone()),
            namespace: Some(spec.namespace.clone()),
            ..ObjectMeta::default()
        },
        ..Secret::default()
    }
}

/// Makes the ExternalSecret the controller; an entry of the same kind and name (an old uid or
/// version) is replaced.
pub fn own(metadata: &mut ObjectMeta, spec: &SyncSpec) {
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

/// Takes the reference to the ExternalSecret away, where it is the controller.
pub fn disown(metadata: &mut ObjectMeta, spec: &SyncSpec) {
    if let Some(owners) = &mut metadata.owner_references {
        owners.retain(|have| {
            !(have.controller == Some(true) && is_external_secret(have) && have.name == spec.name)
        });
    }
}

/// Whether something of `secret` was written for ExternalSecret `name`.
pub fn is_written_by(secret: &Secret, name: &str) -> bool {
    let manager = field_manager(name);
    let mut entries = secret.metadata.managed_fields.iter().flatten();
    entries.any(|entry| entry.manager.as_deref() == Some(&manager))
}

/// Whether the reference names an ExternalSecret of any version.
pub fn is_external_secret(owner: &OwnerReference) -> bool {
    let group = owner.api_version.split_once('/').map(|(group, _)| group);
    owner.kind == "ExternalSecret" && group == Some(GROUP)
}

/// The keys below `map` (a path of field names) that managedFields gives to `manager`, whatever the
/// operation.
fn managed_keys(metadata: &ObjectMeta, manager: &str, map: &str) -> BTreeSet<String> {
    let entries = metadata.managed_fields.iter().flatten();
    entries
        .filter(|entry| entry.manager.as_deref() == Some(manager))
        .filter_map(|entry| {
            let all = &entry.fields_v1.as_ref()?.0;
            let found = map.split('/').try_fold(all, |at, step| at.get(step));
            found?.as_object()
        })
        .flat_map(|fields| fields.keys())
        .filter_map(|field| field.strip_prefix("f:").map(str::to_owned))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controller::external_secret::spec::TargetSpec;

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
            target: TargetSpec {
                name: "app".to_owned(),
                ..TargetSpec::default()
            },
            labels: [("new".to_owned(), "3".to_owned())].into(),
            ..SyncSpec::default()
        };
        let data = SecretData::from([("A".to_owned(), SecretValue::new("x"))]);
        let wished = secret(&spec, Some(&present), &data, None);
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
