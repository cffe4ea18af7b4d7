//! Nothing changes: what a refresh costs the cluster then.

use std::time::Instant;

use super::scene::{Scene, Team};
use crate::support::bed::Kind;
use crate::support::operator::{SYNC_CALLS, counter};
use crate::support::run;

const COUNT: usize = 20;

#[test]
fn a_refresh_that_changes_nothing_asks_the_api_server_for_nothing() -> anyhow::Result<()> {
    run(async {
        let mut scene = Scene::start(Kind::Audited, &[]).await?;
        let team = scene.team("idle").await?;
        let names = sync_all(&mut scene, &team).await?;
        // each comes a tenth of the interval nearer to the others with each refresh
        refreshed(&mut scene, &team, &names, 12).await?;

        let (mark, began) = (scene.mark().await?, Instant::now());
        let vault = scene.bed.azure().mark();
        refreshed(&mut scene, &team, &names, 2).await?;
        // the watch would have brought whatever became of a target
        assert_eq!(scene.asked_since(mark).await?, []);
        let (_, asked) = scene.bed.azure().requests_since(vault, "");
        // one page for all in an interval
        assert!(
            asked.iter().all(|request| request.op == "secrets.list"),
            "{asked:?}"
        );
        let intervals = usize::try_from(began.elapsed().as_secs())? + 2;
        assert!(
            asked.len() <= 2 * intervals,
            "{} in {intervals} s",
            asked.len()
        );
        scene.lives()
    })
}

#[test]
fn the_heartbeat_is_the_only_write_of_an_unchanged_refresh() -> anyhow::Result<()> {
    run(async {
        let mut scene = Scene::start(Kind::Audited, &["--status-heartbeat=6s"]).await?;
        let team = scene.team("heartbeat").await?;
        let names = sync_all(&mut scene, &team).await?;
        refreshed(&mut scene, &team, &names, 1).await?;

        let (mark, began) = (scene.mark().await?, Instant::now());
        let beats = async |scene: &Scene| {
            let written = scene.written_since(mark).await?;
            let beat = |name: &String| format!("update externalsecrets/status {name}");
            let all = names.iter().all(|name| written.contains(&beat(name)));
            anyhow::Ok((written, all))
        };
        scene
            .until("a beat of each", async |scene| Ok(beats(scene).await?.1))
            .await?;
        let (written, _) = beats(&scene).await?;
        let is_beat = |line: &&String| line.starts_with("update externalsecrets/status ");
        assert_eq!(written.iter().find(|line| !is_beat(line)), None);
        // times in a status are whole seconds: a beat may come a second early
        let most = COUNT * (1 + usize::try_from(began.elapsed().as_secs())? / 4);
        assert!(written.len() <= most, "{} > {most}", written.len());
        scene.lives()
    })
}

/// Makes the ExternalSecrets and waits until all are in sync and everything is told.
async fn sync_all(scene: &mut Scene, team: &Team) -> anyhow::Result<Vec<String>> {
    let names: Vec<String> = (0..COUNT).map(|n| format!("s{n}")).collect();
    for name in &names {
        team.seed(name, name);
        team.sync(name, name, "1s").await?;
    }
    for name in &names {
        team.ready("ExternalSecret", name, "True").await?;
    }
    team.reachable().await?;
    scene
        .until("events", async |scene| {
            let events = scene.bed.cluster().events(&team.namespace).await?;
            let created = events.iter().filter(|event| event["reason"] == "Created");
            Ok(created.count() == COUNT)
        })
        .await?;
    Ok(names)
}

/// Waits until each was refreshed so often from now on.
async fn refreshed(
    scene: &mut Scene,
    team: &Team,
    names: &[String],
    times: u64,
) -> anyhow::Result<()> {
    let calls = async |scene: &Scene| {
        let metrics = scene.operator.metrics().await?;
        let of = |name: &String| counter(&metrics, SYNC_CALLS, &team.namespace, name);
        anyhow::Ok(names.iter().map(of).collect::<Vec<u64>>())
    };
    let before = calls(scene).await?;
    scene
        .until("refreshes", async |scene| {
            let now = calls(scene).await?;
            let mut pairs = now.iter().zip(&before);
            Ok(pairs.all(|(now, before)| *now >= before + times))
        })
        .await
}
