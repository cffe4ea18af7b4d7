//! How one consumer reads from a store: only what it may read, and with somebody who learns from every read
//! whether the store answers. Knows no kind of store.

use std::sync::Arc;

use super::{
    Error, KeyFilter, ListOptions, Listed, ObjectRef, Query, Read, Search, SecretsClient,
    StoreFault,
};
use crate::secret::{SecretData, SecretValue};

/// Learns from what others read.
pub trait ReadObserver: Send + Sync {
    /// A read ended: with an answer, or with this error.
    fn read(&self, error: Option<&Error>);

    /// The identity may list, or may not because of this error.
    fn listing(&self, refusal: Option<&Error>);
}

/// Reads from one store for one consumer.
#[derive(Clone)]
pub struct StoreReader {
    client: Arc<dyn SecretsClient>,
    keys: Option<Arc<KeyFilter>>,
    observer: Option<Arc<dyn ReadObserver>>,
}

impl StoreReader {
    /// Reads whatever `client` reads.
    pub fn new(client: Arc<dyn SecretsClient>) -> Self {
        Self {
            client,
            keys: None,
            observer: None,
        }
    }

    /// Reads what `keys` admit. Everything else is refused before the store is asked, so that the refusal
    /// does not reveal whether it exists (docs/guardrails.md).
    #[must_use]
    pub fn limited_to(self, keys: KeyFilter) -> Self {
        Self {
            keys: Some(Arc::new(keys)),
            ..self
        }
    }

    /// Lets `observer` learn from the reads.
    #[must_use]
    pub fn observed_by(self, observer: Arc<dyn ReadObserver>) -> Self {
        Self {
            observer: Some(observer),
            ..self
        }
    }

    /// One value ([`SecretsClient::get`]).
    ///
    /// # Errors
    /// The consumer may not read it, or the store does not answer.
    pub async fn get(&self, object: &ObjectRef) -> Result<Read<Option<SecretValue>>, Error> {
        self.check(object)?;
        self.observed(self.client.get(object).await)
    }

    /// The members of one value ([`SecretsClient::extract`]).
    ///
    /// # Errors
    /// The consumer may not read it, or the store does not answer.
    pub async fn extract(&self, object: &ObjectRef) -> Result<Read<Option<SecretData>>, Error> {
        self.check(object)?;
        self.observed(self.client.extract(object).await)
    }

    /// The values that match and that the consumer may read ([`SecretsClient::find`]).
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn find(
        &self,
        search: &Search,
        options: ListOptions<'_>,
    ) -> Result<Read<SecretData>, Error> {
        let admits = |object: &str| self.admits(object);
        self.observed(self.client.find(search, &admits, options).await)
    }

    /// The states of what `queries` read ([`SecretsClient::revisions`]). `None` as well if the identity may
    /// not list, which is not a fault as long as it may read, or if the consumer may not read all of it:
    /// the read reports that.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn revisions(
        &self,
        queries: &[Query],
        options: ListOptions<'_>,
    ) -> Result<Option<Listed>, Error> {
        let is_refused = |query: &Query| match query {
            Query::Object(object) => self.check(object).is_err(),
            Query::Search(_) => false,
        };
        if queries.iter().any(is_refused) {
            return Ok(None);
        }
        let admits = |object: &str| self.admits(object);
        match self.client.revisions(queries, &admits, options).await {
            Ok(None) => Ok(None),
            Err(error) if is_refusal_to_list(&error) => {
                self.observe(|observer| observer.listing(Some(&error)));
                Ok(None)
            }
            Ok(listed) => {
                self.observe(|observer| observer.listing(None));
                self.observed(Ok(listed))
            }
            Err(error) => self.observed(Err(error)),
        }
    }

    fn check(&self, object: &ObjectRef) -> Result<(), Error> {
        let Some(keys) = &self.keys else {
            return Ok(());
        };
        keys.check(&object.key, &self.client.object(object)?)
    }

    fn admits(&self, object: &str) -> bool {
        self.keys.as_ref().is_none_or(|keys| keys.admits(object))
    }

    fn observed<T>(&self, read: Result<T, Error>) -> Result<T, Error> {
        self.observe(|observer| observer.read(read.as_ref().err()));
        read
    }

    fn observe(&self, tell: impl FnOnce(&dyn ReadObserver)) {
        if let Some(observer) = &self.observer {
            tell(&**observer);
        }
    }
}

