//! `dataFrom[].rewrite`: changes to the keys, one after another (ESO's guide
//! "Rewriting keys in `DataFrom`").
//! Pure; whoever calls brings the template engine.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::{SecretData, SecretValue, go_json, pattern};
use crate::api::external_secret::{
    ConflictPolicy, MergeStrategy, PriorityPolicy, Rewrite, RewriteMerge, RewriteRegexp,
};

/// Bytes of a key that an operation makes, at most. A Secret's keys are shorter by far; between two
/// operations longer ones would only use up memory.
const MAX_RENAMED: usize = 4096;

/// Renders a template for one key; the error is the engine's text.
pub type Transform<'a> = dyn Fn(&str, &str) -> Result<String, String> + 'a;

/// Which operation failed, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("failed rewrite operation[{index}]")]
pub struct Error {
    /// Its index.
    pub index: usize,
    /// Why.
    #[source]
    pub cause: RewriteFailure,
}

/// Why an operation failed. Keys are named, values never.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RewriteFailure {
    /// `regexp.source` is none.
    #[error("regexp failed with failed to compile: {0}; correct regexp.source (RE2 syntax)")]
    Regexp(pattern::BadPattern),
    /// The replacement of `regexp` fails for this key.
    #[error("regexp failed for key {key:?}: {message}")]
    Replace {
        /// The key.
        key: String,
        /// Why.
        message: String,
    },
    /// The template of `transform` fails for this key.
    #[error("transform failed for key {key:?}: {message}")]
    Transform {
        /// The key.
        key: String,
        /// The engine's text.
        message: String,
    },
    /// An operation makes a key that no Secret could have.
    #[error(
        "key {start:?}... becomes {length} bytes long, {MAX_RENAMED} are allowed; shorten what \
         {operation} makes of it"
    )]
    TooLong {
        /// `regexp` or `transform`.
        operation: &'static str,
        /// The beginning of the key as it was.
        start: String,
        /// Bytes of what it becomes.
        length: usize,
    },
    /// A value is no JSON object.
    #[error("merge failed with failed to unmarshal JSON: the value of key {0:?} is no JSON object")]
    NotAnObject(String),
    /// A value is a JSON object with too much inside.
    #[error(
        "merge failed with failed to unmarshal JSON: the value of key {0:?} is nested deeper than \
         127 levels; leave it out, or read it as it is"
    )]
    TooDeep(String),
    /// A key of `merge.priority` is not there.
    #[error(
        "merge failed with key {0:?} not found in input map; remove it from merge.priority, or set \
         merge.priorityPolicy: IgnoreNotFound"
    )]
    NoPriorityKey(String),
    /// Members occur twice.
    #[error(
        "merge failed with conflicts: {0}; set merge.conflictPolicy: Ignore to let the later win"
    )]
    Conflicts(String),
    /// Strategy JSON needs a key to write.
    #[error("merge failed with missing 'into' field; set merge.into")]
    NoInto,
    /// None of the three operations.
    #[error("no operation; write merge, regexp or transform")]
    Empty,
}

/// Applies `operations` to `data` in order. Of two keys that become one, the one that sorted later
/// wins.
///
/// # Errors
/// The first operation that fails.
pub fn apply(
    operations: &[Rewrite],
    mut data: SecretData,
    transform: &Transform<'_>,
) -> Result<SecretData, Error> {
    for (index, operation) in operations.iter().enumerate() {
        let done = if let Some(merge) = &operation.merge {
            merged(merge, data)
        } else if let Some(replace) = &operation.regexp {
            replaced(replace, data)
        } else if let Some(template) = &operation.transform {
            transformed(&template.template, data, transform)
        } else {
            Err(RewriteFailure::Empty)
        };
        data = done.map_err(|cause| Error { index, cause })?;
    }
    Ok(data)
}

fn replaced(operation: &RewriteRegexp, data: SecretData) -> Result<SecretData, RewriteFailure> {
    let pattern = pattern::compile(&operation.source).map_err(RewriteFailure::Regexp)?;
    let rename =
        |(key, value): (String, SecretValue)| match pattern.replace_all(&key, &operation.target) {
            Ok(renamed) => Ok((of_bounded_length("regexp", &key, renamed)?, value)),
            Err(message) => Err(RewriteFailure::Replace { key, message }),
        };
    data.into_iter().map(rename).collect()
}

fn transformed(
    template: &str,
    data: SecretData,
    transform: &Transform<'_>,
) -> Result<SecretData, RewriteFailure> {
    let rename = |(key, value): (String, SecretValue)| match transform(template, &key) {
        Ok(renamed) => Ok((of_bounded_length("transform", &key, renamed)?, value)),
        Err(message) => Err(RewriteFailure::Transform { key, message }),
    };
    data.into_iter().map(rename).collect()
}

