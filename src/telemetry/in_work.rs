//! For how long objects have been in work, by the names that client-go's work queue uses (controller-runtime's metrics). It grows with time alone, so it is counted when metrics are read.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use prometheus::{Gauge, GaugeVec, Opts};

use super::families::{Registry, register};

/// The families, and the queues that they tell of.
#[derive(Clone)]
pub(super) struct InWorkMetrics {
    unfinished: GaugeVec,
    longest: GaugeVec,
    queues: Arc<Mutex<Vec<(Gauge, Gauge, InWork)>>>,
}

/// Since when the objects of one queue are in work, by the order in which they were begun.
#[derive(Clone, Debug, Default)]
pub(super) struct InWork(Arc<Mutex<Begun>>);

#[derive(Debug, Default)]
struct Begun {
    times: BTreeMap<u64, Instant>,
    next: u64,
}

/// An object in work, until this is dropped.
#[derive(Debug)]
pub struct Work {
    place: u64,
    all: InWork,
}

impl InWorkMetrics {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let family = |name: &str, help: &str| {
            let gauge = GaugeVec::new(Opts::new(name, help), &["name", "controller"])?;
            register(registry, gauge)
        };
        Ok(Self {
            unfinished: family(
                "workqueue_unfinished_work_seconds",
                "For how long the objects now in work have been, all together",
            )?,
            longest: family(
                "workqueue_longest_running_processor_seconds",
                "For how long the object has been in work that was begun first of those now in work",
            )?,
            queues: Arc::default(),
        })
    }

    /// Tells of one more queue.
    pub(super) fn queue(&self, name: &str) -> InWork {
        let labels = [name, name];
        let queue = InWork::default();
        let unfinished = self.unfinished.with_label_values(&labels);
        let longest = self.longest.with_label_values(&labels);
        let mut queues = self.queues.lock();
        queues.push((unfinished, longest, queue.clone()));
        queue
    }

    /// Counts anew.
    pub(super) fn refresh(&self) {
        let now = Instant::now();
        let queues = self.queues.lock();
        for (unfinished, longest, queue) in queues.iter() {
            let (sum, most) = queue.lengths(now);
            unfinished.set(sum.as_secs_f64());
            longest.set(most.as_secs_f64());
        }
    }
}

impl InWork {
    /// The work on an object begins.
    pub(super) fn begin(&self, now: Instant) -> Work {
        let mut begun = self.0.lock();
        let place = begun.next;
        begun.next += 1;
        begun.times.insert(place, now);
        let all = self.clone();
        Work { place, all }
    }

    /// For how long all together, and the first.
    fn lengths(&self, now: Instant) -> (Duration, Duration) {
        let begun = self.0.lock();
        let length = |since: &Instant| now.saturating_duration_since(*since);
        let sum = begun.times.values().map(length).sum();
        (
            sum,
            begun.times.values().map(length).max().unwrap_or_default(),
        )
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.all.0.lock().times.remove(&self.place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_work_counts_all_together_and_by_the_first() {
        let (queue, now) = (InWork::default(), Instant::now());
        let later = |seconds| now + Duration::from_secs(seconds);
        let lengths = |seconds| {
            let (sum, longest) = queue.lengths(later(seconds));
            (sum.as_secs(), longest.as_secs())
        };
        let first = queue.begin(now);
        let second = queue.begin(later(10));
        assert_eq!(lengths(15), (20, 15));
        drop(first);
        assert_eq!(lengths(16), (6, 6));
        drop(second);
        assert_eq!(lengths(17), (0, 0));
    }
}
