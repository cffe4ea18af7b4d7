//! What came of bringing a target in sync. Pure.

/// What came of a refresh, in the words of the condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The target is as it should be; with creationPolicy None it is left alone.
    Synced,
    /// As above, and `status.binding` names the target.
    Bound,
    /// The provider has nothing; the target stays.
    Retained,
    /// The provider has nothing; the target is gone.
    Deleted,
    /// There is no target to merge into.
    Missing,
}

/// What came of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// The target is in sync.
    Done(Verdict),
    /// Somebody else wrote it meanwhile.
    Overtaken,
    /// The ExternalSecret or the namespace is being deleted.
    Terminating,
}
