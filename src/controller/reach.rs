//! Whether the vaults behind the stores answer: learnt from what consumers read, never asked for. The
//! store's `Reachable` condition says it beside `Ready`, which keeps ESO's meaning (design: Kubernetes
//! side).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::api::external_secret::{Find, RemoteRef};
use crate::provider::{Admits, Error, Listed, Query, Read, SecretsClient, Terms};
use crate::secret::{SecretData, SecretValue};

use super::outcome::chain;
use super::stores::StoreKey;
use super::wake::Wake;

/// A vault that answered before is said to be away only after so many failures in a row.
const FAILURES: u32 = 3;

/// What is known of a store's vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It answers with these credentials.
    Answers,
    /// It does not.
    Away {
        /// The condition's reason.
        reason: &'static str,
        /// Its message.
        message: String,
    },
}

/// What is known of all stores. A restart loses it; the conditions stay until something is read.
#[derive(Debug, Default)]
pub struct Reach(Mutex<HashMap<StoreKey, Entry>>);

#[derive(Debug, Default)]
struct Entry {
    state: Option<State>,
    failures: u32,
    /// Whether the identity may list, or why not, where that was wanted.
    listing: Option<Result<(), String>>,
}

impl Reach {
    /// What the last reads through `store` say, if there were any.
    pub(super) fn of(&self, store: &StoreKey) -> Option<State> {
        self.lock().get(store)?.state.clone()
    }

    /// Whether what changed is found by listing, or why the identity may not, if that was wanted.
    pub(super) fn listing(&self, store: &StoreKey) -> Option<Result<(), String>> {
        self.lock().get(store)?.listing.clone()
    }

    /// Notes whether the identity may list; whether that is news.
    fn note_listing(&self, store: &StoreKey, listing: Result<(), String>) -> bool {
        let mut entries = self.lock();
        let entry = entries.entry(store.clone()).or_default();
        let was_refused = matches!(entry.listing, Some(Err(_)));
        let is_news = was_refused != listing.is_err();
        entry.listing = Some(listing);
        is_news
    }

    /// The store is gone or another one: what was learnt says nothing any more.
    pub(super) fn forget(&self, store: &StoreKey) {
        self.lock().remove(store);
    }

    /// Notes what a read came to; whether that is news.
    fn note<T>(&self, store: &StoreKey, read: &Result<T, Error>) -> bool {
        let state = match read {
            Ok(_) => State::Answers,
            Err(error) => match error.store_fault() {
                Some(reason) => State::Away {
                    reason,
                    message: chain(error),
                },
                None => return false,
            },
        };
        self.lock().entry(store.clone()).or_default().take(state)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<StoreKey, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn take(&mut self, state: State) -> bool {
        let State::Away { reason, .. } = &state else {
            self.failures = 0;
            return self.replace(state);
        };
        self.failures = self.failures.saturating_add(1);
        match &self.state {
            // one object may be denied where others are not
            Some(State::Answers) if *reason == "AccessDenied" => false,
            Some(State::Answers) if self.failures < FAILURES => false,
            // the words of two failing objects may differ
            Some(State::Away { reason: told, .. }) if told == reason => false,
            _ => self.replace(state),
        }
    }

    fn replace(&mut self, state: State) -> bool {
        let is_news = self.state.as_ref() != Some(&state);
        self.state = Some(state);
        is_news
    }
}

/// A client whose reads tell about the store.
pub(super) struct Watched {
    pub(super) inner: Arc<dyn SecretsClient>,
    pub(super) store: StoreKey,
    pub(super) reach: Arc<Reach>,
    pub(super) wake: Wake,
}

impl Watched {
    fn tell_listing(&self, listing: Result<(), String>) {
        if self.reach.note_listing(&self.store, listing) {
            self.wake.store(&self.store);
        }
    }

    fn tell<T>(&self, read: Result<T, Error>) -> Result<T, Error> {
        if self.reach.note(&self.store, &read) {
            self.wake.store(&self.store);
        }
        read
    }
}

#[async_trait]
impl SecretsClient for Watched {
    fn object(&self, remote_ref: &RemoteRef) -> Result<String, Error> {
        self.inner.object(remote_ref)
    }

    async fn get(&self, remote_ref: &RemoteRef) -> Result<Read<Option<SecretValue>>, Error> {
        self.tell(self.inner.get(remote_ref).await)
    }

    async fn extract(&self, remote_ref: &RemoteRef) -> Result<Read<Option<SecretData>>, Error> {
        self.tell(self.inner.extract(remote_ref).await)
    }

    async fn find(
        &self,
        find: &Find,
        admits: &Admits<'_>,
        terms: Terms<'_>,
    ) -> Result<Read<SecretData>, Error> {
        self.tell(self.inner.find(find, admits, terms).await)
    }

    /// An identity that may read and not list is nothing amiss: values are read instead.
    async fn revisions(
        &self,
        queries: &[Query<'_>],
        admits: &Admits<'_>,
        terms: Terms<'_>,
    ) -> Result<Option<Listed>, Error> {
        let refusal = match self.inner.revisions(queries, admits, terms).await {
            Ok(None) => return Ok(None),
            Ok(listed) => {
                self.tell_listing(Ok(()));
                return self.tell(Ok(listed));
            }
            Err(error @ Error::Denied { .. }) if error.store_fault() == Some("AccessDenied") => {
                chain(&error)
            }
            Err(error) => return self.tell(Err(error)),
        };
        self.tell_listing(Err(refusal));
        Ok(None)
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
        })
    }

    #[test]
    fn only_what_changes_is_news_and_one_failure_is_no_outage() {
        let reach = Reach::default();
        let news = |read: &Result<(), Error>| reach.note(&store(), read);
        assert!(news(&denied("ForbiddenByFirewall")));
        assert!(!news(&denied("ForbiddenByFirewall")));
        assert!(news(&Ok(())));
        assert!(!news(&Ok(())));
        assert!(!news(&denied("ForbiddenByFirewall")) && !news(&denied("ForbiddenByFirewall")));
        assert!(news(&denied("ForbiddenByFirewall")));
        assert!(matches!(
            reach.of(&store()),
            Some(State::Away {
                reason: "FirewallDenied",
                ..
            })
        ));
    }

    #[test]
    fn what_is_about_one_object_says_nothing_about_the_store() {
        let reach = Reach::default();
        assert!(!reach.note(&store(), &denied("SecretDisabled")));
        assert_eq!(reach.of(&store()), None);
        assert!(reach.note(&store(), &Ok(())));
        for _ in 0..2 * FAILURES {
            assert!(!reach.note(&store(), &denied("ForbiddenByRbac")));
        }
        assert_eq!(reach.of(&store()), Some(State::Answers));
    }
}
