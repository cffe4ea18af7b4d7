//! Two snapshots side by side: what was recorded and what was got. It judges nothing; which
//! difference is meant is told by `differences`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::support::cluster::{array, text};

/// How an absent value is written, in reports and in differences.toml.
pub(crate) const ABSENT: &str = "(absent)";

/// One difference within a snapshot.
#[derive(Debug, PartialEq)]
pub(crate) struct Difference {
    /// `Kind/name path.to[Condition].field`, `events`, `rejections` or `vaults path`.
    pub(crate) path: String,
    /// What was recorded; [`ABSENT`] for nothing.
    pub(crate) want: Value,
    /// What was got; [`ABSENT`] for nothing.
    pub(crate) got: Value,
}

impl Difference {
    /// `Kind Type Reason` of a difference in the events.
    pub(crate) fn event(&self) -> Option<String> {
        if self.path != "events" {
            return None;
        }
        let event = text(if self.want == ABSENT {
            &self.got
        } else {
            &self.want
        });
        let (object, rest) = event.split_once(' ')?;
        let (kind, _) = object.split_once('/')?;
        Some(format!("{kind} {rest}"))
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bare = |value: &Value| {
            if value == ABSENT {
                ABSENT.to_owned()
            } else {
                value.to_string()
            }
        };
        write!(
            f,
            "{}: want {}, got {}",
            self.path,
            bare(&self.want),
            bare(&self.got)
        )
    }
}

/// All differences between a recorded snapshot and one taken, in the order of their paths.
pub(crate) fn compare(want: &Value, got: &Value) -> Vec<Difference> {
    let mut out = Vec::new();
    let objects =
        |snapshot: &'_ Value| snapshot["objects"].as_object().cloned().unwrap_or_default();
    let (wanted, present) = (objects(want), objects(got));
    for key in wanted.keys().chain(present.keys()).collect::<BTreeSet<_>>() {
        match (wanted.get(key), present.get(key)) {
            (Some(a), Some(b)) => values(&format!("{key} "), a, b, &mut out),
            (a, _) => {
                let mark = |there: bool| Value::from(if there { "an object" } else { ABSENT });
                out.push(Difference {
                    path: key.clone(),
                    want: mark(a.is_some()),
                    got: mark(a.is_none()),
                });
            }
        }
    }
    let (a, b) = (events(want), events(got));
    let missing = a.difference(&b).map(|e| (e.as_str(), ABSENT));
    let surplus = b.difference(&a).map(|e| (ABSENT, e.as_str()));
    for (want, got) in missing.chain(surplus) {
        out.push(Difference {
            path: "events".into(),
            want: want.into(),
            got: got.into(),
        });
    }
    let refused = |snapshot: &Value| snapshot["rejections"].as_array().map_or(0, Vec::len);
    if refused(want) != refused(got) {
        let shown = |v: &Value| {
            if v.is_null() {
                Value::Array(Vec::new())
            } else {
                v.clone()
            }
        };
        out.push(Difference {
            path: "rejections".into(),
            want: shown(&want["rejections"]),
            got: shown(&got["rejections"]),
        });
    }
    values("vaults ", &want["vaults"], &got["vaults"], &mut out);
    out
}

/// The events of a snapshot as `Kind/name Type Reason`.
pub(crate) fn events(snapshot: &Value) -> BTreeSet<String> {
    let line = |e: &Value| {
        format!(
            "{} {} {}",
            text(&e["object"]),
            text(&e["type"]),
            text(&e["reason"])
        )
    };
    array(&snapshot["events"]).map(line).collect()
}

fn values(prefix: &str, want: &Value, got: &Value, out: &mut Vec<Difference>) {
    let (a, b) = (flat(want), flat(got));
    for path in a.keys().chain(b.keys()).collect::<BTreeSet<_>>() {
        let (x, y) = (a.get(path), b.get(path));
        // of a condition's message only whether it says anything
        let message = path.ends_with(".message") && path.contains(".conditions[");
        let says = |value: Option<&Value>| value.is_some_and(|v| *v != "" && !v.is_null());
        if x == y || message && says(x) == says(y) || is_exponent(x, y) {
            continue;
        }
        let shown = |v: Option<&Value>| v.cloned().unwrap_or_else(|| ABSENT.into());
        out.push(Difference {
            path: format!("{prefix}{path}"),
            want: shown(x),
            got: shown(y),
        });
    }
}

