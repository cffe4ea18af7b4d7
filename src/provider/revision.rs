//! Which state of an object was read, or would be: enough to tell that nothing changed without reading
//! a value (docs/refresh.md).

use k8s_openapi::jiff::Timestamp;

/// The state of one object at its source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Revision {
    /// The object without its version, by the name that its source gives it:
    /// `https://NAME.vault.azure.net/secrets/db`.
    pub object: String,
    /// What is known of it.
    pub state: ObjectState,
    /// When it ends, where that was said.
    pub expires: Option<Timestamp>,
}

/// What is known of an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObjectState {
    /// It is not there.
    Absent,
    /// A version was asked for by its id: its value never changes.
    Pinned(String),
    /// The latest version.
    Latest {
        /// When it, or what is said about it, last changed, in whole seconds; `None` where the source
        /// does not say.
        updated: Option<Timestamp>,
        /// Its id, where it was read: a listing has none.
        version: Option<String>,
    },
}

/// What was read, and in which state.
#[derive(Debug)]
pub struct Read<T> {
    /// It.
    pub value: T,
    /// The states of all objects it depends on, those that are not there included; empty where the
    /// source has none.
    pub revisions: Vec<Revision>,
}

impl<T> Read<T> {
    /// `value`, of a source without revisions.
    pub fn plain(value: T) -> Self {
        Self {
            value,
            revisions: Vec::new(),
        }
    }
}

/// How fresh an answer has to be, and what it may cost.
#[derive(Clone, Copy, Debug)]
pub struct ListOptions<'a> {
    /// A listing begun at this time or later will do.
    pub since: Timestamp,
    /// The present.
    pub now: Timestamp,
    /// Who asks, so that the same consumers are not counted twice.
    pub store: &'a str,
    /// Reads that all consumers of that store make in one interval.
    pub reads: usize,
}

/// The present state of what was asked for.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The states.
    pub revisions: Vec<Revision>,
    /// They were so at this time, or later.
    pub at: Timestamp,
    /// Consumers that come at this time after a multiple of their interval (counted from 1970) share a
    /// listing. Milliseconds.
    pub phase: i64,
}
