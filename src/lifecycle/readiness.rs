//! Whether the controllers serve, and what prevents it; and whether this process leads. Knows no kind and
//! no watch.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

/// Whether every cache was filled once and the process is not ending. Until then it collects what the
/// watches met.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<Mutex<Progress>>);

#[derive(Debug, Default)]
struct Progress {
    is_ready: bool,
    is_stopping: bool,
    /// `None`: there is no election.
    leads: Option<bool>,
    obstacles: BTreeMap<String, String>,
}

impl Readiness {
    /// Why the controllers do not serve, for people; `None` while they do, or would if they led.
    pub fn problem(&self) -> Option<String> {
        let state = self.0.lock();
        if state.is_stopping {
            return Some("shutting down".to_owned());
        }
        if state.is_ready {
            return None;
        }
        if state.obstacles.is_empty() {
            return Some("caches are being filled".to_owned());
        }
        let lines: Vec<String> = state
            .obstacles
            .iter()
            .map(|(kind, obstacle)| format!("{kind} cannot be read: {obstacle}"))
            .collect();
        Some(lines.join("\n"))
    }

    /// What this process is while there is no problem.
    pub fn role(&self) -> &'static str {
        match self.0.lock().leads {
            None => "ok",
            Some(false) => "standby",
            Some(true) => "leader",
        }
    }

    /// The process was asked to stop.
    pub fn stopping(&self) {
        self.0.lock().is_stopping = true;
    }

    /// There is an election, and this process leads or does not.
    pub fn elected(&self, leads: bool) {
        self.0.lock().leads = Some(leads);
    }

    /// Every cache was filled.
    pub fn reached(&self) {
        self.0.lock().is_ready = true;
    }

    /// The objects of `kind` cannot be read.
    pub fn hindered(&self, kind: &str, obstacle: &str) {
        self.0
            .lock()
            .obstacles
            .insert(kind.to_owned(), obstacle.to_owned());
    }

    /// All objects of `kind` were read.
    pub fn cleared(&self, kind: &str) {
        self.0.lock().obstacles.remove(kind);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_is_missing_until_every_cache_was_filled() {
        let readiness = Readiness::default();
        let problem = || readiness.problem();
        assert_eq!(problem().as_deref(), Some("caches are being filled"));
        readiness.hindered("b", "not served");
        readiness.hindered("a", "forbidden");
        assert_eq!(
            problem().as_deref(),
            Some("a cannot be read: forbidden\nb cannot be read: not served")
        );
        readiness.cleared("a");
        assert_eq!(problem().as_deref(), Some("b cannot be read: not served"));
        readiness.reached();
        assert_eq!(problem(), None);
        // a watch that fails later is no reason to be taken out of service
        readiness.hindered("a", "connection refused");
        assert_eq!(problem(), None);
    }

    #[test]
    fn a_standby_is_ready_and_who_stops_is_not() {
        let readiness = Readiness::default();
        readiness.reached();
        assert_eq!(readiness.role(), "ok");
        for (leads, role) in [(false, "standby"), (true, "leader")] {
            readiness.elected(leads);
            assert_eq!((readiness.problem(), readiness.role()), (None, role));
        }
        readiness.stopping();
        assert_eq!(readiness.problem().as_deref(), Some("shutting down"));
    }
}
