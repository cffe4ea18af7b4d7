//! Which objects of a store a consumer may read (docs/guardrails.md). Asks nobody.

use regex::Regex;

use super::error::Error;

/// The objects that may be read. A pattern is an object's name with `*` for any text and `?` for any
/// character, as `remoteRef.key` has it: `NAME`, `secret/NAME`, `key/NAME` or `cert/NAME`. Upper and lower
/// case are the same, for they are to a vault.
#[derive(Clone, Debug, Default)]
pub struct KeyPatterns(Vec<Regex>);

impl KeyPatterns {
    /// Reads the patterns.
    ///
    /// # Errors
    /// One is longer than a pattern can be.
    pub fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Result<Self, regex::Error> {
        let compiled = patterns.into_iter().map(|pattern| {
            let pattern = pattern.to_lowercase();
            let object = if pattern.contains('/') {
                pattern
            } else {
                format!("secret/{pattern}")
            };
            let literal = |c: char| match c {
                '*' => ".*".to_owned(),
                '?' => ".".to_owned(),
                other => regex::escape(other.encode_utf8(&mut [0; 4])),
            };
            Regex::new(&format!(
                "^(?s:{})$",
                object.chars().map(literal).collect::<String>()
            ))
        });
        Ok(Self(compiled.collect::<Result<_, _>>()?))
    }

    /// Admits what `others` admit, too.
    pub fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// Whether `object` (`secret/name`, as [`super::SecretsClient::object`] gives it) may be read.
    pub fn admit(&self, object: &str) -> bool {
        let object = object.to_lowercase();
        self.0.iter().any(|pattern| pattern.is_match(&object))
    }
}

/// The objects that a consumer may read, and the rule that says so.
#[derive(Clone, Debug)]
pub struct KeyFilter {
    patterns: KeyPatterns,
    /// For the message.
    rule: String,
}

impl KeyFilter {
    /// What `patterns` admit by `rule`.
    pub fn new(patterns: KeyPatterns, rule: String) -> Self {
        Self { patterns, rule }
    }

    /// Whether `object` (`secret/name`) may be read.
    pub fn admits(&self, object: &str) -> bool {
        self.patterns.admit(object)
    }

    /// Refuses `object`, which the consumer calls `key`, if it may not be read.
    ///
    /// # Errors
    /// It may not. The error is the same whether the object exists or not.
    pub fn check(&self, key: &str, object: &str) -> Result<(), Error> {
        if self.admits(object) {
            return Ok(());
        }
        Err(Error::Denied {
            code: "KeyNotAllowed".to_owned(),
            object: format!("key {key:?}"),
            message: format!(
                "it is not among the keys of this namespace by {}",
                self.rule
            ),
            remedy: "read another key, or ask whoever owns the store".to_owned(),
            request_id: None,
            fault: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(patterns: &[&str]) -> KeyPatterns {
        KeyPatterns::new(patterns.iter().copied()).unwrap()
    }

    #[test]
    fn a_pattern_means_every_spelling_of_an_object_and_no_other_kind() {
        let allowed = patterns(&["team-a-*", "cert/web?", "KEY/signing", "a.b"]);
        for (object, want) in [
            ("secret/team-a-db", true),
            ("secret/TEAM-A-db", true),
            ("secret/team-b-db", false),
            ("secret/x-team-a-db", false),
            ("key/team-a-db", false),
            ("cert/web1", true),
            ("cert/web", false),
            ("cert/web12", false),
            ("key/signing", true),
            ("secret/signing", false),
            ("secret/a.b", true),
            ("secret/axb", false),
        ] {
            assert_eq!(allowed.admit(object), want, "{object}");
        }
        assert!(!patterns(&[]).admit("secret/x"));
        assert!(patterns(&["*"]).admit("secret/x") && !patterns(&["*"]).admit("key/x"));
    }
}
