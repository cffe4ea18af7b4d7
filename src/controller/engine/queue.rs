//! What is to be reconciled, in which order and when: the most urgent first, of equals the one that
//! waits longest, nothing twice at a time. Knows keys and times, not what is done with a key.
//! docs/architecture.md has the order.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::time::{Duration, Instant};

use crate::telemetry::Overdue;

/// How urgent a reconcile is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// It was never in sync: somebody waits for it.
    New,
    /// Somebody asked for it: an annotation or label changed.
    Asked,
    /// Something that it depends on changed.
    Changed,
    /// Its time has come.
    Due,
    /// Its time has come, and it failed before.
    Failing,
}

/// Keys that wait, for their turn or for their time, and keys in work.
#[derive(Debug)]
pub struct Queue<K> {
    states: HashMap<K, KeyState>,
    /// Those that wait for their turn.
    waiting: BTreeMap<(Urgency, u64), K>,
    /// Those that wait for their time, with how urgent they are then.
    sleeping: BTreeMap<(Instant, u64), (K, Urgency)>,
    /// Since when those are late that failed.
    failing: HashMap<K, Instant>,
    serial: u64,
}

#[derive(Clone, Copy, Debug)]
enum KeyState {
    Waiting {
        place: (Urgency, u64),
        since: Instant,
    },
    Sleeping {
        place: (Instant, u64),
    },
    /// In work, and to be looked at again afterwards.
    Working {
        again: Option<Urgency>,
        since: Instant,
    },
}

impl<K> Default for Queue<K> {
    fn default() -> Self {
        Self {
            states: HashMap::new(),
            waiting: BTreeMap::new(),
            sleeping: BTreeMap::new(),
            failing: HashMap::new(),
            serial: 0,
        }
    }
}

impl<K: Eq + Hash + Clone> Queue<K> {
    /// Puts `key` in line. Where it waits already, the more urgent reason counts. Returns whether it was
    /// not in line before.
    pub fn add(&mut self, key: &K, urgency: Urgency, now: Instant) -> bool {
        let mut since = now;
        match self.states.get_mut(key) {
            Some(KeyState::Working { again, .. }) => {
                let is_new = again.is_none();
                *again = Some(again.map_or(urgency, |before| before.min(urgency)));
                return is_new;
            }
            Some(KeyState::Waiting { place, .. }) if place.0 <= urgency => return false,
            Some(KeyState::Waiting {
                place,
                since: begun,
            }) => {
                since = *begun;
                self.waiting.remove(place);
            }
            Some(KeyState::Sleeping { place }) => {
                self.sleeping.remove(place);
            }
            None => {}
        }
        let place = (urgency, self.next_serial());
        self.waiting.insert(place, key.clone());
        let waiting = KeyState::Waiting { place, since };
        !matches!(
            self.states.insert(key.clone(), waiting),
            Some(KeyState::Waiting { .. })
        )
    }

    /// Whether there is a key to be worked on that is not less urgent than `least`.
    pub fn has(&mut self, least: Urgency, now: Instant) -> bool {
        self.wake_up(now);
        let first = self.waiting.first_key_value();
        first.is_some_and(|((urgency, _), _)| *urgency <= least)
    }

    /// The next key to be worked on, not less urgent than `least`, and how long it waited.
    pub fn take(&mut self, least: Urgency, now: Instant) -> Option<(K, Duration)> {
        if !self.has(least, now) {
            return None;
        }
        let (_, key) = self.waiting.pop_first()?;
        let since = match self.states.get(&key) {
            Some(KeyState::Waiting { since, .. }) => *since,
            _ => now,
        };
        let working = KeyState::Working { again: None, since };
        self.states.insert(key.clone(), working);
        Some((key, now.saturating_duration_since(since)))
    }

