//! What is known of an ExternalSecret beyond its status: a restart loses it and costs at most a
//! check.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use k8s_openapi::jiff::{SignedDuration, Timestamp};

use crate::api::external_secret::ExternalSecretStatus;
use crate::controller::dependents::ObjectKey;

use super::remote::Seen;

/// That a store is new is no failure for so long: its validation asks nobody but the API server.
const STORE_PATIENCE: SignedDuration = SignedDuration::from_secs(5);

/// The memories of all ExternalSecrets.
#[derive(Debug, Default)]
pub struct Memories(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    objects: HashMap<ObjectKey, Memory>,
    /// The watch brings what becomes of targets.
    follows_targets: bool,
}

/// One memory.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    uid: String,
    /// Start of the last successful refresh; the status may be older (`--status-heartbeat`).
    pub refreshed_at: Option<Timestamp>,
    /// What the target was last made from; the status may be older.
    pub(super) seen: Option<Seen>,
    /// When its refreshes come together with others of the same vault.
    pub phase: Option<i64>,
    /// Failures in a row.
    pub failures: u32,
    /// When the last failure was.
    pub failed_at: Option<Timestamp>,
    /// Since when it waits for the first word on a store.
    waits_since: Option<Timestamp>,
    /// The last status written and the resource version it got, while the watch is behind.
    written: Option<Arc<(u64, ExternalSecretStatus)>>,
    /// The resource version that the watch brought last.
    watched: u64,
    /// The resource version of the target that the watch brought last.
    target_watched: u64,
    /// How the target was when it was last read or written.
    look: Option<Look>,
    marks: u64,
    served_marks: u64,
}

/// A target that was found, or left, as a spec wants it.
#[derive(Clone, Debug)]
struct Look {
    /// Its resource version.
    at: u64,
    /// [`super::spec::SyncSpec::version`]
    spec: String,
}

impl Memory {
    /// Whether nothing became of the target since it was as this version of the spec wants it, but for
    /// values: nobody has to read it.
    pub fn target_stands(&self, spec: &str) -> bool {
        let look = self.look.as_ref();
        look.is_some_and(|look| look.spec == spec && self.target_watched <= look.at)
    }

    /// Whether a store or credential changed since the last successful refresh.
    pub fn is_stale(&self) -> bool {
        self.marks != self.served_marks
    }

    /// The status to go by: the written one while the watched object is older.
    pub fn status(
        &self,
        watched: Option<&ExternalSecretStatus>,
        resource_version: Option<&str>,
    ) -> ExternalSecretStatus {
        let watched_version = number(resource_version);
        let written = self.written.as_deref();
        match written.filter(|(version, _)| watched_version.is_some_and(|seen| seen < *version)) {
            Some((_, status)) => status.clone(),
            None => watched.cloned().unwrap_or_default(),
        }
    }
}

/// Resource versions of one kind are numbers that grow (Kubernetes' KEP 5504).
fn number(resource_version: Option<&str>) -> Option<u64> {
    resource_version?.parse().ok()
}

impl Memories {
    /// The memory of `object`; of an object made again under the name nothing is known.
    pub fn of(&self, object: &ObjectKey, uid: &str) -> Memory {
        let mut state = self.lock();
        let memory = state.objects.entry(object.clone()).or_default();
        if memory.uid != uid {
            let marks = memory.marks;
            *memory = Memory {
                uid: uid.to_owned(),
                marks,
                ..Memory::default()
            };
        }
        memory.clone()
    }

    /// A refresh that began with `memory` succeeded: as of `started` the target is made from `seen`.
    pub(super) fn succeeded(
        &self,
        object: &ObjectKey,
        memory: &Memory,
        started: Timestamp,
        seen: Option<Seen>,
    ) {
        self.update(object, |entry| {
            entry.refreshed_at = Some(started);
            entry.seen = seen;
            entry.failures = 0;
            entry.waits_since = None;
            // marks made meanwhile stay unserved
            entry.served_marks = memory.marks;
        });
    }

