//! How changes are found by one listing for all, and when it is not made (docs/refresh.md).

use std::sync::Arc;

use azfake::{CLIENT, TENANT};
use futures::future::join_all;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use keyferry::api::external_secret::{Find, RemoteRef};
use keyferry::provider::{
    Error, Listed, ObjectRef, ObjectState, Query, Revision, Search, SecretsClient,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Credentials, Vault, connect, terms};
use crate::support::run;

/// As many secrets, `s0`, `s1`, ...
fn secrets(count: usize) -> Value {
    let secrets: serde_json::Map<_, _> = (0..count)
        .map(|n| (format!("s{n}"), json!({"value": n.to_string()})))
        .collect();
    json!({"secrets": secrets})
}

fn reference(key: &str) -> ObjectRef {
    ObjectRef {
        key: key.to_owned(),
        ..ObjectRef::default()
    }
}

/// The states of `keys`, by a listing begun at `since` or later, of a consumer among `reads`.
async fn ask(
    client: &Arc<dyn SecretsClient>,
    keys: &[&str],
    since: Timestamp,
    reads: usize,
) -> Result<Option<Listed>, Error> {
    let references: Vec<_> = keys.iter().map(|key| reference(key)).collect();
    let queries: Vec<_> = references.into_iter().map(Query::Object).collect();
    client
        .revisions(&queries, &|_| true, terms(since, reads))
        .await
}

fn states(listed: Listed) -> Vec<ObjectState> {
    let without_version = |revision: Revision| match revision.state {
        ObjectState::Latest { updated, .. } => ObjectState::Latest {
            updated,
            version: None,
        },
        other => other,
    };
    listed.revisions.into_iter().map(without_version).collect()
}

async fn read(client: &Arc<dyn SecretsClient>, key: &str) -> Vec<ObjectState> {
    let read = client.get(&reference(key)).await.unwrap();
    states(Listed {
        revisions: read.revisions,
        at: Timestamp::now(),
        phase: 0,
    })
}

#[test]
fn all_who_ask_in_one_cycle_share_one_listing_that_says_what_a_read_says() {
    run(async {
        let vault = Vault::start(secrets(60)).await;
        let since = Timestamp::now() - SignedDuration::from_secs(1);
        let keys = ["s0", "S1", "s59", "none"];
        let asked = join_all((0..50).map(|_| ask(&vault.client, &keys, since, 150))).await;
        assert_eq!(vault.requests("secrets.list"), 3);
        assert_eq!(vault.requests("secrets.get"), 0);
        let mut read_states = Vec::new();
        for key in keys {
            read_states.extend(read(&vault.client, key).await);
        }
        assert_eq!(read_states[3], ObjectState::Absent);
        for listed in asked {
            assert_eq!(states(listed.unwrap().unwrap()), read_states);
        }
        // what changes is seen by whoever wants to know of later
        vault.azure.control().set_secret("kv", "s0", "new");
        let again = ask(&vault.client, &["s0"], since, 150).await.unwrap();
        assert_eq!(states(again.unwrap()), read_states[..1]);
        let later = ask(&vault.client, &["s0"], Timestamp::now(), 150).await;
        assert_ne!(states(later.unwrap().unwrap()), read_states[..1]);
        assert_eq!(vault.requests("secrets.list"), 6);
    });
}

#[test]
fn a_vault_with_more_pages_than_reads_is_read() {
    run(async {
        let vault = Vault::start(secrets(200)).await;
        let since = Timestamp::now();
        // one read is never dearer than a page
        assert!(
            ask(&vault.client, &["s0"], since, 1)
                .await
                .unwrap()
                .is_none()
        );
        assert_eq!(vault.requests("secrets.list"), 0);
        // eight pages for six reads: given up after five, and not tried again
        for _ in 0..3 {
            let listed = ask(&vault.client, &["s0"], Timestamp::now(), 6).await;
            assert!(listed.unwrap().is_none());
        }
        assert_eq!(vault.requests("secrets.list"), 5);
        let listed = ask(&vault.client, &["s0"], Timestamp::now(), 60).await;
        assert!(listed.unwrap().is_some());
        assert_eq!(vault.requests("secrets.list"), 13);
    });
}

#[test]
fn keys_and_certificates_have_listings_of_their_own_and_versions_need_none() {
    run(async {
        let vault = Vault::start(json!({
            "secrets": {"db": {"value": "x"}},
            "keys": {"signing": {"kty": "EC"}},
        }))
        .await;
        let now = Timestamp::now();
        let listed = ask(&vault.client, &["key/signing", "db"], now, 10).await;
        let listed = states(listed.unwrap().unwrap());
        assert_eq!(listed[0], read(&vault.client, "key/signing").await[0]);
        assert_eq!(listed[1], read(&vault.client, "db").await[0]);
        assert_eq!(vault.requests("keys.list"), 1);
        assert_eq!(vault.requests("certificates.list"), 0);
        let lists = vault.requests("secrets.list");
        let pinned: RemoteRef =
            serde_json::from_value(json!({"key": "db", "version": "0123456789abcdef"})).unwrap();
        let queries = [Query::Object(ObjectRef::from(&pinned))];
        let listed = vault
            .client
            .revisions(&queries, &|_| true, terms(now, 1))
            .await;
        let listed = listed.unwrap().unwrap();
        assert_eq!(
            states(listed),
            [ObjectState::Pinned("0123456789abcdef".to_owned())]
        );
        assert_eq!(vault.requests("secrets.list"), lists);
    });
}

