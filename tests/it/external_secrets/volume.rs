//! More than anybody should keep in one Secret: what is too much is told before it is tried, and
//! what fits is synced, however many pages and reads it takes.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::cluster::text;
use crate::support::manifests::{external_secret, ready, value};
use crate::support::run;
use crate::support::scene::Scene;

/// Key Vault's largest value is 25 kB.
const LARGE: usize = 24_000;
/// 25 entries a page.
const MANY: usize = 5000;
/// 20 s for a build without optimisation that has the machine to itself; a reconcile ends after 120.
const TIME_TO_READ: Duration = Duration::from_secs(115);

/// Reads every secret whose name begins so.
fn found(prefix: &str) -> Value {
    let find = json!([{"find": {"name": {"regexp": format!("^{prefix}-")}}}]);
    external_secret("app", json!({"data": null, "dataFrom": find}))
}

fn keys(secret: &Value) -> usize {
    secret["data"].as_object().map_or(0, serde_json::Map::len)
}

#[test]
fn more_than_a_secret_holds_is_told_with_sizes_and_never_sent() {
    run(async {
        let scene = Scene::synced("large").await;
        let app = scene.object("ExternalSecret", "app");
        let target = scene.secret("app").await;
        for part in 0..45 {
            scene.put(&format!("part-{part:02}"), &"x".repeat(LARGE));
        }
        scene.apply(found("part")).await;
        let words = [
            "the data of secret app would be 1080000 bytes in 45 keys",
            "a Secret holds 1048576 bytes (1 MiB)",
            "the largest is part-44 with 24000 bytes",
            "read less into it, or give parts of it to other ExternalSecrets",
        ];
        scene.fails(&app, "TargetTooLarge", &words).await;
        scene.assert_untouched(&target).await;
        assert_eq!(scene.api_calls("update", "secrets").len(), 0);

        for part in 43..45 {
            let name = format!("part-{part:02}");
            scene.bed().azure().delete_secret(&scene.namespace, &name);
        }
        let has_all = |o: Option<&Value>| o.is_some_and(|o| keys(o) == 43);
        scene
            .until("43 keys", &scene.object("Secret", "app"), has_all)
            .await;
        scene.ready(&app).await;
    });
}

/// Names count twice there: in the data, and in the record of who wrote what.
#[test]
fn what_the_database_does_not_take_is_told_with_what_it_said() {
    run(async {
        let scene = Scene::synced("etcd").await;
        let app = scene.object("ExternalSecret", "app");
        let target = scene.secret("app").await;
        let long_names =
            "{{ range $i := until 4000 }}{{ printf \"%0250d\" $i | quote }}: x\n{{ end }}";
        let template = json!({
            "data": {"a": "{{ repeat 1000000 \"x\" }}"},
            "templateFrom": [{"literal": long_names}],
        });
        scene
            .apply(external_secret(
                "app",
                json!({"target": {"template": template}}),
            ))
            .await;
        let words = [
            "unable to write secret app",
            "larger than the cluster stores",
            "take fewer or shorter ones",
            "etcdserver: request is too large",
        ];
        scene.fails(&app, "TargetTooLarge", &words).await;
        scene.assert_untouched(&target).await;
    });
}

/// It refuses letters of other scripts, and says so of each key: more than a status can hold.
#[test]
fn a_thousand_refused_keys_are_told_in_a_message_that_can_be_stored() {
    run(async {
        let scene = Scene::synced("refused-keys").await;
        let app = scene.object("ExternalSecret", "app");
        let target = scene.secret("app").await;
        let names = (0..1000).map(|index| format!(r#""é{index}": "x""#));
        let conf = names.collect::<Vec<_>>().join(",");
        scene.put("conf", &format!("{{{conf}}}"));
        let extract = json!({"data": null, "dataFrom": [{"extract": {"key": "conf"}}]});
        scene.apply(external_secret("app", extract)).await;
        let words = [
            "unable to update secret app: Secret \"app\" is invalid",
            "Invalid value: \"é",
        ];
        let told = scene.fails(&app, "KubernetesRefused", &words).await;
        let message = text(&ready(&told)["message"]).to_owned();
        assert!(message.len() < 5000, "{} bytes", message.len());
        scene.assert_untouched(&target).await;
    });
}

#[test]
fn five_thousand_secrets_make_one_target() {
    run(async {
        let scene = Scene::synced("many").await;
        let app = scene.object("ExternalSecret", "app");
        for index in 0..MANY {
            scene.put(&format!("item-{index:04}"), &format!("value {index}"));
        }
        let mark = scene.bed().azure().mark();
        scene.apply(found("item")).await;
        let has_all = |o: Option<&Value>| o.is_some_and(|o| keys(o) == MANY);
        let target = scene.object("Secret", "app");
        let target = scene
            .bed()
            .wait_for("5000 keys", &target, TIME_TO_READ, has_all)
            .await;
        let target = target.unwrap().unwrap();
        assert_eq!(value(&target, "item-4999"), "value 4999");
        let told = scene.ready(&app).await;
        assert_eq!(text(&ready(&told)["message"]), "secret synced");
        // 5,001 secrets at 25 a page, and one read each of those that match
        let asked = scene.asked_since(mark);
        let (reads, pages): (Vec<_>, Vec<_>) = asked
            .iter()
            .partition(|request| request.path.starts_with("/secrets/"));
        assert_eq!((reads.len(), pages.len()), (MANY, MANY / 25 + 1));
        assert_eq!(scene.api_calls("update", "secrets").len(), 1);
    });
}
