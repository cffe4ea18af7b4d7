//! The families of controller-runtime and its work queue, by the names that dashboards made for ESO use
//! (controller-runtime's metrics). Times are in seconds.

use std::time::{Duration, Instant};

use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec,
};

use super::families::{Registry, counter, gauge, register};
use super::in_work::{InWork, InWorkMetrics, Work};

const RECONCILE_BUCKETS: [f64; 40] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9,
    1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 15.0, 20.0,
    25.0, 30.0, 40.0, 50.0, 60.0,
];
const QUEUE_BUCKETS: [f64; 12] = [
    1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0, 1000.0,
];
const RESULTS: [&str; 4] = ["success", "error", "requeue", "requeue_after"];

/// How a reconcile ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkResult {
    /// Nothing more is to be done before something changes.
    Success,
    /// It failed, and is tried again.
    Error,
    /// It failed, and is not tried again before something changes.
    Terminal,
    /// It is to be looked at again later.
    RequeueAfter,
    /// It ended in a panic.
    Panic,
}

/// The families.
#[derive(Clone)]
pub struct WorkMetrics {
    reconciles: IntCounterVec,
    errors: IntCounterVec,
    terminal_errors: IntCounterVec,
    panics: IntCounterVec,
    timeouts: IntCounterVec,
    times: HistogramVec,
    most_workers: IntGaugeVec,
    active_workers: IntGaugeVec,
    queue: QueueMetrics,
}

/// Those of the queue.
#[derive(Clone)]
struct QueueMetrics {
    depth: IntGaugeVec,
    adds: IntCounterVec,
    retries: IntCounterVec,
    in_work: InWorkMetrics,
    queue_times: HistogramVec,
    work_times: HistogramVec,
}

impl WorkMetrics {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        Ok(Self {
            reconciles: counter(
                registry,
                "controller_runtime_reconcile_total",
                "Reconciles by how they ended",
                &["controller", "result"],
            )?,
            errors: per_controller(
                registry,
                "controller_runtime_reconcile_errors_total",
                "Reconciles that failed",
            )?,
            terminal_errors: per_controller(
                registry,
                "controller_runtime_terminal_reconcile_errors_total",
                "Reconciles that failed and are not tried again before something changes",
            )?,
            panics: per_controller(
                registry,
                "controller_runtime_reconcile_panics_total",
                "Reconciles that ended in a panic",
            )?,
            timeouts: per_controller(
                registry,
                "controller_runtime_reconcile_timeouts_total",
                "Reconciles that were given up because they took too long",
            )?,
            times: histogram(
                registry,
                "controller_runtime_reconcile_time_seconds",
                "Length of a reconcile",
                &RECONCILE_BUCKETS,
                &["controller"],
            )?,
            most_workers: gauge(
                registry,
                "controller_runtime_max_concurrent_reconciles",
                "Reconciles at a time, at most",
                &["controller"],
            )?,
            active_workers: gauge(
                registry,
                "controller_runtime_active_workers",
                "Reconciles now",
                &["controller"],
            )?,
            queue: QueueMetrics::new(registry)?,
        })
    }

    /// The series of one controller, all of them at zero.
    pub fn controller(&self, name: &str, workers: u16) -> ControllerMetrics {
        self.most_workers
            .with_label_values(&[name])
            .set(i64::from(workers));
        // it is told of before it has happened
        let _ = self.timeouts.with_label_values(&[name]);
        let queue = [name, name];
        ControllerMetrics {
            reconciles: RESULTS.map(|result| self.reconciles.with_label_values(&[name, result])),
            errors: self.errors.with_label_values(&[name]),
            terminal_errors: self.terminal_errors.with_label_values(&[name]),
            panics: self.panics.with_label_values(&[name]),
            in_work: self.queue.in_work.queue(name),
            times: self.times.with_label_values(&[name]),
            active_workers: self.active_workers.with_label_values(&[name]),
            depth: self.queue.depth.with_label_values(&[name, name, ""]),
            adds: self.queue.adds.with_label_values(&queue),
            retries: self.queue.retries.with_label_values(&queue),
            queue_times: self.queue.queue_times.with_label_values(&queue),
            work_times: self.queue.work_times.with_label_values(&queue),
        }
    }

    /// A reconcile ended in a panic that it reports itself.
    pub fn panicked(&self, controller: &str) {
        self.panics.with_label_values(&[controller]).inc();
    }

    /// A reconcile was given up because it took too long.
    pub fn timed_out(&self, controller: &str) {
        self.timeouts.with_label_values(&[controller]).inc();
    }

    pub(super) fn refresh(&self) {
        self.queue.in_work.refresh();
    }
}

impl QueueMetrics {
    fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let queue = ["name", "controller"];
        Ok(Self {
            depth: gauge(
                registry,
                "workqueue_depth",
                "Objects that wait for their turn",
                &["name", "controller", "priority"],
            )?,
            adds: counter(
                registry,
                "workqueue_adds_total",
                "Objects put in line",
                &queue,
            )?,
            retries: counter(registry, "workqueue_retries_total", "Retries", &queue)?,
            in_work: InWorkMetrics::new(registry)?,
            queue_times: histogram(
                registry,
                "workqueue_queue_duration_seconds",
                "How long an object waited for its turn",
                &QUEUE_BUCKETS,
                &queue,
            )?,
            work_times: histogram(
                registry,
                "workqueue_work_duration_seconds",
                "Length of a reconcile",
                &QUEUE_BUCKETS,
                &queue,
            )?,
        })
    }
}

