//! What a rule says of a place.

use std::fmt;

use super::source::Source;

/// A rule broken at a place.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Violation {
    pub(super) path: String,
    pub(super) line: usize,
    pub(super) rule: &'static str,
    pub(super) message: String,
}

impl Violation {
    pub(super) fn new(source: &Source, line: usize, rule: &'static str, message: String) -> Self {
        Self {
            path: source.path.clone(),
            line,
            rule,
            message,
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}: {}: {}",
            self.path, self.line, self.rule, self.message
        )
    }
}
