//! What a reconcile came to, failures aside.

use k8s_openapi::jiff::Timestamp;

use crate::api::external_secret::RemoteState;

use super::refresh::Reason;
use super::spec::SyncSpec;
use super::target::Verdict;

/// What a reconcile came to.
#[derive(Debug)]
pub enum Outcome {
    /// There is nothing to report before this instant, or before something changes.
    Pending(Option<Timestamp>),
    /// Nothing is due before this instant, or before something changes.
    Unchanged(Option<Timestamp>),
    /// In sync: nothing changed since it was read.
    Checked {
        /// When that was so.
        as_of: Timestamp,
        /// When to reconcile again.
        next: Option<Timestamp>,
    },
    /// In sync: it was refreshed.
    Synced(Box<Synced>),
}

/// A refresh that succeeded.
#[derive(Debug)]
pub struct Synced {
    /// What is in sync.
    pub spec: SyncSpec,
    /// What came of it.
    pub verdict: Verdict,
    /// Why it was refreshed.
    pub reason: Reason,
    /// The target is as the vault was then.
    pub as_of: Timestamp,
    /// When to reconcile again.
    pub next: Option<Timestamp>,
    /// The objects that it came from.
    pub remote: Option<RemoteState>,
}
