//! What is known of ExternalSecrets beyond their status, and what their reconciles are given.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::channel::mpsc::UnboundedSender;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::discovery::ApiResource;
use tokio::sync::Semaphore;

use crate::api::external_secret::{ExternalSecretStatus, Manifest};
use crate::api::meta::NamespacedName;
use crate::controller::context::Context;
use crate::controller::engine::{Urgency, WorkQueue, WorkerPermit};
use crate::controller::index::{Change, Consumer, Consumers, Dependency, Subscriber, Target};
use crate::controller::reconcile::ledger::{self, Ledger};
use crate::controller::reconcile::own_writes::OwnWrites;
use crate::controller::reconcile::versions::{StatusAhead, number};
use crate::controller::store::Stores;
use crate::controller::templates::TemplateSources;
use crate::kubernetes::manifests::Kinds;

use super::refresh::SourceFingerprint;

/// Statuses that report a failure are written so many at a time: nobody waits for them, and a busy API
/// server is late with its watches, by which comes what somebody waits for.
const FAILURES_AT_ONCE: usize = 8;
/// That a store is new is not a failure for so long: its validation asks only the API server.
const STORE_PATIENCE: SignedDuration = SignedDuration::from_secs(5);

/// What reconciles of ExternalSecrets are given.
#[derive(Clone)]
pub struct Env {
    pub ctx: Context,
    pub stores: Arc<Stores>,
    pub templates: Arc<TemplateSources>,
    pub consumers: Arc<Consumers>,
    pub state: Arc<State>,
}

/// What is known of all ExternalSecrets.
pub struct State {
    /// Those to be reconciled.
    pub queue: WorkQueue<NamespacedName>,
    /// What is known of each.
    pub ledger: Ledger<NamespacedName, Own>,
    /// Our last write to each target.
    pub own_writes: OwnWrites<Target>,
    /// The kinds of targets that are not Secrets.
    pub kinds: Kinds,
    /// Asks for the watches of these kinds.
    pub watched_kinds: UnboundedSender<(Manifest, ApiResource)>,
    /// Permits for writes that report failures.
    pub failure_reports: Semaphore,
    /// Whether the watch of Secrets delivers.
    pub target_watch: WatchEpoch,
}

/// What is known of one ExternalSecret.
pub type Record = ledger::Record<Own>;

/// What only this kind knows.
#[derive(Clone, Debug, Default)]
pub struct Own {
    /// Start of the last successful refresh; the status may be older (`--status-heartbeat`).
    pub refreshed_at: Option<Timestamp>,
    /// What the target was last made from; the status may be older.
    pub source: Option<SourceFingerprint>,
    /// When its refreshes come together with others of the same vault.
    pub phase: Option<i64>,
    /// The status written last.
    pub status: StatusAhead<ExternalSecretStatus>,
    /// Since when it waits for the first word on a store.
    waits_since: Option<Timestamp>,
    /// The resource version of the target that the watch brought last.
    target_watched: u64,
    /// How the target was when it was last read or written.
    target: Option<TargetSnapshot>,
}

/// A target that was found, or left, as a spec wants it.
#[derive(Clone, Debug)]
struct TargetSnapshot {
    /// Its resource version.
    at: u64,
    /// [`super::spec::SyncSpec::version`]
    spec: String,
    /// The epoch of the watch.
    epoch: u64,
}

/// Numbers the times in which a watch delivers without a gap: odd while it does, even while it is broken.
#[derive(Debug, Default)]
pub struct WatchEpoch(AtomicU64);

