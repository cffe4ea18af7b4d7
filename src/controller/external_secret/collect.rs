//! Reads the values (spec: external-secrets.md 2.5). What becomes of them is `shape`'s.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::{StreamExt as _, stream};
use k8s_openapi::jiff::Timestamp;

use crate::controller::outcome::ReconcileError;
use crate::controller::stores::StoreKey;
use crate::provider::{self, Listed, Read, Retry, Revision, Terms};
use crate::secret::{SecretData, SecretValue};

use super::at_entry::AtEntry;
use super::check::Due;
use super::failures::Failures;
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
        "Secret does not exist: {key:?} in {store}; create or recover it in the vault, or correct remoteRef"
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

impl Cause {
    /// Nobody else is answered by the store either.
    fn is_about_the_store(&self) -> bool {
        match self {
            Self::Store(_) => true,
            Self::Find(error) | Self::Provider(error) => error.is_about_the_store(),
            Self::Missing { .. } => false,
        }
    }
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

/// All that `spec` names, and the states of the objects that it came from. A listing begun at `since` or later will do.
pub(super) async fn collect(
    spec: &SyncSpec,
    from: &dyn Sources,
    since: Timestamp,
) -> Result<(Fetched, Vec<Revision>), Failures> {
    // where a store does not answer, the rest is not asked
    let is_over = AtomicBool::new(false);
    let sources = spec
        .sources
        .iter()
        .map(|it| unless(&is_over, source(it, spec, from, since)));
    let sources: Vec<_> = sources.collect();
    let sources = stream::iter(sources)
        .buffered(PARALLEL)
        .collect::<Vec<_>>()
        .await;
    let entries = spec
        .entries
        .iter()
        .map(|it| unless(&is_over, entry(it, spec, from)));
    let entries: Vec<_> = entries.collect();
    let entries = stream::iter(entries)
        .buffered(PARALLEL)
        .collect::<Vec<_>>()
        .await;
    let (mut revisions, mut errors) = (Vec::new(), Vec::new());
    let fetched = Fetched {
        sources: apart(sources, &mut revisions, &mut errors),
        entries: apart(entries, &mut revisions, &mut errors),
    };
    match Failures::of(errors) {
        Some(failures) => Err(failures),
        None => Ok((fetched, revisions)),
    }
}

/// What `read` brings; `None` where it is over before.
async fn unless<T>(
    is_over: &AtomicBool,
    read: impl Future<Output = Result<T, Error>>,
) -> Option<Result<T, Error>> {
    if is_over.load(Ordering::Relaxed) {
        return None;
    }
    let read = read.await;
    if let Err(error) = &read
        && error.cause.is_about_the_store()
    {
        is_over.store(true, Ordering::Relaxed);
    }
    Some(read)
}

fn apart<T>(
    reads: Vec<Option<Result<Read<T>, Error>>>,
    revisions: &mut Vec<Revision>,
    errors: &mut Vec<Error>,
) -> Vec<T> {
    let mut values = Vec::with_capacity(reads.len());
    for read in reads.into_iter().flatten() {
        match read {
            Ok(read) => {
                revisions.extend(read.revisions);
                values.push(read.value);
            }
            Err(error) => errors.push(error),
        }
    }
    values
}

/// The states of all that would be read, where every store tells them at less cost than the reads.
pub(super) async fn revisions(due: &Due<'_>, from: &dyn Sources) -> Result<Option<Listed>, Error> {
    let spec = due.spec;
    let sources = spec.sources.iter().map(|source| {
        let query = match &source.query {
            Query::Extract(remote_ref) => provider::Query::Object(remote_ref),
            Query::Find(find) => provider::Query::Find(find),
        };
        (&source.store, query, source.place())
    });
    let entries = spec.entries.iter().map(|entry| {
        let query = provider::Query::Object(&entry.remote_ref);
        (&entry.store, query, entry.place())
    });
    let mut by_store: BTreeMap<&StoreKey, (Vec<_>, String)> = BTreeMap::new();
    for (store, query, place) in sources.chain(entries) {
        let (queries, _) = by_store.entry(store).or_insert_with(|| (Vec::new(), place));
        queries.push(query);
    }
    let mut all: Option<Listed> = None;
    for (store, (queries, place)) in by_store {
        let listed = of_store(store, &queries, due, from).await;
        let Some(listed) = listed.map_err(|cause| Error { place, cause })? else {
            return Ok(None);
        };
        match &mut all {
            None => all = Some(listed),
            Some(all) => {
                all.revisions.extend(listed.revisions);
                all.at = all.at.min(listed.at);
            }
        }
    }
    Ok(all)
}

async fn of_store(
    store: &StoreKey,
    queries: &[provider::Query<'_>],
    due: &Due<'_>,
    from: &dyn Sources,
) -> Result<Option<Listed>, Cause> {
    let client = from.client(store, &due.spec.namespace).await?;
    let terms = Terms {
        since: due.since(),
        now: due.now,
        store: &store.to_string(),
        reads: from.reads(store),
    };
    let listed = client.revisions(queries, &|_| true, terms);
    Ok(due.turn.while_waiting(listed).await?)
}

async fn source(
    source: &Source,
    spec: &SyncSpec,
    from: &dyn Sources,
    since: Timestamp,
) -> Result<Read<Option<SecretData>>, Error> {
    let read = async {
        let client = from.client(&source.store, &spec.namespace).await?;
        match &source.query {
            Query::Extract(remote_ref) => {
                let found = client.extract(remote_ref).await?;
                or_missing(found, &remote_ref.key, &source.store, spec)
            }
            Query::Find(find) => {
                let terms = Terms {
                    since,
                    now: from.now(),
                    store: &source.store.to_string(),
                    reads: from.reads(&source.store),
                };
                let found = client.find(find, &|_| true, terms).await;
                let found = found.map_err(Cause::Find)?;
                Ok(Read {
                    value: Some(found.value),
                    revisions: found.revisions,
                })
            }
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
) -> Result<Read<Option<SecretValue>>, Error> {
    let key = &entry.remote_ref.key;
    let read = async {
        let client = from.client(&entry.store, &spec.namespace).await?;
        let found = client.get(&entry.remote_ref).await?;
        or_missing(found, key, &entry.store, spec)
    };
    read.await.map_err(|cause| Error {
        place: entry.place(),
        cause,
    })
}

/// Under `deletionPolicy: Retain` absence is an error.
fn or_missing<T>(
    found: Read<Option<T>>,
    key: &str,
    store: &StoreKey,
    spec: &SyncSpec,
) -> Result<Read<Option<T>>, Cause> {
    if found.value.is_none() && spec.target.deletion == Deletion::Retain {
        return Err(Cause::Missing {
            key: key.to_owned(),
            store: store.clone(),
        });
    }
    Ok(found)
}
