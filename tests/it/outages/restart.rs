//! The operator is started again while nothing changed: it asks the vault for next to nothing.

use anyhow::Context as _;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::scene::{Scene, Team};
use crate::support::bed::Kind;
use crate::support::operator::{SYNC_CALLS, counter};
use crate::support::run;

const OBJECTS: usize = 40;

#[test]
fn a_restart_reads_no_value_and_writes_nothing() -> anyhow::Result<()> {
    run(async {
        let mut scene = Scene::start(Kind::Audited, &[]).await?;
        let team = scene.team("restart").await?;
        let names: Vec<String> = (0..OBJECTS).map(|n| format!("s{n}")).collect();
        for name in &names {
            team.seed(name, name);
            team.sync(name, name, "1m").await?;
        }
        for name in &names {
            team.in_step(name, name).await?;
        }
        team.reachable().await?;
        scene.operator.stop().await?;
        for name in &names {
            overdue(&scene, &team, name).await?;
        }
        let (mark, asked) = (scene.mark().await?, scene.bed.azure().mark());
        scene.operator.restart()?;
        let listings = |scene: &Scene| {
            let (_, requests) = scene.bed.azure().requests_since(asked, &team.namespace);
            let (mut lists, mut reads) = (0, 0);
            for request in requests.iter().filter(|request| request.status == 200) {
                lists += usize::from(request.op == "secrets.list");
                reads += usize::from(request.op == "secrets.get");
            }
            (lists, reads)
        };
        let last = format!("s{}", OBJECTS - 1);
        scene
            .until("all were looked at", async |scene| {
                // it may not listen yet
                let Ok(metrics) = scene.operator.metrics().await else {
                    return Ok(false);
                };
                let seen = names.iter().all(|name| {
                    metrics.contains(&format!(
                        "externalsecret_status_condition{{condition=\"Ready\",name=\"{name}\""
                    ))
                });
                Ok(seen && counter(&metrics, SYNC_CALLS, &team.namespace, &last) > 0)
            })
            .await?;
        // forty names are two pages
        assert_eq!(listings(&scene), (2, 0));
        assert_eq!(scene.written_since(mark).await?, [""; 0]);
        scene.lives()
    })
}

/// Puts the last refresh two intervals back, which is less than a heartbeat.
async fn overdue(scene: &Scene, team: &Team, name: &str) -> anyhow::Result<()> {
    let cluster = scene.bed.cluster();
    let object = cluster.get(&team.object("ExternalSecret", name)).await?;
    let mut object = object.with_context(|| format!("no ExternalSecret {name}"))?;
    let long_ago = Timestamp::now() - SignedDuration::from_mins(2);
    let whole = Timestamp::from_second(long_ago.as_second())?;
    object["status"]["refreshTime"] = json!(whole.to_string());
    cluster.write("PUT", &object, "/status", "test").await?;
    Ok(())
}
