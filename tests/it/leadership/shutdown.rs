//! What SIGTERM does to work that was begun.

use std::time::Duration;

use anyhow::Context as _;
use serde_json::json;
use tokio::time::Instant;

use super::pair::{Pair, until};
use crate::support::cluster::text;
use crate::support::operator::{SYNC_CALLS, USER, counter};
use crate::support::{run, say};

#[test]
fn what_is_begun_is_finished_and_told_and_the_lease_given_back_last() -> anyhow::Result<()> {
    run(async {
        let mut pair = Pair::start(&["--enable-leader-election"]).await?;
        let reading = begun(&pair, json!({"latencyMs": 3000, "ops": ["secrets.get"]})).await?;
        let operator = &mut pair.scene.operator;
        operator.ask_to_stop()?;
        let probed = operator.probe_text("/readyz");
        let mut probed = probed.await?;
        while probed.0 == 200 {
            probed = operator.probe_text("/readyz").await?;
        }
        assert_eq!(probed, (503, "shutting down".to_owned()));
        assert_eq!(
            operator.probe_text("/healthz").await?,
            (200, "ok".to_owned())
        );
        let end = operator.stop().await?;
        let took = reading.elapsed();
        assert!(end.success(), "{end}: {}", operator.log_tail());

        pair.team.in_step("slow", "value").await?;
        let events = pair
            .scene
            .bed
            .cluster()
            .events(&pair.team.namespace)
            .await?;
        let told = events
            .iter()
            .any(|it| it["reason"] == "Created" && it["involvedObject"]["name"] == "slow");
        assert!(told, "{events:?}");
        let lease = pair.lease().await?;
        assert_eq!(
            (
                text(&lease["holderIdentity"]),
                &lease["leaseDurationSeconds"]
            ),
            ("", &json!(1))
        );
        let writes = pair.writes_since(0).await?;
        let last = writes.last().context("nothing was written")?;
        assert_eq!(
            (
                last.user.as_str(),
                last.verb.as_str(),
                last.resource.as_str()
            ),
            (USER, "update", "leases")
        );
        say(&format!(
            "shutdown: ended {took:?} after a read of 3 s was begun"
        ));
        assert!(took < Duration::from_secs(13), "{took:?}");
        Ok(())
    })
}

#[test]
fn what_does_not_finish_within_the_grace_period_is_cut_off_and_the_lease_left_to_run_out()
-> anyhow::Result<()> {
    run(async {
        let flags = ["--enable-leader-election", "--shutdown-grace-period=1s"];
        let mut pair = Pair::start(&flags).await?;
        begun(&pair, json!({"hang": true, "ops": ["secrets.get"]})).await?;
        let asked = Instant::now();
        let end = pair.scene.operator.stop().await?;
        let took = asked.elapsed();
        assert!(end.success(), "{end}: {}", pair.scene.operator.log_tail());
        assert!((1..10).contains(&took.as_secs()), "{took:?}");
        let log = pair.scene.operator.log()?;
        assert_eq!(
            log.matches("not finished after 1s and cut off").count(),
            1,
            "{log}"
        );
        let lease = pair.lease().await?;
        assert!(!text(&lease["holderIdentity"]).is_empty(), "{lease}");
        Ok(())
    })
}

/// Makes ExternalSecret `slow` and waits until the vault is being asked for it, under this fault.
async fn begun(pair: &Pair, fault: serde_json::Value) -> anyhow::Result<Instant> {
    pair.team.seed("slow", "value");
    pair.team.ready("SecretStore", "kv", "True").await?;
    pair.scene.bed.fault(&pair.team.namespace, fault)?;
    pair.team.sync("slow", "slow", "1h").await?;
    until("a reconcile that waits for the vault", async || {
        let metrics = pair.scene.operator.metrics().await?;
        Ok(counter(&metrics, SYNC_CALLS, &pair.team.namespace, "slow") > 0)
    })
    .await?;
    Ok(Instant::now())
}
