//! Argo CD's action on ExternalSecrets.

use serde_json::{Value, json};

use super::gitops;
use crate::support::manifests::external_secret;
use crate::support::run;
use crate::support::scene::Scene;

async fn actions(scene: &Scene, object: &Value) -> Value {
    gitops(scene, &["actions"], object).await
}

#[test]
fn the_refresh_action_of_argo_cd_has_the_vault_read_at_once() {
    run(async {
        let scene = Scene::synced("refresh-action").await;
        let app = scene.object("ExternalSecret", "app");
        let before = scene.ready(&app).await;
        assert_eq!(actions(&scene, &before).await, json!({"refresh": true}));
        scene.put("password", "second");
        let mut after = gitops(&scene, &["act", "refresh"], &before).await;
        let annotations = after["metadata"]["annotations"].take();
        assert!(annotations["force-sync"].is_string(), "{annotations}");
        after["metadata"]["annotations"] = before["metadata"]["annotations"].clone();
        if before["metadata"]["annotations"].is_null() {
            let metadata = after["metadata"].as_object_mut().unwrap();
            metadata.remove("annotations");
        }
        assert_eq!(after, before, "it changes nothing but annotations");
        let patch = json!({"metadata": {"annotations": annotations}});
        scene.patch(&app, patch).await;
        scene.holds("app", "PASSWORD", "second").await;
        let annotations = &scene.ready(&app).await["metadata"]["annotations"];
        assert!(annotations["force-sync"].is_string(), "{annotations}");
    });
}

#[test]
fn the_refresh_action_is_disabled_where_nothing_is_refreshed() {
    run(async {
        let scene = Scene::with_store("refresh-never").await;
        for interval in ["0", "0s"] {
            let more = json!({"refreshInterval": interval});
            scene.apply(external_secret("app", more)).await;
            let app = scene.ready(&scene.object("ExternalSecret", "app")).await;
            assert_eq!(actions(&scene, &app).await, json!({"refresh": false}));
        }
    });
}
