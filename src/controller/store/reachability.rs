//! Whether the vaults behind the stores answer: learnt from what consumers read, without requests of its
//! own. The store's `Reachable` condition reports it beside `Ready`, which keeps ESO's meaning.

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::controller::index::StoreKey;
use crate::kubernetes::answers::chain;
use crate::provider::{Error, StoreFault};

/// A vault that answered before is said to be away only after so many failures in a row.
const FAILURES: u32 = 3;

/// What is known of a store's vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reachable {
    /// It answers with these credentials.
    Answers,
    /// It does not.
    Away {
        /// What is wrong: the condition's reason.
        fault: StoreFault,
        /// Its message.
        message: String,
    },
}

/// What is known of all stores. A restart loses it; the conditions stay until something is read.
#[derive(Debug, Default)]
pub struct Reachability(Mutex<HashMap<StoreKey, Record>>);

#[derive(Debug, Default)]
struct Record {
    state: Option<Reachable>,
    failures: u32,
    /// Whether the identity may list, or why not, where that was wanted.
    listing: Option<Result<(), String>>,
}

impl Reachability {
    /// What the last reads through `store` say, if there were any.
    pub fn get(&self, store: &StoreKey) -> Option<Reachable> {
        self.0.lock().get(store)?.state.clone()
    }

    /// Whether what changed is found by listing, or why the identity may not, if that was wanted.
    pub fn listing(&self, store: &StoreKey) -> Option<Result<(), String>> {
        self.0.lock().get(store)?.listing.clone()
    }

    /// Notes whether the identity may list; whether that is news.
    pub fn note_listing(&self, store: &StoreKey, listing: Result<(), String>) -> bool {
        let mut records = self.0.lock();
        let record = records.entry(store.clone()).or_default();
        let was_refused = matches!(record.listing, Some(Err(_)));
        let is_news = was_refused != listing.is_err();
        record.listing = Some(listing);
        is_news
    }

    /// The store is gone or another one: what was learnt says nothing any more.
    pub fn forget(&self, store: &StoreKey) {
        self.0.lock().remove(store);
    }

    /// Notes the error that a read ended with, if any; whether that is news.
    pub fn note(&self, store: &StoreKey, error: Option<&Error>) -> bool {
        let state = match error {
            None => Reachable::Answers,
            Some(error) => match error.store_fault() {
                Some(fault) => Reachable::Away {
                    fault,
                    message: chain(error),
                },
                None => return false,
            },
        };
        self.0.lock().entry(store.clone()).or_default().take(state)
    }
}

impl Record {
    fn take(&mut self, state: Reachable) -> bool {
        let Reachable::Away { fault, .. } = &state else {
            self.failures = 0;
            return self.replace(state);
        };
        self.failures = self.failures.saturating_add(1);
        match &self.state {
            // one object may be denied where others are not
            Some(Reachable::Answers) if *fault == StoreFault::AccessDenied => false,
            Some(Reachable::Answers) if self.failures < FAILURES => false,
            // the words of two failing objects may differ
            Some(Reachable::Away { fault: told, .. }) if told == fault => false,
            _ => self.replace(state),
        }
    }

    fn replace(&mut self, state: Reachable) -> bool {
        let is_news = self.state.as_ref() != Some(&state);
        self.state = Some(state);
        is_news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> StoreKey {
        StoreKey::Cluster {
            name: "kv".to_owned(),
        }
    }

    fn denied(code: &str) -> Result<(), Error> {
        Err(Error::Denied {
            code: code.to_owned(),
            object: "secret".to_owned(),
            message: "no".to_owned(),
            remedy: "ask".to_owned(),
            request_id: None,
            fault: match code {
                "ForbiddenByFirewall" => Some(StoreFault::FirewallDenied),
                "ForbiddenByRbac" => Some(StoreFault::AccessDenied),
                _ => None,
            },
        })
    }

    #[test]
    fn only_what_changes_is_news_and_one_failure_is_no_outage() {
        let reach = Reachability::default();
        let news = |read: &Result<(), Error>| reach.note(&store(), read.as_ref().err());
        assert!(news(&denied("ForbiddenByFirewall")));
        assert!(!news(&denied("ForbiddenByFirewall")));
        assert!(news(&Ok(())));
        assert!(!news(&Ok(())));
        assert!(!news(&denied("ForbiddenByFirewall")) && !news(&denied("ForbiddenByFirewall")));
        assert!(news(&denied("ForbiddenByFirewall")));
        assert!(matches!(
            reach.get(&store()),
            Some(Reachable::Away {
                fault: StoreFault::FirewallDenied,
                ..
            })
        ));
    }

    #[test]
    fn what_is_about_one_object_says_nothing_about_the_store() {
        let reach = Reachability::default();
        assert!(!reach.note(&store(), denied("SecretDisabled").as_ref().err()));
        assert_eq!(reach.get(&store()), None);
        assert!(reach.note(&store(), None));
        for _ in 0..2 * FAILURES {
            assert!(!reach.note(&store(), denied("ForbiddenByRbac").as_ref().err()));
        }
        assert_eq!(reach.get(&store()), Some(Reachable::Answers));
    }
}
