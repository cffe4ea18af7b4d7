//! JSON text as Go's `encoding/json` writes it, where `serde_json` writes it otherwise. Pure.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;

/// `value` in one line, members in the order of its type. `<`, `>`, `&` and the line separators
/// U+2028 and U+2029 are escaped; everything else `serde_json` writes as Go does. Numbers should be
/// integers.
///
/// # Errors
/// `value` cannot be serialised.
pub fn serialized<T: Serialize>(value: &T) -> serde_json::Result<String> {
    let mut text = String::new();
    escape(&serde_json::to_string(value)?, true, &mut text);
    Ok(text)
}

/// `value` in one line, keys sorted, numbers as 64-bit floats. `escape_html` writes `<`, `>` and `&` as `\u003c`, `\u003e`, `\u0026`.
pub fn compact(value: &Value, escape_html: bool) -> String {
    let mut text = String::new();
    write(value, escape_html, &mut text);
    text
}

fn write(value: &Value, escape_html: bool, text: &mut String) {
    match value {
        Value::Null | Value::Bool(_) => text.push_str(&value.to_string()),
        Value::Number(number) => text.push_str(&float(number.as_f64().unwrap_or_default())),
        Value::String(string) => quote(string, escape_html, text),
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write(item, escape_html, text);
            }
            text.push(']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            text.push('{');
            for (index, (name, member)) in members.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                quote(name, escape_html, text);
                text.push(':');
                write(member, escape_html, text);
            }
            text.push('}');
        }
    }
}

/// Without exponent from 1e-6 up to 1e21, as in ECMAScript.
fn float(number: f64) -> String {
    let size = number.abs();
    if size == 0.0 || (1e-6..1e21).contains(&size) {
        return number.to_string();
    }
    let text = format!("{number:e}");
    match text.split_once('e') {
        Some((digits, exponent)) if !exponent.starts_with('-') => format!("{digits}e+{exponent}"),
        _ => text,
    }
}

fn quote(string: &str, escape_html: bool, text: &mut String) {
    escape(&Value::from(string).to_string(), escape_html, text);
}

/// Outside of strings none of these can stand.
fn escape(json: &str, escape_html: bool, text: &mut String) {
    for c in json.chars() {
        let is_escaped =
            matches!(c, '\u{2028}' | '\u{2029}') || escape_html && matches!(c, '<' | '>' | '&');
        if is_escaped {
            // writing into a String cannot fail
            let _ = write!(text, "\\u{:04x}", u32::from(c));
        } else {
            text.push(c);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_gos() {
        let value: Value =
            serde_json::from_str(r#"{"b":[1,1.50,1e3,12345678901234567890,1e21,0.0000001,-0.0],"a":"<é\u2028\u0007\n>","n":null}"#)
                .unwrap();
        assert_eq!(
            compact(&value, true),
            r#"{"a":"\u003cé\u2028\u0007\n\u003e","b":[1,1.5,1000,12345678901234567000,1e+21,1e-7,-0],"n":null}"#
        );
        assert_eq!(compact(&Value::from("<&>"), false), r#""<&>""#);
    }

    #[test]
    fn text_is_escaped_as_in_go() {
        let vectors = [
            ("<&>", r#""\u003c\u0026\u003e""#),
            ("\u{2028}\u{2029}", r#""\u2028\u2029""#),
            ("a\"b\\c/d", r#""a\"b\\c/d""#),
            (
                "\u{8}\u{c}\n\r\t\u{1f}\u{7f}é",
                "\"\\b\\f\\n\\r\\t\\u001f\u{7f}é\"",
            ),
        ];
        for (text, want) in vectors {
            assert_eq!(serialized(&text).unwrap(), want, "{text:?}");
        }
    }
}
