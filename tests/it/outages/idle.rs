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
        // each comes a tenth of the interval nearer to the others with each refresh
        let mark = scene.mark().await?;
        looked_at(&mut scene, &names, mark, 12).await?;

        let (mark, began) = (scene.mark().await?, Instant::now());
        let vault = scene.bed.azure().mark();
        looked_at(&mut scene, &names, mark, 2).await?;
        let asked = scene.asked_since(mark).await?;
        // its target is all that a refresh looks at
        assert!(
            asked
                .iter()
                .all(|event| event.verb == "get" && event.resource == "secrets"),
            "{asked:?}"
        );
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
        let mark = scene.mark().await?;
        looked_at(&mut scene, &names, mark, 1).await?;

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

/// Waits until the target of each was looked at so often since a mark.
async fn looked_at(
    scene: &mut Scene,
    names: &[String],
    mark: usize,
    times: usize,
) -> anyhow::Result<()> {
    scene
        .until("refreshes", async |scene| {
            let asked = scene.asked_since(mark).await?;
            let looks = |name: &String| asked.iter().filter(|it| it.name == *name).count();
            Ok(names.iter().all(|name| looks(name) >= times))
        })
        .await
}
