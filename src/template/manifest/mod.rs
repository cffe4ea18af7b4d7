//! Templates of a target that is no Secret: texts rendered into the fields of an object (docs/generic-targets.md). Pure. What a ConfigMap's or Secret's template renders is not rendered again,
//! unlike in ESO, where a value that holds `{{` is executed.

pub mod path;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::api::external_secret::{TargetTemplate, TemplateScope};
use crate::secret::{SecretData, SecretValue};

use super::engine::{self, Engine};
use super::{Error, Origin, Part, decoded, yaml};
use path::Path;

/// Where rendered keys go in an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// `data`
    Data,
    /// `metadata.annotations`
    Annotations,
    /// `metadata.labels`
    Labels,
    /// `spec`: each key a field of it; a map takes its place.
    Spec,
    /// A field anywhere but in `metadata`.
    At(Path),
}

/// Why `templateFrom[].target` names no field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// It is no path.
    #[error("templateFrom: {0}")]
    Path(#[from] path::Error),
    /// A Secret has no such part.
    #[error(
        "templateFrom target={0:?} is not allowed when targeting a Secret, must be one of \"Data\", \
         \"Annotations\" or \"Labels\""
    )]
    Secret(String),
    /// What the object is stays out of the templates' reach.
    #[error(
        "templateFrom target={0:?} is not allowed: apiVersion, kind, status and metadata other than \
         labels and annotations are not the template's; use another path"
    )]
    Reserved(String),
}

impl Field {
    /// The field that `target` names. A Secret has no other than its data, labels and annotations:
    /// by its type the cluster may take it for credentials of its own.
    ///
    /// # Errors
    /// It is no path, or one that leads to what makes the object itself.
    pub fn named(target: &str, is_secret: bool) -> Result<Self, FieldError> {
        match target.to_ascii_lowercase().as_str() {
            "" | "data" => return Ok(Self::Data),
            "annotations" | "metadata.annotations" => return Ok(Self::Annotations),
            "labels" | "metadata.labels" => return Ok(Self::Labels),
            _ if is_secret => return Err(FieldError::Secret(target.to_owned())),
            "spec" => return Ok(Self::Spec),
            _ => {}
        }
        let path = Path::parse(target)?;
        match path.root() {
            "apiVersion" | "kind" | "metadata" | "status" => {
                Err(FieldError::Reserved(target.to_owned()))
            }
            _ => Ok(Self::At(path)),
        }
    }
}

/// An object being filled.
#[derive(Debug)]
pub struct Object<'a> {
    /// `data` is base64, as in a Secret.
    pub is_secret: bool,
    /// Its labels.
    pub labels: &'a mut BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: &'a mut BTreeMap<String, String>,
    /// All its fields but metadata.
    pub fields: &'a mut Map<String, Value>,
}

/// Renders `parts` in order, then the template's own data; later writes win. The template's labels
/// and annotations are texts here and not rendered.
///
/// # Errors
/// The first text that fails.
pub fn render(
    engine: &Engine,
    template: Option<&TargetTemplate>,
    parts: &[Part<Field>],
    data: &SecretData,
    object: &mut Object<'_>,
) -> Result<(), Error> {
    let root = engine::root(data);
    for part in parts {
        match (&part.scope, &part.place) {
            (TemplateScope::KeysAndValues, Field::Spec) => {
                object
                    .fields
                    .insert("spec".to_owned(), part.document(engine, &root)?);
            }
            (TemplateScope::KeysAndValues, Field::At(path)) => {
                let rendered = part.document(engine, &root)?;
                merge(path.reach(object.fields)?, rendered, path);
            }
            (_, place) => {
                for (key, value) in super::part_values(engine, part, &root)? {
                    object.put(place, &key, &decoded(&key, &value, part)?)?;
                }
            }
        }
    }
    for (key, text) in template.iter().filter_map(|it| it.data.as_ref()).flatten() {
        let origin = Origin::Field(format!("spec.target.template.data.{key}"));
        let value = engine.render(key, text.as_bytes(), &origin, &root)?;
        object.put(&Field::Data, key, &value)?;
    }
    Ok(())
}

impl Part<Field> {
    /// The rendered text as a document.
    fn document(&self, engine: &Engine, root: &gotemplate::Value) -> Result<Value, Error> {
        let rendered = engine.render_several(self.text.expose(), &self.origin, root)?;
        yaml::to_json(&rendered).map_err(|error| Error::KeyValues(error.to_string()))
    }
}

impl Object<'_> {
    /// Writes the values as they were fetched, into `data` or into `spec.data`.
    ///
    /// # Errors
    /// The field is no map.
    pub fn copy(&mut self, data: &SecretData, in_spec: bool) -> Result<(), path::Error> {
        let is_secret = self.is_secret;
        let parent = if in_spec {
            path::map(self.fields, "spec")?
        } else {
            &mut *self.fields
        };
        let map = path::map(parent, "data")?;
        map.extend(
            data.iter()
                .map(|(key, value)| (key.clone(), text(value, is_secret).into())),
        );
        Ok(())
    }

    fn put(&mut self, field: &Field, key: &str, value: &SecretValue) -> Result<(), Error> {
        let key = key.to_owned();
        match field {
            Field::Annotations => drop(self.annotations.insert(key, text(value, false))),
            Field::Labels => drop(self.labels.insert(key, text(value, false))),
            Field::Spec => {
                let spec = path::map(self.fields, "spec")?;
                spec.insert(key, text(value, false).into());
            }
            Field::Data => {
                let data = path::map(self.fields, "data")?;
                data.insert(key, text(value, self.is_secret).into());
            }
            // every key goes to the same place, as in ESO
            Field::At(path) => {
                let parsed = yaml::to_json(value.expose());
                *path.reach(self.fields)? = parsed.unwrap_or_else(|_| text(value, false).into());
            }
        }
        Ok(())
    }
}

