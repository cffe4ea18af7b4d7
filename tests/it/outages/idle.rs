//! Nothing changes: what a refresh costs the cluster then.

use std::time::Instant;

use super::scene::{Scene, Team};
use crate::support::bed::Kind;
use crate::support::run;

const COUNT: usize = 20;

#[test]
fn a_refresh_that_changes_nothing_writes_nothing() -> anyhow::Result<()> {
    run(async {
        let mut scene = Scene::start(Kind::Audited, &[]).await?;
        let team = scene.team("idle").await?;
        let names = sync_all(&mut scene, &team).await?;
        let reads = scene.bed.azure().mark();
        refreshed(&mut scene, &team, &names, reads, 1).await?;

        let (mark, reads) = (scene.mark().await?, scene.bed.azure().mark());
        refreshed(&mut scene, &team, &names, reads, 2).await?;
        let asked = scene.asked_since(mark).await?;
        let refreshes: usize = names.iter().map(|name| team.reads(name, reads)).sum();
        // its target is all that a refresh looks at
        assert!(
            asked
                .iter()
                .all(|event| event.verb == "get" && event.resource == "secrets"),
            "{asked:?}"
        );
        assert!(
            asked.len() <= refreshes + COUNT,
            "{} requests for {refreshes} refreshes",
            asked.len()
        );
        let (_, asked) = scene.bed.azure().requests_since(reads, "");
        assert!(
            asked.iter().all(|request| request.op == "secrets.get"),
            "{asked:?}"
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
        let reads = scene.bed.azure().mark();
        refreshed(&mut scene, &team, &names, reads, 1).await?;

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

/// Makes the ExternalSecrets and waits until all are in step and everything is told.
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

/// Waits until each was fetched so often since a mark.
async fn refreshed(
    scene: &mut Scene,
    team: &Team,
    names: &[String],
    mark: u64,
    times: usize,
) -> anyhow::Result<()> {
    scene
        .until("refreshes", async |_| {
            Ok(names.iter().all(|name| team.reads(name, mark) >= times))
        })
        .await
}
