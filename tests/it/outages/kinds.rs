//! The kinds are missing when the operator starts.

use std::time::Instant;

use testbed::AuditEvent;

use super::scene::Scene;
use crate::support::bed::Kind;
use crate::support::run;

const KINDS: [&str; 3] = ["ExternalSecret", "SecretStore", "ClusterSecretStore"];

#[test]
fn the_operator_waits_for_its_kinds_and_says_which_are_missing() -> anyhow::Result<()> {
    run(async {
        let mut scene = Scene::start(Kind::Bare, &[]).await?;
        let (mark, began) = (scene.mark().await?, Instant::now());
        let missing = async |scene: &Scene, kinds: &[&str]| {
            // a port that does not listen yet is not an answer
            let Ok((status, text)) = scene.operator.probe_text("/readyz").await else {
                return Ok(false);
            };
            let named = |kind: &str| text.contains(&format!("does not serve kind {kind} in "));
            Ok(status == 503 && KINDS.iter().all(|kind| named(kind) == kinds.contains(kind)))
        };
        scene
            .until("three kinds are missing", async |scene| {
                missing(scene, &KINDS).await
            })
            .await?;
        assert_eq!(scene.operator.probe("/healthz").await?, 200);
        let line = "does not serve kind ExternalSecret in external-secrets.io/v1";
        scene.logged(line).await?;

        let last = "clustersecretstores.external-secrets.io";
        scene.bed.define(|name| name != last).await?;
        scene
            .until("one kind is missing", async |scene| {
                missing(scene, &["ClusterSecretStore"]).await
            })
            .await?;

        let team = scene.team("late").await?;
        team.seed("app", "first");
        team.sync("app", "app", "1h").await?;
        scene.bed.define(|name| name == last).await?;
        team.in_step("app", "first").await?;
        assert_eq!(scene.operator.probe("/readyz").await?, 200);
        let asked = scene.asked_since(mark).await?;
        for plural in ["externalsecrets", "secretstores", "clustersecretstores"] {
            // pauses of 1, 2, 4, 8 and then 15 s
            let most = 5 + began.elapsed().as_secs() / 15;
            let in_vain = |event: &&AuditEvent| event.code == 404 && event.resource == plural;
            let tries = asked.iter().filter(in_vain).count();
            assert!(u64::try_from(tries)? <= most, "{tries} tries of {plural}");
        }
        scene.lives()
    })
}