/// Whether the recording has a text like `1e+06`: in YAML 1.1, which it is written in, that is no number.
fn is_exponent(want: Option<&Value>, got: Option<&Value>) -> bool {
    let (Some(Value::Number(want)), Some(Value::String(got))) = (want, got) else {
        return false;
    };
    !got.contains('.') && got.contains(['e', 'E']) && got.parse().ok() == want.as_f64()
}

/// The leaves of a value by path; empty maps and lists are leaves. List elements go by their `type`
/// where each has one of its own, else by number.
fn flat(value: &Value) -> BTreeMap<String, Value> {
    let mut out = BTreeMap::new();
    flatten(value, String::new(), &mut out);
    out
}

fn flatten(value: &Value, path: String, out: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, item) in map {
                flatten(
                    item,
                    if path.is_empty() {
                        key.clone()
                    } else {
                        format!("{path}.{key}")
                    },
                    out,
                );
            }
        }
        Value::Array(items) if !items.is_empty() => {
            let types: BTreeSet<_> = items
                .iter()
                .filter_map(|item| item.get("type"))
                .map(Value::to_string)
                .collect();
            let by_type = types.len() == items.len();
            for (i, item) in items.iter().enumerate() {
                let name = if by_type {
                    text(&item["type"]).to_owned()
                } else {
                    i.to_string()
                };
                flatten(item, format!("{path}[{name}]"), out);
            }
        }
        // nothing at all is not a leaf without a name
        Value::Object(_) | Value::Array(_) | Value::Null if path.is_empty() => {}
        leaf => {
            out.insert(path, leaf.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::compare;

    fn lines(want: &Value, got: &Value) -> Vec<String> {
        compare(want, got).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn leaves_are_compared_exactly_and_conditions_go_by_type() {
        let want = json!({"objects": {"ES/a": {"status": {"conditions": [
            {"type": "Ready", "status": "True", "message": "old"}, {"type": "B", "message": ""}], "n": 1, "gone": {}}}}});
        let got = json!({"objects": {"ES/a": {"status": {"conditions": [
            {"type": "B"}, {"type": "Ready", "status": "False", "message": "new"}], "n": 1}}}});
        assert_eq!(
            lines(&want, &got),
            [
                r#"ES/a status.conditions[Ready].status: want "True", got "False""#,
                "ES/a status.gone: want {}, got (absent)"
            ]
        );
    }

    #[test]
    fn a_message_that_became_empty_is_a_difference() {
        let object = |message: &str| json!({"objects": {"ES/a": {"status": {"conditions": [{"type": "Ready", "message": message}]}}}});
        assert_eq!(
            lines(&object("x"), &object("")),
            [r#"ES/a status.conditions[Ready].message: want "x", got """#]
        );
    }

    #[test]
    fn a_number_with_exponent_alone_was_a_text() {
        let data = |value: Value| json!({"objects": {"Secret/a": {"data": {"k": value}}}});
        assert!(compare(&data(json!(1e6)), &data("1e+06".into())).is_empty());
        assert_eq!(compare(&data(json!(1e6)), &data("1000000".into())).len(), 1);
    }

    #[test]
    fn objects_events_and_rejections_are_sets_and_numbers() {
        let event = |reason: &str, message: &str| json!({"object": "ES/a", "type": "Normal", "reason": reason, "message": message});
        let want = json!({"objects": {"Secret/a": {}}, "events": [event("Created", "x")], "rejections": ["no"]});
        let got = json!({"objects": {"Secret/b": {}}, "events": [event("Created", "y"), event("Updated", "")]});
        assert_eq!(
            lines(&want, &got),
            [
                r#"Secret/a: want "an object", got (absent)"#,
                r#"Secret/b: want (absent), got "an object""#,
                r#"events: want (absent), got "ES/a Normal Updated""#,
                r#"rejections: want ["no"], got []"#,
            ]
        );
        assert_eq!(
            compare(&want, &got)[2].event().as_deref(),
            Some("ES Normal Updated")
        );
    }

    #[test]
    fn the_content_of_vaults_is_compared_by_leaf() {
        let want = json!({"vaults": {"kv": {"secrets": {"a": {"value": "1"}}}}});
        assert_eq!(
            lines(&want, &json!({})),
            [r#"vaults kv.secrets.a.value: want "1", got (absent)"#]
        );
        assert!(compare(&want, &want).is_empty());
    }
}
