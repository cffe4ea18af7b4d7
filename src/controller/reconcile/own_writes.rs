//! Our last write to each object that reconciles write: its watch event is not news. Knows no cluster.

use std::collections::HashMap;
use std::hash::Hash;

use parking_lot::Mutex;

/// The last write to each target.
#[derive(Debug)]
pub struct OwnWrites<T>(Mutex<HashMap<T, Write>>);

impl<T> Default for OwnWrites<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

/// A write to a target.
#[derive(Debug)]
enum Write {
    /// Its answer is not here yet; the watch may have brought a version meanwhile.
    Sent(Option<String>),
    /// It made this resource version.
    Done(String),
}

/// A write on its way; dropped, because it failed or was given up, it is none.
#[must_use]
pub struct Writing<'a, T: Eq + Hash + Clone> {
    writes: &'a OwnWrites<T>,
    target: &'a T,
}

impl<T: Eq + Hash + Clone> Writing<'_, T> {
    /// The write made this resource version. Returns whether the watch brought another one meanwhile,
    /// which nobody has looked at.
    pub fn done(self, resource_version: &str) -> bool {
        let made = Write::Done(resource_version.to_owned());
        let before = self.writes.0.lock().insert(self.target.clone(), made);
        matches!(before, Some(Write::Sent(Some(seen))) if seen != resource_version)
    }
}

impl<T: Eq + Hash + Clone> Drop for Writing<'_, T> {
    fn drop(&mut self) {
        let mut writes = self.writes.0.lock();
        if let Some(Write::Sent(_)) = writes.get(self.target) {
            writes.remove(self.target);
        }
    }
}

impl<T: Eq + Hash + Clone> OwnWrites<T> {
    /// `target` is about to be written: what the watch brings of it until the answer may be ours.
    pub fn begin<'a>(&'a self, target: &'a T) -> Writing<'a, T> {
        self.0.lock().insert(target.clone(), Write::Sent(None));
        Writing {
            writes: self,
            target,
        }
    }

    /// Whether our last write of `target` made this resource version.
    pub fn made(&self, target: &T, resource_version: &str) -> bool {
        let writes = self.0.lock();
        matches!(writes.get(target), Some(Write::Done(own)) if own == resource_version)
    }

    /// The watch brought `resource_version` of `target`, `None` where it was deleted. Returns whether our
    /// last write made that, or may have; the write of what was deleted is forgotten.
    pub fn brought(&self, target: &T, resource_version: Option<&str>) -> bool {
        let mut writes = self.0.lock();
        match (writes.get_mut(target), resource_version) {
            (Some(Write::Sent(seen)), version) => {
                *seen = Some(version.unwrap_or_default().to_owned());
                true
            }
            (Some(Write::Done(own)), Some(version)) => own == version,
            (Some(Write::Done(_)), None) => {
                writes.remove(target);
                false
            }
            (None, _) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> &'static str {
        "team/app"
    }

    #[test]
    fn only_the_version_we_wrote_is_our_own() {
        let writes = OwnWrites::default();
        let target = target();
        assert!(!writes.begin(&target).done("7"));
        assert!(writes.made(&target, "7") && !writes.made(&target, "8"));
        assert!(writes.brought(&target, Some("7")));
        assert!(!writes.brought(&target, Some("8")));
        assert!(!writes.brought(&target, None));
        assert!(!writes.brought(&target, Some("7")));
    }

    #[test]
    fn the_watch_may_be_faster_than_the_answer() {
        let writes = OwnWrites::default();
        let target = target();
        let writing = writes.begin(&target);
        assert!(writes.brought(&target, Some("7")));
        assert!(!writing.done("7"));
        // somebody else wrote after us, and the watch brought that before our answer
        let writing = writes.begin(&target);
        assert!(writes.brought(&target, Some("8")));
        assert!(writes.brought(&target, Some("9")));
        assert!(writing.done("8"));
        // a write that failed, or was given up, is none
        drop(writes.begin(&target));
        assert!(!writes.brought(&target, Some("10")));
    }
}
