//! Works off one queue with a bounded number of workers, until the process is asked to stop: then what
//! is in work is finished. A reconcile that waits for what others wait for too leaves its place to one
//! that is more urgent.

use std::hash::Hash;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use futures::future::Either;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use crate::lifecycle::Stop;
use crate::telemetry::{ControllerMetrics, Overdue, Work, WorkResult};

use super::queue::{Queue, Urgency};

/// Reconciles that wait without a worker, beyond the workers' own; from then on only urgent ones begin.
const WAITING: usize = 64;
/// The panic itself is in the log.
const AFTER_A_PANIC: Duration = Duration::from_mins(1);

/// What comes after a reconcile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing, before something changes.
    Change,
    /// It failed, and trying again makes no sense before something changes.
    Failed,
    /// Another look, after this pause.
    After(Duration),
    /// Another look after this pause, behind those that work.
    Retry(Duration),
}

/// The end of a queue at which things are put in line. Cloning it gives another hold of the same queue.
#[derive(Debug)]
pub(super) struct Line<K>(Arc<Shared<K>>);

#[derive(Debug)]
struct Shared<K> {
    queue: Mutex<Queue<K>>,
    changed: Notify,
    /// When its first worker came.
    begun: OnceLock<Instant>,
    metrics: ControllerMetrics,
}

impl<K> Clone for Line<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: Eq + Hash + Clone> Line<K> {
    /// An empty line, which is told of in `metrics`.
    pub(super) fn new(metrics: ControllerMetrics) -> Self {
        Self(Arc::new(Shared {
            queue: Mutex::default(),
            changed: Notify::new(),
            begun: OnceLock::new(),
            metrics,
        }))
    }

    /// Puts `key` in line.
    pub(super) fn add(&self, key: &K, urgency: Urgency) {
        let mut queue = self.lock();
        if queue.add(key, urgency, Instant::now()) {
            self.0.metrics.added(queue.depth());
        }
        drop(queue);
        self.0.changed.notify_one();
    }

    /// `key` is gone.
    pub(super) fn forget(&self, key: &K) {
        self.lock().forget(key);
    }

    /// How late the latest are, counted from when this process began to work: a standby is late with
    /// nothing.
    pub(super) fn overdue(&self) -> Overdue {
        let begun = self.0.begun.get();
        let most = begun.map(Instant::elapsed).unwrap_or_default();
        let overdue = self.lock().overdue(Instant::now());
        Overdue {
            waiting: overdue.waiting.min(most),
            failing: overdue.failing.min(most),
        }
    }

