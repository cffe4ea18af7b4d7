//! Resource versions of one kind are numbers that grow (Kubernetes KEP-5504): which of two states is the
//! newer one. Pure.

use std::sync::Arc;

/// `resource_version` as a number; `None` if it is not one.
pub fn number(resource_version: Option<&str>) -> Option<u64> {
    resource_version?.parse().ok()
}

/// The status that was written last, while the watch is behind.
#[derive(Clone, Debug)]
pub struct StatusAhead<S> {
    written: Option<Arc<(u64, S)>>,
    /// The resource version that the watch brought last.
    watched: u64,
}

impl<S> Default for StatusAhead<S> {
    fn default() -> Self {
        Self {
            written: None,
            watched: 0,
        }
    }
}

impl<S: Clone + Default> StatusAhead<S> {
    /// `status` was written and is the object's at `resource_version`.
    pub fn wrote(&mut self, resource_version: &str, status: &S) {
        if let Some(version) = number(Some(resource_version)) {
            let is_ahead = self.watched < version;
            self.written = is_ahead.then(|| Arc::new((version, status.clone())));
        }
    }

    /// The watch brought the object at `resource_version`, with all that was written before.
    pub fn watched(&mut self, resource_version: Option<&str>) {
        if let Some(version) = number(resource_version) {
            self.watched = version;
            let written = self.written.take();
            self.written = written.filter(|written| version < written.0);
        }
    }

    /// The status that counts: the written one while the `watched` object is older.
    pub fn current(&self, watched: Option<&S>, resource_version: Option<&str>) -> S {
        let watched_version = number(resource_version);
        let written = self.written.as_deref();
        match written.filter(|(version, _)| watched_version.is_some_and(|seen| seen < *version)) {
            Some((_, status)) => status.clone(),
            None => watched.cloned().unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_written_status_counts_until_the_watch_has_it() {
        let mut ahead = StatusAhead::default();
        let synced = "synced".to_owned();
        ahead.wrote("20", &synced);
        assert_eq!(ahead.current(None, Some("19")), synced);
        assert_eq!(ahead.current(None, Some("20")), "");
        // whichever comes first, the watch or the answer to the write
        ahead.watched(Some("20"));
        assert!(ahead.written.is_none());
        ahead.wrote("20", &synced);
        assert!(ahead.written.is_none());
        ahead.wrote("21", &synced);
        ahead.watched(Some("20"));
        assert_eq!(ahead.current(None, Some("20")), synced);
    }
}
