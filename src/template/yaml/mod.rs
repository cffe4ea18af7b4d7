//! The YAML of templates: YAML 1.1 as go-yaml v2 reads and writes it, which users' templates depend
//! on. Knows what callers need of a text; the parts below know
//! how it is read, resolved and written.

mod emitter;
mod error;
mod node;
mod number;
mod reader;
mod scalar;

use std::collections::BTreeMap;

use node::Node;

pub use error::Error;

/// The keys and values of a flat map. Unquoted scalars are rewritten: `yes` is `true`, `010` is
/// `8`, null is empty. An empty document has none.
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

/// The document as JSON: integers as such, other numbers as floats.
pub fn to_json(text: &[u8]) -> Result<serde_json::Value, Error> {
    reader::read(text)?.into_json()
}

/// What `fromYaml` gives: a dict whose numbers are all `float64`; of a text that is no map, a dict
/// with the reason at `Error`. Never fails.
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
/// written as integers and refuses control characters.
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
