//! Why a text is not the YAML that is wanted.

/// Why a text is not the YAML that is wanted. Repeats nothing of the text.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text is no YAML.
    #[error("not valid YAML: {0}; quote values that hold special characters")]
    Syntax(String),
    /// An alias names no anchor that is complete before it.
    #[error("line {0}: unknown anchor; quote values that begin with *")]
    UnknownAnchor(u64),
    /// An explicit tag does not go with its value.
    #[error("line {line}: the value is not of the type that its tag {tag} names")]
    Tag { line: u64, tag: &'static str },
    /// A key is null, a list or a map.
    #[error("line {0}: a key must be a string, a number or a boolean")]
    Key(u64),
    /// `<<` with something that cannot be merged.
    #[error("line {0}: << needs a map or a list of maps")]
    Merge(u64),
    /// More than is taken.
    #[error("the YAML is too large: {0}")]
    TooLarge(&'static str),
    /// A list or scalar where keys and values are wanted.
    #[error("wanted keys and values, found {0}")]
    NotAMap(&'static str),
    /// A list or map as value of a key.
    #[error("the value of key {key} is {found}; wanted text, a number, a boolean or null")]
    NotText { key: String, found: &'static str },
    /// Infinity and not-a-number have no JSON.
    #[error("a number is infinite or not a number, which JSON cannot hold")]
    NotFinite,
}
