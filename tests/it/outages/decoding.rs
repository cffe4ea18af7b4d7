//! Objects that the API server took and the operator cannot decode.

use serde_json::json;

use super::scene::{Scene, Team};
use crate::support::bed::Kind;
use crate::support::cluster::{ObjectRef, text};
use crate::support::run;

#[test]
fn an_object_that_does_not_decode_harms_only_itself() -> anyhow::Result<()> {
    run(async {
        let mut scene = Scene::start(Kind::Audited, &[]).await?;
        let team = scene.team("decoding").await?;
        for name in ["good", "spoilt"] {
            team.seed(name, "first");
            team.sync(name, name, "1h").await?;
            team.in_step(name, "first").await?;
        }
        let before = team.stamp("spoilt").await?;
        loosen(&scene, "externalsecrets", "data").await?;

        // one that was good, and one that never was
        let mark = scene.mark().await?;
        for name in ["spoilt", "born-bad"] {
            let bad = json!({"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret",
                "metadata": {"name": name}, "spec": {"data": "text"}});
            team.accepted(&bad).await?;
            said_to_be_undecodable(&mut scene, name).await?;
        }
        others_are_served(&team, "second").await?;
        // and so it is for an operator that finds them at its start
        scene.operator.restart()?;
        others_are_served(&team, "third").await?;
        assert_eq!(team.stamp("spoilt").await?, before);
        let written = scene.written_since(mark).await?;
        let of_bad = |line: &&String| line.contains("spoilt") || line.contains("born-bad");
        assert_eq!(written.iter().find(of_bad), None, "{written:?}");

        // mended, it is served again
        team.seed("mended", "fourth");
        for name in ["spoilt", "born-bad"] {
            team.sync(name, "mended", "1h").await?;
            team.in_step(name, "fourth").await?;
        }
        scene.lives()
    })
}

#[test]
fn a_store_that_does_not_decode_is_named_where_it_is_used() -> anyhow::Result<()> {
    run(async {
        let mut scene = Scene::start(Kind::Audited, &[]).await?;
        let (bad, good) = (scene.team("bad").await?, scene.team("good").await?);
        for team in [&bad, &good] {
            team.seed("app", "first");
            team.sync("app", "app", "1s").await?;
            team.holds("app", "first").await?;
        }
        let before = bad.stamp("app").await?;
        loosen(&scene, "secretstores", "conditions").await?;
        let store = json!({"apiVersion": "external-secrets.io/v1", "kind": "SecretStore",
            "metadata": {"name": "kv"}, "spec": {"conditions": "text"}});
        bad.accepted(&store).await?;

        said_to_be_undecodable(&mut scene, "kv").await?;
        let condition = bad.ready("ExternalSecret", "app", "False").await?;
        let message = text(&condition["message"]);
        assert!(
            message.starts_with("StoreNotReady: ")
                && message.contains("SecretStore \"kv\" cannot be decoded: "),
            "{message}"
        );
        assert_eq!(bad.stamp("app").await?, before);
        good.seed("app", "second");
        good.holds("app", "second").await?;
        scene.lives()
    })
}

async fn said_to_be_undecodable(scene: &mut Scene, name: &str) -> anyhow::Result<()> {
    let tells = |line: &str| line.contains("does not decode") && line.contains(name);
    scene
        .until("the log names it", async |scene| {
            Ok(scene.operator.log()?.lines().any(tells))
        })
        .await
}

async fn others_are_served(team: &Team, value: &str) -> anyhow::Result<()> {
    team.seed(value, value);
    for name in ["good", value] {
        team.sync(name, value, "1h").await?;
        team.in_step(name, value).await?;
    }
    Ok(())
}

/// The API server takes anything for a field of the kind's spec.
async fn loosen(scene: &Scene, plural: &str, field: &str) -> anyhow::Result<()> {
    let definition = ObjectRef {
        kind: "CustomResourceDefinition".to_owned(),
        namespace: None,
        name: format!("{plural}.external-secrets.io"),
    };
    let cluster = scene.bed.cluster();
    let found = cluster.get(&definition).await?.unwrap_or_default();
    let mut versions = found["spec"]["versions"].clone();
    for version in versions.as_array_mut().into_iter().flatten() {
        let spec = &mut version["schema"]["openAPIV3Schema"]["properties"]["spec"];
        spec["properties"][field] = json!({"x-kubernetes-preserve-unknown-fields": true});
        // rules that look at the field
        spec["x-kubernetes-validations"] = json!([]);
        spec["required"] = json!([]);
    }
    let patch = json!({"spec": {"versions": versions}});
    cluster.patch(&definition, &patch).await?;
    Ok(())
}
