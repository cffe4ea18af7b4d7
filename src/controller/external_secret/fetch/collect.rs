//! Reads the values. What becomes of them is `shape`'s.

use std::sync::atomic::{AtomicBool, Ordering};

use futures::{StreamExt as _, stream};
use k8s_openapi::jiff::Timestamp;

use crate::controller::external_secret::spec::{
    DataEntry, DataFromEntry, DataFromQuery, Deletion, SyncSpec,
};
use crate::controller::index::StoreKey;
use crate::controller::store::StoreAccess;
use crate::provider::{ListOptions, Read, Revision};
use crate::secret::{SecretData, SecretValue};

use super::failures::Failures;
use super::read_error::{ReadError, ReadFailure};

/// Reads of one ExternalSecret at a time.
const PARALLEL: usize = 8;

/// What the providers have, in the order of the spec; `None`: the object does not exist there,
/// and the deletion policy makes that no error.
#[derive(Debug, Default)]
pub struct Fetched {
    /// For each entry of `dataFrom`.
    pub sources: Vec<Option<SecretData>>,
    /// For each entry of `data`.
    pub entries: Vec<Option<SecretValue>>,
}

/// When a fetch is made.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// A listing begun at this time or later will do.
    pub since: Timestamp,
    /// The present.
    pub now: Timestamp,
}

/// All that `spec` names, and the states of the objects that it came from.
pub async fn collect(
    spec: &SyncSpec,
    from: &dyn StoreAccess,
    moment: Moment,
) -> Result<(Fetched, Vec<Revision>), Failures> {
    // where a store does not answer, the rest is not asked
    let is_over = AtomicBool::new(false);
    let sources = spec
        .sources
        .iter()
        .map(|it| unless(&is_over, source(it, spec, from, moment)));
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
    match Failures::new(errors) {
        Some(failures) => Err(failures),
        None => Ok((fetched, revisions)),
    }
}

/// What `read` brings; `None` where it is over before.
async fn unless<T>(
    is_over: &AtomicBool,
    read: impl Future<Output = Result<T, ReadError>>,
) -> Option<Result<T, ReadError>> {
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
    reads: Vec<Option<Result<Read<T>, ReadError>>>,
    revisions: &mut Vec<Revision>,
    errors: &mut Vec<ReadError>,
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

async fn source(
    source: &DataFromEntry,
    spec: &SyncSpec,
    from: &dyn StoreAccess,
    moment: Moment,
) -> Result<Read<Option<SecretData>>, ReadError> {
    let read = async {
        let client = from.reader(&source.store, &spec.namespace).await?;
        match &source.query {
            DataFromQuery::Extract(remote_ref) => {
                let found = client.extract(&remote_ref.into()).await?;
                or_missing(found, &remote_ref.key, &source.store, spec)
            }
            DataFromQuery::Find(find) => {
                let options = ListOptions {
                    since: moment.since,
                    now: moment.now,
                    store: &source.store.to_string(),
                    reads: from.reads(&source.store),
                };
                let search = find.into();
                let found = client.find(&search, options).await;
                let found = found.map_err(ReadFailure::Find)?;
                Ok(Read {
                    value: Some(found.value),
                    revisions: found.revisions,
                })
            }
        }
    };
    read.await.map_err(|cause| ReadError {
        place: source.place(),
        cause,
    })
}

async fn entry(
    entry: &DataEntry,
    spec: &SyncSpec,
    from: &dyn StoreAccess,
) -> Result<Read<Option<SecretValue>>, ReadError> {
    let key = &entry.remote_ref.key;
    let read = async {
        let client = from.reader(&entry.store, &spec.namespace).await?;
        let found = client.get(&(&entry.remote_ref).into()).await?;
        or_missing(found, key, &entry.store, spec)
    };
    read.await.map_err(|cause| ReadError {
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
) -> Result<Read<Option<T>>, ReadFailure> {
    if found.value.is_none() && spec.target.deletion == Deletion::Retain {
        return Err(ReadFailure::Missing {
            key: key.to_owned(),
            store: store.clone(),
        });
    }
    Ok(found)
}
