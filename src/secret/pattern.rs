//! Regular expressions as Go understands them (RE2, the syntax of Go's regexp package):
//! `gotemplate` translates them; this file has how long one may be. Pure.

use gotemplate::Regexp;

/// Longer patterns are refused, in bytes: they come from whoever may write an ExternalSecret.
const MAX_PATTERN: usize = 4096;

/// Characters of a complaint, which quotes the pattern: an event holds a thousand.
const MAX_TEXT: usize = 300;

/// A pattern that does not compile. One short line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadPattern(String);

/// Compiles `pattern`; `is_match` is unanchored, as Go's `MatchString`.
///
/// # Errors
/// Not a pattern of RE2, or one that grows beyond all measure.
pub fn compile(pattern: &str) -> Result<Regexp, BadPattern> {
    if pattern.len() > MAX_PATTERN {
        let length = pattern.len();
        return Err(BadPattern(format!(
            "{length} bytes, {MAX_PATTERN} are allowed"
        )));
    }
    Regexp::compile(pattern).map_err(|text| BadPattern(shortened(&text.replace('\n', "\\n"))))
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
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
            &"(".repeat(MAX_PATTERN),
            &"(a?){1000}".repeat(10),
        ] {
            let error = compile(pattern).unwrap_err().to_string();
            assert!(
                !error.is_empty() && !error.contains('\n') && error.len() <= MAX_TEXT + 3,
                "{pattern}: {error}"
            );
        }
    }
}
