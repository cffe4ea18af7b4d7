//! Characters in byte strings: decoding as Go decodes, classes as Go's unicode package has them.
//! Knows no tokens.

pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

pub(crate) fn is_alphanumeric(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
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
