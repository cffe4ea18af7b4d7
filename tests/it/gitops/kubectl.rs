//! The page's commands by a shell, and `kubectl wait` where something is wrong.

use serde_json::{Value, json};

use super::page;
use crate::support::manifests::external_secret;
use crate::support::run;
use crate::support::scene::{Scene, eventually};
use crate::support::shell;

#[test]
fn the_commands_of_the_page_on_gitops_do_what_it_says() {
    run(async {
        let scene = Scene::new("page-gitops").await;
        page::prepare(&scene).await;
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("app.yaml"), page::application(&scene)).unwrap();
        let mark = scene.bed().azure().mark();
        // kubectl diff exits with 1 where it finds something
        let printed = shell::run(scene.bed().plane(), folder.path(), &page::commands(&scene)).await;
        let conditions = printed.matches("condition met").count();
        assert_eq!(conditions, 2, "{printed}");
        let remote = printed.lines().find(|line| line.starts_with('['));
        let remote: Value = serde_json::from_str(remote.unwrap()).unwrap();
        let id = format!("{}/secrets/db-password", scene.vault_url());
        assert_eq!(remote[0]["id"], id.as_str(), "{remote}");
        assert!(remote[0]["version"].is_string(), "{remote}");
        // once for the first sync, once because it was annotated
        eventually("a second look at the vault", async || {
            (scene.asked_since(mark).len() >= 2).then_some(())
        })
        .await;
        scene.holds("database", "DB_PASSWORD", "first").await;
    });
}

#[test]
fn kubectl_wait_does_not_take_a_failed_object_for_a_ready_one() {
    run(async {
        let scene = Scene::synced("wait-failed").await;
        let data = json!([{"secretKey": "A", "remoteRef": {"key": "absent"}}]);
        scene
            .apply(external_secret("failed", json!({"data": data})))
            .await;
        let wait = async |status: &str, name: &str, timeout: &str| {
            let arguments = [
                "wait".to_owned(),
                format!("--namespace={}", scene.namespace),
                format!("--for=condition=Ready={status}"),
                format!("--timeout={timeout}"),
                format!("externalsecret/{name}"),
            ];
            scene.bed().plane().kubectl(arguments).await.unwrap()
        };
        wait("False", "failed", "60s").await.success().unwrap();
        wait("True", "app", "60s").await.success().unwrap();
        let output = wait("True", "failed", "1s").await;
        assert_eq!(output.code, 1);
        assert!(output.stderr.contains("timed out"), "{}", output.stderr);
        // the cause goes: Ready without anybody's touch
        scene.put("absent", "here");
        wait("True", "failed", "60s").await.success().unwrap();
    });
}
