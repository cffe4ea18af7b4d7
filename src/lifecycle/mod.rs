//! The life of the process as its parts see it: when they are asked to stop, how their work ended, whether
//! they serve. Knows no kind, no cluster and no signal.

mod readiness;

use futures::future::{BoxFuture, Shared};

pub use readiness::Readiness;

/// Resolves when the process is asked to stop. Every clone resolves.
pub type Stop = Shared<BoxFuture<'static, ()>>;

/// How the work ended after a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drain {
    /// Everything that was begun was finished.
    Completed,
    /// Some of it was aborted: its last requests may still arrive.
    Aborted,
}