    /// The stores said when the next refresh is cheapest, or that it does not matter.
    pub fn shares(&self, object: &ObjectKey, phase: Option<i64>) {
        self.update(object, |entry| entry.phase = phase);
    }

    /// A reconcile failed at `now`, the last of so many in a row.
    pub fn failed(&self, object: &ObjectKey, failures: u32, now: Timestamp) {
        self.update(object, |entry| {
            entry.failures = failures;
            entry.failed_at = Some(now);
            entry.waits_since = None;
        });
    }

    /// It waits at `now` for the first word on a store. Returns until when it may; `None` where it failed
    /// already, or waited long enough.
    pub(super) fn waits(&self, object: &ObjectKey, now: Timestamp) -> Option<Timestamp> {
        let mut state = self.lock();
        let entry = state.objects.entry(object.clone()).or_default();
        if entry.failures > 0 {
            return None;
        }
        let until = *entry.waits_since.get_or_insert(now) + STORE_PATIENCE;
        (now < until).then_some(until)
    }

    /// What failed before counts no more.
    pub fn forgive(&self, object: &ObjectKey) {
        self.update(object, |entry| entry.failures = 0);
    }

    /// Whether the last reconcile failed.
    pub fn has_failed(&self, object: &ObjectKey) -> bool {
        self.lock()
            .objects
            .get(object)
            .is_some_and(|memory| memory.failures > 0)
    }

    /// `status` was written and is the object's at `resource_version`.
    pub fn wrote(&self, object: &ObjectKey, resource_version: &str, status: &ExternalSecretStatus) {
        let Some(version) = number(Some(resource_version)) else {
            return;
        };
        self.update(object, |entry| {
            let is_news = entry.watched < version;
            entry.written = is_news.then(|| Arc::new((version, status.clone())));
        });
    }

    /// The watch brought `object` at `resource_version`, with all that was written before.
    pub fn watched(&self, object: &ObjectKey, resource_version: Option<&str>) {
        let Some(version) = number(resource_version) else {
            return;
        };
        self.update(object, |entry| {
            entry.watched = version;
            let written = entry.written.take();
            entry.written = written.filter(|written| version < written.0);
        });
    }

    /// The target of `object` was found, or left, as the spec of this version wants it.
    pub(super) fn target_is_in_step(&self, object: &ObjectKey, target_version: &str, spec: &str) {
        let mut state = self.lock();
        if !state.follows_targets {
            return;
        }
        let entry = state.objects.entry(object.clone()).or_default();
        entry.look = number(Some(target_version)).map(|at| Look {
            at,
            spec: spec.to_owned(),
        });
    }

    /// The watch brought the target of `object` at this resource version, or without one: it is gone.
    pub fn target_watched(&self, object: &ObjectKey, resource_version: Option<&str>) {
        let version = number(resource_version);
        self.update(object, |entry| {
            entry.target_watched = version.unwrap_or(u64::MAX);
        });
    }

    /// The watch of the targets delivers, or is broken: whatever was seen of them before may be outdated.
    pub fn follows_targets(&self, follows: bool) {
        let mut state = self.lock();
        if state.follows_targets && !follows {
            for entry in state.objects.values_mut() {
                entry.look = None;
            }
        }
        state.follows_targets = follows;
    }

    /// A store or credential of `object` changed: its next reconcile fetches, without the pause
    /// of earlier failures.
    pub fn mark_stale(&self, object: &ObjectKey) {
        self.update(object, |entry| {
            entry.marks = entry.marks.wrapping_add(1);
            entry.failures = 0;
        });
    }

    /// The object is gone.
    pub fn forget(&self, object: &ObjectKey) {
        self.lock().objects.remove(object);
    }

