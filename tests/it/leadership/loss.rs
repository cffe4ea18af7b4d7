//! A leader loses its Lease: by hand, or because the API server is away. It ends each time, with one line
//! that says why, and leads again when it is started again.

use std::time::Duration;

use anyhow::ensure;
use serde_json::json;

use super::pair::{LONG, Pair, SHORT, becomes, fails, lease, until};
use crate::support::run;

#[test]
fn a_leader_ends_when_its_lease_is_stolen_or_deleted_or_out_of_reach() -> anyhow::Result<()> {
    run(async {
        let mut pair = Pair::start(&SHORT).await?;
        let names = pair.syncs(3, "first").await?;
        a_stranger_may_annotate_it(&mut pair).await?;

        let stolen = json!({"spec": {"holderIdentity": "somebody"}});
        pair.scene.bed.cluster().patch(&lease(), &stolen).await?;
        ends(&mut pair, "its holder is now \"somebody\"").await?;
        back(&mut pair, &names, "second").await?;

        pair.scene.bed.cluster().delete(&lease()).await?;
        ends(&mut pair, "it was deleted").await?;
        back(&mut pair, &names, "third").await?;

        pair.scene.bed.plane().kill_api_server()?;
        let took = ends(&mut pair, "it was not renewed within 3s").await?;
        // it may have been renewed a while before the API server ended, and the test looked late
        assert!(took >= Duration::from_secs(1), "{took:?}");
        pair.scene.operator.restart()?;
        until("a candidate that waits for the API server", async || {
            Ok(pair
                .scene
                .operator
                .log()?
                .contains("the Lease cannot be read"))
        })
        .await?;
        pair.scene.bed.plane().start_api_server().await?;
        leads(&mut pair, &names, "fourth").await
    })
}

/// A change by hand that leaves the holder alone is lived with.
async fn a_stranger_may_annotate_it(pair: &mut Pair) -> anyhow::Result<()> {
    let note = json!({"metadata": {"annotations": {"team": "platform"}}});
    pair.scene.bed.cluster().patch(&lease(), &note).await?;
    let before = pair.lease().await?;
    until("two renewals more", async || {
        Ok(pair.lease().await?["renewTime"] != before["renewTime"])
    })
    .await?;
    let after = pair
        .scene
        .bed
        .cluster()
        .get(&lease())
        .await?
        .unwrap_or_default();
    ensure!(
        after["metadata"]["annotations"]["team"] == "platform",
        "{after}"
    );
    for field in ["holderIdentity", "acquireTime", "leaseTransitions"] {
        ensure!(
            after["spec"][field] == before[field],
            "{field}: {before} {after}"
        );
    }
    pair.scene.lives()
}

/// Waits until the leader has ended for this reason.
async fn ends(pair: &mut Pair, why: &str) -> anyhow::Result<Duration> {
    let before = pair.scene.operator.log()?.matches("lost the Lease").count();
    let took = fails(&mut pair.scene.operator).await?;
    let log = pair.scene.operator.log()?;
    let last = log.lines().last().unwrap_or_default();
    ensure!(
        last.contains("lost the Lease external-secrets/external-secrets-controller: "),
        "{log}"
    );
    ensure!(last.contains(why), "{last}");
    ensure!(log.matches("lost the Lease").count() == before + 1, "{log}");
    Ok(took)
}

/// Starts it again; it leads and works.
async fn back(pair: &mut Pair, names: &[String], value: &str) -> anyhow::Result<()> {
    pair.scene.operator.restart()?;
    leads(pair, names, value).await
}

async fn leads(pair: &mut Pair, names: &[String], value: &str) -> anyhow::Result<()> {
    tokio::time::timeout(LONG, becomes(&mut pair.scene.operator, "leader")).await??;
    for name in names {
        pair.team.seed(name, value);
        pair.team.in_step(name, value).await?;
    }
    Ok(())
}
