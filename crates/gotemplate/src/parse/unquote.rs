//! String and character literals of Go. Knows escapes; `None` is what Go calls invalid syntax.

use crate::lex::decode;

/// The bytes that a literal in double quotes or back quotes stands for.
pub(crate) fn unquote(literal: &[u8]) -> Option<Vec<u8>> {
    let (quote, inner) = match literal {
        [first, inner @ .., last] if first == last => (*first, inner),
        _ => return None,
    };
    match quote {
        b'`' => Some(
            inner
                .iter()
                .copied()
                .filter(|byte| *byte != b'\r')
                .collect(),
        ),
        b'"' => {
            let mut bytes = Vec::with_capacity(inner.len());
            let mut rest = inner;
            while !rest.is_empty() {
                let (unit, length) = unit(rest, b'"')?;
                unit.push_to(&mut bytes);
                rest = &rest[length..];
            }
            Some(bytes)
        }
        _ => None,
    }
}

/// The code point of a character literal, without its quotes.
pub(crate) fn character(inner: &[u8]) -> Option<(u32, usize)> {
    let (unit, length) = unit(inner, b'\'')?;
    let point = match unit {
        Unit::Byte(byte) => u32::from(byte),
        Unit::Char(c) => u32::from(c),
    };
    Some((point, length))
}

enum Unit {
    Byte(u8),
    Char(char),
}

impl Unit {
    fn push_to(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Byte(byte) => bytes.push(*byte),
            Self::Char(c) => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

/// The first unit of a literal and its length in the source.
fn unit(source: &[u8], quote: u8) -> Option<(Unit, usize)> {
    match source {
        [b'\\', b'x', ..] => Some((Unit::Byte(u8::try_from(hex(source, 2)?).ok()?), 4)),
        [b'\\', b'u', ..] => Some((Unit::Char(char::from_u32(hex(source, 4)?)?), 6)),
        [b'\\', b'U', ..] => Some((Unit::Char(char::from_u32(hex(source, 8)?)?), 10)),
        [b'\\', b'0'..=b'7', ..] => {
            let digits = std::str::from_utf8(source.get(1..4)?).ok()?;
            Some((Unit::Byte(u8::from_str_radix(digits, 8).ok()?), 4))
        }
        [b'\\', escape, ..] => {
            let byte = match escape {
                b'a' => 0x07,
                b'b' => 0x08,
                b'f' => 0x0c,
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'v' => 0x0b,
                b'\\' => b'\\',
                escape if *escape == quote => quote,
                _ => return None,
            };
            Some((Unit::Byte(byte), 2))
        }
        [byte, ..] if *byte == quote || *byte == b'\n' => None,
        [byte, ..] if *byte < 0x80 => Some((Unit::Byte(*byte), 1)),
        _ => {
            let (c, length) = decode(source)?;
            Some((Unit::Char(c), length))
        }
    }
}

fn hex(source: &[u8], digits: usize) -> Option<u32> {
    let digits = source.get(2..2 + digits)?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}
