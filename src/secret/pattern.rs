//! Regular expressions as Go understands them (RE2), for the `regex` crate (spec: templating.md
//! 4.4, azure-key-vault.md 12.15). What Go accepts and this does not is an error, never another
//! meaning. Pure.

use regex::{Regex, RegexBuilder};

/// Longer patterns are refused, in bytes.
const MAX_PATTERN: usize = 4096;

/// Of a compiled pattern, in bytes: patterns come from whoever may write an ExternalSecret.
const MAX_COMPILED: usize = 1 << 20;

/// A pattern that does not compile. One line, without the pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadPattern(String);

/// Compiles `pattern`; `is_match` is unanchored, as Go's `MatchString`.
///
/// # Errors
/// Not a pattern of RE2, or one that grows beyond all measure.
pub fn compile(pattern: &str) -> Result<Regex, BadPattern> {
    if pattern.len() > MAX_PATTERN {
        let length = pattern.len();
        return Err(BadPattern(format!(
            "{length} bytes, {MAX_PATTERN} are allowed"
        )));
    }
    let translated = translate(pattern)?;
    let compiled = RegexBuilder::new(&translated)
        .size_limit(MAX_COMPILED)
        .build();
    compiled.map_err(|error| {
        let text = error.to_string();
        let last = text.lines().last().unwrap_or_default();
        BadPattern(last.trim_start_matches("error: ").to_owned())
    })
}

/// The rest of a pattern, with what stands before it written to `out`.
type Rest<'a> = Result<&'a str, BadPattern>;

fn translate(pattern: &str) -> Result<String, BadPattern> {
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        rest = match c {
            '\\' => escape(after, &mut out)?,
            '[' => class(after, &mut out)?,
            '(' => group(after, &mut out)?,
            '{' => repetition(after, &mut out),
            '}' => literal('}', after, &mut out),
            c => {
                out.push(c);
                after
            }
        };
    }
    Ok(out)
}

fn literal<'a>(c: char, after: &'a str, out: &mut String) -> &'a str {
    out.push('\\');
    out.push(c);
    after
}

/// What follows a backslash outside of a class.
fn escape<'a>(text: &'a str, out: &mut String) -> Rest<'a> {
    if let Some(quoted) = text.strip_prefix('Q') {
        let (words, rest) = quoted.split_once("\\E").unwrap_or((quoted, ""));
        out.push_str(&regex::escape(words));
        return Ok(rest);
    }
    let boundary = match text.chars().next() {
        Some('b') => r"(?-u:\b)",
        Some('B') => r"(?-u:\B)",
        Some('A') => r"\A",
        Some('z') => r"\z",
        _ => match set(text) {
            Some((members, rest)) => {
                out.extend(["[", members, "]"]);
                return Ok(rest);
            }
            None => return character(text, out),
        },
    };
    out.push_str(boundary);
    Ok(&text[1..])
}

/// The members of a set such as `\d`, as they stand in a class: Go's are ASCII.
fn set(text: &str) -> Option<(&str, &str)> {
    let members = match text.chars().next()? {
        'd' => "0-9",
        'D' => "[^0-9]",
        'w' => "0-9A-Za-z_",
        'W' => "[^0-9A-Za-z_]",
        's' => r"\t\n\f\r\x20",
        'S' => r"[^\t\n\f\r\x20]",
        _ => return None,
    };
    Some((members, &text[1..]))
}

/// One character that is written with a backslash, in or outside of a class.
fn character<'a>(text: &'a str, out: &mut String) -> Rest<'a> {
    let Some(c) = text.chars().next() else {
        return Err(BadPattern("trailing backslash at end of expression".into()));
    };
    let length = match c {
        'a' | 'f' | 'n' | 'r' | 't' | 'v' => 1,
        'x' => 1 + argument(&text[1..], 2),
        'p' | 'P' => 1 + argument(&text[1..], 1),
        // punctuation means itself, `\<` too
        c if c.is_ascii() && !c.is_ascii_alphanumeric() => {
            out.push_str(&hex(c));
            return Ok(&text[1..]);
        }
        c => return Err(BadPattern(format!("invalid escape sequence: \\{c}"))),
    };
    let (escape, rest) = text.split_at_checked(length).unwrap_or((text, ""));
    out.push('\\');
    out.push_str(escape);
    Ok(rest)
}

/// Bytes of `{…}`, or else of `short` characters.
fn argument(text: &str, short: usize) -> usize {
    match text.find('}') {
        Some(end) if text.starts_with('{') => end + 1,
        _ => text.chars().take(short).map(char::len_utf8).sum(),
    }
}

fn hex(c: char) -> String {
    format!("\\x{{{:x}}}", u32::from(c))
}

/// What follows a parenthesis: the crate has flags that Go has not.
fn group<'a>(text: &'a str, out: &mut String) -> Rest<'a> {
    let Some(kind) = text.strip_prefix('?') else {
        out.push('(');
        return Ok(text);
    };
    let is_name = kind.starts_with("P<") || kind.starts_with('<');
    let flags = kind.split([':', ')']).next().unwrap_or_default();
    if !is_name && !flags.chars().all(|c| "imsU-".contains(c)) {
        return Err(BadPattern(format!(
            "invalid or unsupported Perl syntax: (?{flags}"
        )));
    }
    out.push_str("(?");
    Ok(kind)
}

/// What follows a brace: `{2}`, `{2,}` and `{2,3}` repeat, everything else means itself.
fn repetition<'a>(text: &'a str, out: &mut String) -> &'a str {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let is_count = |count: &str| match count.split_once(',') {
        None => is_number(count),
        Some((low, high)) => is_number(low) && (high.is_empty() || is_number(high)),
    };
    match text.split_once('}') {
        Some((count, rest)) if is_count(count) => {
            out.extend(["{", count, "}"]);
            rest
        }
        _ => literal('{', text, out),
    }
}

