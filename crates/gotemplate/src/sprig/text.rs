//! Words and letters: titles, initials, letter case, abbreviating and wrapping. Knows Unicode as
//! far as Go's simple mappings go.

use crate::functions::{CallError, Function, Functions};
use crate::lex::{decode, is_lower, is_upper};
use crate::sprig::{INT, TEXT, add_text, bytes, case, check_length, int};
use crate::value::Value;

pub(super) fn add_to(functions: &mut Functions) {
    add_text(functions, "upper", |s| map_chars(s, to_upper));
    add_text(functions, "lower", |s| map_chars(s, to_lower));
    add_text(functions, "title", title);
    add_text(functions, "untitle", untitle);
    add_text(functions, "swapcase", swapcase);
    add_text(functions, "initials", initials);
    add_text(functions, "nospace", nospace);
    add_text(functions, "camelcase", case::pascal);
    add_text(functions, "snakecase", |s| case::lower_words(s, '_'));
    add_text(functions, "kebabcase", |s| case::lower_words(s, '-'));
    functions
        .add(
            "abbrev",
            Function::new(&[INT, TEXT], |args| {
                let (width, text) = (int(args, 0), bytes(args, 1));
                Ok(if width < 4 {
                    text.into()
                } else {
                    abbreviate(text, 0, width).into()
                })
            }),
        )
        .add(
            "abbrevboth",
            Function::new(&[INT, INT, TEXT], |args| {
                let (left, right, text) = (int(args, 0), int(args, 1), bytes(args, 2));
                let unchanged = right < 4 || left > 0 && right < 7;
                Ok(if unchanged {
                    text.into()
                } else {
                    abbreviate(text, left, right).into()
                })
            }),
        )
        .add(
            "wrap",
            Function::new(&[INT, TEXT], |args| {
                wrap(bytes(args, 1), int(args, 0), b"", false)
            }),
        )
        .add(
            "wrapWith",
            Function::new(&[INT, TEXT, TEXT], |args| {
                wrap(bytes(args, 2), int(args, 0), bytes(args, 1), true)
            }),
        );
}

/// Maps every character; stray bytes are U+FFFD.
fn map_chars(mut text: &[u8], mut map: impl FnMut(char) -> char) -> Vec<u8> {
    let mut mapped = Vec::with_capacity(text.len());
    while let Some((c, length)) = decode(text) {
        mapped.extend_from_slice(map(c).encode_utf8(&mut [0; 4]).as_bytes());
        text = &text[length..];
    }
    mapped
}

/// The one character of Unicode's simple upper-case mapping.
pub(super) fn to_upper(c: char) -> char {
    let mut upper = c.to_uppercase();
    if let (Some(upper), None) = (upper.next(), upper.next()) {
        return upper;
    }
    // Greek letters whose full mapping has several characters, the simple one a single one
    let point = u32::from(c);
    let simple = match point {
        0x1F80..=0x1F87 | 0x1F90..=0x1F97 | 0x1FA0..=0x1FA7 => point + 8,
        0x1FB3 | 0x1FC3 | 0x1FF3 => point + 9,
        _ => point,
    };
    char::from_u32(simple).unwrap_or(c)
}

pub(super) fn to_lower(c: char) -> char {
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(lower), _) => lower,
        _ => c,
    }
}

fn to_title(c: char) -> char {
    match c {
        'Ǆ'..='ǆ' => 'ǅ',
        'Ǉ'..='ǉ' => 'ǈ',
        'Ǌ'..='ǌ' => 'ǋ',
        'Ǳ'..='ǳ' => 'ǲ',
        'ა'..='ჿ' => c,
        c => to_upper(c),
    }
}

/// What separates words for `title`: ASCII but letters, digits and underscore, and other spaces.
fn is_separator(c: char) -> bool {
    if c.is_ascii() {
        return !c.is_ascii_alphanumeric() && c != '_';
    }
    c.is_whitespace()
}

