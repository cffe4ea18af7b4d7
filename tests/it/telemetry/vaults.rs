//! What is told of vaults, and of who is late.

use serde_json::json;

use super::corner::Corner;
use super::exposition::Exposition;
use crate::support::manifests::external_secret;
use crate::support::run;
use crate::support::scene::eventually;

const FAMILIES: [&str; 3] = [
    "keyferry_vault_throttled",
    "keyferry_vault_breaker_open",
    "keyferry_vault_reads_saved_total",
];
const OVERDUE: &str = "keyferry_externalsecret_oldest_overdue_seconds";

/// An ExternalSecret that is due every second.
async fn restless(corner: &Corner) {
    let both = json!({"refreshInterval": "1s", "data": [
        {"secretKey": "USER", "remoteRef": {"key": "user"}},
        {"secretKey": "PASSWORD", "remoteRef": {"key": "password"}},
    ]});
    let azure = corner.bed.azure();
    azure.set_secret(&corner.namespace, "user", "admin");
    corner.apply(external_secret("app", both)).await;
    corner.is_ready("ExternalSecret", "app", "True").await;
}

fn of_vault(metrics: &Exposition, corner: &Corner) -> [Option<f64>; 3] {
    let vault = corner.vault();
    FAMILIES.map(|family| metrics.sum(family, &[("vault", &vault)]))
}

#[test]
fn reads_that_a_listing_spares_are_counted_and_the_series_go_with_the_last_store() {
    run(async {
        let corner = Corner::new("saved", &[]).await;
        restless(&corner).await;
        corner
            .told("two reads a refresh saved", |metrics| {
                let [throttled, open, saved] = of_vault(metrics, &corner);
                assert_eq!((throttled, open), (Some(0.0), Some(0.0)));
                let saved = saved.unwrap_or_default();
                assert!(saved.rem_euclid(2.0) < 0.5, "{saved}");
                saved >= 4.0
            })
            .await;
        corner.delete("ExternalSecret", "app").await;
        corner.delete("SecretStore", "kv").await;
        let none = |metrics: &Exposition| of_vault(metrics, &corner) == [None; 3];
        corner.told("no series of the vault", none).await;
    });
}

#[test]
fn a_vault_that_throttles_is_told_apart_from_one_that_does_not_answer() {
    run(async {
        let corner = Corner::new("held-back", &[]).await;
        restless(&corner).await;
        let fault = |fault| corner.bed.fault(&corner.namespace, fault).unwrap();
        let told = async |what: &str, throttled: f64, open: f64| {
            let want = [Some(throttled), Some(open)];
            corner
                .told(what, |metrics| of_vault(metrics, &corner)[..2] == want)
                .await;
        };
        fault(json!({"status": 429, "retryAfter": 1}));
        told("throttled", 1.0, 0.0).await;
        fault(json!(null));
        told("asked again", 0.0, 0.0).await;
        fault(json!({"dropConnection": true}));
        told("left alone", 0.0, 1.0).await;
        fault(json!(null));
        told("back", 0.0, 0.0).await;
    });
}

#[test]
fn the_longest_overdue_is_who_fails_and_nobody_once_it_is_gone() {
    run(async {
        let corner = Corner::new("overdue", &[]).await;
        corner.good_and_bad().await;
        let of = |metrics: &Exposition, state| metrics.sum(OVERDUE, &[("state", state)]);
        let (first, then) = eventually("it grows", async || {
            let first = of(&corner.metrics().await, "failing")?;
            let then = of(&corner.metrics().await, "failing")?;
            (first > 1.0).then_some((first, then))
        })
        .await;
        assert!(then > first, "{first} {then}");
        corner.delete("ExternalSecret", "bad").await;
        let nobody = |metrics: &Exposition| {
            of(metrics, "failing") == Some(0.0) && of(metrics, "waiting") == Some(0.0)
        };
        corner.told("nobody is late", nobody).await;
    });
}
