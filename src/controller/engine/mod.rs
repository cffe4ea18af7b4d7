//! Runs reconcilers: work queues, workers and watches. Knows no kind, no store and no status.
//!
//! | layer | module | knows |
//! | --- | --- | --- |
//! | 0 | [`queue`], [`backoff`], [`trigger`] | order and times of keys; pauses of watches; which changes count |
//! | 1 | [`work_queue`], [`watch`] | keys and their metrics; events and their observers |
//! | 2 | [`workers`] | a bounded number of reconciles at a time |

pub mod backoff;
pub mod queue;
pub mod trigger;
pub mod watch;
mod work_queue;
mod workers;

use futures::future::BoxFuture;

pub use queue::Urgency;
pub use work_queue::{Next, WorkQueue};
pub use workers::{Reconciler, WorkerPermit, run};

/// The parts of one controller that run side by side.
#[derive(Default)]
pub struct Controller {
    /// Follow what it depends on; never end.
    pub watches: Vec<BoxFuture<'static, ()>>,
    /// End once its caches are filled.
    pub caches: Vec<BoxFuture<'static, ()>>,
    /// Reconcile until the process is asked to stop.
    pub work: Vec<BoxFuture<'static, ()>>,
}

impl Controller {
    /// The parts of both.
    #[must_use]
    pub fn beside(mut self, other: Self) -> Self {
        self.watches.extend(other.watches);
        self.caches.extend(other.caches);
        self.work.extend(other.work);
        self
    }
}
