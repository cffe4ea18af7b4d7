//! The right to Secrets is taken from the operator, and given back.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testbed::AuditEvent;

use super::scene::{Scene, Team};
use crate::support::bed::Kind;
use crate::support::cluster::{array, text};
use crate::support::run;

const CAUSE: &str = "cannot get resource \"secrets\"";

#[test]
fn without_the_right_to_secrets_it_names_the_cause_and_recovers_when_it_is_back()
-> anyhow::Result<()> {
    run(async {
        let mut scene = Scene::start(Kind::Audited, &[]).await?;
        let team = scene.team("rights").await?;
        for (name, interval) in [("calm", "1h"), ("busy", "1s")] {
            team.seed(name, "first");
            team.sync(name, name, interval).await?;
            team.in_step(name, "first").await?;
        }
        let before = [team.stamp("calm").await?, team.stamp("busy").await?];
        let rules = scene.rules().await?;
        let (mark, began) = (scene.mark().await?, Instant::now());
        let of_secrets = |rule: &&Value| rule["resources"] == json!(["secrets"]);
        scene
            .allow(array(&rules).filter(|rule| !of_secrets(rule)))
            .await?;

        // nobody reads what stands while its watch, which goes on until it is begun again, is silent
        scene.bed.plane().restart_api_server().await?;
        scene.logged("cannot watch resource").await?;
        let condition = team.ready("ExternalSecret", "busy", "False").await?;
        let message = text(&condition["message"]);
        assert!(
            message.starts_with("KubernetesRefused: could not update secret: ")
                && message.contains(CAUSE)
                && !message.contains("Status {"),
            "{message}"
        );
        scene.logged("cannot get resource").await?;
        told_by_an_event(&mut scene, &team).await?;
        refused_with_pauses(&mut scene, mark, began).await?;
        // one that starts now knows less, and keeps what stands all the same
        scene.operator.restart()?;
        team.ready("ExternalSecret", "calm", "False").await?;
        let store = team.ready("SecretStore", "kv", "False").await?;
        assert!(text(&store["message"]).contains(CAUSE), "{store}");
        let after = [team.stamp("calm").await?, team.stamp("busy").await?];
        assert_eq!(after, before);

        team.seed("busy", "second");
        scene.allow(array(&rules)).await?;
        team.holds("busy", "second").await?;
        for (kind, name) in [
            ("SecretStore", "kv"),
            ("ExternalSecret", "busy"),
            ("ExternalSecret", "calm"),
        ] {
            team.ready(kind, name, "True").await?;
        }
        assert_eq!(team.stamp("calm").await?, before[0]);
        scene.lives()
    })
}

async fn told_by_an_event(scene: &mut Scene, team: &Team) -> anyhow::Result<()> {
    let tells = |event: &Value| {
        event["reason"] == "UpdateFailed" && text(&event["message"]).contains(CAUSE)
    };
    scene
        .until("an event names the cause", async |scene| {
            let events = scene.bed.cluster().events(&team.namespace).await?;
            Ok(events.iter().any(tells))
        })
        .await
}

/// Waits until one target was refused five times: pauses of 1, 2, 4 and 8 s lie between. Nothing
/// else was asked for much oftener.
async fn refused_with_pauses(scene: &mut Scene, mark: usize, began: Instant) -> anyhow::Result<()> {
    let of_busy = |event: &&AuditEvent| {
        event.code == 403 && event.resource == "secrets" && event.name == "busy"
    };
    scene
        .until("five refusals", async |scene| {
            let asked = scene.asked_since(mark).await?;
            Ok(asked.iter().filter(of_busy).count() >= 5)
        })
        .await?;
    let asked = scene.asked_since(mark).await?;
    let took = began.elapsed();
    assert!(took >= Duration::from_secs(15), "{took:?}: {asked:?}");
    let refusals = asked.iter().filter(|event| event.code == 403).count();
    assert!(refusals <= 30, "{refusals} in {took:?}: {asked:?}");
    Ok(())
}
