//! Who may use a ClusterSecretStore: `spec.conditions`, as ESO's guide "Multi tenancy" has it. Pure.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::core::{ParseExpressionError, Selector, SelectorExt as _};

use crate::api::secret_store::StoreCondition;
use crate::secret::pattern;

/// Why the conditions cannot be evaluated: nobody may use the store until they are mended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A regular expression that does not compile.
    #[error("failed to compile {index}th namespace regex in {condition}th condition")]
    Regex {
        /// Index of the condition.
        condition: usize,
        /// Index of the expression.
        index: usize,
        /// What is wrong with it.
        source: pattern::BadPattern,
    },
    /// An expression that label selectors do not have.
    #[error(
        "the label selector cannot be read: {0}; use In or NotIn with values, Exists or DoesNotExist"
    )]
    Selector(#[from] ParseExpressionError),
}

/// Whether a consumer in `namespace` with these labels may use the store: no conditions, or one
/// that matches; within one, the three fields are alternatives.
pub fn allow(
    conditions: &[StoreCondition],
    namespace: &str,
    labels: &BTreeMap<String, String>,
) -> Result<bool, Error> {
    let mut is_allowed = conditions.is_empty();
    for (number, condition) in conditions.iter().enumerate() {
        is_allowed |= condition.namespaces.iter().any(|name| name == namespace);
        if let Some(selector) = &condition.namespace_selector {
            is_allowed |= matches(selector, labels)?;
        }
        for (index, regex) in condition.namespace_regexes.iter().enumerate() {
            let regex = pattern::compile(regex).map_err(|source| Error::Regex {
                condition: number,
                index,
                source,
            })?;
            is_allowed |= regex.is_match(namespace);
        }
    }
    Ok(is_allowed)
}

/// Whether an object with these labels is selected; an empty selector selects all.
pub fn matches(selector: &LabelSelector, labels: &BTreeMap<String, String>) -> Result<bool, Error> {
    Ok(Selector::try_from(selector.clone())?.matches(labels))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(json: serde_json::Value) -> StoreCondition {
        serde_json::from_value(json).unwrap()
    }

    fn allowed(json: serde_json::Value) -> bool {
        let labels = BTreeMap::from([("team".to_owned(), "a".to_owned())]);
        allow(&[condition(json)], "non-prod-x", &labels).unwrap()
    }

    #[test]
    fn each_field_alone_can_allow() {
        assert!(allow(&[], "any", &BTreeMap::new()).unwrap());
        assert!(!allowed(serde_json::json!({})));
        assert!(allowed(serde_json::json!({"namespaces": ["non-prod-x"]})));
        assert!(!allowed(serde_json::json!({"namespaces": ["prod"]})));
        // unanchored, as ESO's
        assert!(allowed(serde_json::json!({"namespaceRegexes": ["prod"]})));
        assert!(!allowed(serde_json::json!({"namespaceRegexes": ["^prod"]})));
        assert!(allowed(serde_json::json!({"namespaceSelector": {}})));
        assert!(allowed(
            serde_json::json!({"namespaceSelector": {"matchLabels": {"team": "a"}}})
        ));
        let expression = |operator: &str, values: &[&str]| {
            allowed(
                serde_json::json!({"namespaceSelector": {"matchExpressions": [
                {"key": "team", "operator": operator, "values": values}]}}),
            )
        };
        assert!(expression("In", &["a", "b"]) && !expression("In", &["b"]));
        assert!(expression("NotIn", &["b"]) && !expression("NotIn", &["a"]));
        assert!(expression("Exists", &[]) && !expression("DoesNotExist", &[]));
    }

    #[test]
    fn what_cannot_be_evaluated_allows_nobody() {
        let broken = condition(serde_json::json!({"namespaceRegexes": ["("]}));
        let open = condition(serde_json::json!({"namespaceSelector": {}}));
        let odd = condition(
            serde_json::json!({"namespaceSelector": {"matchExpressions": [
            {"key": "team", "operator": "Is", "values": ["a"]}]}}),
        );
        assert!(allow(&[open.clone(), broken], "x", &BTreeMap::new()).is_err());
        assert!(allow(&[open, odd], "x", &BTreeMap::new()).is_err());
    }
}
