//! A work queue: keys to be reconciled, added by watches and taken by workers. Knows keys, times and
//! metrics, not what is done with a key.

use std::hash::Hash;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use futures::future::Either;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::telemetry::{ControllerMetrics, Overdue, Work, WorkResult};

use super::queue::{Queue, Urgency};

/// The panic itself is in the log.
const AFTER_A_PANIC: Duration = Duration::from_mins(1);

/// What follows a reconcile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing, until something changes.
    Change,
    /// It failed, and another try makes no sense until something changes.
    Failed,
    /// Another reconcile, after this pause.
    After(Duration),
    /// Another try after this pause, behind the objects that do not fail.
    Retry(Duration),
}

/// Keys to be reconciled. A clone is another handle of the same queue.
#[derive(Debug)]
pub struct WorkQueue<K>(Arc<Shared<K>>);

#[derive(Debug)]
struct Shared<K> {
    queue: Mutex<Queue<K>>,
    changed: Notify,
    /// When its first worker started.
    started: OnceLock<Instant>,
    metrics: ControllerMetrics,
}

impl<K> Clone for WorkQueue<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: Eq + Hash + Clone> WorkQueue<K> {
    /// An empty queue, reported in `metrics`.
    pub fn new(metrics: ControllerMetrics) -> Self {
        Self(Arc::new(Shared {
            queue: Mutex::default(),
            changed: Notify::new(),
            started: OnceLock::new(),
            metrics,
        }))
    }

    /// Adds `key`. If it waits already, the more urgent reason counts.
    pub fn add(&self, key: &K, urgency: Urgency) {
        let mut queue = self.0.queue.lock();
        if queue.add(key, urgency, Instant::now()) {
            self.0.metrics.added(queue.depth());
        }
        drop(queue);
        self.0.changed.notify_one();
    }

    /// The object of `key` is gone.
    pub fn forget(&self, key: &K) {
        self.0.queue.lock().forget(key);
    }

    /// How late the latest keys are, counted from when this process began to work: a standby is late with
    /// nothing.
    pub fn overdue(&self) -> Overdue {
        let started = self.0.started.get();
        let most = started.map(Instant::elapsed).unwrap_or_default();
        let overdue = self.0.queue.lock().overdue(Instant::now());
        Overdue {
            waiting: overdue.waiting.min(most),
            failing: overdue.failing.min(most),
        }
    }

    /// The first worker starts.
    pub(super) fn start(&self) {
        self.0.started.get_or_init(Instant::now);
    }

    /// Waits until there is a key that is urgent enough.
    pub(super) async fn filled(&self, least: Urgency) {
        loop {
            let changed = self.0.changed.notified();
            let time = {
                let mut queue = self.0.queue.lock();
                if queue.has(least, Instant::now()) {
                    return;
                }
                queue.next_time()
            };
            let its_time = time.map_or_else(
                || Either::Left(std::future::pending()),
                |time| Either::Right(tokio::time::sleep_until(time.into())),
            );
            tokio::select! {
                () = changed => {}
                () = its_time => {}
            }
        }
    }

    /// The most urgent key, if one is urgent enough.
    pub(super) fn take(&self, least: Urgency) -> Option<(K, Work)> {
        let mut queue = self.0.queue.lock();
        let (key, waited) = queue.take(least, Instant::now())?;
        self.0.metrics.waits(queue.depth());
        Some((key, self.0.metrics.began(waited)))
    }

    /// The reconcile of `key` ended, after so long; `None`: it panicked.
    pub(super) fn done(&self, (key, work): (&K, Work), next: Option<Next>, took: Duration) {
        let (result, next) = match next {
            Some(Next::Change) => (WorkResult::Success, None),
            Some(Next::Failed) => (WorkResult::Terminal, None),
            Some(Next::After(pause)) => (WorkResult::RequeueAfter, Some((pause, Urgency::Due))),
            Some(Next::Retry(pause)) => (WorkResult::Error, Some((pause, Urgency::Failing))),
            None => (WorkResult::Panic, Some((AFTER_A_PANIC, Urgency::Failing))),
        };
        self.0.metrics.ended(work, result, took);
        self.0.queue.lock().done(key, next, Instant::now());
        self.0.changed.notify_one();
    }
}
