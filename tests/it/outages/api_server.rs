//! The API server dies, and watches expire.

use std::collections::BTreeSet;

use serde_json::json;

use super::scene::{Scene, Team};
use crate::support::bed::Kind;
use crate::support::run;

#[test]
fn the_operator_outlives_the_api_server_and_writes_nothing_without_need() -> anyhow::Result<()> {
    run(async {
        let mut scene = Scene::start(Kind::Audited, &[]).await?;
        let team = scene.team("restart").await?;
        for (name, interval) in [("idle", "1h"), ("changed", "1h"), ("rotated", "1s")] {
            team.seed(name, "first");
            team.sync(name, name, interval).await?;
        }
        for name in ["idle", "changed", "rotated"] {
            team.in_step(name, "first").await?;
        }
        let before = team.stamp("idle").await?;
        let (mark, reads) = (scene.mark().await?, scene.bed.azure().mark());

        scene.bed.plane().kill_api_server()?;
        scene.logged("the watch failed").await?;
        scene.logged("could not read the target").await?;
        scene.bed.plane().start_api_server().await?;

        team.seed("rotated", "second");
        team.seed("new", "second");
        team.seed("other", "second");
        team.sync("new", "new", "1h").await?;
        team.sync("changed", "other", "1h").await?;
        for name in ["rotated", "new", "changed"] {
            team.in_step(name, "second").await?;
        }
        let asked = scene.bed.azure().mark();
        scene
            .until("refreshes after all that", async |scene| {
                let (_, asked) = scene.bed.azure().requests_since(asked, &team.namespace);
                Ok(asked.len() > 1)
            })
            .await?;

        let written = scene.written_since(mark).await?;
        assert_eq!(
            of_secrets(&written),
            [
                "create secrets new",
                "update secrets changed",
                "update secrets rotated"
            ]
        );
        let needless = |line: &&String| line.ends_with(" idle") || line.contains("secretstores");
        assert_eq!(written.iter().find(needless), None, "{written:?}");
        assert_eq!(team.stamp("idle").await?, before);
        assert_eq!(team.reads("idle", reads), 0);
        scene.lives()
    })
}

#[test]
fn what_changes_while_watches_expire_is_not_missed() -> anyhow::Result<()> {
    run(async {
        let mut scene = Scene::start(Kind::Audited, &[]).await?;
        let team = scene.team("expiry").await?;
        let names = ["kept", "changed", "gone", "edited", "lost"];
        for name in names {
            team.seed(name, "first");
            team.sync(name, name, "1h").await?;
        }
        for name in names {
            team.in_step(name, "first").await?;
        }
        team.seed("other", "second");
        team.seed("new", "second");
        let before = team.stamp("kept").await?;
        let (mark, reads) = (scene.mark().await?, scene.bed.azure().mark());

        scene.operator.pause()?;
        scene.bed.plane().restart_api_server().await?;
        change(&scene, &team).await?;
        // the server's memory of changes begins after them
        scene.bed.plane().restart_api_server().await?;
        scene.operator.resume()?;

        for (name, value) in [
            ("changed", "second"),
            ("new", "second"),
            ("edited", "first"),
            ("lost", "first"),
        ] {
            team.in_step(name, value).await?;
        }
        scene.logged("too old resource version").await?;
        forgotten(&mut scene, &team, "gone").await?;

        let asked = scene.asked_since(mark).await?;
        let listed: BTreeSet<&str> = asked
            .iter()
            .filter(|event| event.verb == "list")
            .map(|event| event.resource.as_str())
            .collect();
        assert!(
            listed.contains("externalsecrets") && listed.contains("secrets"),
            "{listed:?}"
        );
        let written = scene.written_since(mark).await?;
        assert_eq!(
            of_secrets(&written),
            [
                "create secrets lost",
                "create secrets new",
                "update secrets changed",
                "update secrets edited"
            ]
        );
        let needless = |line: &&String| line.ends_with(" kept") || line.contains("secretstores");
        assert_eq!(written.iter().find(needless), None, "{written:?}");
        assert_eq!(team.stamp("kept").await?, before);
        assert_eq!(team.reads("kept", reads), 0);
        scene.lives()
    })
}

/// Waits until the metrics no longer have an object.
async fn forgotten(scene: &mut Scene, team: &Team, name: &str) -> anyhow::Result<()> {
    let namespace = &team.namespace;
    let series = format!(r#"name="{name}",namespace="{namespace}",status="True""#);
    scene
        .until("the deleted object is forgotten", async |scene| {
            Ok(!scene.operator.metrics().await?.contains(&series))
        })
        .await
}

/// What may happen while nobody looks.
async fn change(scene: &Scene, team: &Team) -> anyhow::Result<()> {
    let cluster = scene.bed.cluster();
    cluster
        .delete(&team.object("ExternalSecret", "gone"))
        .await?;
    team.sync("changed", "other", "1h").await?;
    team.sync("new", "new", "1h").await?;
    let edit = json!({"data": {"value": "dGFtcGVyZWQ="}});
    cluster
        .patch(&team.object("Secret", "edited"), &edit)
        .await?;
    cluster.delete(&team.object("Secret", "lost")).await?;
    Ok(())
}

fn of_secrets(written: &[String]) -> Vec<&str> {
    let lines = written.iter().map(String::as_str);
    lines.filter(|line| line.contains(" secrets ")).collect()
}