fn of_bounded_length(
    operation: &'static str,
    key: &str,
    renamed: String,
) -> Result<String, RewriteFailure> {
    if renamed.len() <= MAX_RENAMED {
        return Ok(renamed);
    }
    Err(RewriteFailure::TooLong {
        operation,
        start: key.chars().take(40).collect(),
        length: renamed.len(),
    })
}

fn merged(operation: &RewriteMerge, data: SecretData) -> Result<SecretData, RewriteFailure> {
    let mut members = Map::new();
    let mut conflicts = BTreeSet::new();
    for key in merge_order(operation, &data)? {
        for (name, member) in object(key, &data[key])? {
            if members.insert(name.clone(), member).is_some() {
                conflicts.insert(name);
            }
        }
    }
    let ignores = operation.conflict_policy == Some(ConflictPolicy::Ignore);
    if !conflicts.is_empty() && !ignores {
        let names: Vec<String> = conflicts.into_iter().collect();
        return Err(RewriteFailure::Conflicts(names.join(", ")));
    }
    match operation.strategy.clone().unwrap_or_default() {
        MergeStrategy::Json => {
            let into = operation.into.as_deref().filter(|into| !into.is_empty());
            let into = into.ok_or(RewriteFailure::NoInto)?.to_owned();
            let whole = SecretValue::new(go_json::compact(&Value::Object(members), false));
            Ok(data.into_iter().chain([(into, whole)]).collect())
        }
        MergeStrategy::Extract | MergeStrategy::Unknown(_) => Ok(members
            .into_iter()
            .map(|(name, member)| (name, SecretValue::new(text(member))))
            .collect()),
    }
}

/// All keys in alphabetical order, those of `priority` last in theirs.
fn merge_order<'a>(
    operation: &'a RewriteMerge,
    data: &'a SecretData,
) -> Result<Vec<&'a String>, RewriteFailure> {
    let is_strict = operation.priority_policy != Some(PriorityPolicy::IgnoreNotFound);
    let missing = |key: &&String| !data.contains_key(*key);
    if let Some(key) = operation
        .priority
        .iter()
        .find(missing)
        .filter(|_| is_strict)
    {
        return Err(RewriteFailure::NoPriorityKey(key.clone()));
    }
    let rank: BTreeMap<&String, usize> = operation.priority.iter().zip(1..).collect();
    let mut order: Vec<&String> = data.keys().collect();
    order.sort_by_key(|key| rank.get(key).copied().unwrap_or_default());
    Ok(order)
}

fn object(key: &str, value: &SecretValue) -> Result<Map<String, Value>, RewriteFailure> {
    let parsed: Result<Option<Map<String, Value>>, _> = serde_json::from_slice(value.expose());
    match parsed {
        Ok(members) => Ok(members.unwrap_or_default()),
        Err(_) if is_object(value) => Err(RewriteFailure::TooDeep(key.to_owned())),
        Err(_) => Err(RewriteFailure::NotAnObject(key.to_owned())),
    }
}

/// However deep, for nothing of it is kept.
fn is_object(value: &SecretValue) -> bool {
    let json = value.expose();
    json.trim_ascii_start().starts_with(b"{") && serde_json::from_slice::<IgnoredAny>(json).is_ok()
}

