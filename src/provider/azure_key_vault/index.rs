//! What a vault holds, by name and without values, and whether asking for that is cheaper than reading
//! what is wanted (docs/refresh.md). Asks nobody itself.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use k8s_openapi::jiff::Timestamp;

use super::document::Item;
use crate::provider::{Error, ListOptions};

/// A vault that was too large to list is tried again after this.
const LOOK_AGAIN: Duration = Duration::from_hours(24);
/// One that did not let us, after this: roles take minutes to spread.
const ASK_AGAIN: Duration = Duration::from_mins(15);

/// All objects of one kind.
#[derive(Debug)]
pub(super) struct Listing {
    /// When it was begun: it shows what changed before.
    pub(super) at: Timestamp,
    items: HashMap<Box<str>, Item>,
}

impl Listing {
    /// `items` of a listing begun at `at`.
    pub(super) fn new(at: Timestamp, items: Vec<Item>) -> Self {
        let by_name = |item: Item| (item.name().to_lowercase().into_boxed_str(), item);
        Self {
            at,
            items: items.into_iter().map(by_name).collect(),
        }
    }

    /// The object of this name: upper and lower case are the same.
    pub(super) fn item(&self, name: &str) -> Option<&Item> {
        self.items.get(name.to_lowercase().as_str())
    }

    /// Everything.
    pub(super) fn items(&self) -> impl Iterator<Item = &Item> {
        self.items.values()
    }
}

/// What is known of one kind's listing.
#[derive(Debug, Default)]
pub(super) struct ListingCache {
    /// The newest one.
    pub(super) newest: Option<Arc<Listing>>,
    /// Why there is none, and when that was found.
    obstacle: Option<(Obstacle, Instant)>,
}

#[derive(Clone, Debug)]
enum Obstacle {
    /// It has more pages than this; so many reads were wanted.
    Large(usize),
    /// It may not be listed.
    Refused(Error),
    /// It did not work.
    Failed(Error),
}

/// Whether to list.
#[derive(Debug)]
pub(super) enum ListDecision {
    /// The newest listing will do.
    Have(Arc<Listing>),
    /// List, and give up after so many pages.
    List(usize),
    /// Reading is cheaper.
    Read,
    /// Not now.
    Refuse(Error),
}

impl ListingCache {
    /// Decides for somebody who began to wait at `asked`; `reads` is what reading would cost everybody,
    /// `None` where there is nothing to weigh.
    pub(super) fn choose(
        &self,
        options: ListOptions<'_>,
        reads: Option<usize>,
        asked: Instant,
    ) -> ListDecision {
        if let Some(listing) = &self.newest
            && listing.at >= options.since
        {
            return ListDecision::Have(Arc::clone(listing));
        }
        let reads = reads.unwrap_or(usize::MAX);
        match &self.obstacle {
            Some((Obstacle::Large(wanted), found))
                if reads <= wanted.saturating_mul(2) && found.elapsed() < LOOK_AGAIN =>
            {
                return ListDecision::Read;
            }
            Some((Obstacle::Refused(error), found)) if found.elapsed() < ASK_AGAIN => {
                return ListDecision::Refuse(error.clone());
            }
            // it failed while this one waited: one try for all
            Some((Obstacle::Failed(error), found)) if *found >= asked => {
                return ListDecision::Refuse(error.clone());
            }
            _ => {}
        }
        // a listing of as many pages as there are reads brings nothing
        match reads.saturating_sub(1) {
            0 => ListDecision::Read,
            pages => ListDecision::List(pages),
        }
    }

    /// Notes what a listing, begun for so many `reads`, came to.
    pub(super) fn note(&mut self, made: &ListResult, reads: Option<usize>) {
        let obstacle = match made {
            Ok(Some(listing)) => {
                self.newest = Some(Arc::clone(listing));
                None
            }
            Ok(None) => Some(Obstacle::Large(reads.unwrap_or_default())),
            Err(error @ Error::Denied { .. }) => Some(Obstacle::Refused(error.clone())),
            Err(error) => Some(Obstacle::Failed(error.clone())),
        };
        self.obstacle = obstacle.map(|obstacle| (obstacle, Instant::now()));
    }
}

