//! What consumers ask a store for: one object, or all that match. Pure.

use std::collections::BTreeMap;

/// One object, or a part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ObjectRef {
    /// Its name, as the provider writes names.
    pub key: String,
    /// A part of its value, by a path; empty is all of it.
    pub property: Option<String>,
    /// Its version; `None` or empty is the latest.
    pub version: Option<String>,
    /// What of it is read.
    pub aspect: Aspect,
}

/// What of an object is read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Aspect {
    /// Its value.
    #[default]
    Value,
    /// Its tags and times.
    Metadata,
    /// A word that names neither.
    Unknown(String),
}

/// All objects that match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// Some part of the name matches this regular expression (RE2).
    pub name: Option<String>,
    /// They have all these tags.
    pub tags: Option<BTreeMap<String, String>>,
}

/// One thing that a consumer reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// One object.
    Object(ObjectRef),
    /// All that match.
    Search(Search),
}
