//! Byte strings that are looked at as text and must come out as they were. Knows the stand-ins of bytes
//! that are no UTF-8.

use std::borrow::Cow;

use crate::lex::decode;

/// Stray bytes stand as characters of this private range while text is looked at.
const STRAY: u32 = 0x10_FE00;

/// The text as UTF-8: to Go a stray byte is one character too.
pub(super) fn readable(mut text: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(text) {
        return Cow::Borrowed(text);
    }
    let mut readable = String::with_capacity(text.len());
    while let Some((c, length)) = decode(text) {
        let stray = c == char::REPLACEMENT_CHARACTER && length == 1;
        let stand_in = char::from_u32(STRAY + u32::from(text[0])).unwrap_or(c);
        readable.push(if stray { stand_in } else { c });
        text = &text[length..];
    }
    Cow::Owned(readable)
}

/// The bytes that a readable text stands for.
pub(super) fn original(readable: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(readable.len());
    for c in readable.chars() {
        match u32::from(c).checked_sub(STRAY).map(u8::try_from) {
            Some(Ok(stray)) => bytes.push(stray),
            _ => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}
