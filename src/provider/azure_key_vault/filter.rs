//! Which secrets `dataFrom.find` means (ESO's guide "Fetching all keys"). Pure.

use std::collections::BTreeMap;

use gotemplate::Regexp;

use super::document::Item;
use crate::provider::{Error, Search};
use crate::secret::pattern;

/// What is looked for; without a name and tags it is every secret that is enabled.
pub(super) struct Filter<'a> {
    tags: Option<&'a BTreeMap<String, String>>,
    name: Option<Regexp>,
}

impl<'a> Filter<'a> {
    /// What `search` asks for.
    pub(super) fn new(search: &'a Search) -> Result<Self, Error> {
        let pattern = search.name.as_deref();
        let name = pattern.map(pattern::compile).transpose();
        Ok(Self {
            tags: search.tags.as_ref(),
            name: name.map_err(|error| Error::Invalid {
                message: format!(
                    "dataFrom.find.name.regexp: {error}; write a regular expression (RE2) that a part of the name matches"
                ),
            })?,
        })
    }

    /// Whether it asks for `item`.
    pub(super) fn admits(&self, item: &Item) -> bool {
        let is_enabled = item.attributes.as_ref().and_then(|at| at.enabled) == Some(true);
        let has_tag = |(name, value): (&String, &String)| {
            let tags = item.tags.as_ref();
            tags.and_then(|tags| tags.get(name)?.as_ref()) == Some(value)
        };
        let mut tags = self.tags.into_iter().flatten();
        let is_name = |name: &Regexp| name.is_match(item.name());
        is_enabled && tags.all(has_tag) && self.name.as_ref().is_none_or(is_name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::external_secret::Find;

    fn admitted(find: &serde_json::Value) -> Vec<String> {
        let find: Find = serde_json::from_value(find.clone()).unwrap();
        let search = Search::from(&find);
        let filter = Filter::new(&search).unwrap();
        let items: Vec<Item> = serde_json::from_value(serde_json::json!([
            {"id": "https://kv/secrets/app-db", "attributes": {"enabled": true}, "tags": {"env": "dev", "team": "a"}},
            {"id": "https://kv/secrets/my-app", "attributes": {"enabled": true}, "tags": {"env": "prod"}},
            {"id": "https://kv/secrets/other", "attributes": {"enabled": true}},
            {"id": "https://kv/secrets/app-off", "attributes": {"enabled": false}, "tags": {"env": "dev"}},
            {"id": "https://kv/secrets/app-odd", "tags": {"env": null}},
        ]))
        .unwrap();
        let admitted = items.iter().filter(|item| filter.admits(item));
        admitted.map(|item| item.name().to_owned()).collect()
    }

    #[test]
    fn name_and_tags_must_both_match_and_what_is_disabled_is_not_found() {
        let vectors = [
            (serde_json::json!({}), vec!["app-db", "my-app", "other"]),
            (
                serde_json::json!({"path": "x", "name": {}, "tags": {}}),
                vec!["app-db", "my-app", "other"],
            ),
            (
                serde_json::json!({"name": {"regexp": "app"}}),
                vec!["app-db", "my-app"],
            ),
            (
                serde_json::json!({"name": {"regexp": "^app"}}),
                vec!["app-db"],
            ),
            (serde_json::json!({"tags": {"env": "prod"}}), vec!["my-app"]),
            (
                serde_json::json!({"tags": {"env": "dev", "team": "a"}}),
                vec!["app-db"],
            ),
            (
                serde_json::json!({"tags": {"env": "dev", "team": "b"}}),
                vec![],
            ),
            (
                serde_json::json!({"name": {"regexp": "^my"}, "tags": {"env": "dev"}}),
                vec![],
            ),
        ];
        for (find, want) in vectors {
            assert_eq!(admitted(&find), want, "{find}");
        }
    }

    #[test]
    fn a_bad_pattern_is_an_error_that_names_its_field() {
        let find: Find =
            serde_json::from_value(serde_json::json!({"name": {"regexp": "app-("}})).unwrap();
        let error = Filter::new(&Search::from(&find)).map(|_| ()).unwrap_err();
        assert!(matches!(error, Error::Invalid { .. }));
        assert!(
            error.to_string().starts_with("dataFrom.find.name.regexp: "),
            "{error}"
        );
    }
}
