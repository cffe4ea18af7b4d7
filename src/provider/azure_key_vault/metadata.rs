//! `metadataPolicy: Fetch`: tags and times instead of the value (ESO's guide
//! "Azure Key Vault"). Pure.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use jiff::civil::{DateTime, date};
use serde::Deserialize;

use super::property::part;
use crate::provider::Error;
use crate::secret::{SecretData, SecretValue, go_json};

/// Tags as they are sent; a vault may say `null`.
pub(super) type Tags = BTreeMap<String, Option<String>>;

/// Times in seconds since 1970, and whether the object may be read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Attributes {
    pub(super) enabled: Option<bool>,
    pub(super) exp: Option<i64>,
    pub(super) nbf: Option<i64>,
    pub(super) created: Option<i64>,
    pub(super) updated: Option<i64>,
}

/// Tags and, as `attribute.created` and the like, times; by name.
#[derive(Debug)]
pub(super) struct Metadata(BTreeMap<String, String>);

impl Metadata {
    /// A time hides a tag of its name; tags without value are left out.
    pub(super) fn new(tags: Option<&Tags>, attributes: Option<&Attributes>) -> Self {
        let tags = tags.into_iter().flatten();
        let mut found: BTreeMap<_, _> = tags
            .filter_map(|(name, value)| Some((name.clone(), value.clone()?)))
            .collect();
        if let Some(at) = attributes {
            let times = [
                ("attribute.created", at.created),
                ("attribute.expires", at.exp),
                ("attribute.notBefore", at.nbf),
                ("attribute.updated", at.updated),
            ];
            let known = times
                .into_iter()
                .filter_map(|(name, at)| Some((name.to_owned(), rfc3339(at?)?)));
            found.extend(known);
        }
        Self(found)
    }

    /// The value of one tag, a part of it (`tag.path`), or without property all of them as a JSON
    /// object.
    pub(super) fn select(&self, property: Option<&str>) -> Result<SecretValue, Error> {
        let Some(property) = property else {
            let all = go_json::serialized(&self.0).map_err(|error| invalid(error.to_string()))?;
            return Ok(SecretValue::new(all));
        };
        if let Some(value) = self.0.get(property) {
            return Ok(SecretValue::new(value.as_str()));
        }
        let split = property.split_once('.');
        let tag = split.and_then(|(tag, path)| Some((self.0.get(tag)?, path)));
        let Some((value, path)) = tag else {
            return Err(invalid(format!(
                "tag {property} does not exist; check remoteRef.property, or tag the object"
            )));
        };
        part(&SecretValue::new(value.as_str()), path, property)
    }

    /// One value per tag, named `NAME_tag`; a tag that is a JSON object of texts becomes one value
    /// per member, named `NAME_tag_member`.
    pub(super) fn spread(&self, name: &str) -> SecretData {
        let mut data = SecretData::new();
        for (tag, value) in &self.0 {
            let Some(members) = texts(value) else {
                let value = SecretValue::new(value.as_str());
                data.insert(format!("{name}_{tag}"), value);
                continue;
            };
            data.extend(members.into_iter().map(|(member, text)| {
                let value = SecretValue::new(text.unwrap_or_default());
                (format!("{name}_{tag}_{member}"), value)
            }));
        }
        data
    }
}

/// A JSON object whose members are all texts; `null` stands for the empty one, and for an empty
/// text.
fn texts(value: &str) -> Option<BTreeMap<String, Option<String>>> {
    let parsed: Option<_> = serde_json::from_str(value).ok()?;
    Some(parsed.unwrap_or_default())
}