fn text(value: &SecretValue, in_base64: bool) -> String {
    if in_base64 {
        STANDARD.encode(value.expose())
    } else {
        String::from_utf8_lossy(value.expose()).into_owned()
    }
}

/// A map's keys are laid over those of another map below the root; everything else is replaced.
fn merge(present: &mut Value, rendered: Value, path: &Path) {
    match (present.as_object_mut(), rendered) {
        (Some(present), Value::Object(rendered)) if !path.is_single() => present.extend(rendered),
        (_, rendered) => *present = rendered,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::external_secret::DecodingStrategy;
    use crate::secret::data;

    /// The fields and labels that `parts` (target, scope, key, text) make of `fields`.
    fn rendered(
        fields: Value,
        parts: &[(&str, TemplateScope, &str, &str)],
    ) -> Result<(Value, BTreeMap<String, String>), String> {
        let Value::Object(mut fields) = fields else {
            return Err("no object".to_owned());
        };
        let parts = parts.iter().map(|(target, scope, key, text)| {
            Ok(Part {
                key: (*key).to_owned(),
                text: SecretValue::new(*text),
                origin: Origin::Field("spec.target.template.templateFrom[0].literal".to_owned()),
                scope: scope.clone(),
                place: Field::named(target, false)?,
                decoding: DecodingStrategy::None,
            })
        });
        let parts: Result<Vec<_>, FieldError> = parts.collect();
        let (mut labels, mut annotations) = (BTreeMap::new(), BTreeMap::new());
        let mut object = Object {
            is_secret: false,
            labels: &mut labels,
            annotations: &mut annotations,
            fields: &mut fields,
        };
        let data = data(&[("user", "app"), ("port", "5432"), ("nested", "{{ .user }}")]);
        let parts = parts.map_err(|error| error.to_string())?;
        render(&Engine::default(), None, &parts, &data, &mut object)
            .map_err(|error| error.to_string())?;
        Ok((Value::Object(fields), labels))
    }

    #[test]
    fn values_at_a_path_are_yaml_where_they_can_be() {
        let (fields, labels) = rendered(
            json!({"spec": {}}),
            &[
                (
                    "spec.server.port",
                    TemplateScope::Values,
                    "p",
                    "{{ .port }}",
                ),
                (
                    "spec.server.user",
                    TemplateScope::Values,
                    "u",
                    "{{ .user }}: [x",
                ),
                ("spec", TemplateScope::Values, "plain", "{{ .port }}"),
                ("labels", TemplateScope::Values, "team", "{{ .user }}"),
            ],
        )
        .unwrap();
        assert_eq!(
            fields,
            json!({"spec": {"server": {"port": 5432, "user": "app: [x"}, "plain": "5432"}})
        );
        assert_eq!(labels["team"], "app");
    }

    #[test]
    fn maps_are_laid_over_each_other_below_the_root_and_replaced_at_it() {
        let both = TemplateScope::KeysAndValues;
        let (fields, _) = rendered(
            json!({"spec": {"a": {"kept": 1, "m": 1}}}),
            &[("spec.a", both.clone(), "", "m: 2\nlist: [1, {{ .user }}]")],
        )
        .unwrap();
        assert_eq!(
            fields,
            json!({"spec": {"a": {"kept": 1, "m": 2, "list": [1, "app"]}}})
        );
        let (fields, _) =
            rendered(json!({"spec": {"a": 1}}), &[("spec", both, "", "b: 2")]).unwrap();
        assert_eq!(fields, json!({"spec": {"b": 2}}));
    }

    #[test]
    fn a_rendered_text_is_not_rendered_again() {
        let (fields, _) = rendered(
            json!({"data": {}}),
            &[("Data", TemplateScope::Values, "k", "{{ .nested }}")],
        )
        .unwrap();
        assert_eq!(fields, json!({"data": {"k": "{{ .user }}"}}));
    }

    #[test]
    fn what_makes_the_object_itself_is_out_of_reach() {
        for target in [
            "kind",
            "metadata.ownerReferences",
            "status.phase",
            "apiVersion",
        ] {
            let error = rendered(json!({}), &[(target, TemplateScope::Values, "k", "v")]);
            assert!(error.unwrap_err().contains("is not allowed"), "{target}");
        }
        assert!(Field::named("type", true).is_err());
        let error = rendered(json!({}), &[("a..b", TemplateScope::Values, "k", "v")]);
        assert!(error.unwrap_err().contains("a step has no name"));
    }
}