    /// Waits until there is a key that is urgent enough.
    async fn filled(&self, least: Urgency) {
        loop {
            let changed = self.0.changed.notified();
            let time = {
                let mut queue = self.lock();
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
    fn take(&self, least: Urgency) -> Option<(K, Work)> {
        let mut queue = self.lock();
        let (key, waited) = queue.take(least, Instant::now())?;
        self.0.metrics.waits(queue.depth());
        Some((key, self.0.metrics.began(waited)))
    }

    /// The work on `key` ended, after so long; `None`: in a panic.
    fn done(&self, (key, work): (&K, Work), next: Option<Next>, took: Duration) {
        let (result, next) = match next {
            Some(Next::Change) => (WorkResult::Success, None),
            Some(Next::Failed) => (WorkResult::Terminal, None),
            Some(Next::After(pause)) => (WorkResult::RequeueAfter, Some((pause, Urgency::Due))),
            Some(Next::Retry(pause)) => (WorkResult::Error, Some((pause, Urgency::Failing))),
            None => (WorkResult::Panic, Some((AFTER_A_PANIC, Urgency::Failing))),
        };
        self.0.metrics.ended(work, result, took);
        self.lock().done(key, next, Instant::now());
        self.0.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Queue<K>> {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A reconcile's worker.
#[derive(Debug)]
pub struct Turn {
    workers: Arc<Semaphore>,
    permit: Mutex<Option<OwnedSemaphorePermit>>,
}

impl Turn {
    /// Waits for `others`, and lets somebody else work meanwhile.
    pub async fn while_waiting<T>(&self, others: impl Future<Output = T>) -> T {
        drop(self.lock().take());
        let result = others.await;
        // closed with the process
        let permit = Arc::clone(&self.workers).acquire_owned().await.ok();
        *self.lock() = permit;
        result
    }

    fn lock(&self) -> MutexGuard<'_, Option<OwnedSemaphorePermit>> {
        self.permit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Works off `line` with so many workers until `stop`, then waits for what is in work.
pub(super) async fn work_off<K, F>(
    line: Line<K>,
    workers: u16,
    stop: Stop,
    reconcile: impl Fn(K, Arc<Turn>) -> F,
) where
    K: Eq + Hash + Clone + Send + 'static,
    F: Future<Output = Next> + Send + 'static,
{
    line.0.begun.get_or_init(Instant::now);
    let workers = usize::from(workers);
    let free = Arc::new(Semaphore::new(workers));
    let mut running: JoinSet<()> = JoinSet::new();
    loop {
        while running.try_join_next().is_some() {}
        let least = if running.len() < workers + WAITING {
            Urgency::Failing
        } else {
            Urgency::Changed
        };
        let begin = async {
            loop {
                // no worker is held for an empty line: those that gave theirs away want one back
                line.filled(least).await;
                let permit = Arc::clone(&free).acquire_owned().await.ok();
                if let Some(taken) = line.take(least) {
                    return (permit, taken);
                }
            }
        };
        let (permit, (key, in_work)) = tokio::select! {
            () = stop.clone() => break,
            started = begin => started,
            // one more may begin
            Some(_) = running.join_next(), if least != Urgency::Failing => continue,
        };
        let turn = Arc::new(Turn {
            workers: Arc::clone(&free),
            permit: Mutex::new(permit),
        });
        let work = reconcile(key.clone(), turn);
        let line = line.clone();
        running.spawn(async move {
            let since = Instant::now();
            let next = AssertUnwindSafe(work).catch_unwind().await;
            line.done((&key, in_work), next.ok(), since.elapsed());
        });
    }
    while running.join_next().await.is_some() {}
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;
    use crate::telemetry::Metrics;

    fn line() -> Line<&'static str> {
        Line::new(Metrics::new().unwrap().work.controller("test", 1))
    }

    /// Works off a line; returns what began, in order, and the means to stop.
    fn start<F: Future<Output = Next> + Send + 'static>(
        line: &Line<&'static str>,
        workers: u16,
        work: impl Fn(&'static str, Arc<Turn>) -> F + Send + Sync + 'static,
    ) -> (
        mpsc::UnboundedReceiver<&'static str>,
        Arc<Notify>,
        tokio::task::JoinHandle<()>,
    ) {
        let (begun, log) = mpsc::unbounded_channel();
        let stop = Arc::new(Notify::new());
        let asked = Arc::clone(&stop);
        let stopped = async move { asked.notified().await }.boxed().shared();
        let line = line.clone();
        let running = tokio::spawn(work_off(line, workers, stopped, move |key, turn| {
            begun.send(key).unwrap();
            work(key, turn)
        }));
        (log, stop, running)
    }

    #[tokio::test]
    async fn the_urgent_overtake_and_pauses_are_kept() {
        let line = line();
        for (key, urgency) in [("due", Urgency::Due), ("new", Urgency::New)] {
            line.add(&key, urgency);
        }
        let (mut log, stop, running) = start(&line, 1, |key, _| async move {
            match key {
                "due" => Next::After(Duration::ZERO),
                _ => Next::Change,
            }
        });
        assert_eq!(log.recv().await, Some("new"));
        assert_eq!(log.recv().await, Some("due"));
        assert_eq!(log.recv().await, Some("due"));
        stop.notify_one();
        running.await.unwrap();
    }

    #[tokio::test]
    async fn nobody_is_late_before_there_is_a_worker() {
        let line = line();
        line.add(&"a", Urgency::New);
        assert_eq!(line.overdue(), Overdue::default());
        let (mut log, stop, running) = start(&line, 1, |_, _| async {
            Next::Retry(Duration::from_mins(1))
        });
        assert_eq!(log.recv().await, Some("a"));
        stop.notify_one();
        running.await.unwrap();
        assert!(line.overdue().failing > Duration::ZERO);
    }

    #[tokio::test]
    async fn who_waits_for_others_gives_its_worker_away() {
        let line = line();
        let listed = Arc::new(Notify::new());
        let listing = Arc::clone(&listed);
        let (mut log, stop, running) = start(&line, 1, move |key, turn| {
            let listing = Arc::clone(&listing);
            async move {
                if key == "waits" {
                    turn.while_waiting(listing.notified()).await;
                }
                Next::Change
            }
        });
        line.add(&"waits", Urgency::Due);
        assert_eq!(log.recv().await, Some("waits"));
        line.add(&"works", Urgency::Due);
        assert_eq!(log.recv().await, Some("works"));
        stop.notify_one();
        // what is in work is finished
        tokio::task::yield_now().await;
        assert!(!running.is_finished());
        listed.notify_one();
        running.await.unwrap();
    }

    #[tokio::test]
    async fn who_gave_its_worker_away_gets_one_back_though_nobody_else_comes() {
        let line = line();
        let listed = Arc::new(Notify::new());
        let listing = Arc::clone(&listed);
        let (ended, mut ends) = mpsc::unbounded_channel();
        let (mut log, stop, running) = start(&line, 1, move |key, turn| {
            let (listing, ended) = (Arc::clone(&listing), ended.clone());
            async move {
                turn.while_waiting(listing.notified()).await;
                ended.send(key).unwrap();
                Next::Change
            }
        });
        line.add(&"waits", Urgency::Due);
        assert_eq!(log.recv().await, Some("waits"));
        // whoever looks for the next one has looked
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        listed.notify_one();
        let end = tokio::time::timeout(Duration::from_secs(10), ends.recv()).await;
        assert_eq!(end.unwrap(), Some("waits"));
        stop.notify_one();
        running.await.unwrap();
    }

    #[tokio::test]
    async fn a_crowd_that_waits_leaves_room_for_the_urgent() {
        let line = line();
        let names: Vec<&'static str> = (0..200)
            .map(|n| &*Box::leak(format!("due-{n}").into_boxed_str()))
            .collect();
        for name in &names {
            line.add(name, Urgency::Due);
        }
        let listed = Arc::new(Semaphore::new(0));
        let listing = Arc::clone(&listed);
        let (mut log, stop, running) = start(&line, 2, move |key, turn| {
            let listing = Arc::clone(&listing);
            async move {
                if key != "new" {
                    let wait = turn.while_waiting(listing.acquire()).await;
                    drop(wait);
                }
                Next::Change
            }
        });
        for _ in 0..2 + WAITING {
            assert!(log.recv().await.unwrap().starts_with("due-"));
        }
        line.add(&"new", Urgency::New);
        assert_eq!(log.recv().await, Some("new"));
        listed.add_permits(1);
        for _ in 2 + WAITING..names.len() {
            assert!(log.recv().await.unwrap().starts_with("due-"));
        }
        stop.notify_one();
        running.await.unwrap();
    }
}
