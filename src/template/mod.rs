//! `spec.target.template`: what templates make of the fetched values (ESO's guide "Advanced
//! templating"). Pure: whoever calls has read the ConfigMaps and Secrets.

mod engine;
mod error;
mod excerpt;
pub mod functions;
pub mod manifest;
pub mod yaml;

use std::collections::BTreeMap;

use crate::api::external_secret::{DecodingStrategy, TargetTemplate, TemplateScope};
use crate::secret::{SecretData, SecretValue, decoding};

pub use engine::{Delimiters, Engine, rename};
pub use error::Error;
pub use excerpt::{Excerpt, Origin};

/// What a template made.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rendered {
    /// Keys and values of the target.
    pub data: SecretData,
    /// Labels of the target.
    pub labels: BTreeMap<String, String>,
    /// Annotations of the target.
    pub annotations: BTreeMap<String, String>,
}

/// Where rendered keys go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// The data.
    #[default]
    Data,
    /// The annotations.
    Annotations,
    /// The labels.
    Labels,
}

impl Place {
    /// The place that `templateFrom[].target` names; `None` where a Secret has none of this name.
    pub fn named(target: &str) -> Option<Self> {
        match target.to_ascii_lowercase().as_str() {
            "" | "data" => Some(Self::Data),
            "annotations" => Some(Self::Annotations),
            "labels" => Some(Self::Labels),
            _ => None,
        }
    }
}

/// One template text of `templateFrom`.
#[derive(Clone, Debug, PartialEq)]
pub struct Part<P = Place> {
    /// The item's key: what a text of scope `Values` renders the value of.
    pub key: String,
    /// The text. It may come from a Secret.
    pub text: SecretValue,
    /// Where it stands.
    pub origin: Origin,
    /// What it renders.
    pub scope: TemplateScope,
    /// Where that goes.
    pub place: P,
    /// How rendered values are decoded.
    pub decoding: DecodingStrategy,
}

/// Renders `parts` in order, then the template's own data, labels and annotations; later writes
/// win.
///
/// # Errors
/// The first text that fails; nothing is rendered then.
pub fn render(
    engine: &Engine,
    template: &TargetTemplate,
    parts: &[Part],
    data: &SecretData,
) -> Result<Rendered, Error> {
    let root = engine::root(data);
    let mut rendered = Rendered::default();
    for part in parts {
        for (key, value) in part_values(engine, part, &root)? {
            let value = decoded(&key, &value, part)?;
            rendered.put(part.place, key, value);
        }
    }
    let metadata = template.metadata.as_ref();
    let labels = metadata.and_then(|it| it.labels.as_ref());
    let annotations = metadata.and_then(|it| it.annotations.as_ref());
    let own = [
        (Place::Data, "data", template.data.as_ref()),
        (Place::Labels, "metadata.labels", labels),
        (Place::Annotations, "metadata.annotations", annotations),
    ];
    for (place, field, texts) in own {
        for (key, text) in texts.into_iter().flatten() {
            let origin = Origin::Field(format!("spec.target.template.{field}.{key}"));
            let value = engine.render(key, text.as_bytes(), &origin, &root)?;
            rendered.put(place, key.clone(), value);
        }
    }
    Ok(rendered)
}

/// The value as `part` wants it decoded.
fn decoded<P>(key: &str, value: &SecretValue, part: &Part<P>) -> Result<SecretValue, Error> {
    let decoded = decoding::decode(value, &part.decoding);
    decoded.map_err(|source| Error::Decode {
        key: key.to_owned(),
        source,
    })
}

fn part_values<P>(
    engine: &Engine,
    part: &Part<P>,
    root: &gotemplate::Value,
) -> Result<Vec<(String, SecretValue)>, Error> {
    let text = part.text.expose();
    match part.scope {
        TemplateScope::KeysAndValues => engine.render_key_values(text, &part.origin, root),
        TemplateScope::Values | TemplateScope::Unknown(_) => {
            let value = engine.render(&part.key, text, &part.origin, root)?;
            Ok(vec![(part.key.clone(), value)])
        }
    }
}