/// A listing; `None` where it has too many pages.
pub(super) type ListResult = Result<Option<Arc<Listing>>, Error>;

/// How many reads the consumers of all stores make of this vault in an interval.
#[derive(Debug, Default)]
pub(super) struct ReadDemand(HashMap<String, usize>);

impl ReadDemand {
    /// Notes what those of one store make; returns the sum.
    pub(super) fn note(&mut self, options: ListOptions<'_>) -> usize {
        self.0.insert(options.store.to_owned(), options.reads);
        self.0
            .values()
            .fold(0, |sum, reads| sum.saturating_add(*reads))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::StoreFault;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn options(since: i64, reads: usize) -> ListOptions<'static> {
        ListOptions {
            since: at(since),
            now: at(since),
            store: "kv",
            reads,
        }
    }

    fn choose(cache: &ListingCache, reads: usize) -> ListDecision {
        cache.choose(options(100, reads), Some(reads), Instant::now())
    }

    #[test]
    fn a_listing_is_made_only_where_it_may_be_cheaper_than_the_reads() {
        let mut cache = ListingCache::default();
        assert!(matches!(choose(&cache, 1), ListDecision::Read));
        assert!(matches!(choose(&cache, 2), ListDecision::List(1)));
        assert!(matches!(choose(&cache, 4_500), ListDecision::List(4_499)));
        // the vault had more pages: not tried again until far more is read from it
        cache.note(&Ok(None), Some(10));
        assert!(matches!(choose(&cache, 20), ListDecision::Read));
        assert!(matches!(choose(&cache, 21), ListDecision::List(20)));
        // who has to list, lists
        let must = cache.choose(options(100, 1), None, Instant::now());
        assert!(matches!(must, ListDecision::List(_)));
    }

    #[test]
    fn a_listing_serves_all_who_are_content_with_its_age() {
        let mut cache = ListingCache::default();
        let listing = Arc::new(Listing::new(at(100), Vec::new()));
        cache.note(&Ok(Some(listing)), Some(5));
        assert!(matches!(choose(&cache, 5), ListDecision::Have(_)));
        let later = cache.choose(options(101, 5), Some(5), Instant::now());
        assert!(matches!(later, ListDecision::List(4)));
    }

    #[test]
    fn a_failure_is_shared_by_those_who_waited_and_a_refusal_by_all() {
        let mut cache = ListingCache::default();
        let asked = Instant::now();
        let throttled = Error::Throttled {
            host: "kv".to_owned(),
            after: None,
        };
        cache.note(&Err(throttled), Some(5));
        let waited = cache.choose(options(100, 5), Some(5), asked);
        assert!(matches!(
            waited,
            ListDecision::Refuse(Error::Throttled { .. })
        ));
        let denied = Error::Denied {
            code: "ForbiddenByRbac".to_owned(),
            object: "the list of secrets".to_owned(),
            message: "no".to_owned(),
            remedy: "grant List".to_owned(),
            request_id: None,
            fault: Some(StoreFault::AccessDenied),
        };
        cache.note(&Err(denied), Some(5));
        let later = Instant::now() + Duration::from_secs(1);
        let refused = cache.choose(options(100, 5), Some(5), later);
        assert!(matches!(
            refused,
            ListDecision::Refuse(Error::Denied { .. })
        ));
    }

    #[test]
    fn names_are_found_in_any_case() {
        let items: Vec<Item> =
            serde_json::from_value(serde_json::json!([{"id": "https://kv/secrets/Db"}])).unwrap();
        let listing = Listing::new(at(1), items);
        assert_eq!(listing.item("dB").unwrap().name(), "Db");
        assert!(listing.item("d").is_none());
    }

    #[test]
    fn the_stores_of_a_vault_add_up() {
        let mut demand = ReadDemand::default();
        assert_eq!(demand.note(options(1, 3)), 3);
        let other = ListOptions {
            store: "other",
            ..options(1, 4)
        };
        assert_eq!(demand.note(other), 7);
        assert_eq!(demand.note(options(1, 1)), 5);
    }
}
