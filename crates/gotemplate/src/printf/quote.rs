//! Go's `strconv.Quote` and its kin. Knows escapes; does not know verbs.

use std::fmt::Write;

use crate::lex::{decode, is_print};

/// The bytes as a Go string literal in double quotes.
pub(crate) fn quoted(bytes: &[u8]) -> String {
    quote_with(bytes, '"', false)
}

/// The same with everything beyond ASCII escaped.
pub(crate) fn quoted_ascii(bytes: &[u8]) -> String {
    quote_with(bytes, '"', true)
}

/// A character as a Go literal in single quotes.
pub(crate) fn quoted_char(c: char, ascii: bool) -> String {
    quote_with(c.encode_utf8(&mut [0; 4]).as_bytes(), '\'', ascii)
}

/// Whether the text can stand unchanged between back quotes on one line.
pub(crate) fn can_backquote(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| {
        text.chars()
            .all(|c| c == '\t' || (c >= ' ' && !matches!(c, '`' | '\x7f' | '\u{FEFF}')))
    })
}

fn quote_with(mut bytes: &[u8], quote: char, ascii: bool) -> String {
    let mut text = String::with_capacity(bytes.len() + 2);
    text.push(quote);
    while let Some((c, length)) = decode(bytes) {
        if c == char::REPLACEMENT_CHARACTER && length == 1 {
            let _ = write!(text, "\\x{:02x}", bytes[0]);
        } else {
            push_escaped(&mut text, c, quote, ascii);
        }
        bytes = &bytes[length..];
    }
    text.push(quote);
    text
}

fn push_escaped(text: &mut String, c: char, quote: char, ascii: bool) {
    let escape = match c {
        c if c == quote || c == '\\' => {
            text.push('\\');
            text.push(c);
            return;
        }
        c if is_print(c) && (c.is_ascii() || !ascii) => {
            text.push(c);
            return;
        }
        '\x07' => "\\a",
        '\x08' => "\\b",
        '\x0c' => "\\f",
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        '\x0b' => "\\v",
        c => {
            let point = u32::from(c);
            let _ = match point {
                0..0x20 | 0x7f => write!(text, "\\x{point:02x}"),
                0..0x10000 => write!(text, "\\u{point:04x}"),
                _ => write!(text, "\\U{point:08x}"),
            };
            return;
        }
    };
    text.push_str(escape);
}