    /// The work on `key` ended; it is to be looked at again after a pause, as urgently as this, or when
    /// something changes.
    pub fn done(&mut self, key: &K, next: Option<(Duration, Urgency)>, now: Instant) {
        let state = self.states.remove(key);
        match (next, state) {
            (Some((_, Urgency::Failing)), Some(KeyState::Working { since, .. })) => {
                self.failing.entry(key.clone()).or_insert(since);
            }
            _ => drop(self.failing.remove(key)),
        }
        if let Some(KeyState::Working {
            again: Some(urgency),
            ..
        }) = state
        {
            self.add(key, urgency, now);
        } else if let Some((pause, urgency)) = next
            && let Some(at) = now.checked_add(pause)
        {
            let place = (at, self.next_serial());
            self.sleeping.insert(place, (key.clone(), urgency));
            self.states
                .insert(key.clone(), KeyState::Sleeping { place });
        }
    }

    /// When the next sleeper's time comes.
    pub fn next_time(&self) -> Option<Instant> {
        self.sleeping.keys().next().map(|(at, _)| *at)
    }

    /// `key` is gone: nothing comes of its time any more.
    pub fn forget(&mut self, key: &K) {
        self.failing.remove(key);
        if let Some(KeyState::Sleeping { place }) = self.states.get(key) {
            self.sleeping.remove(place);
            self.states.remove(key);
        }
    }

    /// How late the latest are.
    pub fn overdue(&self, now: Instant) -> Overdue {
        let since = self.states.iter().filter_map(|(key, state)| match state {
            _ if self.failing.contains_key(key) => None,
            KeyState::Waiting { since, .. } | KeyState::Working { since, .. } => Some(*since),
            // it is late where nobody came to wake it up
            KeyState::Sleeping { place } => Some(place.0),
        });
        let late = |since: Option<Instant>| {
            since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
        };
        Overdue {
            waiting: late(since.min()),
            failing: late(self.failing.values().min().copied()),
        }
    }

    /// How many wait for their turn.
    pub fn depth(&self) -> usize {
        self.waiting.len()
    }

    fn wake_up(&mut self, now: Instant) {
        while let Some(entry) = self.sleeping.first_entry() {
            if entry.key().0 > now {
                return;
            }
            let at = entry.key().0;
            let (key, urgency) = entry.remove();
            self.add(&key, urgency, at);
        }
    }

    fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    fn take(queue: &mut Queue<&'static str>, now: Instant) -> Option<&'static str> {
        queue.take(Urgency::Failing, now).map(|(key, _)| key)
    }

    #[test]
    fn the_more_urgent_comes_first_and_of_equals_the_one_that_waits_longest() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        for (key, urgency) in [
            ("failing", Urgency::Failing),
            ("due", Urgency::Due),
            ("changed", Urgency::Changed),
            ("asked", Urgency::Asked),
            ("new", Urgency::New),
            ("newer", Urgency::New),
        ] {
            assert!(queue.add(&key, urgency, now));
        }
        let order: Vec<_> = std::iter::from_fn(|| take(&mut queue, now)).collect();
        assert_eq!(
            order,
            ["new", "newer", "asked", "changed", "due", "failing"]
        );
    }

