//! The operator is killed in the middle of its work and started again.

use serde_json::{Value, json};

use super::scene::{Scene, Team};
use crate::support::bed::Kind;
use crate::support::cluster::array;
use crate::support::operator::{SYNC_CALLS, counter};
use crate::support::run;

const EACH: usize = 8;

#[test]
fn an_operator_killed_between_objects_goes_on_with_the_others() -> anyhow::Result<()> {
    run(async {
        let mut scene = Scene::start(Kind::Audited, &[]).await?;
        let team = scene.team("killed").await?;
        let (done, held) = (names("done"), names("held"));
        let hang = json!({"hang": true, "ops": ["secrets.get"], "path": "/secrets/held"});
        scene.bed.fault(&team.namespace, hang)?;
        for name in done.iter().chain(&held) {
            team.seed(name, name);
            team.sync(name, name, "1h").await?;
        }
        for name in &done {
            team.ready("ExternalSecret", name, "True").await?;
        }
        scene
            .until("the vault holds the others", async |scene| {
                let metrics = scene.operator.metrics().await?;
                Ok(held.iter().all(|name| is_begun(&metrics, &team, name)))
            })
            .await?;
        let before = stamps(&team, &done).await?;
        team.reachable().await?;
        scene.operator.kill()?;
        scene.bed.fault(&team.namespace, json!(null))?;
        let (mark, reads) = (scene.mark().await?, scene.bed.azure().mark());

        scene.operator.restart()?;
        for name in &held {
            team.in_step(name, name).await?;
        }
        assert_eq!(stamps(&team, &done).await?, before);
        assert_eq!(scene.written_since(mark).await?, first_writes(&held));
        for (names, wanted) in [(&held, 1), (&done, 0)] {
            for name in names {
                assert_eq!(team.reads(name, reads), wanted, "{name}");
            }
        }
        scene.lives()
    })
}

#[test]
fn an_operator_killed_between_secret_and_status_writes_the_status_only() -> anyhow::Result<()> {
    run(async {
        let mut scene = Scene::start(Kind::Audited, &[]).await?;
        let team = scene.team("halfway").await?;
        team.seed("app", "first");
        team.ready("SecretStore", "kv", "True").await?;
        let rules = scene.rules().await?;
        let of_status =
            |rule: &&Value| array(&rule["resources"]).any(|r| r == "externalsecrets/status");
        let others = array(&rules).filter(|rule| !of_status(rule));
        scene.allow(others).await?;
        let mark = scene.mark().await?;
        team.sync("app", "app", "1h").await?;
        team.holds("app", "first").await?;
        scene.logged("the status was not written").await?;
        scene.operator.kill()?;
        let before = team.stamp("app").await?;
        let written = scene.written_since(mark).await?;
        assert_eq!(written, ["create secrets app"]);

        scene.allow(array(&rules)).await?;
        let mark = scene.mark().await?;
        scene.operator.restart()?;
        team.ready("ExternalSecret", "app", "True").await?;
        team.reachable().await?;
        let written = scene.written_since(mark).await?;
        let once = [
            "update externalsecrets/status app",
            "update secretstores/status kv",
        ];
        assert_eq!(written, once);
        assert_eq!(team.stamp("app").await?, before);
        scene.lives()
    })
}

/// What the first syncs of these objects write, sorted.
fn first_writes(names: &[String]) -> Vec<String> {
    let writes = ["create secrets", "update externalsecrets/status"];
    let lines = writes.map(|write| names.iter().map(move |name| format!("{write} {name}")));
    lines.into_iter().flatten().collect()
}

fn names(prefix: &str) -> Vec<String> {
    (0..EACH).map(|n| format!("{prefix}-{n}")).collect()
}

fn is_begun(metrics: &str, team: &Team, name: &str) -> bool {
    counter(metrics, SYNC_CALLS, &team.namespace, name) > 0
}

async fn stamps(team: &Team, names: &[String]) -> anyhow::Result<Vec<[String; 2]>> {
    let mut stamps = Vec::new();
    for name in names {
        stamps.push(team.stamp(name).await?);
    }
    Ok(stamps)
}
