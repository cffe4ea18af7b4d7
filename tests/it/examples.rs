//! examples/: each folder is applied as it stands, and the Secrets become what its expected.yaml says.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy's exception for tests does not reach their helpers"
)]

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::golden::documents;
use crate::support;
use crate::support::cluster::text;
use crate::support::manifests::value;
use crate::support::scene::Scene;
use crate::support::settings::repository;

/// The demo plays this one.
const PLAYED_ELSEWHERE: &str = "howto";

/// The folders of examples/ that are applied as they stand.
pub(crate) fn folders() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(repository().join("examples")).unwrap();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    folders.retain(|path| path.is_dir() && !path.ends_with(PLAYED_ELSEWHERE));
    folders.sort();
    folders
}

/// The documents of one of its files.
pub(crate) fn objects(folder: &Path, file: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join(file)).unwrap();
    documents(&text).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
}

/// The one document of a file, a map.
pub(crate) fn map(folder: &Path, file: &str) -> Map<String, Value> {
    let document = objects(folder, file).remove(0);
    document.as_object().unwrap().clone()
}

#[test]
fn every_example_makes_the_secrets_it_promises() {
    support::run(async {
        let folders = folders();
        assert!(folders.len() >= 9, "{folders:?}");
        for folder in folders {
            let name = folder.file_name().unwrap().to_string_lossy().into_owned();
            let scene = Scene::new(&format!("example-{name}")).await;
            play(&scene, &folder).await;
            check(&scene, &folder).await;
        }
    });
}

async fn play(scene: &Scene, folder: &Path) {
    for (vault, content) in map(folder, "vault.yaml") {
        scene.bed().seed(&vault, content).unwrap();
    }
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace",
        "metadata": {"name": scene.namespace, "labels": {"team": "netbox"}}});
    scene.apply(namespace).await;
    let principal = json!({"client-id": azfake::CLIENT, "client-secret": azfake::CLIENT_SECRET});
    scene
        .apply(json!({"apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "azure-principal"}, "stringData": principal}))
        .await;
    for file in ["store.yaml", "externalsecret.yaml"] {
        for object in objects(folder, file) {
            let (kind, name) = (text(&object["kind"]), text(&object["metadata"]["name"]));
            let mut reference = scene.object(kind, name);
            if kind == "ClusterSecretStore" {
                reference.namespace = None;
            }
            let waits = kind != "Secret";
            scene.apply(object).await;
            if waits {
                scene.ready(&reference).await;
            }
        }
    }
}

async fn check(scene: &Scene, folder: &Path) {
    for (name, want) in map(folder, "expected.yaml") {
        let secret = scene.secret(&name).await;
        let keys = secret["data"].as_object().unwrap().keys();
        let data: Map<String, Value> = keys
            .map(|key| (key.clone(), value(&secret, key).into()))
            .collect();
        assert_eq!(Value::Object(data), want["data"], "{}", folder.display());
        if let Some(kind) = want["type"].as_str() {
            assert_eq!(secret["type"], kind, "{}", folder.display());
        }
        if !want["immutable"].is_null() {
            assert_eq!(
                secret["immutable"],
                want["immutable"],
                "{}",
                folder.display()
            );
        }
        for (label, wanted) in want["labels"].as_object().into_iter().flatten() {
            assert_eq!(
                secret["metadata"]["labels"][label],
                *wanted,
                "{}",
                folder.display()
            );
        }
    }
}
