//! Lists a vault and reports the states of its objects, from listings and from what was read
//! (docs/refresh.md). One listing serves all consumers of the vault that act as the same identity.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::Instant;

use azure_core::http::Url;
use k8s_openapi::jiff::Timestamp;
use parking_lot::Mutex;

use super::client::VaultClient;
use super::document::{Document, Item};
use super::filter::Filter;
use super::index::{ListDecision, ListResult, Listing, ListingCache, ReadDemand};
use super::metadata::Attributes;
use super::object::{Object, ObjectKind};
use super::operation::Operation;
use crate::provider::{Error, ListOptions, Listed, ObjectFilter, ObjectState, Query, Revision};

/// No interval is longer, for the phase's sake.
const LONGEST_PHASE_MILLIS: u64 = 86_400_000;

/// One vault, one identity, and what was listed.
#[derive(Debug)]
pub(super) struct Lister {
    /// Asks the vault.
    pub(super) client: Arc<VaultClient>,
    listings: Listings,
}

/// The listings of one vault as one identity.
#[derive(Debug, Default)]
struct Listings {
    secrets: Arc<tokio::sync::Mutex<ListingCache>>,
    keys: Arc<tokio::sync::Mutex<ListingCache>>,
    certificates: Arc<tokio::sync::Mutex<ListingCache>>,
    demand: Mutex<ReadDemand>,
}

impl Listings {
    fn cache(&self, kind: ObjectKind) -> Arc<tokio::sync::Mutex<ListingCache>> {
        Arc::clone(match kind {
            ObjectKind::Secret => &self.secrets,
            ObjectKind::Key => &self.keys,
            ObjectKind::Certificate => &self.certificates,
        })
    }
}

/// The secrets of `listing` that are looked for.
pub(super) fn matching<'a>(
    listing: &'a Listing,
    filter: &'a Filter<'_>,
    admits: &'a ObjectFilter<'_>,
) -> impl Iterator<Item = (Object, &'a Item)> {
    let found = listing.items().filter(|item| filter.admits(item));
    let objects = found.filter_map(|item| Some((Object::latest_secret(item.name())?, item)));
    objects.filter(|(object, _)| admits(&object.path()))
}

impl Lister {
    /// Of which nothing was listed yet.
    pub(super) fn new(client: VaultClient) -> Self {
        Self {
            client: Arc::new(client),
            listings: Listings::default(),
        }
    }

    /// The states of what `queries` read; `None` where reading is cheaper.
    pub(super) async fn revisions(
        self: &Arc<Self>,
        queries: &[Query],
        admits: &ObjectFilter<'_>,
        options: ListOptions<'_>,
    ) -> Result<Option<Listed>, Error> {
        let reads = self.listings.demand.lock().note(options);
        let mut listed = Listed {
            revisions: Vec::new(),
            at: options.now,
            phase: self.phase(),
        };
        for query in queries {
            let object = match query {
                Query::Object(object) => Some(Object::parse(object)?),
                Query::Search(_) => None,
            };
            // what was named by its version never changes
            if let Some(object) = &object
                && let Some(version) = &object.version
            {
                let pinned = ObjectState::Pinned(version.clone());
                listed.revisions.push(self.revision(object, pinned, None));
                continue;
            }
            let kind = object
                .as_ref()
                .map_or(ObjectKind::Secret, |object| object.kind);
            let Some(listing) = self.listing(kind, options, Some(reads)).await? else {
                return Ok(None);
            };
            listed.at = listed.at.min(listing.at);
            match (object, query) {
                (Some(object), _) => listed.revisions.push(match listing.item(&object.name) {
                    Some(item) => self.listed(&object, item),
                    None => self.revision(&object, ObjectState::Absent, None),
                }),
                (None, Query::Search(search)) => {
                    let filter = Filter::new(search)?;
                    let matching = matching(&listing, &filter, admits);
                    let states = matching.map(|(object, item)| self.listed(&object, item));
                    listed.revisions.extend(states);
                }
                (None, Query::Object(_)) => {}
            }
        }
        Ok(Some(listed))
    }

    /// A listing of one kind as fresh as `options` say. `reads` is what reading would cost; `None` where it
    /// has to be listed whatever it costs.
    pub(super) async fn listing(
        self: &Arc<Self>,
        kind: ObjectKind,
        options: ListOptions<'_>,
        reads: Option<usize>,
    ) -> ListResult {
        let asked = Instant::now();
        // whoever holds the cache lists for all who wait here
        let mut held = self.listings.cache(kind).lock_owned().await;
        let pages = match held.choose(options, reads, asked) {
            ListDecision::Have(listing) => return Ok(Some(listing)),
            ListDecision::Read => return Ok(None),
            ListDecision::Refuse(error) => return Err(error),
            ListDecision::List(pages) => pages,
        };
        let (lister, at) = (Arc::clone(self), options.now);
        // goes on where the one who asked gives up: the others wait for it
        let made = tokio::spawn(async move {
            let made = lister.list(kind, pages).await;
            let call = Operation::List(kind).call();
            lister.client.observed(call, made.is_ok());
            let made = made.map(|items| items.map(|items| Arc::new(Listing::new(at, items))));
            held.note(&made, reads);
            made
        });
        made.await
            .unwrap_or_else(|_| Err(self.client.misunderstood("the listing broke off")))
    }

    /// All objects of one kind; `None` where they fill more than so many pages.
    async fn list(&self, kind: ObjectKind, pages: usize) -> Result<Option<Vec<Item>>, Error> {
        let mut found = Vec::new();
        let mut next: Option<Url> = None;
        for _ in 0..pages {
            let page = self.client.page(kind, next.take()).await?;
            found.extend(page.value);
            match page.next_link.filter(|link| !link.is_empty()) {
                None => return Ok(Some(found)),
                Some(link) => next = Some(self.client.own_link(&link)?),
            }
        }
        Ok(None)
    }

    /// The state of `object` as read; `None` where it is not there.
    pub(super) fn read_revision(&self, object: &Object, document: Option<&Document>) -> Revision {
        let Some(document) = document else {
            return self.revision(object, ObjectState::Absent, None);
        };
        let attributes = document.attributes();
        let pinned = object.version.clone().map(ObjectState::Pinned);
        let state = pinned.unwrap_or_else(|| latest(attributes, document.version()));
        self.revision(object, state, attributes)
    }

    /// The state of an object that was listed.
    pub(super) fn listed(&self, object: &Object, item: &Item) -> Revision {
        let attributes = item.attributes.as_ref();
        self.revision(object, latest(attributes, None), attributes)
    }

    fn revision(
        &self,
        object: &Object,
        state: ObjectState,
        attributes: Option<&Attributes>,
    ) -> Revision {
        Revision {
            object: self.id(object),
            state,
            expires: attributes.and_then(|at| instant(at.exp?)),
        }
    }

    fn id(&self, Object { kind, name, .. }: &Object) -> String {
        format!(
            "https://{}/{}/{name}",
            self.client.host(),
            kind.collection()
        )
    }

    /// When consumers of this vault come together: another time for each vault.
    fn phase(&self) -> i64 {
        let mut hasher = DefaultHasher::new();
        self.client.host().hash(&mut hasher);
        i64::try_from(hasher.finish() % LONGEST_PHASE_MILLIS).unwrap_or_default()
    }
}

fn latest(attributes: Option<&Attributes>, version: Option<String>) -> ObjectState {
    ObjectState::Latest {
        updated: attributes.and_then(|at| instant(at.updated?)),
        version,
    }
}

fn instant(second: i64) -> Option<Timestamp> {
    Timestamp::from_second(second).ok()
}
