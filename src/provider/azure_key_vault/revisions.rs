//! The states of objects, from listings and from what was read (spec: differentiators.md 6.1). One
//! listing serves all consumers of the vault that act as the same identity.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use azure_core::http::Url;
use k8s_openapi::jiff::Timestamp;

use super::client::VaultClient;
use super::document::{Attributes, Document, Item};
use super::find::Filter;
use super::index::{Choice, Demand, Listing, Made, Shelf};
use super::object::{Kind, Object};
use crate::provider::{Admits, Error, Listed, Query, Revision, State, Terms};

/// No interval is longer, for the phase's sake.
const LONGEST_PHASE_MILLIS: u64 = 86_400_000;

/// The listings of one vault as one identity.
#[derive(Debug, Default)]
pub(super) struct Listings {
    secrets: Arc<tokio::sync::Mutex<Shelf>>,
    keys: Arc<tokio::sync::Mutex<Shelf>>,
    certificates: Arc<tokio::sync::Mutex<Shelf>>,
    demand: Mutex<Demand>,
}

impl Listings {
    fn shelf(&self, kind: Kind) -> Arc<tokio::sync::Mutex<Shelf>> {
        Arc::clone(match kind {
            Kind::Secret => &self.secrets,
            Kind::Key => &self.keys,
            Kind::Certificate => &self.certificates,
        })
    }
}

/// The states of what `queries` read; `None` where reading is cheaper.
pub(super) async fn revisions(
    vault: &Arc<VaultClient>,
    queries: &[Query<'_>],
    admits: &Admits<'_>,
    terms: Terms<'_>,
) -> Result<Option<Listed>, Error> {
    let demand = vault.listings.demand.lock();
    let reads = demand.unwrap_or_else(PoisonError::into_inner).note(terms);
    let mut listed = Listed {
        revisions: Vec::new(),
        at: terms.now,
        phase: vault.phase(),
    };
    for query in queries {
        let object = match query {
            Query::Object(remote_ref) => Some(Object::parse(remote_ref)?),
            Query::Find(_) => None,
        };
        // what was named by its version never changes
        if let Some(object) = &object
            && let Some(version) = &object.version
        {
            let pinned = State::Pinned(version.clone());
            listed.revisions.push(vault.revision(object, pinned, None));
            continue;
        }
        let kind = object.as_ref().map_or(Kind::Secret, |object| object.kind);
        let Some(listing) = vault.listing(kind, terms, Some(reads)).await? else {
            return Ok(None);
        };
        listed.at = listed.at.min(listing.at);
        match (object, query) {
            (Some(object), _) => listed.revisions.push(match listing.item(&object.name) {
                Some(item) => vault.listed(&object, item),
                None => vault.revision(&object, State::Absent, None),
            }),
            (None, Query::Find(find)) => {
                let filter = Filter::new(find)?;
                let matching = matching(&listing, &filter, admits);
                let states = matching.map(|(object, item)| vault.listed(&object, item));
                listed.revisions.extend(states);
            }
            (None, Query::Object(_)) => {}
        }
    }
    Ok(Some(listed))
}

/// The secrets of `listing` that are looked for.
pub(super) fn matching<'a>(
    listing: &'a Listing,
    filter: &'a Filter<'_>,
    admits: &'a Admits<'_>,
) -> impl Iterator<Item = (Object, &'a Item)> {
    let found = listing.items().filter(|item| filter.admits(item));
    let objects = found.filter_map(|item| Some((Object::latest_secret(item.name())?, item)));
    objects.filter(|(object, _)| admits(&object.path()))
}

impl VaultClient {
    /// A listing of one kind as fresh as `terms` say. `reads` is what reading would cost; `None` where it
    /// has to be listed whatever it costs.
    pub(super) async fn listing(
        self: &Arc<Self>,
        kind: Kind,
        terms: Terms<'_>,
        reads: Option<usize>,
    ) -> Made {
        let asked = Instant::now();
        // whoever holds the shelf lists for all who wait here
        let mut held = self.listings.shelf(kind).lock_owned().await;
        let pages = match held.choose(terms, reads, asked) {
            Choice::Have(listing) => return Ok(Some(listing)),
            Choice::Read => return Ok(None),
            Choice::Refuse(error) => return Err(error),
            Choice::List(pages) => pages,
        };
        let (vault, at) = (Arc::clone(self), terms.now);
        // goes on where the one who asked gives up: the others wait for it
        let made = tokio::spawn(async move {
            let made = vault.list(kind, pages).await;
            vault.observed(kind.list_call(), made.is_ok());
            let made = made.map(|items| items.map(|items| Arc::new(Listing::new(at, items))));
            held.note(&made, reads);
            made
        });
        made.await
            .unwrap_or_else(|_| Err(self.misunderstood("the listing broke off")))
    }

    /// All objects of one kind; `None` where they fill more than so many pages.
    async fn list(&self, kind: Kind, pages: usize) -> Result<Option<Vec<Item>>, Error> {
        let mut found = Vec::new();
        let mut next: Option<Url> = None;
        for _ in 0..pages {
            let page = self.page(kind, next.take()).await?;
            found.extend(page.value);
            match page.next_link.filter(|link| !link.is_empty()) {
                None => return Ok(Some(found)),
                Some(link) => next = Some(self.own_link(&link)?),
            }
        }
        Ok(None)
    }

    /// The state of `object` as read; `None` where it is not there.
    pub(super) fn read_revision(&self, object: &Object, document: Option<&Document>) -> Revision {
        let Some(document) = document else {
            return self.revision(object, State::Absent, None);
        };
        let attributes = document.attributes();
        let pinned = object.version.clone().map(State::Pinned);
        let state = pinned.unwrap_or_else(|| latest(attributes, document.version()));
        self.revision(object, state, attributes)
    }

    /// The state of an object that was listed.
    pub(super) fn listed(&self, object: &Object, item: &Item) -> Revision {
        let attributes = item.attributes.as_ref();
        self.revision(object, latest(attributes, None), attributes)
    }

    fn revision(&self, object: &Object, state: State, attributes: Option<&Attributes>) -> Revision {
        Revision {
            object: self.id(object),
            state,
            expires: attributes.and_then(|at| instant(at.exp?)),
        }
    }

    fn id(&self, Object { kind, name, .. }: &Object) -> String {
        format!("https://{}/{}/{name}", self.host(), kind.collection())
    }

    /// When consumers of this vault come together: another time for each vault.
    fn phase(&self) -> i64 {
        let mut hasher = DefaultHasher::new();
        self.host().hash(&mut hasher);
        i64::try_from(hasher.finish() % LONGEST_PHASE_MILLIS).unwrap_or_default()
    }
}

fn latest(attributes: Option<&Attributes>, version: Option<String>) -> State {
    State::Latest {
        updated: attributes.and_then(|at| instant(at.updated?)),
        version,
    }
}

fn instant(second: i64) -> Option<Timestamp> {
    Timestamp::from_second(second).ok()
}
