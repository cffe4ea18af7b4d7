//! Reads the values (spec: external-secrets.md 2.5). What becomes of them is `shape`'s.

use futures::{StreamExt as _, TryStreamExt as _, stream};

use crate::controller::outcome::ReconcileError;
use crate::controller::stores::StoreKey;
use crate::provider::{self, Retry};
use crate::secret::{SecretData, SecretValue};

use super::at_entry::AtEntry;
use super::policy::Deletion;
use super::sources::{Sources, StoreError};
use super::spec::{Entry, Query, Source, SyncSpec};

/// Reads of one ExternalSecret at a time.
const PARALLEL: usize = 8;

/// What the providers have, in the order of the spec; `None`: the object does not exist there,
/// and the deletion policy makes that no error.
#[derive(Debug, Default)]
pub(super) struct Fetched {
    /// For each entry of `dataFrom`.
    pub sources: Vec<Option<SecretData>>,
    /// For each entry of `data`.
    pub entries: Vec<Option<SecretValue>>,
}

/// Why one entry could not be read.
pub(super) type Error = AtEntry<Cause>;

/// What failed for one entry.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// The store cannot be read from.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The vault has no such object.
    #[error(
        "Secret does not exist: {key:?} in {store}; create it in the vault, or correct remoteRef"
    )]
    Missing {
        /// The remote key.
        key: String,
        /// The store.
        store: StoreKey,
    },
    /// The provider could not list or read what matches.
    #[error("error getting all secrets")]
    Find(#[source] provider::Error),
    /// The provider could not answer.
    #[error(transparent)]
    Provider(#[from] provider::Error),
}

impl ReconcileError for Error {
    fn category(&self) -> &'static str {
        match &self.cause {
            Cause::Store(error) => error.category(),
            Cause::Missing { .. } => "SecretNotFound",
            Cause::Find(error) | Cause::Provider(error) => error.category(),
        }
    }

    fn retry(&self) -> Retry {
        match &self.cause {
            Cause::Store(error) => error.retry(),
            Cause::Find(error) | Cause::Provider(error) => error.retry(),
            Cause::Missing { .. } => Retry::Backoff,
        }
    }
}

/// All that `spec` names; the first failure in its order wins.
pub(super) async fn collect(spec: &SyncSpec, from: &dyn Sources) -> Result<Fetched, Error> {
    let sources: Vec<_> = spec.sources.iter().map(|s| source(s, spec, from)).collect();
    let sources = stream::iter(sources).buffered(PARALLEL).try_collect();
    let entries: Vec<_> = spec.entries.iter().map(|e| entry(e, spec, from)).collect();
    let entries = stream::iter(entries).buffered(PARALLEL).try_collect();
    Ok(Fetched {
        sources: sources.await?,
        entries: entries.await?,
    })
}

async fn source(
    source: &Source,
    spec: &SyncSpec,
    from: &dyn Sources,
) -> Result<Option<SecretData>, Error> {
    let read = async {
        let client = from.client(&source.store, &spec.namespace).await?;
        match &source.query {
            Query::Extract(remote_ref) => {
                let found = client.extract(remote_ref).await?;
                or_missing(found, &remote_ref.key, &source.store, spec)
            }
            Query::Find(find) => Ok(Some(
                client.find(find, &|_| true).await.map_err(Cause::Find)?,
            )),
        }
    };
    read.await.map_err(|cause| Error {
        place: source.place(),
        cause,
    })
}

async fn entry(
    entry: &Entry,
    spec: &SyncSpec,
    from: &dyn Sources,
) -> Result<Option<SecretValue>, Error> {
    let key = &entry.remote_ref.key;
    let read = async {
        let client = from.client(&entry.store, &spec.namespace).await?;
        or_missing(
            client.get(&entry.remote_ref).await?,
            key,
            &entry.store,
            spec,
        )
    };
    read.await.map_err(|cause| Error {
        place: entry.place(),
        cause,
    })
}

/// Under `deletionPolicy: Retain` absence is an error.
fn or_missing<T>(
    found: Option<T>,
    key: &str,
    store: &StoreKey,
    spec: &SyncSpec,
) -> Result<Option<T>, Cause> {
    if found.is_none() && spec.target.deletion == Deletion::Retain {
        return Err(Cause::Missing {
            key: key.to_owned(),
            store: store.clone(),
        });
    }
    Ok(found)
}