fn per_controller(
    registry: &Registry,
    name: &str,
    help: &str,
) -> Result<IntCounterVec, prometheus::Error> {
    counter(registry, name, help, &["controller"])
}

fn histogram(
    registry: &Registry,
    name: &str,
    help: &str,
    buckets: &[f64],
    labels: &[&str],
) -> Result<HistogramVec, prometheus::Error> {
    let options = HistogramOpts::new(name, help).buckets(buckets.to_vec());
    register(registry, HistogramVec::new(options, labels)?)
}

/// The series of one controller.
#[derive(Clone, Debug)]
pub struct ControllerMetrics {
    reconciles: [IntCounter; RESULTS.len()],
    errors: IntCounter,
    terminal_errors: IntCounter,
    panics: IntCounter,
    in_work: InWork,
    times: Histogram,
    active_workers: IntGauge,
    depth: IntGauge,
    adds: IntCounter,
    retries: IntCounter,
    queue_times: Histogram,
    work_times: Histogram,
}

impl ControllerMetrics {
    /// An object was put in line; so many wait now.
    pub fn added(&self, depth: usize) {
        self.adds.inc();
        self.waits(depth);
    }

    /// So many wait for their turn now.
    pub fn waits(&self, depth: usize) {
        self.depth.set(i64::try_from(depth).unwrap_or(i64::MAX));
    }

    /// A reconcile began, of an object that waited so long.
    pub fn began(&self, waited: Duration) -> Work {
        self.queue_times.observe(waited.as_secs_f64());
        self.active_workers.inc();
        self.in_work.begin(Instant::now())
    }

    /// It ended after so long.
    pub fn ended(&self, work: Work, result: WorkResult, took: Duration) {
        drop(work);
        let [success, error, _, requeue_after] = &self.reconciles;
        match result {
            WorkResult::Success => success.inc(),
            WorkResult::RequeueAfter => requeue_after.inc(),
            WorkResult::Terminal => {
                error.inc();
                self.errors.inc();
                self.terminal_errors.inc();
            }
            WorkResult::Error | WorkResult::Panic => {
                error.inc();
                self.errors.inc();
                self.retries.inc();
            }
        }
        if result == WorkResult::Panic {
            self.panics.inc();
        }
        self.times.observe(took.as_secs_f64());
        self.work_times.observe(took.as_secs_f64());
        self.active_workers.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::super::Metrics;
    use super::*;

    #[test]
    fn names_and_labels_are_those_of_controller_runtime() {
        let metrics = Metrics::new().unwrap();
        let controller = metrics.work.controller("externalsecret", 16);
        controller.added(3);
        let work = controller.began(Duration::from_millis(20));
        controller.ended(work, WorkResult::RequeueAfter, Duration::from_millis(30));
        for result in [WorkResult::Panic, WorkResult::Terminal] {
            let work = controller.began(Duration::ZERO);
            controller.ended(work, result, Duration::ZERO);
        }
        metrics.work.panicked("externalsecret");
        metrics.work.timed_out("externalsecret");
        let text = metrics.render().unwrap();
        for line in [
            r#"controller_runtime_reconcile_total{controller="externalsecret",result="requeue_after"} 1"#,
            r#"controller_runtime_reconcile_total{controller="externalsecret",result="error"} 2"#,
            r#"controller_runtime_reconcile_errors_total{controller="externalsecret"} 2"#,
            r#"controller_runtime_terminal_reconcile_errors_total{controller="externalsecret"} 1"#,
            r#"controller_runtime_reconcile_timeouts_total{controller="externalsecret"} 1"#,
            r#"workqueue_retries_total{controller="externalsecret",name="externalsecret"} 1"#,
            r#"workqueue_unfinished_work_seconds{controller="externalsecret",name="externalsecret"} 0"#,
            r#"workqueue_longest_running_processor_seconds{controller="externalsecret",name="externalsecret"} 0"#,
            r#"controller_runtime_reconcile_total{controller="externalsecret",result="success"} 0"#,
            r#"controller_runtime_reconcile_panics_total{controller="externalsecret"} 2"#,
            r#"controller_runtime_reconcile_time_seconds_bucket{controller="externalsecret",le="0.025"} 2"#,
            r#"controller_runtime_max_concurrent_reconciles{controller="externalsecret"} 16"#,
            r#"controller_runtime_active_workers{controller="externalsecret"} 0"#,
            r#"workqueue_depth{controller="externalsecret",name="externalsecret",priority=""} 3"#,
            r#"workqueue_adds_total{controller="externalsecret",name="externalsecret"} 1"#,
            r#"workqueue_queue_duration_seconds_count{controller="externalsecret",name="externalsecret"} 3"#,
        ] {
            assert!(
                text.lines().any(|have| have == line),
                "{line} is not in:\n{text}"
            );
        }
    }
}