impl Rendered {
    fn put(&mut self, place: Place, key: String, value: SecretValue) {
        // labels and annotations are text
        let text = || String::from_utf8_lossy(value.expose()).into_owned();
        match place {
            Place::Data => drop(self.data.insert(key, value)),
            Place::Labels => drop(self.labels.insert(key, text())),
            Place::Annotations => drop(self.annotations.insert(key, text())),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::secret::data;

    fn template(value: serde_json::Value) -> TargetTemplate {
        serde_json::from_value(value).unwrap()
    }

    fn part(key: &str, text: &str, scope: TemplateScope, place: Place) -> Part {
        Part {
            key: key.to_owned(),
            text: SecretValue::new(text),
            origin: Origin::Field("spec.target.template.templateFrom[0].literal".to_owned()),
            scope,
            place,
            decoding: DecodingStrategy::None,
        }
    }

    #[test]
    fn own_texts_win_over_those_of_others() {
        let template = template(json!({
            "data": {"dsn": "pg://{{ .user }}"},
            "metadata": {"labels": {"user": "{{ .user }}"}, "annotations": {"n": "{{ len .user }}"}},
        }));
        let parts = [
            part("dsn", "overwritten", TemplateScope::Values, Place::Data),
            part("more", "{{ .user }}!", TemplateScope::Values, Place::Data),
            part(
                "",
                "team: {{ .user }}\n",
                TemplateScope::KeysAndValues,
                Place::Labels,
            ),
        ];
        let engine = Engine::default();
        let rendered = render(&engine, &template, &parts, &data(&[("user", "app")])).unwrap();
        assert_eq!(
            rendered.data,
            data(&[("dsn", "pg://app"), ("more", "app!")])
        );
        let labels: Vec<_> = rendered.labels.iter().collect();
        assert_eq!(labels.len(), 2);
        assert_eq!(rendered.labels["team"], "app");
        assert_eq!(rendered.annotations["n"], "3");
    }

    #[test]
    fn a_missing_key_is_an_error_that_names_key_and_place() {
        let template = template(json!({"data": {"dsn": "x\n{{ .nope }}"}}));
        let data = data(&[("user", "hunter2")]);
        let error = render(&Engine::default(), &template, &[], &data)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("unable to execute template at key dsn: template: dsn:2:"),
            "{error}"
        );
        assert!(
            error.contains("nope") && !error.contains("hunter2"),
            "{error}"
        );
        let broken = self::template(json!({"data": {"dsn": "{{ .user"}}));
        let error = render(&Engine::default(), &broken, &[], &data)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("unable to parse template at key dsn"),
            "{error}"
        );
    }

    #[test]
    fn rendered_values_are_decoded_where_asked() {
        let mut decoded = part("k", "{{ .v }}", TemplateScope::Values, Place::Data);
        decoded.decoding = DecodingStrategy::Base64;
        let of = |value: &str| {
            let data = data(&[("v", value)]);
            render(
                &Engine::default(),
                &TargetTemplate::default(),
                std::slice::from_ref(&decoded),
                &data,
            )
        };
        assert_eq!(of("YmFy").unwrap().data, data(&[("k", "bar")]));
        let error = of("hunter2").unwrap_err().to_string();
        assert!(
            error.contains("for key k") && !error.contains("hunter2"),
            "{error}"
        );
    }

    #[test]
    fn keys_are_renamed_with_the_default_delimiters_and_without_strictness() {
        assert_eq!(engine::rename("pre-{{ .value }}", "a").unwrap(), "pre-a");
        assert_eq!(engine::rename("{{ .nope }}", "a").unwrap(), "<no value>");
        assert!(engine::rename("{{", "a").is_err());
    }
}