fn is_refusal_to_list(error: &Error) -> bool {
    matches!(error, Error::Denied { .. }) && error.store_fault() == Some(StoreFault::AccessDenied)
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use k8s_openapi::jiff::Timestamp;
    use parking_lot::Mutex;

    use super::*;
    use crate::provider::{KeyPatterns, ObjectFilter};

    const OPTIONS: ListOptions<'static> = ListOptions {
        since: Timestamp::UNIX_EPOCH,
        now: Timestamp::UNIX_EPOCH,
        store: "",
        reads: 0,
    };

    /// Has every object, and refuses to list with this fault.
    struct Refusing(Option<StoreFault>);

    #[async_trait]
    impl SecretsClient for Refusing {
        fn object(&self, object: &ObjectRef) -> Result<String, Error> {
            Ok(format!("secret/{}", object.key))
        }

        async fn get(&self, _: &ObjectRef) -> Result<Read<Option<SecretValue>>, Error> {
            Ok(Read::plain(Some(SecretValue::new("x"))))
        }

        async fn extract(&self, _: &ObjectRef) -> Result<Read<Option<SecretData>>, Error> {
            Ok(Read::plain(None))
        }

        async fn find(
            &self,
            _: &Search,
            _: &ObjectFilter<'_>,
            _: ListOptions<'_>,
        ) -> Result<Read<SecretData>, Error> {
            Ok(Read::plain(SecretData::new()))
        }

        async fn revisions(
            &self,
            _: &[Query],
            _: &ObjectFilter<'_>,
            _: ListOptions<'_>,
        ) -> Result<Option<Listed>, Error> {
            Err(Error::Denied {
                code: "Forbidden".to_owned(),
                object: "the list of secrets".to_owned(),
                message: "no".to_owned(),
                remedy: "grant List".to_owned(),
                request_id: None,
                fault: self.0,
            })
        }
    }

    #[derive(Default)]
    struct Heard(Mutex<Vec<&'static str>>);

    impl ReadObserver for Heard {
        fn read(&self, error: Option<&Error>) {
            let word = error.map_or("read", |_| "failed");
            self.0.lock().push(word);
        }

        fn listing(&self, refusal: Option<&Error>) {
            let word = refusal.map_or("lists", |_| "may not list");
            self.0.lock().push(word);
        }
    }

    fn object(key: &str) -> ObjectRef {
        ObjectRef {
            key: key.to_owned(),
            ..ObjectRef::default()
        }
    }

    #[tokio::test]
    async fn who_may_read_and_not_list_reads_and_other_refusals_are_errors() {
        let heard = Arc::new(Heard::default());
        let reader = |fault| {
            StoreReader::new(Arc::new(Refusing(fault)))
                .observed_by(Arc::clone(&heard) as Arc<dyn ReadObserver>)
        };
        let queries = [Query::Object(object("a"))];
        let may_read = reader(Some(StoreFault::AccessDenied));
        let listed = may_read.revisions(&queries, OPTIONS).await;
        assert!(listed.unwrap().is_none());
        assert!(may_read.get(&object("a")).await.unwrap().value.is_some());
        let shut_out = reader(Some(StoreFault::FirewallDenied));
        assert!(shut_out.revisions(&queries, OPTIONS).await.is_err());
        assert_eq!(*heard.0.lock(), ["may not list", "read", "failed"]);
    }

    #[tokio::test]
    async fn what_may_not_be_read_is_not_asked_for_and_says_nothing_about_the_store() {
        let heard = Arc::new(Heard::default());
        let keys = KeyFilter::new(KeyPatterns::new(["a"]).unwrap(), "a rule".to_owned());
        let reader = StoreReader::new(Arc::new(Refusing(None)))
            .limited_to(keys)
            .observed_by(Arc::clone(&heard) as Arc<dyn ReadObserver>);
        assert!(reader.get(&object("b")).await.is_err());
        assert!(reader.extract(&object("b")).await.is_err());
        let queries = [Query::Object(object("a")), Query::Object(object("b"))];
        assert!(reader.revisions(&queries, OPTIONS).await.unwrap().is_none());
        assert!(heard.0.lock().is_empty());
        assert!(reader.get(&object("a")).await.unwrap().value.is_some());
        assert_eq!(*heard.0.lock(), ["read"]);
    }
}
