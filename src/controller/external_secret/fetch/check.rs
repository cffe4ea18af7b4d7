//! Whether a refresh that is due has anything to read: asked of the stores, without values
//! (docs/refresh.md).

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::jiff::{SignedDuration, Timestamp};

use crate::controller::engine::WorkerPermit;
use crate::controller::external_secret::refresh::{self, Reason, SourceFingerprint};
use crate::controller::external_secret::spec::{DataFromQuery, SyncSpec};
use crate::controller::index::{StoreKey, TemplateSource};
use crate::controller::store::StoreAccess;
use crate::controller::templates::TextSources;
use crate::provider::{self, Error, ListOptions, Listed, Outage, Revision};

use super::read_error::{ReadError, ReadFailure};

/// A retry wants to hear of the vault as it is after the failure, though not each one by itself: a
/// listing this old serves it.
const OF_LATE: SignedDuration = SignedDuration::from_secs(10);

/// A refresh that is due.
pub struct Due<'a> {
    /// What is to be in sync.
    pub spec: &'a SyncSpec,
    /// Why.
    pub reason: Reason,
    /// What the target was last made from, where it is due by time alone and nobody touched the target since.
    pub source: Option<&'a SourceFingerprint>,
    /// When that was last known to be so.
    pub refreshed_at: Option<Timestamp>,
    /// When it failed last, as far as this process knows.
    pub failed_at: Option<Timestamp>,
    /// The versions of its template sources.
    pub templates: &'a [Option<String>],
    /// The present.
    pub now: Timestamp,
    /// The worker, which is lent while a listing is made.
    pub permit: &'a WorkerPermit,
}

/// What the stores said.
#[derive(Default)]
pub struct Answer {
    /// When the vaults were listed, where they were.
    pub listed_at: Option<Timestamp>,
    /// All was as it had been read.
    pub is_unchanged: bool,
    /// Where each object is that need not be read, if all was: the hosts.
    pub spared: Vec<String>,
    /// When the next refresh is cheapest ([`Listed::phase`]); `None` where it does not matter.
    pub phase: Option<i64>,
}

impl Due<'_> {
    /// When a listing was begun at the earliest that serves: a tenth of the interval before this was due, or
    /// after the failure.
    pub fn since(&self) -> Timestamp {
        let now = self.now;
        let since = match self.reason {
            Reason::Interval => self.refreshed_at.map_or(now, |refreshed| {
                let interval = self.spec.refresh.interval().unwrap_or_default();
                let tolerated = interval - interval / 10;
                refreshed.saturating_add(tolerated).unwrap_or(now)
            }),
            Reason::Failed => since_failure(self.failed_at, now),
            _ => now,
        };
        since.min(now)
    }

    /// Asks, where that may spare the reads; `None` where it was not asked.
    ///
    /// # Errors
    /// A vault does not answer, or throttles: reading would come to the same.
    pub async fn check(&self, from: &dyn StoreAccess) -> Result<Option<Answer>, ReadError> {
        let own_phase = refresh::own_phase(&self.spec.uid);
        let source = self.source.filter(|it| !it.is_old(own_phase, self.now));
        let Some(source) = source else {
            return Ok(None);
        };
        let listed: Option<Listed> = match revisions(self, from).await {
            Err(error) if tells_of_the_vault(&error) => return Err(error),
            // whoever reads is told what is wrong
            other => other.ok().flatten(),
        };
        Ok(Some(listed.map_or_else(Answer::default, |listed| {
            let is_unchanged = source.still_holds(&listed.revisions, self.templates);
            let spared = is_unchanged.then(|| hosts(&listed.revisions));
            Answer {
                listed_at: Some(listed.at),
                is_unchanged,
                spared: spared.unwrap_or_default(),
                phase: Some(listed.phase),
            }
        })))
    }
}

/// The states of all that would be read, where every store tells them at less cost than the reads.
async fn revisions(due: &Due<'_>, from: &dyn StoreAccess) -> Result<Option<Listed>, ReadError> {
    let spec = due.spec;
    let sources = spec.sources.iter().map(|source| {
        let query = match &source.query {
            DataFromQuery::Extract(remote_ref) => provider::Query::Object(remote_ref.into()),
            DataFromQuery::Find(find) => provider::Query::Search(find.into()),
        };
        (&source.store, query, source.place())
    });
    let entries = spec.entries.iter().map(|entry| {
        let query = provider::Query::Object((&entry.remote_ref).into());
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
        let Some(listed) = listed.map_err(|cause| ReadError { place, cause })? else {
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
    queries: &[provider::Query],
    due: &Due<'_>,
    from: &dyn StoreAccess,
) -> Result<Option<Listed>, ReadFailure> {
    let client = from.reader(store, &due.spec.namespace).await?;
    let options = ListOptions {
        since: due.since(),
        now: due.now,
        store: &store.to_string(),
        reads: from.reads(store),
    };
    let listed = client.revisions(queries, options);
    Ok(due.permit.while_waiting(listed).await?)
}

fn since_failure(failed_at: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let of_late = now - OF_LATE;
    failed_at.map_or(of_late, |at| at.max(of_late))
}

/// The host of each object, named as often as it has objects.
fn hosts(revisions: &[Revision]) -> Vec<String> {
    let objects: BTreeSet<_> = revisions.iter().map(|it| it.object.as_str()).collect();
    let paths = objects.iter().filter_map(|object| object.split_once("://"));
    paths
        .filter_map(|(_, path)| path.split('/').next())
        .map(str::to_owned)
        .collect()
}

fn tells_of_the_vault(error: &ReadError) -> bool {
    let ReadFailure::Provider(error) = &error.cause else {
        return false;
    };
    match error {
        Error::Throttled { .. } => true,
        Error::Unavailable { outage, .. } => *outage != Outage::BadAnswer,
        _ => false,
    }
}

/// The versions of the template sources of an object, in their order.
pub fn template_versions<'a>(
    templates: impl IntoIterator<Item = &'a TemplateSource>,
    from: &dyn TextSources,
) -> Vec<Option<String>> {
    let versions = templates.into_iter().map(|source| from.version(source));
    versions.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_share_a_listing_that_was_begun_after_they_failed() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let now = at(1_000);
        assert_eq!(since_failure(Some(at(997)), now), at(997));
        // a failure of long ago, or of another process, says nothing of today
        assert_eq!(since_failure(Some(at(500)), now), at(990));
        assert_eq!(since_failure(None, now), at(990));
    }
}
