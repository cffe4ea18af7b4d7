//! One JSON object as many values (ESO's guide "Extract structured data"). Pure.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::{SecretData, SecretValue};

/// The value is no JSON object. Says where, never what.
#[derive(Debug, thiserror::Error)]
#[error(
    "error unmarshalling json data: {what} at line {line} column {column}; extract takes a JSON \
     object: store one, or read the value under spec.data"
)]
pub struct NotAnObject {
    what: &'static str,
    line: usize,
    column: usize,
}

/// The members of `value`: strings as their text, `null` as nothing, everything else as it is
/// written. Of two members with one name the last counts; a document `null` has none.
///
/// # Errors
/// Not a JSON object.
pub fn members(value: &SecretValue) -> Result<SecretData, NotAnObject> {
    let parsed: Option<BTreeMap<String, &RawValue>> =
        serde_json::from_slice(value.expose()).map_err(|error| not_an_object(&error))?;
    let members = parsed.unwrap_or_default().into_iter();
    Ok(members.map(|(name, raw)| (name, text(raw.get()))).collect())
}

fn not_an_object(error: &serde_json::Error) -> NotAnObject {
    use serde_json::error::Category;
    let what = match error.classify() {
        Category::Eof => "unexpected end of JSON input",
        Category::Data => "not an object",
        Category::Syntax | Category::Io => "invalid character",
    };
    NotAnObject {
        what,
        line: error.line(),
        column: error.column(),
    }
}

fn text(raw: &str) -> SecretValue {
    match raw.as_bytes() {
        b"null" => SecretValue::default(),
        [b'"', ..] => SecretValue::new(unquoted(raw)),
        _ => SecretValue::new(raw),
    }
}

/// The text of a JSON string; an escaped half of a surrogate pair becomes U+FFFD, as in Go.
fn unquoted(raw: &str) -> String {
    serde_json::from_str(raw).unwrap_or_else(|_| {
        let mut mended = String::with_capacity(raw.len());
        let mut rest = raw;
        while let Some(at) = rest.find('\\') {
            let (before, escape) = rest.split_at(at);
            mended.push_str(before);
            let length = escape_length(escape);
            let is_text = serde_json::from_str::<String>(&format!("\"{}\"", &escape[..length]));
            mended.push_str(if is_text.is_ok() {
                &escape[..length]
            } else {
                "\u{fffd}"
            });
            rest = &escape[length..];
        }
        mended.push_str(rest);
        serde_json::from_str(&mended).unwrap_or_default()
    })
}

/// Bytes of the escape that `text` begins with: `\n`, `\u0041`, or both halves of a pair.
fn escape_length(text: &str) -> usize {
    let unit = |text: &str| {
        let digits = text.strip_prefix("\\u")?.get(..4)?;
        u16::from_str_radix(digits, 16).ok()
    };
    match unit(text) {
        None => 2.min(text.len()),
        Some(0xd800..=0xdbff) if matches!(unit(&text[6..]), Some(0xdc00..=0xdfff)) => 12,
        Some(_) => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> Vec<(String, String)> {
        let members = members(&SecretValue::new(json)).unwrap().into_iter();
        members
            .map(|(name, value)| (name, value.expose_text().unwrap().to_owned()))
            .collect()
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = pairs.iter();
        owned
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    }

    #[test]
    fn members_keep_their_text() {
        let json = r#"{"a":"x","n":1.50,"e":1e3,"b":true,"z":null,"o":{"k": 1},"l":[1, 2]}"#;
        let want = [
            ("a", "x"),
            ("b", "true"),
            ("e", "1e3"),
            ("l", "[1, 2]"),
            ("n", "1.50"),
            ("o", r#"{"k": 1}"#),
            ("z", ""),
        ];
        assert_eq!(of(json), pairs(&want));
        assert_eq!(of(r#"{"a":"1","a":"2"}"#), pairs(&[("a", "2")]));
        assert_eq!(of("null"), []);
        assert_eq!(of(" {} "), []);
    }

    #[test]
    fn half_a_surrogate_pair_is_replaced_and_a_whole_one_is_read() {
        assert_eq!(of(r#"{"a":"x\ud83dy\n"}"#), pairs(&[("a", "x\u{fffd}y\n")]));
        assert_eq!(
            of(r#"{"a":"\ud83d\ude00\udc00"}"#),
            pairs(&[("a", "\u{1f600}\u{fffd}")])
        );
    }

    #[test]
    fn anything_but_an_object_is_refused_without_showing_it() {
        for json in [
            "[]",
            "\"hunter2\"",
            "1",
            "",
            "{\"a\":1} x",
            "{a:1}",
            "hunter2",
        ] {
            let error = members(&SecretValue::new(json)).unwrap_err().to_string();
            assert!(
                error.starts_with("error unmarshalling json data: "),
                "{error}"
            );
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn depth_does_no_harm() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
        assert_eq!(of(&deep)[0].1.len(), 20_000);
    }
}