#[test]
fn who_may_not_list_is_told_once_and_asks_no_more() {
    run(async {
        let vault = Vault::start(secrets(3)).await;
        let control = vault.azure.control();
        control.permissions(CLIENT, "kv", Some(&["get"]));
        for _ in 0..5 {
            let refused = ask(&vault.client, &["s0"], Timestamp::now(), 10).await;
            assert!(matches!(refused, Err(Error::Denied { .. })), "{refused:?}");
        }
        assert_eq!(vault.requests("secrets.list"), 1);
        assert!(!read(&vault.client, "s0").await.is_empty());
    });
}

#[test]
fn a_find_is_checked_by_what_it_would_find() {
    run(async {
        let vault = Vault::start(secrets(30)).await;
        let find: Find = serde_json::from_value(json!({"name": {"regexp": "^s1"}})).unwrap();
        let find = Search::from(&find);
        let now = Timestamp::now();
        let read = vault
            .client
            .find(&find, &|_| true, terms(now, 1))
            .await
            .unwrap();
        assert_eq!(read.value.len(), 11);
        let queries = [Query::Search(find)];
        let listed = vault
            .client
            .revisions(&queries, &|_| true, terms(now, 40))
            .await;
        let sorted = |mut revisions: Vec<Revision>| {
            revisions.sort();
            let states = states(Listed {
                revisions: revisions.clone(),
                at: now,
                phase: 0,
            });
            let objects = revisions.into_iter().map(|revision| revision.object);
            objects.zip(states).collect::<Vec<_>>()
        };
        assert_eq!(
            sorted(listed.unwrap().unwrap().revisions),
            sorted(read.revisions)
        );
        // the listing of the find was young enough for the check
        assert_eq!(vault.requests("secrets.list"), 2);
    });
}

/// What one identity does.
#[derive(Clone, Debug)]
enum Step {
    List { reads: usize },
    Read { key: usize },
    Change { key: usize },
}

fn steps() -> impl Strategy<Value = Vec<(bool, Step)>> {
    let step = prop_oneof![
        (1usize..12).prop_map(|reads| Step::List { reads }),
        (0usize..4).prop_map(|key| Step::Read { key }),
        (0usize..4).prop_map(|key| Step::Change { key }),
    ];
    prop::collection::vec((any::<bool>(), step), 1..12)
}

/// Plays the steps, each by one of two identities of which the second may do nothing; returns what the
/// second was told.
async fn play(steps: Vec<(bool, Step)>) -> Vec<String> {
    const OTHER: &str = "44444444-4444-4444-4444-444444444444";
    const OTHER_SECRET: &str = "other-client-secret";
    let vault = Vault::start(secrets(4)).await;
    let control = vault.azure.control();
    let app = serde_json::from_value(json!({"secrets": [OTHER_SECRET]})).unwrap();
    control.entra(TENANT, OTHER, Some(app));
    control.permissions(OTHER, "kv", Some(&[]));
    let other = Credentials {
        client: OTHER,
        secret: OTHER_SECRET,
    };
    let other = connect(&vault.hub, other).await;
    let mut told = Vec::new();
    for (by_first, step) in steps {
        let client = if by_first { &vault.client } else { &other };
        let said = match step {
            Step::Change { key } => {
                control.set_secret("kv", &format!("s{key}"), "changed");
                continue;
            }
            Step::Read { key } => {
                let read = client.get(&reference(&format!("s{key}"))).await;
                read.map(|read| format!("{:?}", states_of(read.revisions)))
            }
            // as old as it gets: whatever listing there is will do
            Step::List { reads } => {
                let listed = ask(client, &["s0", "s1"], Timestamp::UNIX_EPOCH, reads).await;
                listed.map(|listed| format!("{:?}", listed.map(states)))
            }
        };
        let said = said.unwrap_or_else(|error| format!("refused: {error}"));
        if by_first {
            assert!(!said.starts_with("refused"), "{said}");
        } else {
            told.push(said);
        }
    }
    told
}

fn states_of(revisions: Vec<Revision>) -> Vec<ObjectState> {
    states(Listed {
        revisions,
        at: Timestamp::UNIX_EPOCH,
        phase: 0,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn nothing_crosses_two_identities(steps in steps()) {
        run(async {
            for said in play(steps).await {
                assert!(said == "None" || said.starts_with("refused: access denied"), "{said}");
            }
        });
    }
}