/// A class after its bracket. In Go neither brackets nor `&&`, `--` and `~~` are operators within.
fn class<'a>(text: &'a str, out: &mut String) -> Rest<'a> {
    out.push('[');
    let mut rest = text;
    if let Some(after) = rest.strip_prefix('^') {
        out.push('^');
        rest = after;
    }
    let mut is_first = true;
    loop {
        if let Some(after) = rest.strip_prefix(']').filter(|_| !is_first) {
            out.push(']');
            return Ok(after);
        }
        is_first = false;
        rest = match named_class(rest) {
            Some(length) => {
                out.push_str(&rest[..length]);
                &rest[length..]
            }
            None => range(rest, out)?,
        };
    }
}

/// Bytes of `[:alpha:]`, where `text` begins with such a name.
fn named_class(text: &str) -> Option<usize> {
    let name = text.strip_prefix("[:")?;
    let end = name.find(":]")?;
    let is_word = |c: char| c.is_ascii_lowercase() || c == '^';
    name[..end].chars().all(is_word).then_some(end + 4)
}

/// One member of a class: a set, a character, or a range of them.
fn range<'a>(text: &'a str, out: &mut String) -> Rest<'a> {
    if let Some(escape) = text.strip_prefix('\\') {
        if let Some((members, rest)) = set(escape) {
            out.push_str(members);
            return Ok(rest);
        }
        if escape.starts_with(['p', 'P']) {
            return character(escape, out);
        }
    }
    let rest = member(text, out)?;
    match rest.strip_prefix('-') {
        Some(high) if !high.is_empty() && !high.starts_with(']') => {
            out.push('-');
            member(high, out)
        }
        _ => Ok(rest),
    }
}

fn member<'a>(text: &'a str, out: &mut String) -> Rest<'a> {
    let Some(c) = text.chars().next() else {
        return Err(BadPattern("missing closing ]".into()));
    };
    let after = &text[c.len_utf8()..];
    match c {
        '\\' => character(after, out),
        c => {
            out.push_str(&hex(c));
            Ok(after)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_match(pattern: &str, text: &str) -> bool {
        compile(pattern).unwrap().is_match(text)
    }

    #[test]
    fn matches_anywhere_and_its_sets_are_ascii() {
        let vectors = [
            ("app", "my-app-x", true),
            ("^app$", "my-app", false),
            (r"^\d$", "٣", false),
            (r"^\d$", "3", true),
            (r"^\w$", "é", false),
            (r"^[\w-]+$", "a-b_9", true),
            (r"^\s$", "\u{b}", false),
            (r"^\s$", "\u{a0}", false),
            (r"^[^\s]$", "\u{a0}", true),
            (r"^\S\W\D$", "ééé", true),
            (r"^[\D]$", "é", true),
            // between é (no word character) and a there is a boundary
            (r"é\ba", "éa", true),
            (r"é\B-", "é-", true),
            ("(?i)^ÄB$", "äb", true),
            (r"^\pL\p{Greek}[\p{Lu}]$", "éαÄ", true),
        ];
        for (pattern, text, want) in vectors {
            assert_eq!(is_match(pattern, text), want, "{pattern} {text:?}");
        }
    }

    #[test]
    fn what_the_crate_reads_otherwise_means_what_it_means_in_go() {
        let vectors = [
            (r"^\Qa.b\E.$", "a.bc", true),
            (r"^\Qa.b\E.$", "axbc", false),
            (r"^\Q[", "[", true),
            (r"^\<a\>\_\-$", "<a>_-", true),
            ("^a{,2}$", "a{,2}", true),
            ("^a{x}$", "a{x}", true),
            ("^a{2}b{1,}c{0,1}}$", "aab}", true),
            ("^[a&&b]+$", "a&b", true),
            ("^[a[b]]$", "[]", true),
            ("^[]a]+$", "]a", true),
            ("^[^]a]$", "b", true),
            ("^[a~~b]+$", "~", true),
            ("^[+--]+$", "+,-", true),
            ("^[a-]+$", "-a", true),
            (r"^[\]\-\\]+$", r"]-\", true),
            (r"^[\x41\x{42}-D]+$", "ABCD", true),
            (r"^\x41\x{42}$", "AB", true),
            ("^[[:alpha:]_]+$", "ab_", true),
            ("^(?:a|(?P<n>b)|(?<m>c))$", "c", true),
            ("(?s-i:a.b)", "a\nb", true),
        ];
        for (pattern, text, want) in vectors {
            assert_eq!(is_match(pattern, text), want, "{pattern} {text:?}");
        }
    }

    #[test]
    fn what_go_refuses_is_an_error_of_one_line() {
        for pattern in [
            "app-(",
            "[a",
            "[",
            "[^",
            "a)",
            "*a",
            "(?x)a",
            "(?=a)",
            "(?!a)",
            r"\u0041",
            r"\1",
            r"\Z",
            r"\E",
            "\\",
            r"[a-\d]",
            r"[z-a]",
            r"\x{",
            r"\p{",
            r"\p",
            r"\xé",
            r"(?P=n)",
            r"(((a{100}){100}){100}){100}",
            &"a".repeat(MAX_PATTERN + 1),
        ] {
            let error = compile(pattern).unwrap_err().to_string();
            assert!(
                !error.is_empty() && !error.contains('\n'),
                "{pattern}: {error}"
            );
        }
    }
}
