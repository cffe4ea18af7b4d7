//! What is to be reconciled, in which order and when: the most urgent first, of equals the one that
//! waits longest, nothing twice at a time. Knows keys and times, no work (design: the vault hub, queue
//! order).

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::time::{Duration, Instant};

/// How urgent a reconcile is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Urgency {
    /// It was never in step: somebody waits for it.
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
pub(super) struct Queue<K> {
    states: HashMap<K, State>,
    /// Those that wait for their turn.
    waiting: BTreeMap<(Urgency, u64), K>,
    /// Those that wait for their time, with how urgent they are then.
    sleeping: BTreeMap<(Instant, u64), (K, Urgency)>,
    serial: u64,
}

#[derive(Clone, Copy, Debug)]
enum State {
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
    },
}

impl<K> Default for Queue<K> {
    fn default() -> Self {
        Self {
            states: HashMap::new(),
            waiting: BTreeMap::new(),
            sleeping: BTreeMap::new(),
            serial: 0,
        }
    }
}

impl<K: Eq + Hash + Clone> Queue<K> {
    /// Puts `key` in line. Where it waits already, the more urgent reason counts. Returns whether it was
    /// not in line before.
    pub(super) fn add(&mut self, key: &K, urgency: Urgency, now: Instant) -> bool {
        let mut since = now;
        match self.states.get_mut(key) {
            Some(State::Working { again }) => {
                let is_new = again.is_none();
                *again = Some(again.map_or(urgency, |before| before.min(urgency)));
                return is_new;
            }
            Some(State::Waiting { place, .. }) if place.0 <= urgency => return false,
            Some(State::Waiting {
                place,
                since: begun,
            }) => {
                since = *begun;
                self.waiting.remove(place);
            }
            Some(State::Sleeping { place }) => {
                self.sleeping.remove(place);
            }
            None => {}
        }
        let place = (urgency, self.next_serial());
        self.waiting.insert(place, key.clone());
        let waiting = State::Waiting { place, since };
        !matches!(
            self.states.insert(key.clone(), waiting),
            Some(State::Waiting { .. })
        )
    }

    /// Whether there is a key to be worked on that is not less urgent than `least`.
    pub(super) fn has(&mut self, least: Urgency, now: Instant) -> bool {
        self.wake_up(now);
        let first = self.waiting.first_key_value();
        first.is_some_and(|((urgency, _), _)| *urgency <= least)
    }

    /// The next key to be worked on, not less urgent than `least`, and how long it waited.
    pub(super) fn take(&mut self, least: Urgency, now: Instant) -> Option<(K, Duration)> {
        if !self.has(least, now) {
            return None;
        }
        let (_, key) = self.waiting.pop_first()?;
        let before = self
            .states
            .insert(key.clone(), State::Working { again: None });
        let since = match before {
            Some(State::Waiting { since, .. }) => since,
            _ => now,
        };
        Some((key, now.saturating_duration_since(since)))
    }

    /// The work on `key` ended; it is to be looked at again after a pause, as urgently as this, or when
    /// something changes.
    pub(super) fn done(&mut self, key: &K, next: Option<(Duration, Urgency)>, now: Instant) {
        let state = self.states.remove(key);
        if let Some(State::Working {
            again: Some(urgency),
        }) = state
        {
            self.add(key, urgency, now);
        } else if let Some((pause, urgency)) = next
            && let Some(at) = now.checked_add(pause)
        {
            let place = (at, self.next_serial());
            self.sleeping.insert(place, (key.clone(), urgency));
            self.states.insert(key.clone(), State::Sleeping { place });
        }
    }

    /// When the next sleeper's time comes.
    pub(super) fn next_time(&self) -> Option<Instant> {
        self.sleeping.keys().next().map(|(at, _)| *at)
    }

    /// How many wait for their turn.
    pub(super) fn depth(&self) -> usize {
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
