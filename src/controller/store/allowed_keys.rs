//! Which keys of a ClusterSecretStore a namespace may read: the annotation
//! `keyferry.io/allowed-keys`, a JSON list of namespace selectors and key patterns (docs/guardrails.md).
//! ESO ignores it. Pure.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use serde::Deserialize;

use crate::provider::KeyPatterns;

use super::conditions::{self, matches};

/// The annotation.
pub const ANNOTATION: &str = "keyferry.io/allowed-keys";

/// Why the list cannot be used: nobody may read from the store until it is mended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not such a list.
    #[error(
        "annotation {ANNOTATION}: {0}; write a JSON list such as \
         [{{\"namespaceSelector\": {{\"matchLabels\": {{\"team\": \"a\"}}}}, \"keys\": [\"team-a-*\"]}}]"
    )]
    Json(String),
    /// An operator that label selectors do not have.
    #[error("annotation {ANNOTATION}: namespaceSelector: {0}")]
    Selector(#[from] conditions::Error),
    /// A pattern that is too long.
    #[error("annotation {ANNOTATION}: keys: a pattern is too long")]
    Pattern(#[from] regex::Error),
}

/// The list, read whole: one bad entry makes it none.
#[derive(Debug)]
pub struct AllowedKeys(Vec<(LabelSelector, KeyPatterns)>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AllowedEntry {
    namespace_selector: LabelSelector,
    keys: Vec<String>,
}

impl AllowedKeys {
    /// Reads the annotation's text.
    ///
    /// # Errors
    /// It is no such list.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let entries: Vec<AllowedEntry> =
            serde_json::from_str(text).map_err(|error| Error::Json(error.to_string()))?;
        let read = entries.into_iter().map(|entry| {
            // an operator that there is not shows whatever the labels are
            matches(&entry.namespace_selector, &BTreeMap::new())?;
            let patterns = KeyPatterns::new(entry.keys.iter().map(String::as_str))?;
            Ok((entry.namespace_selector, patterns))
        });
        read.collect::<Result<_, Error>>().map(Self)
    }

    /// What a namespace with these labels may read.
    ///
    /// # Errors
    /// A selector cannot be evaluated.
    pub fn of_namespace(self, labels: &BTreeMap<String, String>) -> Result<KeyPatterns, Error> {
        let mut allowed = KeyPatterns::default();
        for (selector, patterns) in self.0 {
            if matches(&selector, labels)? {
                allowed.extend(patterns);
            }
        }
        Ok(allowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(team: &str) -> BTreeMap<String, String> {
        [("team".to_owned(), team.to_owned())].into()
    }

    #[test]
    fn the_keys_of_all_entries_that_select_a_namespace_count_together() {
        let text = r#"[
            {"namespaceSelector": {"matchLabels": {"team": "a"}}, "keys": ["a-*"]},
            {"namespaceSelector": {}, "keys": ["shared"]}]"#;
        let of = |team| {
            let list = AllowedKeys::parse(text).unwrap();
            list.of_namespace(&labels(team)).unwrap()
        };
        assert!(of("a").admit("secret/a-db") && of("a").admit("secret/shared"));
        assert!(!of("b").admit("secret/a-db") && of("b").admit("secret/shared"));
    }

    #[test]
    fn what_is_no_list_is_an_error_that_shows_one() {
        for text in [
            "",
            "{}",
            "[1]",
            r#"[{"keys": ["*"]}]"#,
            r#"[{"namespaceSelector": {}, "keys": "*"}]"#,
            r#"[{"namespaceSelector": {}, "keys": ["*"], "key": 1}]"#,
            r#"[{"namespaceSelector": {"matchExpressions": [{"key": "a", "operator": "Is"}]}, "keys": []}]"#,
        ] {
            let error = AllowedKeys::parse(text).unwrap_err().to_string();
            assert!(
                error.contains("keyferry.io/allowed-keys"),
                "{text}: {error}"
            );
        }
        assert!(AllowedKeys::parse("[]").is_ok());
    }
}
