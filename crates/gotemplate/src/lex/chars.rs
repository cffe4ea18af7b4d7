//! Characters in byte strings: decoding as Go decodes, classes as Go's unicode package has them.
//! Knows no tokens.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// What may stand in a name: Go's letters and decimal digits, and the underscore.
pub(crate) fn is_alphanumeric(c: char) -> bool {
    c == '_' || is_letter(c) || c.is_ascii_digit() || of_class(&DIGIT, c)
}

/// A class of characters, by Unicode's general category.
type Class = LazyLock<Option<Regex>>;

static LETTER: Class = LazyLock::new(|| Regex::new(r"\p{L}").ok());
static UPPER: Class = LazyLock::new(|| Regex::new(r"\p{Lu}").ok());
static LOWER: Class = LazyLock::new(|| Regex::new(r"\p{Ll}").ok());
static DIGIT: Class = LazyLock::new(|| Regex::new(r"\p{Nd}").ok());
static NUMBER: Class = LazyLock::new(|| Regex::new(r"\p{N}").ok());
static PUNCTUATION: Class = LazyLock::new(|| Regex::new(r"\p{P}").ok());

fn of_class(class: &Class, c: char) -> bool {
    let is_match = |class: &Regex| class.is_match(c.encode_utf8(&mut [0; 4]));
    !c.is_ascii() && class.as_ref().is_some_and(is_match)
}

/// Go's `unicode.IsLetter`.
pub(crate) fn is_letter(c: char) -> bool {
    c.is_ascii_alphabetic() || of_class(&LETTER, c)
}

/// Go's `unicode.IsUpper`.
pub(crate) fn is_upper(c: char) -> bool {
    c.is_ascii_uppercase() || of_class(&UPPER, c)
}

/// Go's `unicode.IsLower`.
pub(crate) fn is_lower(c: char) -> bool {
    c.is_ascii_lowercase() || of_class(&LOWER, c)
}

/// Go's `unicode.IsNumber`.
pub(crate) fn is_number(c: char) -> bool {
    c.is_ascii_digit() || of_class(&NUMBER, c)
}

/// Go's `unicode.IsPunct`.
pub(crate) fn is_punctuation(c: char) -> bool {
    (c.is_ascii_punctuation() && !"$+<=>^`|~".contains(c)) || of_class(&PUNCTUATION, c)
}

/// The bytes as text: each byte that belongs to no character is a U+FFFD of its own, as in Go.
pub(crate) fn to_text(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    Cow::Owned(text)
}

/// The first character and its length in bytes. A byte that begins no character is U+FFFD of
/// length 1, as in Go.
pub(crate) fn decode(bytes: &[u8]) -> Option<(char, usize)> {
    let first = *bytes.first()?;
    if first < 0x80 {
        return Some((char::from(first), 1));
    }
    let head = &bytes[..bytes.len().min(4)];
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default(),
    };
    match valid.chars().next() {
        Some(c) => Some((c, c.len_utf8())),
        None => Some((char::REPLACEMENT_CHARACTER, 1)),
    }
}

/// As [`decode`], for the last character.
pub(crate) fn decode_last(bytes: &[u8]) -> Option<(char, usize)> {
    for length in 1..=bytes.len().min(4) {
        if let Ok(text) = std::str::from_utf8(&bytes[bytes.len() - length..])
            && let Some(c) = text.chars().next_back()
            && c.len_utf8() == length
        {
            return Some((c, length));
        }
    }
    (!bytes.is_empty()).then_some((char::REPLACEMENT_CHARACTER, 1))
}

/// Go's `unicode.IsPrint`: letters, marks, numbers, punctuation, symbols and the ASCII space.
pub(crate) fn is_print(c: char) -> bool {
    if c.is_ascii() {
        return (' '..='~').contains(&c);
    }
    // str's escape_debug leaves printable characters alone, and after the first also marks
    let mut buffer = [b'a'; 5];
    let length = 1 + c.encode_utf8(&mut buffer[1..]).len();
    std::str::from_utf8(&buffer[..length]).is_ok_and(|s| s.escape_debug().nth(1) == Some(c))
}

/// Go's `%#U`: the code point and, if it can be printed, the character.
pub(crate) fn unicode_point(c: char) -> String {
    let point = format!("U+{:04X}", u32::from(c));
    if is_print(c) {
        format!("{point} '{c}'")
    } else {
        point
    }
}
