//! Regular expressions as Go reads them (RE2 syntax), on the linear-time engine of `regex`. Pure.
//!
//! The two agree but for a few spellings: Go's `\d`, `\w`, `\s` and `\b` are ASCII, `\Q…\E` quotes,
//! octal escapes exist, a brace that repeats nothing is literal, and a bracket within a class too.

use std::iter::Peekable;
use std::str::Chars;

use regex::{Regex, RegexBuilder};

/// Longer patterns are refused.
pub const MAX_PATTERN: usize = 4096;
/// Bytes that a compiled pattern may take: nested repetitions explode.
const MAX_COMPILED: usize = 1 << 20;

/// Why a pattern cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// More than [`MAX_PATTERN`] bytes.
    #[error("the pattern has {0} bytes, {MAX_PATTERN} are allowed")]
    TooLong(usize),
    /// No regular expression, or one that explodes.
    #[error("{0}")]
    Malformed(String),
}

/// Compiles `pattern`.
///
/// # Errors
/// It is too long, malformed, or would take too much memory.
pub fn compile(pattern: &str) -> Result<Regex, Error> {
    if pattern.len() > MAX_PATTERN {
        return Err(Error::TooLong(pattern.len()));
    }
    RegexBuilder::new(&translated(pattern))
        .octal(true)
        .size_limit(MAX_COMPILED)
        .build()
        .map_err(|error| Error::Malformed(one_line(&error)))
}

/// The last line of the crate's message tells; those before draw the pattern.
fn one_line(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default().trim();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

fn translated(pattern: &str) -> String {
    let mut text = String::with_capacity(pattern.len());
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => escape(&mut chars, false, &mut text),
            '[' => class(&mut chars, &mut text),
            '{' if !is_repetition(chars.clone()) => text.push_str("\\{"),
            _ => text.push(c),
        }
    }
    text
}

/// The rest of a class, after its opening bracket.
fn class(chars: &mut Peekable<Chars<'_>>, text: &mut String) {
    text.push('[');
    if chars.next_if_eq(&'^').is_some() {
        text.push('^');
    }
    if chars.next_if_eq(&']').is_some() {
        text.push_str("\\]");
    }
    while let Some(c) = chars.next() {
        match c {
            ']' => {
                text.push(']');
                return;
            }
            '\\' => escape(chars, true, text),
            '[' if chars.peek() == Some(&':') => text.push('['),
            '[' | '&' | '~' => text.extend(['\\', c]),
            // ":]" ends a named class, whose bracket is not the end of this one
            ':' if chars.peek() == Some(&']') && is_named(text) => {
                chars.next();
                text.push_str(":]");
            }
            _ => text.push(c),
        }
    }
}

/// Whether `text` ends within a named class such as `[:alpha`.
fn is_named(text: &str) -> bool {
    let name = text.rfind("[:").map(|at| &text[at + 2..]);
    name.is_some_and(|name| {
        name.trim_start_matches('^')
            .chars()
            .all(char::is_alphabetic)
    })
}

fn escape(chars: &mut Peekable<Chars<'_>>, in_class: bool, text: &mut String) {
    let Some(c) = chars.next() else {
        text.push('\\');
        return;
    };
    match c {
        'd' => text.push_str(if in_class { "0-9" } else { "[0-9]" }),
        'D' => text.push_str("[^0-9]"),
        'w' => text.push_str(if in_class {
            "0-9A-Za-z_"
        } else {
            "[0-9A-Za-z_]"
        }),
        'W' => text.push_str("[^0-9A-Za-z_]"),
        's' => text.push_str(if in_class {
            r"\t\n\f\r "
        } else {
            r"[\t\n\f\r ]"
        }),
        'S' => text.push_str(r"[^\t\n\f\r ]"),
        'b' | 'B' if !in_class => text.extend(["(?-u:\\", if c == 'b' { "b)" } else { "B)" }]),
        'Q' => quoted(chars, text),
        _ => text.extend(['\\', c]),
    }
}

/// Everything up to `\E`, literally.
fn quoted(chars: &mut Peekable<Chars<'_>>, text: &mut String) {
    let mut literal = String::new();
    while let Some(c) = chars.next() {
        if c == '\\' && chars.next_if_eq(&'E').is_some() {
            break;
        }
        literal.push(c);
    }
    text.push_str(&regex::escape(&literal));
}

/// Whether what follows a brace is `n}`, `n,}` or `n,m}`.
fn is_repetition(rest: Peekable<Chars<'_>>) -> bool {
    let inner: String = rest.take(16).take_while(|c| *c != '}').collect();
    let (least, most) = inner.split_once(',').unwrap_or((&inner, ""));
    let is_number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    !least.is_empty() && is_number(least) && is_number(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_go_spells_otherwise_means_what_it_means_in_go() {
        let rows = [
            (r"^\d+$", "12", true),
            (r"^\d+$", "\u{0663}", false),
            (r"^\w$", "é", false),
            (r"^[\w-]+$", "a-b_1", true),
            (r"^[^\s]+$", "a b", false),
            (r"\bdb\b", "x-db-y", true),
            (r"^\Qa.b(\E$", "a.b(", true),
            (r"^\Qa.b", "axb", false),
            (r"^a{$", "a{", true),
            (r"^a{2}$", "aa", true),
            (r"^a{1,2}$", "aaa", false),
            (r"^[a[b]$", "[", true),
            (r"^[]x]$", "]", true),
            (r"^[[:alpha:]_]+$", "a_b", true),
            (r"^[a&&b]+$", "&", true),
            (r"^\101$", "A", true),
            (r"(?i)^DB$", "db", true),
            (r"^\pL+$", "é", true),
        ];
        for (pattern, text, want) in rows {
            let regex = compile(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
            assert_eq!(regex.is_match(text), want, "{pattern} {text}");
        }
    }

    #[test]
    fn what_is_malformed_or_explodes_is_refused_in_one_line() {
        let long = "a".repeat(MAX_PATTERN + 1);
        for pattern in [
            "(",
            "[a",
            "a**b(",
            r"\",
            "(?=a)",
            "((a{1000}){1000}){1000}",
            &long,
        ] {
            let error = compile(pattern).unwrap_err().to_string();
            assert!(
                !error.contains('\n') && !error.is_empty(),
                "{pattern}: {error}"
            );
        }
    }
}