fn title(text: &[u8]) -> Vec<u8> {
    let mut previous = ' ';
    map_chars(text, |c| {
        let first = is_separator(previous);
        previous = c;
        if first { to_title(c) } else { c }
    })
}

fn untitle(text: &[u8]) -> Vec<u8> {
    let mut first = true;
    map_chars(text, |c| {
        if c.is_whitespace() {
            first = true;
            return c;
        }
        if std::mem::replace(&mut first, false) {
            to_lower(c)
        } else {
            c
        }
    })
}

fn swapcase(text: &[u8]) -> Vec<u8> {
    let mut after_space = true;
    map_chars(text, |c| {
        if is_upper(c) || matches!(c, 'ǅ' | 'ǈ' | 'ǋ' | 'ǲ') {
            after_space = false;
            to_lower(c)
        } else if is_lower(c) {
            if std::mem::replace(&mut after_space, false) {
                to_title(c)
            } else {
                to_upper(c)
            }
        } else {
            after_space = c.is_whitespace();
            c
        }
    })
}

/// The first of each word. Bytes are taken for characters, as upstream does.
fn initials(text: &[u8]) -> Vec<u8> {
    let mut initials = String::new();
    let mut gap = true;
    for c in text.iter().map(|byte| char::from(*byte)) {
        if c.is_whitespace() {
            gap = true;
        } else if std::mem::replace(&mut gap, false) {
            initials.push(c);
        }
    }
    initials.into_bytes()
}

/// The text without white space. Where there is any, bytes are taken for characters, as upstream does.
fn nospace(text: &[u8]) -> Vec<u8> {
    let is_space = |byte: &u8| char::from(*byte).is_whitespace();
    if !text.iter().any(is_space) {
        return text.to_vec();
    }
    let kept = text.iter().filter(|byte| !is_space(byte));
    kept.map(|byte| char::from(*byte))
        .collect::<String>()
        .into_bytes()
}

/// The text in `width` bytes with dots for what is left out before `offset` and at the end.
fn abbreviate(text: &[u8], offset: i64, width: i64) -> Vec<u8> {
    const DOTS: &[u8] = b"...";
    let length = i64::try_from(text.len()).unwrap_or(i64::MAX);
    if width < 4 || text.is_empty() {
        return Vec::new();
    }
    if length <= width {
        return text.to_vec();
    }
    let shown = width - 3;
    let mut offset = offset.min(length);
    if length - offset < shown {
        offset = length - shown;
    }
    let at = |n: i64| usize::try_from(n).unwrap_or_default();
    if offset <= 4 {
        return [&text[..at(shown)], DOTS].concat();
    }
    if width < 7 {
        return Vec::new();
    }
    if offset + shown < length {
        return [DOTS, &abbreviate(&text[at(offset)..], 0, shown)].concat();
    }
    [DOTS, &text[at(length - shown)..]].concat()
}

/// Breaks lines at spaces so that they have at most `width` bytes.
fn wrap(text: &[u8], width: i64, newline: &[u8], split_words: bool) -> Result<Value, CallError> {
    let newline = if newline.is_empty() { b"\n" } else { newline };
    let width = usize::try_from(width).unwrap_or(0).max(1);
    let mut wrapped = Vec::new();
    let mut rest = text;
    while rest.len() > width {
        if rest[0] == b' ' {
            rest = &rest[1..];
            continue;
        }
        let space = rest[..=width].iter().rposition(|byte| *byte == b' ');
        let (line, next) = match space {
            Some(space) => (space, space + 1),
            None if split_words => (width, width),
            None => match rest[width..].iter().position(|byte| *byte == b' ') {
                Some(space) => (width + space, width + space + 1),
                None => break,
            },
        };
        wrapped.extend_from_slice(&rest[..line]);
        wrapped.extend_from_slice(newline);
        check_length(wrapped.len())?;
        rest = &rest[next..];
    }
    wrapped.extend_from_slice(rest);
    Ok(wrapped.into())
}
