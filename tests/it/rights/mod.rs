//! No right too many: each that the chart gives is taken from an operator of its own, on a real API server.
//! The request that needs it is refused, people are told, and it succeeds once the right is back. What was
//! seen is in docs/rbac.md; `KEYFERRY_BLESS=1` writes it.

#![expect(
    clippy::panic,
    reason = "clippy's exception for tests does not reach their helpers"
)]

mod course;
mod page;
mod play;
mod removal;
mod role;
mod watches;

use std::time::Duration;

use anyhow::{Context as _, ensure};
use futures::{StreamExt as _, stream};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use self::play::Seen;
use self::removal::Removal;
use self::role::Right;
use crate::support::bed::{Bed, Kind};
use crate::support::{marked, run};

const PAGE: &str = "docs/rbac.md";
/// The plural of the one kind of generators.
const GENERATOR: &str = "passwords";
/// Operators side by side: each waits most of the time.
const AT_ONCE: usize = 8;
/// The API server's admission looks for new kinds every 30 s.
const KNOWN_WITHIN: Duration = Duration::from_secs(90);
const POLL: Duration = Duration::from_millis(200);

#[test]
fn without_any_one_right_a_request_is_refused_and_people_are_told() {
    let rights = role::rights().unwrap();
    let looking = scenes(&rights, watches::removals());
    let working = scenes(&rights, course::removals());
    for right in &rights {
        let of = |(it, _): &&(Right, Removal)| it == right;
        let scenes = looking.iter().chain(&working).filter(of).count();
        assert_eq!(scenes, 1, "scenes of {right:?}");
    }
    let rows = run(async {
        let bed = Bed::start_as(Kind::Strict).await?;
        unserved_kinds(&bed).await?;
        // who looks at the whole cluster is gone before there is anything to do
        let mut rows = play_all(&bed, &looking).await?;
        owners_are_known(&bed).await?;
        rows.extend(play_all(&bed, &working).await?);
        anyhow::Ok(rows)
    });
    let mut rows = rows.unwrap_or_else(|error| panic!("{error:#}"));
    rows.sort_by_key(|(right, ..)| rights.iter().position(|it| it == *right));
    marked::hold(PAGE, "rights", &page::table(&rows));
}

/// Each removal with the right that it is about.
fn scenes(rights: &[Right], removals: Vec<Removal>) -> Vec<(Right, Removal)> {
    let scene = |removal: Removal| {
        let is_meant =
            |right: &&Right| right.verb == removal.verb && right.resource == removal.resource;
        let right = rights.iter().find(is_meant);
        let right = right.unwrap_or_else(|| panic!("the chart gives no such right: {removal:?}"));
        (right.clone(), removal)
    };
    removals.into_iter().map(scene).collect()
}

/// Plays all, some side by side; the error names every one that failed.
async fn play_all<'a>(
    bed: &Bed,
    scenes: &'a [(Right, Removal)],
) -> anyhow::Result<Vec<(&'a Right, &'a Removal, Seen)>> {
    let play = async |(right, removal): &'a (Right, Removal)| {
        let seen = play::play(bed, removal, right).await;
        (right, removal, seen)
    };
    let played: Vec<_> = stream::iter(scenes.iter().map(play))
        .buffered(AT_ONCE)
        .collect()
        .await;
    let (mut rows, mut failures) = (Vec::new(), Vec::new());
    for (right, removal, seen) in played {
        match seen {
            Ok(seen) => rows.push((right, removal, seen)),
            Err(error) => failures.push(format!("{} {}: {error:#}", right.verb, right.resource)),
        }
    }
    ensure!(failures.is_empty(), "{}", failures.join("\n\n"));
    Ok(rows)
}

/// Kinds that ESO has and the operator does not serve, as far as a list needs them.
async fn unserved_kinds(bed: &Bed) -> anyhow::Result<()> {
    for (plural, kind, group, version) in [
        ("clusterexternalsecrets", "ClusterExternalSecret", "", "v1"),
        ("pushsecrets", "PushSecret", "", "v1alpha1"),
        ("clusterpushsecrets", "ClusterPushSecret", "", "v1alpha1"),
        (GENERATOR, "Password", "generators.", "v1alpha1"),
    ] {
        let group = format!("{group}external-secrets.io");
        let schema = json!({"openAPIV3Schema": {"type": "object"}});
        let definition = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": format!("{plural}.{group}")},
            "spec": {"group": group, "scope": "Cluster",
                "names": {"kind": kind, "plural": plural, "singular": kind.to_lowercase()},
                "versions": [{"name": version, "served": true, "storage": true, "schema": schema}]}});
        bed.install(&definition.to_string()).await?;
    }
    Ok(())
}

/// Waits until admission knows the kind that owns targets.
async fn owners_are_known(bed: &Bed) -> anyhow::Result<()> {
    let owner = json!({"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "name": "app",
        "uid": "00000000-0000-0000-0000-000000000000", "blockOwnerDeletion": true, "controller": true});
    let secret: Value = json!({"apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "owned", "ownerReferences": [owner]}});
    let path = "/api/v1/namespaces/default/secrets?dryRun=All";
    let end = Instant::now() + KNOWN_WITHIN;
    loop {
        let body = Some((&secret, "application/json"));
        match bed.cluster().request("POST", path, body).await {
            Ok(_) => return Ok(()),
            Err(error) if Instant::now() > end => return Err(error).context("dry run"),
            Err(_) => sleep(POLL).await,
        }
    }
}