    #[test]
    fn who_waits_is_in_line_once_by_its_most_urgent_reason() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        queue.add(&"a", Urgency::Due, now);
        queue.add(&"b", Urgency::Due, now);
        assert!(!queue.add(&"b", Urgency::Asked, now + seconds(3)));
        assert!(!queue.add(&"b", Urgency::Failing, now));
        assert_eq!(queue.depth(), 2);
        assert_eq!(
            queue.take(Urgency::Failing, now + seconds(5)),
            Some(("b", seconds(5)))
        );
        assert_eq!(take(&mut queue, now), Some("a"));
        assert_eq!(take(&mut queue, now), None);
    }

    #[test]
    fn nothing_is_worked_on_twice_at_a_time_and_no_change_is_lost() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        queue.add(&"a", Urgency::New, now);
        assert_eq!(take(&mut queue, now), Some("a"));
        assert!(queue.add(&"a", Urgency::Changed, now));
        assert!(!queue.add(&"a", Urgency::Due, now));
        assert_eq!(take(&mut queue, now), None);
        // the change counts, not the pause
        queue.done(&"a", Some((seconds(60), Urgency::Due)), now);
        assert_eq!(take(&mut queue, now), Some("a"));
        queue.done(&"a", None, now);
        assert_eq!(take(&mut queue, now + seconds(3600)), None);
        assert!(queue.states.is_empty());
    }

    #[test]
    fn sleepers_wake_in_time_and_a_change_wakes_them_earlier() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        for key in ["a", "b"] {
            queue.add(&key, Urgency::New, now);
        }
        assert_eq!(take(&mut queue, now), Some("a"));
        assert_eq!(take(&mut queue, now), Some("b"));
        queue.done(&"a", Some((seconds(60), Urgency::Due)), now);
        queue.done(&"b", Some((seconds(30), Urgency::Failing)), now);
        assert_eq!(queue.next_time(), Some(now + seconds(30)));
        assert_eq!(take(&mut queue, now + seconds(29)), None);
        queue.add(&"a", Urgency::Changed, now + seconds(29));
        assert_eq!(take(&mut queue, now + seconds(30)), Some("a"));
        assert_eq!(take(&mut queue, now + seconds(30)), Some("b"));
        assert!(queue.sleeping.is_empty());
    }

    #[test]
    fn late_is_who_waits_since_then_and_who_failed_since_its_time() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        let late = |waiting, failing| Overdue {
            waiting: seconds(waiting),
            failing: seconds(failing),
        };
        queue.add(&"a", Urgency::New, now);
        assert_eq!(queue.overdue(now + seconds(3)), late(3, 0));
        assert_eq!(take(&mut queue, now + seconds(3)), Some("a"));
        assert_eq!(queue.overdue(now + seconds(4)), late(4, 0));
        // in sync: late again a minute after its time
        queue.done(&"a", Some((seconds(60), Urgency::Due)), now + seconds(5));
        assert_eq!(queue.overdue(now + seconds(64)), late(0, 0));
        assert_eq!(queue.overdue(now + seconds(67)), late(2, 0));
        // it fails, and fails again: late since its time came
        assert_eq!(take(&mut queue, now + seconds(67)), Some("a"));
        for second in [70, 80] {
            let retry = Some((seconds(10), Urgency::Failing));
            queue.done(&"a", retry, now + seconds(second));
            assert_eq!(queue.overdue(now + seconds(75)), late(0, 10));
            assert_eq!(take(&mut queue, now + seconds(second + 10)), Some("a"));
        }
        assert_eq!(queue.overdue(now + seconds(95)), late(0, 30));
        queue.done(&"a", None, now + seconds(95));
        assert_eq!(queue.overdue(now + seconds(95)), late(0, 0));
    }

    #[test]
    fn who_is_gone_is_not_late() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        for (key, urgency) in [("fails", Urgency::Failing), ("sleeps", Urgency::Due)] {
            queue.add(&key, Urgency::New, now);
            assert_eq!(take(&mut queue, now), Some(key));
            queue.done(&key, Some((seconds(1), urgency)), now);
            queue.forget(&key);
        }
        assert_eq!(queue.overdue(now + seconds(60)), Overdue::default());
        assert_eq!(queue.next_time(), None);
        assert!(queue.states.is_empty());
    }

    #[test]
    fn the_less_urgent_can_be_left_in_line() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        queue.add(&"due", Urgency::Due, now);
        assert_eq!(queue.take(Urgency::Changed, now), None);
        queue.add(&"new", Urgency::New, now);
        assert_eq!(
            queue.take(Urgency::Changed, now).map(|(key, _)| key),
            Some("new")
        );
        assert_eq!(take(&mut queue, now), Some("due"));
    }
}
