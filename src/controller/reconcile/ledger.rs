//! What is known of the objects of a kind beyond their status. A restart loses it and costs at most a
//! check.

use std::collections::HashMap;
use std::hash::Hash;

use k8s_openapi::jiff::Timestamp;
use parking_lot::Mutex;

/// The records of all objects of a kind; `E` is what only this kind knows.
#[derive(Debug)]
pub struct Ledger<K, E>(Mutex<HashMap<K, Record<E>>>);

/// What is known of one object.
#[derive(Clone, Debug, Default)]
pub struct Record<E> {
    uid: String,
    /// Failures in a row.
    pub failures: u32,
    /// When the last failure was.
    pub failed_at: Option<Timestamp>,
    /// Changes of what the object was made from.
    changes: u64,
    /// Those that the last success took in.
    served_changes: u64,
    /// What only this kind knows.
    pub own: E,
}

impl<E> Record<E> {
    /// Whether something that the object was made from changed since the last success.
    pub fn is_stale(&self) -> bool {
        self.changes != self.served_changes
    }
}

impl<K, E> Default for Ledger<K, E> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash + Clone, E: Clone + Default> Ledger<K, E> {
    /// The record of the object `key`; of one made again under the name nothing is known but that it is
    /// stale.
    pub fn get(&self, key: &K, uid: &str) -> Record<E> {
        let mut records = self.0.lock();
        let record = records.entry(key.clone()).or_default();
        if record.uid != uid {
            *record = Record {
                uid: uid.to_owned(),
                changes: record.changes,
                ..Record::default()
            };
        }
        record.clone()
    }

    /// A reconcile that began with `record` succeeded; `update` notes what it brought.
    pub fn succeeded(&self, key: &K, record: &Record<E>, update: impl FnOnce(&mut E)) {
        self.update(key, |entry| {
            entry.failures = 0;
            // changes made meanwhile stay unserved
            entry.served_changes = record.changes;
            update(&mut entry.own);
        });
    }

    /// A reconcile failed at `now`. Returns how many have failed in a row.
    pub fn failed(&self, key: &K, now: Timestamp) -> u32 {
        self.update(key, |record| {
            record.failures = record.failures.saturating_add(1);
            record.failed_at = Some(now);
            record.failures
        })
    }

    /// What failed before no longer counts.
    pub fn forgive(&self, key: &K) {
        self.update(key, |record| record.failures = 0);
    }

    /// Whether the last reconcile failed.
    pub fn has_failed(&self, key: &K) -> bool {
        let records = self.0.lock();
        records.get(key).is_some_and(|record| record.failures > 0)
    }

    /// Something that the object was made from changed: its next reconcile makes it anew, without the
    /// pause of earlier failures.
    pub fn mark_stale(&self, key: &K) {
        self.update(key, |record| {
            record.changes = record.changes.wrapping_add(1);
            record.failures = 0;
        });
    }

    /// The object is gone.
    pub fn forget(&self, key: &K) {
        self.0.lock().remove(key);
    }

    /// Changes the record.
    pub fn update<T>(&self, key: &K, change: impl FnOnce(&mut Record<E>) -> T) -> T {
        change(self.0.lock().entry(key.clone()).or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "team/app";

    #[test]
    fn a_change_during_a_reconcile_is_not_lost() {
        let ledger: Ledger<&str, ()> = Ledger::default();
        ledger.mark_stale(&KEY);
        let started = ledger.get(&KEY, "uid");
        assert!(started.is_stale());
        ledger.mark_stale(&KEY);
        ledger.succeeded(&KEY, &started, |()| {});
        assert!(ledger.get(&KEY, "uid").is_stale());
        let again = ledger.get(&KEY, "uid");
        ledger.succeeded(&KEY, &again, |()| {});
        assert!(!ledger.get(&KEY, "uid").is_stale());
    }

    #[test]
    fn of_an_object_made_again_nothing_is_known() {
        let ledger: Ledger<&str, u8> = Ledger::default();
        ledger.get(&KEY, "old");
        ledger.update(&KEY, |record| record.own = 7);
        assert_eq!(ledger.failed(&KEY, Timestamp::UNIX_EPOCH), 1);
        assert_eq!(ledger.failed(&KEY, Timestamp::UNIX_EPOCH), 2);
        assert!(ledger.has_failed(&KEY));
        assert_eq!(ledger.get(&KEY, "old").own, 7);
        let new = ledger.get(&KEY, "new");
        assert_eq!((new.own, new.failures), (0, 0));
        ledger.forget(&KEY);
        assert!(!ledger.has_failed(&KEY));
    }
}
