//! `refreshPolicy` and `refreshInterval`: who reads again and who does not.

use serde_json::{Value, json};

use crate::support::manifests::{external_secret, ready};
use crate::support::run;
use crate::support::scene::Scene;

/// A synced object with this policy, and the number of the next request.
async fn synced(prefix: &str, policy: Value) -> (Scene, u64) {
    let scene = Scene::with_store(prefix).await;
    scene.apply(external_secret("app", policy)).await;
    scene.ready(&scene.object("ExternalSecret", "app")).await;
    scene.holds("app", "PASSWORD", "first").await;
    let mark = scene.bed().azure().mark();
    (scene, mark)
}

/// Neither a new value nor a change of the object reads again; a target that went is made again.
async fn assert_read_once(scene: &Scene, mark: u64, change: Value) {
    let target = scene.secret("app").await;
    scene.put("password", "second");
    scene
        .patch(&scene.object("ExternalSecret", "app"), change)
        .await;
    scene.reconciled("app").await;
    assert_eq!(scene.asked_since(mark), []);
    scene.assert_untouched(&target).await;
    scene.delete(&scene.object("Secret", "app")).await;
    scene.holds("app", "PASSWORD", "second").await;
}

#[test]
fn created_once_reads_once_whatever_changes() {
    run(async {
        let policy = json!({"refreshPolicy": "CreatedOnce", "refreshInterval": "1s"});
        let (scene, mark) = synced("once", policy).await;
        assert_read_once(&scene, mark, json!({"spec": {"refreshInterval": "2s"}})).await;
    });
}

#[test]
fn an_interval_of_zero_reads_once_whatever_changes() {
    run(async {
        let (scene, mark) = synced("zero", json!({"refreshInterval": "0"})).await;
        assert_read_once(&scene, mark, json!({"metadata": {"labels": {"team": "a"}}})).await;
    });
}

#[test]
fn on_change_follows_the_object_and_not_the_clock() {
    run(async {
        let policy = json!({"refreshPolicy": "OnChange", "refreshInterval": "1s"});
        let (scene, _) = synced("on-change", policy).await;
        // a periodic one beside it that reads every second is the clock
        scene.put("password", "second");
        scene
            .apply(external_secret("clock", json!({"refreshInterval": "1s"})))
            .await;
        for value in ["second", "third", "fourth"] {
            scene.put("password", value);
            scene.holds("clock", "PASSWORD", value).await;
        }
        scene.holds("app", "PASSWORD", "first").await;
        scene
            .patch(
                &scene.object("ExternalSecret", "app"),
                json!({"spec": {"refreshInterval": "2s"}}),
            )
            .await;
        scene.holds("app", "PASSWORD", "fourth").await;
    });
}

/// A failure that no longer holds is not told for ever by an object that reads no more.
#[test]
fn a_failure_that_mended_itself_is_not_told_for_ever() {
    run(async {
        let policy = json!({"refreshPolicy": "CreatedOnce"});
        let (scene, _) = synced("mended", policy).await;
        let (app, target) = (
            scene.object("ExternalSecret", "app"),
            scene.object("Secret", "app"),
        );
        let before = scene.secret("app").await;
        scene.fault(&json!({"status": 403}));
        scene
            .patch(&target, json!({"stringData": {"PASSWORD": "by hand"}}))
            .await;
        scene.fails(&app, "AccessDenied", &["spec.data[0]"]).await;
        scene.patch(&target, json!({"data": before["data"]})).await;
        let told = scene.ready(&app).await;
        assert_eq!(ready(&told)["reason"], "SecretSynced");
        assert_eq!(scene.secret("app").await["data"], before["data"]);
    });
}

#[test]
fn a_failed_change_that_is_taken_back_is_tried_again() {
    run(async {
        let (scene, _) = synced("taken-back", json!({})).await;
        let app = scene.object("ExternalSecret", "app");
        let labelled = |team: Value| json!({"metadata": {"labels": {"team": team}}});
        scene.fault(&json!({"status": 403}));
        scene.patch(&app, labelled(json!("a"))).await;
        scene.fails(&app, "AccessDenied", &["spec.data[0]"]).await;
        scene.patch(&app, labelled(Value::Null)).await;
        scene.put("password", "second");
        scene.fault(&Value::Null);
        scene.holds("app", "PASSWORD", "second").await;
        scene.ready(&app).await;
    });
}