fn text(member: Value) -> String {
    match member {
        Value::Null => String::new(),
        Value::String(text) => text,
        Value::Number(number) => number.as_f64().unwrap_or_default().to_string(),
        other => go_json::compact(&other, true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::data;
    use serde_json::json;

    fn rewritten(
        operations: Value,
        input: &[(&str, &str)],
    ) -> Result<Vec<(String, String)>, String> {
        let operations: Vec<Rewrite> = serde_json::from_value(operations).unwrap();
        let transform = |template: &str, key: &str| match template {
            "fail" => Err("broken".to_owned()),
            _ => Ok(template.replace("{{ .value }}", key)),
        };
        let output = apply(&operations, data(input), &transform)
            .map_err(|error| format!("{error}: {}", error.cause))?;
        Ok(output
            .into_iter()
            .map(|(key, value)| (key, value.expose_text().unwrap().to_owned()))
            .collect())
    }

    #[expect(clippy::unnecessary_wraps, reason = "it is compared with results")]
    fn pairs(pairs: &[(&str, &str)]) -> Result<Vec<(String, String)>, String> {
        let owned = pairs.iter();
        Ok(owned
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect())
    }

    #[test]
    fn regexp_expands_groups_as_go_does() {
        let rows = [
            ("^db-(.*)$", "DB_$1", "db-user", "DB_user"),
            ("(?P<n>[a-z]+)", "${n}_x", "ab", "ab_x"),
            ("a", "$1x", "ab", "b"),
            ("b", "$$", "ab", "a$"),
            ("x", "y", "ab", "ab"),
            ("", "-", "ab", "-a-b-"),
        ];
        for (source, target, key, want) in rows {
            let operation = json!([{"regexp": {"source": source, "target": target}}]);
            assert_eq!(
                rewritten(operation, &[(key, "v")]),
                pairs(&[(want, "v")]),
                "{source}"
            );
        }
    }

    #[test]
    fn operations_follow_one_another_and_the_later_key_wins() {
        let operations = json!([
            {"regexp": {"source": "^[ab]$", "target": "x"}},
            {"transform": {"template": "pre-{{ .value }}"}},
        ]);
        let output = rewritten(operations, &[("a", "1"), ("b", "2"), ("c", "3")]);
        assert_eq!(output, pairs(&[("pre-c", "3"), ("pre-x", "2")]));
    }

    #[test]
    fn merge_extracts_members_and_writes_them_as_go_does() {
        let input = [
            (
                "a",
                r#"{"s":"x","n":1.50,"big":12345678901234567890,"t":true,"z":null}"#,
            ),
            ("b", r#"{"o":{"q":"<","k":[1, 2]}}"#),
            ("c", "null"),
        ];
        let want = [
            ("big", "12345678901234567000"),
            ("n", "1.5"),
            ("o", r#"{"k":[1,2],"q":"\u003c"}"#),
            ("s", "x"),
            ("t", "true"),
            ("z", ""),
        ];
        assert_eq!(rewritten(json!([{"merge": {}}]), &input), pairs(&want));
    }

    #[test]
    fn merge_minds_conflicts_and_priorities() {
        let input = [("a", r#"{"k":"a"}"#), ("b", r#"{"k":"b"}"#)];
        let conflict = rewritten(json!([{"merge": {}}]), &input).unwrap_err();
        assert!(
            conflict.contains("merge failed with conflicts: k"),
            "{conflict}"
        );
        let ignore = json!([{"merge": {"conflictPolicy": "Ignore"}}]);
        assert_eq!(rewritten(ignore, &input), pairs(&[("k", "b")]));
        let priority = json!([{"merge": {"conflictPolicy": "Ignore", "priority": ["a"]}}]);
        assert_eq!(rewritten(priority, &input), pairs(&[("k", "a")]));
        let absent = json!([{"merge": {"conflictPolicy": "Ignore", "priority": ["zz"]}}]);
        let error = rewritten(absent, &input).unwrap_err();
        assert!(
            error.contains("key \"zz\" not found in input map"),
            "{error}"
        );
        let lenient = json!([{"merge": {"conflictPolicy": "Ignore", "priority": ["zz"], "priorityPolicy": "IgnoreNotFound"}}]);
        assert_eq!(rewritten(lenient, &input), pairs(&[("k", "b")]));
    }

    #[test]
    fn merge_into_json_keeps_the_input() {
        let into = json!([{"merge": {"strategy": "JSON", "into": "all"}}]);
        let input = [("a", r#"{"x":"<"}"#)];
        let want = [("a", r#"{"x":"<"}"#), ("all", r#"{"x":"<"}"#)];
        assert_eq!(rewritten(into, &input), pairs(&want));
        let nowhere = rewritten(json!([{"merge": {"strategy": "JSON"}}]), &input).unwrap_err();
        assert!(nowhere.contains("missing 'into' field"), "{nowhere}");
    }

    #[test]
    fn what_grows_without_end_or_nests_without_end_is_refused() {
        let grow = json!([{"regexp": {"source": "^", "target": "x".repeat(MAX_RENAMED)}}]);
        let error = rewritten(grow, &[("a", "v")]).unwrap_err();
        assert!(
            error.contains("becomes 4097 bytes long, 4096 are allowed"),
            "{error}"
        );
        let grow = json!([{"transform": {"template": "{{ .value }}".repeat(MAX_RENAMED + 1)}}]);
        let error = rewritten(grow, &[("a", "v")]).unwrap_err();
        assert!(
            error.contains("shorten what transform makes of it"),
            "{error}"
        );
        let huge = json!([{"regexp": {"source": ".*", "target": "$0".repeat(100_000)}}]);
        let error = rewritten(huge, &[(&"a".repeat(1000), "v")]).unwrap_err();
        assert!(error.contains("regexp failed for key"), "{error}");
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
        let error = rewritten(json!([{"merge": {}}]), &[("a", &deep)]).unwrap_err();
        assert!(error.contains("nested deeper than"), "{error}");
    }

    #[test]
    fn failures_name_the_operation_and_no_value() {
        let bad = json!([{"regexp": {"source": "a", "target": "b"}}, {"regexp": {"source": "(", "target": ""}}]);
        let error = rewritten(bad, &[("a", "hunter2")]).unwrap_err();
        assert!(
            error.starts_with("failed rewrite operation[1]: regexp failed with"),
            "{error}"
        );
        let error = rewritten(json!([{"merge": {}}]), &[("a", "hunter2")]).unwrap_err();
        assert!(
            error.contains("key \"a\"") && !error.contains("hunter2"),
            "{error}"
        );
        let error = rewritten(json!([{"transform": {"template": "fail"}}]), &[("a", "v")]);
        assert!(
            error
                .unwrap_err()
                .contains("transform failed for key \"a\": broken")
        );
    }
}