impl WatchEpoch {
    /// The watch delivers, or is broken.
    pub fn delivers(&self, delivers: bool) {
        let parity = u64::from(delivers);
        if self.0.load(Ordering::Acquire) % 2 != parity {
            self.0.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// The present epoch; `None` while the watch is broken.
    fn current(&self) -> Option<u64> {
        let epoch = self.0.load(Ordering::Acquire);
        (epoch % 2 == 1).then_some(epoch)
    }
}

impl Own {
    /// Whether nothing became of the target since it was as this version of the spec wants it, but for
    /// values: nobody has to read it.
    fn target_stands(&self, spec: &str, epoch: Option<u64>) -> bool {
        self.target.as_ref().is_some_and(|target| {
            target.spec == spec && Some(target.epoch) == epoch && self.target_watched <= target.at
        })
    }

    /// It waits at `now` for the first word on a store. Returns until when it may; `None` if it waited
    /// long enough.
    fn wait(&mut self, now: Timestamp) -> Option<Timestamp> {
        let until = *self.waits_since.get_or_insert(now) + STORE_PATIENCE;
        (now < until).then_some(until)
    }
}

impl State {
    /// Nothing is known yet.
    pub fn new(
        queue: WorkQueue<NamespacedName>,
        watched_kinds: UnboundedSender<(Manifest, ApiResource)>,
    ) -> Self {
        Self {
            queue,
            ledger: Ledger::default(),
            own_writes: OwnWrites::default(),
            kinds: Kinds::default(),
            watched_kinds,
            failure_reports: Semaphore::new(FAILURES_AT_ONCE),
            target_watch: WatchEpoch::default(),
        }
    }

    /// Whether the target of the object with this record need not be read for this version of the spec.
    pub fn target_stands(&self, record: &Record, spec: &str) -> bool {
        let epoch = self.target_watch.current();
        record.own.target_stands(spec, epoch)
    }

    /// The target of `object` was found, or left, as the spec of this version wants it.
    pub fn target_in_sync(&self, object: &NamespacedName, target_version: &str, spec: &str) {
        let at = number(Some(target_version));
        let target = self
            .target_watch
            .current()
            .zip(at)
            .map(|(epoch, at)| TargetSnapshot {
                at,
                spec: spec.to_owned(),
                epoch,
            });
        self.ledger
            .update(object, |record| record.own.target = target);
    }

    /// The watch brought the target of `object` at this resource version, or without one: it is gone.
    pub fn target_watched(&self, object: &NamespacedName, resource_version: Option<&str>) {
        let version = number(resource_version).unwrap_or(u64::MAX);
        self.ledger
            .update(object, |record| record.own.target_watched = version);
    }

    /// A refresh that began with `record` succeeded: as of `started` the target is made from `source`.
    pub fn succeeded(
        &self,
        object: &NamespacedName,
        record: &Record,
        started: Timestamp,
        source: Option<SourceFingerprint>,
    ) {
        self.ledger.succeeded(object, record, |own| {
            own.refreshed_at = Some(started);
            own.source = source;
            own.waits_since = None;
        });
    }

    /// A reconcile failed at `now`. Returns how many have failed in a row.
    pub fn failed(&self, object: &NamespacedName, now: Timestamp) -> u32 {
        self.ledger
            .update(object, |record| record.own.waits_since = None);
        self.ledger.failed(object, now)
    }

    /// `object` waits at `now` for the first word on a store. Returns until when it may; `None` if it
    /// failed already, or waited long enough.
    pub fn waits(&self, object: &NamespacedName, now: Timestamp) -> Option<Timestamp> {
        self.ledger.update(object, |record| {
            if record.failures > 0 {
                return None;
            }
            record.own.wait(now)
        })
    }
}

impl Subscriber for State {
    fn dependency_changed(&self, object: &NamespacedName, change: Change) {
        match change {
            Change::Content => self.ledger.mark_stale(object),
            Change::Recovered => self.ledger.forgive(object),
            Change::State => {}
        }
        self.queue.add(object, Urgency::Changed);
    }
}

impl Env {
    /// The watch brought a target at this resource version, or without one: it is gone, and whoever writes
    /// it makes it again. Writers that failed over it reconcile whatever it is now; those in sync only if
    /// it is, or was, a managed one.
    pub fn target_changed(&self, target: &Target, version: Option<&str>, is_managed: bool) {
        let state = &self.state;
        let is_own = state.own_writes.brought(target, version) && version.is_some();
        for writer in self
            .consumers
            .depending_on(&Dependency::Target(target.clone()))
        {
            let Consumer::ExternalSecret(writer) = writer;
            state.target_watched(&writer, version);
            if !is_own && (is_managed || state.ledger.has_failed(&writer)) {
                state.queue.add(&writer, Urgency::Changed);
            }
        }
    }

    /// Forgets what is known of an ExternalSecret that is gone.
    pub fn forget(&self, object: &NamespacedName) {
        self.state.ledger.forget(object);
        self.state.queue.forget(object);
        let metrics = &self.ctx.metrics;
        metrics.forget_external_secret(&object.namespace, &object.name);
    }
}

/// What is known when a reconcile begins.
pub struct ReconcileInput {
    pub key: NamespacedName,
    pub record: Record,
    pub status: ExternalSecretStatus,
    pub permit: Arc<WorkerPermit>,
}

impl ReconcileInput {
    /// Nothing was ever reported of it, and this process has not tried.
    pub fn is_new(&self) -> bool {
        let record = &self.record;
        let was_tried = record.own.refreshed_at.is_some() || record.failed_at.is_some();
        !was_tried && self.status == ExternalSecretStatus::default()
    }

    /// What the target was last made from.
    pub fn source(&self) -> Option<SourceFingerprint> {
        let source = self.record.own.source.clone();
        source.or_else(|| SourceFingerprint::from_status(self.status.remote.as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use futures::channel::mpsc::unbounded;

    use super::*;
    use crate::telemetry::Metrics;

    fn key() -> NamespacedName {
        NamespacedName::new("team", "app")
    }

    fn state() -> State {
        let metrics = Metrics::new().unwrap().work.controller("test", 1);
        State::new(WorkQueue::new(metrics), unbounded().0)
    }

    #[test]
    fn a_new_store_is_waited_for_once_and_not_for_ever() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let state = state();
        assert_eq!(state.waits(&key(), at(100)), Some(at(105)));
        assert_eq!(state.waits(&key(), at(104)), Some(at(105)));
        assert_eq!(state.waits(&key(), at(105)), None);
        assert_eq!(state.failed(&key(), at(105)), 1);
        assert_eq!(state.waits(&key(), at(106)), None);
        let record = state.ledger.get(&key(), "");
        state.succeeded(&key(), &record, at(107), None);
        assert_eq!(state.waits(&key(), at(200)), Some(at(205)));
    }

    #[test]
    fn a_target_stands_until_the_watch_brings_another_version_or_breaks() {
        let state = state();
        let stands = |spec| state.target_stands(&state.ledger.get(&key(), "uid"), spec);
        state.target_in_sync(&key(), "7", "1-a");
        assert!(!stands("1-a"), "no watch would tell of a change");
        state.target_watch.delivers(true);
        assert!(!stands("1-a"));
        state.target_in_sync(&key(), "7", "1-a");
        assert!(stands("1-a") && !stands("2-a"));
        for version in ["6", "7"] {
            state.target_watched(&key(), Some(version));
            assert!(stands("1-a"), "{version} is not news");
        }
        state.target_watched(&key(), Some("8"));
        assert!(!stands("1-a"));
        // read before the watch brought what came after
        state.target_in_sync(&key(), "7", "1-a");
        assert!(!stands("1-a"));
        state.target_in_sync(&key(), "8", "1-a");
        assert!(stands("1-a"));
        state.target_watched(&key(), None);
        state.target_in_sync(&key(), "8", "1-a");
        assert!(!stands("1-a"), "it is gone");
        state.target_in_sync(&key(), "9", "1-a");
        state.target_watched(&key(), Some("9"));
        assert!(stands("1-a"), "it was made again");
        state.target_watch.delivers(true);
        assert!(stands("1-a"));
        state.target_watch.delivers(false);
        state.target_watch.delivers(true);
        assert!(!stands("1-a"), "events may be missing");
    }

    #[test]
    fn the_target_of_an_object_made_again_is_read() {
        let state = state();
        state.target_watch.delivers(true);
        let stands = |uid| state.target_stands(&state.ledger.get(&key(), uid), "1-a");
        assert!(!stands("old"));
        state.target_in_sync(&key(), "7", "1-a");
        assert!(stands("old"));
        assert!(!stands("new"));
    }
}