/// `2027-01-01T00:00:00Z`; `None` beyond the year 9999. Not by way of an instant: the crate's end
/// a day before the last of that year, which is how vaults are told "never".
fn rfc3339(seconds: i64) -> Option<String> {
    let epoch: DateTime = date(1970, 1, 1).at(0, 0, 0, 0);
    let at = epoch.checked_add(SignedDuration::from_secs(seconds)).ok()?;
    Some(at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

fn invalid(message: String) -> Error {
    Error::Invalid { message }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of the specification (13.4), with texts that Go escapes.
    fn metadata() -> Metadata {
        let tags = [
            ("env", Some("prod")),
            ("conf", Some(r#"{"a":{"b":"c"},"x.y":"z"}"#)),
            ("flat", Some(r#"{"u":"1","v":"2"}"#)),
            ("lt", Some("<&>")),
            ("none", None),
            ("attribute.created", Some("hidden")),
        ];
        let tags: Tags = tags
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.map(str::to_owned)))
            .collect();
        let attributes = Attributes {
            exp: Some(1_798_761_600),
            created: Some(1_735_689_600),
            ..Attributes::default()
        };
        Metadata::new(Some(&tags), Some(&attributes))
    }

    fn selected(property: &str) -> String {
        match metadata().select(Some(property)) {
            Ok(value) => value.expose_text().unwrap().to_owned(),
            Err(error) => format!("error: {error}"),
        }
    }

    #[test]
    fn without_property_all_is_one_object() {
        let all = metadata().select(None).unwrap();
        assert_eq!(
            all.expose_text().unwrap(),
            r#"{"attribute.created":"2025-01-01T00:00:00Z","attribute.expires":"2027-01-01T00:00:00Z","conf":"{\"a\":{\"b\":\"c\"},\"x.y\":\"z\"}","env":"prod","flat":"{\"u\":\"1\",\"v\":\"2\"}","lt":"\u003c\u0026\u003e"}"#
        );
        let none = Metadata::new(None, None).select(None).unwrap();
        assert_eq!(none.expose_text(), Some("{}"));
    }

    #[test]
    fn a_property_is_a_tag_or_a_path_into_one() {
        let vectors = [
            ("env", "prod"),
            ("conf.a.b", "c"),
            ("conf.x.y", "z"),
            ("conf.a", r#"{"b":"c"}"#),
            ("attribute.expires", "2027-01-01T00:00:00Z"),
            ("attribute.created", "2025-01-01T00:00:00Z"),
        ];
        for (property, want) in vectors {
            assert_eq!(selected(property), want, "{property}");
        }
        let failures = [
            (
                "conf.zz",
                "error: property zz does not exist in key conf.zz",
            ),
            (
                "attribute.notBefore",
                "error: tag attribute.notBefore does not exist",
            ),
            ("nope", "error: tag nope does not exist"),
            ("nope.x", "error: tag nope.x does not exist"),
            (".x", "error: tag .x does not exist"),
            ("none", "error: tag none does not exist"),
        ];
        for (property, want) in failures {
            let text = selected(property);
            assert!(text.starts_with(want), "{text}");
        }
    }

    #[test]
    fn tags_are_spread_over_keys_and_flat_objects_over_their_members() {
        let data = metadata().spread("foo");
        let texts: Vec<_> = data
            .iter()
            .map(|(key, value)| (key.as_str(), value.expose_text().unwrap()))
            .collect();
        assert_eq!(
            texts,
            [
                ("foo_attribute.created", "2025-01-01T00:00:00Z"),
                ("foo_attribute.expires", "2027-01-01T00:00:00Z"),
                ("foo_conf", r#"{"a":{"b":"c"},"x.y":"z"}"#),
                ("foo_env", "prod"),
                ("foo_flat_u", "1"),
                ("foo_flat_v", "2"),
                ("foo_lt", "<&>"),
            ]
        );
        let empty: Tags = [("a", "{}"), ("b", "null"), ("c", r#"{"m":null}"#)]
            .into_iter()
            .map(|(name, value)| (name.to_owned(), Some(value.to_owned())))
            .collect();
        let data = Metadata::new(Some(&empty), None).spread("foo");
        assert_eq!(data.keys().collect::<Vec<_>>(), ["foo_c_m"]);
        assert_eq!(data["foo_c_m"].expose(), b"");
    }

    #[test]
    fn times_reach_the_end_of_the_year_9999() {
        let vectors = [
            (0, Some("1970-01-01T00:00:00Z")),
            (4_102_444_800, Some("2100-01-01T00:00:00Z")),
            (253_402_300_799, Some("9999-12-31T23:59:59Z")),
            (253_402_300_800, None),
            (i64::MAX, None),
        ];
        for (seconds, want) in vectors {
            assert_eq!(rfc3339(seconds).as_deref(), want, "{seconds}");
        }
    }
}
