//! What a document holds, and its way to and from JSON and template values. Does not know YAML's
//! syntax.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gotemplate::{Elem, Value};
use serde_json::{Number, Value as Json};

use super::error::Error;
use super::number;

/// Lists and maps inside each other that are followed.
pub(super) const MAX_DEPTH: usize = 200;

/// A node of a document.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Int(i64),
    /// only above the range of `Int`
    Uint(u64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(BTreeMap<String, Node>),
}

impl Node {
    /// What the node is, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Int(_) | Self::Uint(_) | Self::Float(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }

    /// The node as the text of a string field; floats with the precision of 32 bits.
    pub(super) fn text(&self) -> Option<String> {
        Some(match self {
            Self::Null => String::new(),
            Self::Bool(b) => b.to_string(),
            Self::Int(n) => n.to_string(),
            Self::Uint(n) => n.to_string(),
            Self::Float(f) => number::shortest_32(*f),
            Self::Text(text) => text.clone(),
            Self::List(_) | Self::Map(_) => return None,
        })
    }

    pub(super) fn into_json(self) -> Result<Json, Error> {
        Ok(match self {
            Self::Null => Json::Null,
            Self::Bool(b) => Json::Bool(b),
            Self::Int(n) => n.into(),
            Self::Uint(n) => n.into(),
            Self::Float(f) => Json::Number(Number::from_f64(f).ok_or(Error::NotFinite)?),
            Self::Text(text) => Json::String(text),
            Self::List(items) => {
                let items: Result<_, _> = items.into_iter().map(Self::into_json).collect();
                Json::Array(items?)
            }
            Self::Map(entries) => {
                let entries: Result<_, _> = entries
                    .into_iter()
                    .map(|(key, node)| Ok((key, node.into_json()?)))
                    .collect();
                Json::Object(entries?)
            }
        })
    }

    /// The node as a template has it: every number a `float64`.
    #[allow(clippy::cast_precision_loss, reason = "as in Go")]
    pub(super) fn into_value(self) -> Result<Value, Error> {
        Ok(match self {
            Self::Null => Value::Nil,
            Self::Bool(b) => Value::Bool(b),
            Self::Int(n) => Value::Float(n as f64),
            Self::Uint(n) => Value::Float(n as f64),
            Self::Float(f) if !f.is_finite() => return Err(Error::NotFinite),
            Self::Float(f) => Value::Float(f),
            Self::Text(text) => Value::from(text),
            Self::List(items) => {
                let items: Result<_, _> = items.into_iter().map(Self::into_value).collect();
                Value::list(items?)
            }
            Self::Map(entries) => {
                let entries: Result<Vec<_>, Error> = entries
                    .into_iter()
                    .map(|(key, node)| Ok((key, node.into_value()?)))
                    .collect();
                Value::dict(entries?)
            }
        })
    }
}

/// A template's value as JSON whose text YAML reads as Go's: a float without fraction is an
/// integer. `None` for what has no JSON.
pub(super) fn json_of(value: &Value, depth: usize) -> Option<Json> {
    if depth > MAX_DEPTH {
        return None;
    }
    Some(match value {
        Value::Nil => Json::Null,
        Value::List(list) if list.is_nil() => Json::Null,
        Value::Bool(b) => Json::Bool(*b),
        Value::Int(n) | Value::Int64(n) => (*n).into(),
        Value::Uint8(n) => (*n).into(),
        Value::Uint64(n) => (*n).into(),
        Value::Float(f) => Json::Number(number::json(*f)?),
        Value::Str(bytes) => Json::String(lossy(bytes)),
        Value::List(list) if list.elem() == Elem::Uint8 => {
            let bytes: Vec<u8> = list
                .items()
                .iter()
                .filter_map(|item| item.as_uint().and_then(|n| n.try_into().ok()))
                .collect();
            Json::String(STANDARD.encode(bytes))
        }
        Value::List(list) => {
            let items = list.items();
            let items: Option<_> = items.iter().map(|item| json_of(item, depth + 1)).collect();
            Json::Array(items?)
        }
        Value::Map(map) => {
            let entries = map.entries();
            let entries: Option<_> = entries
                .iter()
                .map(|(key, value)| Some((lossy(key), json_of(value, depth + 1)?)))
                .collect();
            Json::Object(entries?)
        }
        Value::Object(object) => json_of(&object.json(), depth + 1)?,
        Value::Complex(..) | Value::Func(_) => return None,
    })
}

/// Text with U+FFFD for each byte that is no part of UTF-8, as Go does it.
pub(super) fn lossy(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    text
}
