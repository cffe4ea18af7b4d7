//! Runs a reconciler: takes keys from its queue with a bounded number of workers, until the process is
//! asked to stop; then finishes what is running. A reconcile that waits for what others wait for too
//! lends its worker. Knows no kind.

use std::hash::Hash;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use futures::FutureExt as _;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use crate::lifecycle::Stop;

use super::queue::Urgency;
use super::work_queue::{Next, WorkQueue};

/// Reconciles that wait without a worker, beyond the workers' own; from then on only urgent ones begin.
const WAITING: usize = 64;

/// Brings the objects of one kind in sync.
pub trait Reconciler: Send + Sync + 'static {
    /// What identifies an object.
    type Key: Eq + Hash + Clone + Send + 'static;

    /// The controller's name in metrics.
    const NAME: &'static str;

    /// The keys to be reconciled.
    fn queue(&self) -> &WorkQueue<Self::Key>;

    /// Reconciles one object; failures are reported on the object, not returned.
    fn reconcile(
        self: Arc<Self>,
        key: Self::Key,
        permit: Arc<WorkerPermit>,
    ) -> impl Future<Output = Next> + Send;
}

/// Runs `reconciler` with so many workers until `stop`, then waits for the reconciles that run.
pub async fn run<R: Reconciler>(reconciler: Arc<R>, workers: u16, stop: Stop) {
    let queue = reconciler.queue().clone();
    let reconcile = |key, permit| Arc::clone(&reconciler).reconcile(key, permit);
    work(queue, workers, stop, reconcile).await;
}

/// A reconcile's permit to use a worker.
#[derive(Debug)]
pub struct WorkerPermit {
    workers: Arc<Semaphore>,
    permit: Mutex<Option<OwnedSemaphorePermit>>,
}

impl WorkerPermit {
    /// Waits for `others`, and lends the worker meanwhile.
    pub async fn while_waiting<T>(&self, others: impl Future<Output = T>) -> T {
        drop(self.permit.lock().take());
        let result = others.await;
        // closed with the process
        let permit = Arc::clone(&self.workers).acquire_owned().await.ok();
        *self.permit.lock() = permit;
        result
    }
}

async fn work<K, F>(
    queue: WorkQueue<K>,
    workers: u16,
    stop: Stop,
    reconcile: impl Fn(K, Arc<WorkerPermit>) -> F,
) where
    K: Eq + Hash + Clone + Send + 'static,
    F: Future<Output = Next> + Send + 'static,
{
    queue.start();
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
                // no worker is held for an empty queue: reconciles that lent theirs want one back
                queue.filled(least).await;
                let permit = Arc::clone(&free).acquire_owned().await.ok();
                if let Some(taken) = queue.take(least) {
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
        let permit = Arc::new(WorkerPermit {
            workers: Arc::clone(&free),
            permit: Mutex::new(permit),
        });
        let reconciled = reconcile(key.clone(), permit);
        let queue = queue.clone();
        running.spawn(async move {
            let since = Instant::now();
            let next = AssertUnwindSafe(reconciled).catch_unwind().await;
            queue.done((&key, in_work), next.ok(), since.elapsed());
        });
    }
    while running.join_next().await.is_some() {}
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::{Notify, mpsc};

    use super::*;
    use crate::telemetry::{Metrics, Overdue};

    fn queue() -> WorkQueue<&'static str> {
        WorkQueue::new(Metrics::new().unwrap().work.controller("test", 1))
    }

    /// Works off a queue; returns what began, in order, and the means to stop.
    fn start<F: Future<Output = Next> + Send + 'static>(
        queue: &WorkQueue<&'static str>,
        workers: u16,
        reconcile: impl Fn(&'static str, Arc<WorkerPermit>) -> F + Send + Sync + 'static,
    ) -> (
        mpsc::UnboundedReceiver<&'static str>,
        Arc<Notify>,
        tokio::task::JoinHandle<()>,
    ) {
        let (begun, log) = mpsc::unbounded_channel();
        let stop = Arc::new(Notify::new());
        let asked = Arc::clone(&stop);
        let stopped = async move { asked.notified().await }.boxed().shared();
        let queue = queue.clone();
        let running = tokio::spawn(work(queue, workers, stopped, move |key, permit| {
            begun.send(key).unwrap();
            reconcile(key, permit)
        }));
        (log, stop, running)
    }

    #[tokio::test]
    async fn the_urgent_overtake_and_pauses_are_kept() {
        let queue = queue();
        for (key, urgency) in [("due", Urgency::Due), ("new", Urgency::New)] {
            queue.add(&key, urgency);
        }
        let (mut log, stop, running) = start(&queue, 1, |key, _| async move {
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
        let queue = queue();
        queue.add(&"a", Urgency::New);
        assert_eq!(queue.overdue(), Overdue::default());
        let (mut log, stop, running) = start(&queue, 1, |_, _| async {
            Next::Retry(Duration::from_mins(1))
        });
        assert_eq!(log.recv().await, Some("a"));
        stop.notify_one();
        running.await.unwrap();
        assert!(queue.overdue().failing > Duration::ZERO);
    }

    #[tokio::test]
    async fn who_waits_for_others_gives_its_worker_away() {
        let queue = queue();
        let listed = Arc::new(Notify::new());
        let listing = Arc::clone(&listed);
        let (mut log, stop, running) = start(&queue, 1, move |key, permit| {
            let listing = Arc::clone(&listing);
            async move {
                if key == "waits" {
                    permit.while_waiting(listing.notified()).await;
                }
                Next::Change
            }
        });
        queue.add(&"waits", Urgency::Due);
        assert_eq!(log.recv().await, Some("waits"));
        queue.add(&"works", Urgency::Due);
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
        let queue = queue();
        let listed = Arc::new(Notify::new());
        let listing = Arc::clone(&listed);
        let (ended, mut ends) = mpsc::unbounded_channel();
        let (mut log, stop, running) = start(&queue, 1, move |key, permit| {
            let (listing, ended) = (Arc::clone(&listing), ended.clone());
            async move {
                permit.while_waiting(listing.notified()).await;
                ended.send(key).unwrap();
                Next::Change
            }
        });
        queue.add(&"waits", Urgency::Due);
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
        let queue = queue();
        let names: Vec<&'static str> = (0..200)
            .map(|n| &*Box::leak(format!("due-{n}").into_boxed_str()))
            .collect();
        for name in &names {
            queue.add(name, Urgency::Due);
        }
        let listed = Arc::new(Semaphore::new(0));
        let listing = Arc::clone(&listed);
        let (mut log, stop, running) = start(&queue, 2, move |key, permit| {
            let listing = Arc::clone(&listing);
            async move {
                if key != "new" {
                    let wait = permit.while_waiting(listing.acquire()).await;
                    drop(wait);
                }
                Next::Change
            }
        });
        for _ in 0..2 + WAITING {
            assert!(log.recv().await.unwrap().starts_with("due-"));
        }
        queue.add(&"new", Urgency::New);
        assert_eq!(log.recv().await, Some("new"));
        listed.add_permits(1);
        for _ in 2 + WAITING..names.len() {
            assert!(log.recv().await.unwrap().starts_with("due-"));
        }
        stop.notify_one();
        running.await.unwrap();
    }
}
