//! html, js and urlquery. Knows three ways of escaping text.

use crate::lex::{decode, is_print};

pub(super) fn html(text: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(text.len());
    for byte in text {
        match byte {
            b'"' => escaped.extend_from_slice(b"&#34;"),
            b'\'' => escaped.extend_from_slice(b"&#39;"),
            b'&' => escaped.extend_from_slice(b"&amp;"),
            b'<' => escaped.extend_from_slice(b"&lt;"),
            b'>' => escaped.extend_from_slice(b"&gt;"),
            0 => escaped.extend_from_slice("\u{FFFD}".as_bytes()),
            byte => escaped.push(*byte),
        }
    }
    escaped
}

pub(super) fn js(mut text: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(text.len());
    while let Some((c, length)) = decode(text) {
        match c {
            '\\' | '\'' | '"' => escaped.extend([b'\\', text[0]]),
            '<' | '>' | '&' | '=' | '\0'..' ' => {
                escaped.extend(format!("\\u{:04X}", u32::from(c)).bytes());
            }
            c if c.is_ascii() || is_print(c) => escaped.extend_from_slice(&text[..length]),
            c => escaped.extend(format!("\\u{:04X}", u32::from(c)).bytes()),
        }
        text = &text[length..];
    }
    escaped
}

/// Escapes for the query of a URL: a space becomes `+`.
pub(super) fn query_escape(text: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(text.len());
    for byte in text {
        match byte {
            b' ' => escaped.push(b'+'),
            b'-' | b'_' | b'.' | b'~' => escaped.push(*byte),
            byte if byte.is_ascii_alphanumeric() => escaped.push(*byte),
            byte => escaped.extend(format!("%{byte:02X}").bytes()),
        }
    }
    escaped
}
