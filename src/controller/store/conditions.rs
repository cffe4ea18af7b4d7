//! Who may use a ClusterSecretStore: `spec.conditions`, as ESO's guide "Multi tenancy" has it. Pure.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};

use crate::api::secret_store::StoreCondition;
use crate::secret::pattern;

/// Why the conditions cannot be evaluated: nobody may use the store until they are mended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
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
    /// An operator that label selectors do not have.
    #[error("{0:?} is not a valid label selector operator")]
    Operator(String),
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
    let mut holds = selector
        .match_labels
        .iter()
        .flatten()
        .all(|(key, value)| labels.get(key) == Some(value));
    for requirement in selector.match_expressions.iter().flatten() {
        holds &= meets(requirement, labels)?;
    }
    Ok(holds)
}

fn meets(
    requirement: &LabelSelectorRequirement,
    labels: &BTreeMap<String, String>,
) -> Result<bool, Error> {
    let value = labels.get(&requirement.key);
    let is_listed = value.is_some_and(|value| {
        requirement
            .values
            .iter()
            .flatten()
            .any(|listed| listed == value)
    });
    match requirement.operator.as_str() {
        "In" => Ok(is_listed),
        "NotIn" => Ok(!is_listed),
        "Exists" => Ok(value.is_some()),
        "DoesNotExist" => Ok(value.is_none()),
        other => Err(Error::Operator(other.to_owned())),
    }
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
        assert!(allow(&[open, broken], "x", &BTreeMap::new()).is_err());
    }
}
