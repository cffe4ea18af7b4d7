//! The YAML of templates: YAML 1.1 as go-yaml v2 reads and writes it, which users' templates depend
//! on (spec: templating.md 1.6, 1.7, 1.13). Knows what callers need of a text; the parts below know
//! how it is read, resolved and written.

mod emitter;
mod node;
mod number;
mod reader;
mod scalar;

use std::collections::BTreeMap;

use node::Node;

/// Why a text is not the YAML that is wanted. Repeats nothing of the text.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text is no YAML.
    #[error("not valid YAML: {0}; quote values that hold special characters")]
    Syntax(String),
    /// An alias names no anchor that is complete before it.
    #[error("line {0}: unknown anchor; quote values that begin with *")]
    UnknownAnchor(u64),
    /// An explicit tag does not go with its value.
    #[error("line {line}: the value is not of the type that its tag {tag} names")]
    Tag { line: u64, tag: &'static str },
    /// A key is null, a list or a map.
    #[error("line {0}: a key must be a string, a number or a boolean")]
    Key(u64),
    /// `<<` with something that cannot be merged.
    #[error("line {0}: << needs a map or a list of maps")]
    Merge(u64),
    /// More than is taken.
    #[error("the YAML is too large: {0}")]
    TooLarge(&'static str),
    /// A list or scalar where keys and values are wanted.
    #[error("wanted keys and values, found {0}")]
    NotAMap(&'static str),
    /// A list or map as value of a key.
    #[error("the value of key {key} is {found}; wanted text, a number, a boolean or null")]
    NotText { key: String, found: &'static str },
    /// Infinity and not-a-number have no JSON.
    #[error("a number is infinite or not a number, which JSON cannot hold")]
    NotFinite,
}

/// The keys and values of a flat map. Unquoted scalars are rewritten: `yes` is `true`, `010` is
/// `8`, null is empty (spec 1.6). An empty document has none.
pub fn key_values(text: &[u8]) -> Result<BTreeMap<String, Vec<u8>>, Error> {
    let entries = match reader::read(text)? {
        Node::Null => return Ok(BTreeMap::new()),
        Node::Map(entries) => entries,
        other => return Err(Error::NotAMap(other.kind())),
    };
    let mut flat = BTreeMap::new();
    for (key, value) in entries {
        let Some(text) = value.text() else {
            let found = value.kind();
            return Err(Error::NotText { key, found });
        };
        flat.insert(key, text.into_bytes());
    }
    Ok(flat)
}

/// The document as JSON: integers as such, other numbers as floats (spec 1.7).
pub fn to_json(text: &[u8]) -> Result<serde_json::Value, Error> {
    reader::read(text)?.into_json()
}

/// What `fromYaml` gives: a dict whose numbers are all `float64`; of a text that is no map, a dict
/// with the reason at `Error`. Never fails (spec 1.13).
pub fn from_yaml(text: &[u8]) -> gotemplate::Value {
    let dict = reader::read(text).and_then(|node| match node {
        Node::Null => Ok(gotemplate::Value::dict::<&str>([])),
        Node::Map(_) => node.into_value(),
        other => Err(Error::NotAMap(other.kind())),
    });
    dict.unwrap_or_else(|error| {
        gotemplate::Value::dict([("Error", gotemplate::Value::from(error.to_string()))])
    })
}

/// What `toYaml` gives, without a final line break; `None` where the value has no YAML.
///
/// The value goes through JSON and is read as YAML again, as in Go. That decides which numbers are
/// written as integers and refuses control characters (spec 1.13).
pub fn to_yaml(value: &gotemplate::Value) -> Option<String> {
    let json = node::json_of(value, 0)?.to_string();
    // line breaks to YAML; escaped by Go's JSON
    let json = json
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029");
    let node = reader::read(json.as_bytes()).ok()?;
    emitter::write(node)
}

#[cfg(test)]
mod tests;
