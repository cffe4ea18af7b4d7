//! The object as it should be if the target is not a Secret. Pure: present object and fetched data in,
//! desired object out.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::ResourceExt as _;
use kube::core::{DynamicObject, TypeMeta};
use serde_json::{Map, Value, json};

use crate::api::external_secret::Manifest;
use crate::api::meta::{DATA_HASH_ANNOTATION, MANAGED_LABEL, MANAGED_VALUE};
use crate::controller::external_secret::spec::{Creation, SyncSpec};
use crate::controller::external_secret::target::build;
use crate::secret::{SecretData, value_hash};
use crate::template::manifest::{Field, Object, render};
use crate::template::{self, Engine, Part};

/// What the object is filled with.
pub struct Content<'a> {
    pub data: &'a SecretData,
    pub parts: &'a [Part<Field>],
    pub engine: &'a Engine,
}

/// Whether the kind is the core Secret.
pub fn is_secret(manifest: &Manifest) -> bool {
    manifest.api_version == "v1" && manifest.kind == "Secret"
}

/// The target as it should be. Under the policies that keep what others wrote it begins with the
/// present object, else with a blank one: only finalizers and owners of others stay then.
///
/// # Errors
/// A template fails.
pub fn object(
    spec: &SyncSpec,
    manifest: &Manifest,
    present: Option<&DynamicObject>,
    content: &Content<'_>,
) -> Result<DynamicObject, template::Error> {
    let mut wished = match present {
        Some(present) if spec.target.creation.keeps_others() => present.clone(),
        other => blank(spec, manifest, other),
    };
    fill(&mut wished, spec, manifest, content)?;
    let hash = content_hash(&wished.data);
    let metadata = &mut wished.metadata;
    let labels = metadata.labels.get_or_insert_default();
    labels.insert(MANAGED_LABEL.to_owned(), MANAGED_VALUE.to_owned());
    let annotations = metadata.annotations.get_or_insert_default();
    annotations.insert(DATA_HASH_ANNOTATION.to_owned(), hash);
    if spec.target.creation == Creation::Owner {
        build::own(metadata, spec);
    } else {
        build::disown(metadata, spec);
    }
    Ok(wished)
}

fn fill(
    wished: &mut DynamicObject,
    spec: &SyncSpec,
    manifest: &Manifest,
    content: &Content<'_>,
) -> Result<(), template::Error> {
    let labels = wished.metadata.labels.get_or_insert_default();
    labels.extend(spec.target_labels().into_iter().flatten().map(owned));
    let annotations = wished.metadata.annotations.get_or_insert_default();
    annotations.extend(spec.target_annotations().into_iter().flatten().map(owned));
    if !wished.data.is_object() {
        wished.data = json!({});
    }
    let fields = wished.data.as_object_mut();
    let mut none = Map::new();
    let mut object = Object {
        is_secret: is_secret(manifest),
        labels,
        annotations,
        fields: fields.unwrap_or(&mut none),
    };
    match &spec.target.template {
        Some(template) => {
            let Content {
                engine,
                parts,
                data,
            } = content;
            render(engine, Some(template), parts, data, &mut object)
        }
        None => Ok(object.copy(content.data, !has_data(manifest))?),
    }
}

fn owned((key, value): (&String, &String)) -> (String, String) {
    (key.clone(), value.clone())
}

/// Kinds whose content is `data`; that of the others is `spec`.
fn has_data(manifest: &Manifest) -> bool {
    manifest.api_version == "v1" && matches!(manifest.kind.as_str(), "ConfigMap" | "Secret")
}

fn blank(spec: &SyncSpec, manifest: &Manifest, present: Option<&DynamicObject>) -> DynamicObject {
    let kept = present.map(|present| &present.metadata);
    let content = if has_data(manifest) { "data" } else { "spec" };
    DynamicObject {
        types: Some(TypeMeta {
            api_version: manifest.api_version.clone(),
            kind: manifest.kind.clone(),
        }),
        metadata: ObjectMeta {
            name: Some(spec.target.name.clone()),
            namespace: Some(spec.namespace.clone()),
            uid: kept.and_then(|kept| kept.uid.clone()),
            resource_version: kept.and_then(|kept| kept.resource_version.clone()),
            finalizers: kept.and_then(|kept| kept.finalizers.clone()),
            owner_references: kept.and_then(|kept| kept.owner_references.clone()),
            ..ObjectMeta::default()
        },
        data: json!({content: {}}),
    }
}

/// Whether `present` is as it was last written: managed, and its hash still true.
pub fn is_valid(present: &DynamicObject) -> bool {
    is_managed(present)
        && present.annotations().get(DATA_HASH_ANNOTATION) == Some(&content_hash(&present.data))
}

/// Whether `present` carries the label of managed targets.
pub fn is_managed(present: &DynamicObject) -> bool {
    present.labels().get(MANAGED_LABEL).map(String::as_str) == Some(MANAGED_VALUE)
}

/// Whether writing `wished` over `present` would change anything that is ours to write.
pub fn differs(present: &DynamicObject, wished: &DynamicObject) -> bool {
    let content = |object: &DynamicObject| {
        let mut fields = object.data.as_object().cloned().unwrap_or_default();
        fields.remove("status");
        fields
    };
    let owners = |object: &DynamicObject| object.owner_references().to_vec();
    present.labels() != wished.labels()
        || present.annotations() != wished.annotations()
        || owners(present) != owners(wished)
        || content(present) != content(wished)
}

fn content_hash(fields: &Value) -> String {
    let content = fields.get("spec").or_else(|| fields.get("data"));
    value_hash(content.unwrap_or(&json!({})))
}
