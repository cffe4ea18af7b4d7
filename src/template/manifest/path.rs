//! Paths into an object, such as `spec.rules[0].host` (docs/generic-targets.md). Pure.

use serde_json::{Map, Value};

/// No list is made longer than this by a path.
const MAX_INDEX: usize = 10_000;

/// Why a path leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is not written as a path.
    #[error("target path {path:?}: {problem}; write it like spec.rules[0].host")]
    Syntax {
        /// The path.
        path: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// The object has something else there.
    #[error("target path {path:?}: the object has no {wanted} at {at:?}")]
    Kind {
        /// The path.
        path: String,
        /// Where it stops.
        at: String,
        /// `map` or `list`.
        wanted: &'static str,
    },
}

/// A way from the root of an object to one of its fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    text: String,
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

impl Path {
    /// Reads a path: names joined by dots, each with any number of `[index]` after it.
    ///
    /// # Errors
    /// It is empty, or a step of it is none.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut steps = Vec::new();
        for segment in text.split('.') {
            read_segment(segment, &mut steps).map_err(|problem| Error::Syntax {
                path: text.to_owned(),
                problem,
            })?;
        }
        let text = text.to_owned();
        Ok(Self { text, steps })
    }

    /// Whether it names a field of the root.
    pub(super) fn is_single(&self) -> bool {
        self.steps.len() == 1
    }

    /// The first field it names.
    pub(super) fn root(&self) -> &str {
        match self.steps.first() {
            Some(Step::Key(key)) => key,
            _ => "",
        }
    }

    /// The place in `object`; what is missing on the way is made.
    pub(super) fn reach<'a>(
        &self,
        object: &'a mut Map<String, Value>,
    ) -> Result<&'a mut Value, Error> {
        let mut at = object.entry(self.root()).or_insert(Value::Null);
        let mut passed = self.root().to_owned();
        for step in self.steps.iter().skip(1) {
            at = match step {
                Step::Key(key) => {
                    let map = map_at(at).ok_or_else(|| self.wrong(&passed, "map"))?;
                    passed = format!("{passed}.{key}");
                    map.entry(key.as_str()).or_insert(Value::Null)
                }
                Step::Index(index) => {
                    let list = list_at(at).ok_or_else(|| self.wrong(&passed, "list"))?;
                    passed = format!("{passed}[{index}]");
                    if list.len() <= *index {
                        list.resize(index + 1, Value::Null);
                    }
                    &mut list[*index]
                }
            };
        }
        Ok(at)
    }

    fn wrong(&self, at: &str, wanted: &'static str) -> Error {
        Error::Kind {
            path: self.text.clone(),
            at: at.to_owned(),
            wanted,
        }
    }
}

fn read_segment(segment: &str, steps: &mut Vec<Step>) -> Result<(), &'static str> {
    let (name, mut rest) = segment.split_at(segment.find('[').unwrap_or(segment.len()));
    if name.is_empty() {
        return Err("a step has no name");
    }
    steps.push(Step::Key(name.to_owned()));
    while !rest.is_empty() {
        let inner = rest.strip_prefix('[').ok_or("text follows an index")?;
        let (digits, after) = inner.split_once(']').ok_or("an index has no ]")?;
        let index: usize = digits.parse().map_err(|_| "an index is no number")?;
        if index > MAX_INDEX {
            return Err("an index is above 10000");
        }
        steps.push(Step::Index(index));
        rest = after;
    }
    Ok(())
}

/// The map in field `name` of the root; made where it is missing.
pub(super) fn map<'a>(
    object: &'a mut Map<String, Value>,
    name: &str,
) -> Result<&'a mut Map<String, Value>, Error> {
    let found = map_at(object.entry(name).or_insert(Value::Null));
    found.ok_or_else(|| Error::Kind {
        path: name.to_owned(),
        at: name.to_owned(),
        wanted: "map",
    })
}

fn map_at(value: &mut Value) -> Option<&mut Map<String, Value>> {
    if value.is_null() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut()
}

fn list_at(value: &mut Value) -> Option<&mut Vec<Value>> {
    if value.is_null() {
        *value = Value::Array(Vec::new());
    }
    value.as_array_mut()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(path: &str, object: &Value) -> Result<Value, Error> {
        let mut map = object.as_object().cloned().unwrap_or_default();
        *Path::parse(path)?.reach(&mut map)? = json!("x");
        Ok(Value::Object(map))
    }

    #[test]
    fn what_is_missing_on_the_way_is_made() {
        assert_eq!(set("spec", &json!({})), Ok(json!({"spec": "x"})));
        assert_eq!(
            set(
                "spec.a[1][0].b",
                &json!({"spec": {"kept": 1, "a": [{"z": 1}]}})
            ),
            Ok(json!({"spec": {"kept": 1, "a": [{"z": 1}, [{"b": "x"}]]}}))
        );
    }

    #[test]
    fn bad_paths_are_told_with_the_step() {
        for path in [
            "", "a..b", ".a", "[0].a", "a[", "a[x]", "a[-1]", "a[10001]", "a[0]b",
        ] {
            let error = Path::parse(path).unwrap_err();
            assert!(matches!(error, Error::Syntax { .. }), "{path}: {error}");
        }
        assert!(Path::parse("a[10000]").is_ok());
        let error = set("spec.a.b", &json!({"spec": {"a": 5}})).unwrap_err();
        assert_eq!(
            error.to_string(),
            "target path \"spec.a.b\": the object has no map at \"spec.a\""
        );
        let error = set("spec.a[0]", &json!({"spec": {"a": {}}})).unwrap_err();
        assert_eq!(
            error.to_string(),
            "target path \"spec.a[0]\": the object has no list at \"spec.a\""
        );
    }
}
