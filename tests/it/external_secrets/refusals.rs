//! What a vault says no to: the object tells it, the target keeps its content, and the next try
//! after the vault changed its mind succeeds without anybody's doing.

use azfake::LoggedRequest;
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use crate::support::run;
use crate::support::scene::Scene;

/// A synced object whose vault refuses from `refuse` on, and serves `second` after `allow`.
async fn assert_refusal(
    scene: &Scene,
    (refuse, allow): (impl Fn(), impl Fn()),
    category: &str,
    words: &[&str],
) {
    let app = scene.object("ExternalSecret", "app");
    let target = scene.secret("app").await;
    refuse();
    scene.force("app").await;
    let entry = ["spec.data[0]", "key: password"];
    let told = scene
        .fails(&app, category, &[&entry[..], words].concat())
        .await;
    // what was synced is still on record
    assert_eq!(told["status"]["binding"]["name"], "app");
    assert!(told["status"]["refreshTime"].is_string());
    scene.assert_untouched(&target).await;
    allow();
    scene.holds("app", "PASSWORD", "second").await;
    scene.ready(&app).await;
}

fn fault(scene: &Scene, fault: Value) -> (impl Fn(), impl Fn()) {
    let refuse = move || scene.fault(&fault);
    let allow = || {
        scene.put("password", "second");
        scene.fault(&Value::Null);
    };
    (refuse, allow)
}

#[test]
fn a_secret_that_the_vault_does_not_have_is_named() {
    run(async {
        let scene = Scene::synced("missing").await;
        let refuse = || {
            scene
                .bed()
                .azure()
                .delete_secret(&scene.namespace, "password");
        };
        let allow = || scene.put("password", "second");
        let words = [
            "Secret does not exist: \"password\" in SecretStore \"kv\"",
            "create or recover it in the vault, or correct remoteRef",
        ];
        assert_refusal(&scene, (refuse, allow), "SecretNotFound", &words).await;
    });
}

#[test]
fn a_disabled_secret_is_told_apart_from_missing_rights() {
    run(async {
        let scene = Scene::synced("disabled").await;
        let enabled = |enabled: bool| {
            let content = json!({"secrets": {"password": {"enabled": enabled}}});
            scene.bed().seed(&scene.namespace, content).unwrap();
        };
        let allow = || scene.put("password", "second");
        let words = [
            "access denied (SecretDisabled) to secret \"password\"",
            "enable the secret",
        ];
        assert_refusal(&scene, (|| enabled(false), allow), "AccessDenied", &words).await;
    });
}

#[test]
fn missing_rights_are_told_with_the_role_to_grant() {
    run(async {
        for (code, remedy) in [
            ("ForbiddenByRbac", "the role Key Vault Secrets User"),
            ("ForbiddenByPolicy", "the secret permission Get"),
            (
                "ForbiddenByFirewall",
                "allow the cluster's outgoing address",
            ),
        ] {
            let scene = Scene::synced("forbidden").await;
            let denied = format!("access denied ({code}) to secret \"password\"");
            let answer = json!({"status": 403, "innerCode": code});
            assert_refusal(
                &scene,
                fault(&scene, answer),
                "AccessDenied",
                &[&denied, remedy],
            )
            .await;
        }
    });
}

#[test]
fn an_answer_that_is_no_vaults_does_not_make_a_secret_missing() {
    run(async {
        let scene = Scene::synced("proxy-404").await;
        let answer = json!({"status": 404, "body": "<html>Not Found</html>"});
        let words = [
            "is unavailable",
            "HTTP 404, not from Key Vault",
            "check for a proxy in between",
        ];
        assert_refusal(&scene, fault(&scene, answer), "VaultUnavailable", &words).await;
    });
}

#[test]
fn a_throttled_read_waits_as_long_as_the_vault_asks() {
    run(async {
        let scene = Scene::synced("throttled").await;
        let mark = scene.bed().azure().mark();
        let answer = json!({"status": 429, "retryAfter": 4});
        let host = format!("throttled by {}.vault.azure.net", scene.namespace);
        let words = [host.as_str(), "raise spec.refreshInterval"];
        assert_refusal(&scene, fault(&scene, answer), "Throttled", &words).await;
        let asked = scene.asked_since(mark);
        assert_eq!(asked[0].status, 429, "{asked:?}");
        let at = |request: &LoggedRequest| request.time.parse::<Timestamp>().unwrap();
        for pair in asked.windows(2).filter(|pair| pair[0].status == 429) {
            let pause = at(&pair[1]).duration_since(at(&pair[0])).as_secs_f64();
            assert!(pause > 3.9, "asked again after {pause} s: {asked:?}");
        }
    });
}