    fn update(&self, object: &ObjectKey, change: impl FnOnce(&mut Memory)) {
        change(self.lock().objects.entry(object.clone()).or_default());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> ObjectKey {
        ("team".to_owned(), "app".to_owned())
    }

    #[test]
    fn a_change_during_a_refresh_is_not_lost() {
        let memories = Memories::default();
        memories.mark_stale(&key());
        let started = memories.of(&key(), "uid");
        assert!(started.is_stale());
        memories.mark_stale(&key());
        memories.succeeded(&key(), &started, Timestamp::UNIX_EPOCH, None);
        assert!(memories.of(&key(), "uid").is_stale());
        let again = memories.of(&key(), "uid");
        memories.succeeded(&key(), &again, Timestamp::UNIX_EPOCH, None);
        assert!(!memories.of(&key(), "uid").is_stale());
    }

    #[test]
    fn the_written_status_counts_until_the_watch_has_it() {
        let memories = Memories::default();
        memories.of(&key(), "uid");
        let synced = ExternalSecretStatus {
            synced_resource_version: Some("1-x".to_owned()),
            ..ExternalSecretStatus::default()
        };
        memories.wrote(&key(), "20", &synced);
        let memory = memories.of(&key(), "uid");
        assert_eq!(memory.status(None, Some("19")), synced);
        assert_eq!(
            memory.status(None, Some("20")),
            ExternalSecretStatus::default()
        );
        // whichever comes first, the watch or the answer to the write
        memories.watched(&key(), Some("20"));
        assert!(memories.of(&key(), "uid").written.is_none());
        memories.wrote(&key(), "20", &synced);
        assert!(memories.of(&key(), "uid").written.is_none());
        memories.wrote(&key(), "21", &synced);
        memories.watched(&key(), Some("20"));
        assert_eq!(memories.of(&key(), "uid").status(None, Some("20")), synced);
        let other_object = memories.of(&key(), "other");
        assert_eq!(
            other_object.status(None, Some("19")),
            ExternalSecretStatus::default()
        );
    }

    #[test]
    fn a_new_store_is_waited_for_once_and_not_for_ever() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let memories = Memories::default();
        assert_eq!(memories.waits(&key(), at(100)), Some(at(105)));
        assert_eq!(memories.waits(&key(), at(104)), Some(at(105)));
        assert_eq!(memories.waits(&key(), at(105)), None);
        memories.failed(&key(), 1, at(105));
        assert_eq!(memories.waits(&key(), at(106)), None);
        let memory = memories.of(&key(), "");
        memories.succeeded(&key(), &memory, at(107), None);
        assert_eq!(memories.waits(&key(), at(200)), Some(at(205)));
    }

    #[test]
    fn a_target_stands_until_the_watch_brings_another_version_or_breaks() {
        let memories = Memories::default();
        let stands = |spec| memories.of(&key(), "uid").target_stands(spec);
        memories.target_is_in_step(&key(), "7", "1-a");
        assert!(!stands("1-a"), "no watch would tell of a change");
        memories.follows_targets(true);
        assert!(!stands("1-a"));
        memories.target_is_in_step(&key(), "7", "1-a");
        assert!(stands("1-a") && !stands("2-a"));
        for version in ["6", "7"] {
            memories.target_watched(&key(), Some(version));
            assert!(stands("1-a"), "{version} is no news");
        }
        memories.target_watched(&key(), Some("8"));
        assert!(!stands("1-a"));
        // read before the watch brought what came after
        memories.target_is_in_step(&key(), "7", "1-a");
        assert!(!stands("1-a"));
        memories.target_is_in_step(&key(), "8", "1-a");
        assert!(stands("1-a"));
        memories.target_watched(&key(), None);
        memories.target_is_in_step(&key(), "8", "1-a");
        assert!(!stands("1-a"), "it is gone");
        memories.target_is_in_step(&key(), "9", "1-a");
        memories.target_watched(&key(), Some("9"));
        assert!(stands("1-a"), "it was made again");
        memories.follows_targets(false);
        memories.follows_targets(true);
        assert!(!stands("1-a"), "events may be missing");
    }

    #[test]
    fn the_target_of_an_object_made_again_is_looked_at() {
        let memories = Memories::default();
        memories.follows_targets(true);
        memories.of(&key(), "old");
        memories.target_is_in_step(&key(), "7", "1-a");
        assert!(memories.of(&key(), "old").target_stands("1-a"));
        assert!(!memories.of(&key(), "new").target_stands("1-a"));
    }
}
