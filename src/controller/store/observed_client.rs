//! A client whose reads show whether the vault behind the store answers.

use std::sync::Arc;

use async_trait::async_trait;

use crate::controller::index::StoreKey;
use crate::kubernetes::answers::chain;
use crate::provider::{
    Error, ListOptions, Listed, ObjectFilter, ObjectRef, Query, Read, Search, SecretsClient,
    StoreFault,
};
use crate::secret::{SecretData, SecretValue};

use super::queues::StoreQueues;
use super::reachability::Reachability;

/// A client whose reads tell about the store.
pub struct ObservedClient {
    pub inner: Arc<dyn SecretsClient>,
    pub store: StoreKey,
    pub reachability: Arc<Reachability>,
    pub queues: StoreQueues,
}

impl ObservedClient {
    fn tell_listing(&self, listing: Result<(), String>) {
        if self.reachability.note_listing(&self.store, listing) {
            self.queues.add(&self.store);
        }
    }

    fn tell<T>(&self, read: Result<T, Error>) -> Result<T, Error> {
        if self.reachability.note(&self.store, &read) {
            self.queues.add(&self.store);
        }
        read
    }
}

#[async_trait]
impl SecretsClient for ObservedClient {
    fn object(&self, remote_ref: &ObjectRef) -> Result<String, Error> {
        self.inner.object(remote_ref)
    }

    async fn get(&self, remote_ref: &ObjectRef) -> Result<Read<Option<SecretValue>>, Error> {
        self.tell(self.inner.get(remote_ref).await)
    }

    async fn extract(&self, remote_ref: &ObjectRef) -> Result<Read<Option<SecretData>>, Error> {
        self.tell(self.inner.extract(remote_ref).await)
    }

    async fn find(
        &self,
        search: &Search,
        admits: &ObjectFilter<'_>,
        options: ListOptions<'_>,
    ) -> Result<Read<SecretData>, Error> {
        self.tell(self.inner.find(search, admits, options).await)
    }

    /// An identity that may read and not list is nothing amiss: values are read instead.
    async fn revisions(
        &self,
        queries: &[Query],
        admits: &ObjectFilter<'_>,
        options: ListOptions<'_>,
    ) -> Result<Option<Listed>, Error> {
        let refusal = match self.inner.revisions(queries, admits, options).await {
            Ok(None) => return Ok(None),
            Ok(listed) => {
                self.tell_listing(Ok(()));
                return self.tell(Ok(listed));
            }
            Err(error @ Error::Denied { .. })
                if error.store_fault() == Some(StoreFault::AccessDenied) =>
            {
                chain(&error)
            }
            Err(error) => return self.tell(Err(error)),
        };
        self.tell_listing(Err(refusal));
        Ok(None)
    }
}
