//! What a scalar means: the types that go-yaml v2 gives to unquoted text (YAML 1.1 without base 60
//! numbers), explicit tags included. Does not know where the scalar stands.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regex::Regex;

use super::node::{self, Node};

const PREFIX: &str = "tag:yaml.org,2002:";

/// What plain text stands for.
#[derive(Debug, PartialEq)]
enum Resolved {
    Node(Node),
    /// `<<`
    Merge,
    Text,
}

/// The tag that a value does not go with.
#[derive(Debug, PartialEq)]
pub(super) struct WrongTag(pub(super) &'static str);

/// The node of a scalar. `plain` is whether it has neither quotes nor a tag.
pub(super) fn node(tag: Option<&str>, plain: bool, value: String) -> Result<Node, WrongTag> {
    let wanted = match tag {
        None if !plain => return Ok(Node::Text(value)),
        None => "",
        Some(tag) => tag.strip_prefix(PREFIX).unwrap_or("other"),
    };
    if wanted == "binary" {
        return binary(&value);
    }
    if wanted == "timestamp" && !is_timestamp(&value) {
        return Err(WrongTag("!!timestamp"));
    }
    if !matches!(wanted, "" | "bool" | "int" | "float" | "null") {
        return Ok(Node::Text(value));
    }
    let node = match resolve(&value) {
        Resolved::Node(node) => node,
        Resolved::Merge | Resolved::Text => Node::Text(value),
    };
    #[allow(clippy::cast_precision_loss, reason = "as in Go")]
    match (wanted, node) {
        ("", node)
        | ("bool", node @ Node::Bool(_))
        | ("int", node @ (Node::Int(_) | Node::Uint(_)))
        | ("float", node @ Node::Float(_)) => Ok(node),
        ("float", Node::Int(n)) => Ok(Node::Float(n as f64)),
        ("null", Node::Null) => Ok(Node::Null),
        ("bool", _) => Err(WrongTag("!!bool")),
        ("int", _) => Err(WrongTag("!!int")),
        ("float", _) => Err(WrongTag("!!float")),
        _ => Err(WrongTag("!!null")),
    }
}

fn binary(value: &str) -> Result<Node, WrongTag> {
    let text: String = value
        .chars()
        .filter(|c| !matches!(c, '\r' | '\n'))
        .collect();
    match STANDARD.decode(text) {
        Ok(bytes) => Ok(Node::Text(node::lossy(&bytes))),
        Err(_) => Err(WrongTag("!!binary")),
    }
}

/// Whether text without quotes would be read as something else than this text.
pub(super) fn needs_quotes(text: &str) -> bool {
    matches!(resolve(text), Resolved::Node(_)) || is_timestamp(text) || is_base_60(text)
}

fn resolve(text: &str) -> Resolved {
    if let Some(word) = word(text) {
        return word;
    }
    let number = match text.as_bytes() {
        [b'.', ..] if FRACTION.is_match(text) => float(&text.replace('_', "")),
        [b'+' | b'-' | b'0'..=b'9', ..] => number(&text.replace('_', "")),
        _ => None,
    };
    number.map_or(Resolved::Text, Resolved::Node)
}

fn word(text: &str) -> Option<Resolved> {
    let node = match text {
        "" | "~" | "null" | "Null" | "NULL" => Node::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Node::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Node::Bool(false)
        }
        ".nan" | ".NaN" | ".NAN" => Node::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Node::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Node::Float(f64::NEG_INFINITY),
        "<<" => return Some(Resolved::Merge),
        _ => return None,
    };
    Some(Resolved::Node(node))
}

/// Here Go wants digits on both sides of an underscore.
static FRACTION: LazyLock<Pattern> =
    LazyLock::new(|| regex(r"^\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?$"));

static DECIMAL: LazyLock<Pattern> =
    LazyLock::new(|| regex(r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$"));

/// A pattern of this file. All are valid; one that were not would match nothing.
struct Pattern(Option<Regex>);

fn regex(pattern: &str) -> Pattern {
    Pattern(Regex::new(pattern).ok())
}

impl Pattern {
    fn is_match(&self, text: &str) -> bool {
        self.0.as_ref().is_some_and(|regex| regex.is_match(text))
    }

    fn captures<'a>(&self, text: &'a str) -> Option<regex::Captures<'a>> {
        self.0.as_ref().and_then(|regex| regex.captures(text))
    }
}

/// A number without underscores: an integer in Go's notation, else a decimal float.
fn number(text: &str) -> Option<Node> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let signed = digits.len() < text.len();
    if let Some(magnitude) = integer(digits) {
        let value = i128::from(magnitude) * if negative { -1 } else { 1 };
        if let Ok(value) = i64::try_from(value) {
            return Some(Node::Int(value));
        }
        if !signed {
            return Some(Node::Uint(magnitude));
        }
    }
    DECIMAL.is_match(text).then(|| float(text)).flatten()
}

/// `0x`, `0o`, `0b`, leading `0` for octal, else decimal.
fn integer(digits: &str) -> Option<u64> {
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    u64::from_str_radix(digits, radix).ok()
}

fn float(text: &str) -> Option<Node> {
    let value: f64 = text.parse().ok()?;
    value.is_finite().then_some(Node::Float(value))
}

/// Dates and times stay text, but are written in quotes.
fn is_timestamp(text: &str) -> bool {
    static TIMESTAMP: LazyLock<Pattern> = LazyLock::new(|| {
        regex(
            r"^([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:(?:[Tt]([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:[.,][0-9]+)?(?:Z|[-+][0-9]{2}:[0-9]{2}))|(?: +([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:[.,][0-9]+)?))?$",
        )
    });
    let Some(found) = TIMESTAMP.captures(text) else {
        return false;
    };
    let part = |i: usize| -> Option<i8> { found.get(i)?.as_str().parse().ok() };
    let year = found[1].parse().unwrap_or(0);
    let date = jiff::civil::Date::new(year, part(2).unwrap_or(0), part(3).unwrap_or(0));
    let below = |parts: [usize; 2], limit: i8| {
        parts
            .iter()
            .all(|i| part(*i).is_none_or(|value| value < limit))
    };
    date.is_ok() && below([4, 7], 24) && below([5, 8], 60) && below([6, 9], 60)
}

/// `1:30`, a number in other readers of YAML 1.1.
fn is_base_60(text: &str) -> bool {
    static BASE_60: LazyLock<Pattern> =
        LazyLock::new(|| regex(r"^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$"));
    BASE_60.is_match(text)
}
