//! A release from its installation to its end, by Helm 3 and by Helm 4.

use std::time::Duration;

use serde_json::Value;

use super::helm::{CHART, Major, NAMESPACE, Stage, object};
use super::howto;
use crate::golden::documents;
use crate::support::cluster::{array, text};
use crate::support::run;

const LIMIT: Duration = Duration::from_secs(30);

#[test]
fn a_release_by_helm_3_stands_is_upgraded_and_leaves_kinds_and_secrets_behind() {
    run(life(Major::Third)).unwrap();
}

#[test]
fn a_release_by_helm_4_stands_is_upgraded_and_leaves_kinds_and_secrets_behind() {
    run(life(Major::Fourth)).unwrap();
}

async fn life(major: Major) -> anyhow::Result<()> {
    let mut stage = Stage::start().await?;
    let release = ["keyferry", CHART, "--namespace", NAMESPACE];
    let notes = stage
        .helm(major, &[&["install"], &release[..]].concat())
        .await?
        .success()?;
    assert!(notes.contains("kubectl get externalsecrets"), "{notes}");
    let objects = stands(&stage, major).await?;
    runs_restricted(&stage).await?;
    let mut operator = stage.operate("keyferry").await?;
    stage.declare_howto("first").await?;
    let secret = stage.howto_synced("first").await?;

    let upgrade = [&["upgrade"], &release[..], &["--set", "log.level=debug"]].concat();
    stage.helm(major, &upgrade).await?.success()?;
    let deployment = object("Deployment", Some(NAMESPACE), "keyferry");
    let found = stage
        .bed
        .cluster()
        .get(&deployment)
        .await?
        .unwrap_or_default();
    let flags = &found["spec"]["template"]["spec"]["containers"][0]["args"];
    assert!(
        array(flags).any(|flag| flag == "--loglevel=debug"),
        "{flags}"
    );
    operator.stop().await?;
    operator = stage.operate("keyferry").await?;
    let again = stage.howto_synced("first").await?;
    assert_eq!(
        again["metadata"], secret["metadata"],
        "an upgrade writes no Secret"
    );
    operator.stop().await?;
    let before = kept(&stage).await?;
    assert_eq!(before.len(), 5);

    stage
        .helm(major, &["uninstall", "keyferry", "--namespace", NAMESPACE])
        .await?
        .success()?;
    for (kind, namespace, name) in &objects {
        let reference = object(kind, namespace.as_deref(), name);
        let is_kind = kind == "CustomResourceDefinition";
        let what = if is_kind { "kept" } else { "removed" };
        stage
            .bed
            .wait_for(what, &reference, LIMIT, |now| now.is_some() == is_kind)
            .await?;
    }
    assert_eq!(kept(&stage).await?, before);
    // what was kept is taken up by the next release of that name
    stage
        .helm(major, &[&["install"], &release[..]].concat())
        .await?
        .success()?;
    assert_eq!(stands(&stage, major).await?, objects);
    assert_eq!(kept(&stage).await?[3..], before[3..]);
    Ok(())
}

type Named = (String, Option<String>, String);

/// Every object of the release's manifest is there.
async fn stands(stage: &Stage, major: Major) -> anyhow::Result<Vec<Named>> {
    let manifest = ["get", "manifest", "keyferry", "--namespace", NAMESPACE];
    let manifest = stage.helm(major, &manifest).await?.success()?;
    let mut names = Vec::new();
    for document in documents(&manifest)? {
        let metadata = &document["metadata"];
        let namespace = metadata["namespace"].as_str().map(str::to_owned);
        let name = text(&metadata["name"]).to_owned();
        names.push((text(&document["kind"]).to_owned(), namespace, name));
    }
    assert_eq!(names.len(), 10, "{names:?}");
    for (kind, namespace, name) in &names {
        let reference = object(kind, namespace.as_deref(), name);
        assert!(
            stage.bed.cluster().get(&reference).await?.is_some(),
            "{reference}"
        );
    }
    Ok(names)
}

/// The controller manager makes the pod, and Pod Security lets it.
async fn runs_restricted(stage: &Stage) -> anyhow::Result<()> {
    let cluster = stage.bed.cluster();
    let end = tokio::time::Instant::now() + LIMIT;
    let pods = loop {
        let pods = cluster.list("Pod", Some(NAMESPACE)).await?;
        let events = cluster.events(NAMESPACE).await?;
        let failed = events
            .iter()
            .find(|event| event["reason"] == "FailedCreate");
        assert!(failed.is_none(), "{failed:?}");
        if !pods.is_empty() {
            break pods;
        }
        assert!(tokio::time::Instant::now() < end, "no pod within {LIMIT:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!(pods.len(), 1);
    assert_eq!(pods[0]["spec"]["serviceAccountName"], "keyferry");
    Ok(())
}

/// Uid and version of all that must outlive a release: the kinds, the ExternalSecret and its Secret.
async fn kept(stage: &Stage) -> anyhow::Result<Vec<(Value, Value)>> {
    let kinds = ["externalsecrets", "secretstores", "clustersecretstores"].map(|plural| {
        object(
            "CustomResourceDefinition",
            None,
            &format!("{plural}.external-secrets.io"),
        )
    });
    let mut versions = Vec::new();
    for reference in kinds
        .into_iter()
        .chain([howto::external_secret(), howto::secret()])
    {
        let found = stage
            .bed
            .cluster()
            .get(&reference)
            .await?
            .unwrap_or_default();
        assert!(
            found["metadata"]["deletionTimestamp"].is_null(),
            "{reference}"
        );
        let metadata = &found["metadata"];
        assert!(metadata["uid"].is_string(), "{reference} is gone");
        versions.push((metadata["uid"].clone(), metadata["resourceVersion"].clone()));
    }
    Ok(versions)
}
