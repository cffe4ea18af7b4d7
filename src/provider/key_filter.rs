//! A client that answers for some keys only: others are refused before anybody is asked, so that the
//! refusal does not tell whether they exist (docs/guardrails.md).

use std::sync::Arc;

use async_trait::async_trait;
use regex::Regex;

use super::{
    Error, ListOptions, Listed, ObjectFilter, ObjectRef, Query, Read, Search, SecretsClient,
};
use crate::secret::{SecretData, SecretValue};

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

    /// Whether `object` (`secret/name`, as [`SecretsClient::object`] gives it) may be read.
    pub fn admit(&self, object: &str) -> bool {
        let object = object.to_lowercase();
        self.0.iter().any(|pattern| pattern.is_match(&object))
    }
}

/// The client.
pub struct KeyFilter {
    inner: Arc<dyn SecretsClient>,
    patterns: KeyPatterns,
    /// Who says so, for the message.
    rule: String,
}

impl KeyFilter {
    /// `inner`, for what `patterns` admit by `rule`.
    pub fn new(inner: Arc<dyn SecretsClient>, patterns: KeyPatterns, rule: String) -> Self {
        Self {
            inner,
            patterns,
            rule,
        }
    }

    fn check(&self, remote_ref: &ObjectRef) -> Result<(), Error> {
        let object = self.inner.object(remote_ref)?;
        if self.patterns.admit(&object) {
            return Ok(());
        }
        Err(Error::Denied {
            code: "KeyNotAllowed".to_owned(),
            object: format!("key {:?}", remote_ref.key),
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

#[async_trait]
impl SecretsClient for KeyFilter {
    fn object(&self, remote_ref: &ObjectRef) -> Result<String, Error> {
        self.inner.object(remote_ref)
    }

    async fn get(&self, remote_ref: &ObjectRef) -> Result<Read<Option<SecretValue>>, Error> {
        self.check(remote_ref)?;
        self.inner.get(remote_ref).await
    }

    async fn extract(&self, remote_ref: &ObjectRef) -> Result<Read<Option<SecretData>>, Error> {
        self.check(remote_ref)?;
        self.inner.extract(remote_ref).await
    }

    async fn find(
        &self,
        search: &Search,
        admits: &ObjectFilter<'_>,
        options: ListOptions<'_>,
    ) -> Result<Read<SecretData>, Error> {
        let both = |object: &str| self.patterns.admit(object) && admits(object);
        self.inner.find(search, &both, options).await
    }

    async fn revisions(
        &self,
        queries: &[Query],
        admits: &ObjectFilter<'_>,
        options: ListOptions<'_>,
    ) -> Result<Option<Listed>, Error> {
        for query in queries {
            // whoever reads it is told
            if let Query::Object(remote_ref) = query
                && self.check(remote_ref).is_err()
            {
                return Ok(None);
            }
        }
        let both = |object: &str| self.patterns.admit(object) && admits(object);
        self.inner.revisions(queries, &both, options).await
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
