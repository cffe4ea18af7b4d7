//! Manifests of all pages, under admission.

#![expect(
    clippy::panic,
    reason = "clippy's exception for tests does not reach their helpers"
)]

use std::collections::BTreeSet;

use serde_json::Value;

use crate::golden::documents;
use crate::support::cluster::text;
use crate::support::pages;
use crate::support::run;
use crate::support::scene::Scene;

const GROUP: &str = "external-secrets.io/";

/// The objects of the operator's kinds, and those that stand beside them in their block.
fn objects(page: &str) -> Vec<Value> {
    let blocks = pages::blocks(page, "yaml").into_iter();
    let documents = blocks.map(|block| documents(&block).unwrap_or_else(|e| panic!("{page}: {e}")));
    let is_ours = |object: &Value| text(&object["apiVersion"]).starts_with(GROUP);
    documents
        .filter(|objects| objects.iter().any(is_ours))
        .flatten()
        .filter(|object| is_ours(object) || object["apiVersion"] == "v1")
        .collect()
}

#[test]
fn every_manifest_of_the_documentation_is_accepted_and_nothing_of_it_is_dropped() {
    run(async {
        let scene = Scene::new("documented").await;
        let mut with_manifests = BTreeSet::new();
        for page in pages::all() {
            for object in objects(&page) {
                // strictly: a field that is unknown is refused, one that is dropped is missing here
                let applied = scene.apply(object.clone()).await;
                let spec = json_patch::diff(&object["spec"], &applied["spec"]);
                let lost = spec
                    .iter()
                    .find(|change| !matches!(change, json_patch::PatchOperation::Add(_)));
                assert!(lost.is_none(), "{page}: {lost:?}");
                with_manifests.insert(page.clone());
                if object["kind"] == "ClusterSecretStore" {
                    // it would be everybody's
                    let mut store =
                        scene.object("ClusterSecretStore", text(&object["metadata"]["name"]));
                    store.namespace = None;
                    scene.delete(&store).await;
                }
            }
        }
        let identities = pages::all()
            .into_iter()
            .filter(|page| page.starts_with("docs/identities/"));
        for page in identities {
            assert!(with_manifests.contains(&page), "{page} has no manifest");
        }
        assert!(with_manifests.len() >= 10, "{with_manifests:?}");
    });
}
