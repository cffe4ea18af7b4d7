//! Specs that cannot be synced as written.

use serde_json::json;

use crate::support::manifests::external_secret;
use crate::support::run;
use crate::support::scene::Scene;

#[test]
fn a_store_that_does_not_exist_is_named_and_its_coming_is_noticed() {
    run(async {
        let scene = Scene::synced("no-store").await;
        let app = scene.object("ExternalSecret", "app");
        let target = scene.secret("app").await;
        scene
            .apply(external_secret(
                "app",
                json!({"secretStoreRef": {"name": "nowhere"}}),
            ))
            .await;
        let words = [
            "spec.data[0]",
            "key: password",
            "could not get SecretStore \"nowhere\"",
            "not found; create it, or correct secretStoreRef",
        ];
        scene.fails(&app, "StoreNotFound", &words).await;
        scene.assert_untouched(&target).await;
        scene.put("password", "second");
        let mut store = scene.store(json!({}));
        store["metadata"]["name"] = json!("nowhere");
        scene.apply(store).await;
        scene.holds("app", "PASSWORD", "second").await;
        scene.ready(&app).await;
    });
}

#[test]
fn a_name_that_key_vault_cannot_have_never_reaches_it() {
    run(async {
        let scene = Scene::synced("bad-key").await;
        let app = scene.object("ExternalSecret", "app");
        let target = scene.secret("app").await;
        let mark = scene.bed().azure().mark();
        for (key, words) in [
            (
                "../keys/k",
                [
                    "remoteRef.key begins with \"..\"",
                    "write NAME, secret/NAME, key/NAME or cert/NAME",
                ],
            ),
            (
                "secret/..",
                [
                    "remoteRef.key: \"..\" is not a name",
                    "write 1 to 127 letters, digits and hyphens",
                ],
            ),
            (
                "a?api-version=1",
                [
                    "remoteRef.key: \"a?api-version=1\"",
                    "write 1 to 127 letters, digits and hyphens",
                ],
            ),
        ] {
            let data = json!([{"secretKey": "PASSWORD", "remoteRef": {"key": key}}]);
            scene
                .apply(external_secret("app", json!({"data": data})))
                .await;
            let entry = format!("spec.data[0] (key: {key})");
            scene
                .fails(
                    &app,
                    "InvalidReference",
                    &[&[entry.as_str()][..], &words].concat(),
                )
                .await;
        }
        let data =
            json!([{"secretKey": "PASSWORD", "remoteRef": {"key": "password", "version": "../x"}}]);
        scene
            .apply(external_secret("app", json!({"data": data})))
            .await;
        let words = [
            "spec.data[0]",
            "remoteRef.version: \"../x\" is not a version id",
            "or nothing for the latest",
        ];
        scene.fails(&app, "InvalidReference", &words).await;
        assert_eq!(scene.asked_since(mark), []);
        scene.assert_untouched(&target).await;

        scene.put("password", "second");
        scene.apply(external_secret("app", json!({}))).await;
        scene.holds("app", "PASSWORD", "second").await;
        scene.ready(&app).await;
    });
}

#[test]
fn a_property_that_the_value_lacks_is_named_and_the_value_is_not() {
    run(async {
        let scene = Scene::synced("property").await;
        let app = scene.object("ExternalSecret", "app");
        let target = scene.secret("app").await;
        scene.put("password", r#"{"user": "somebody-in-particular"}"#);
        let data = json!([{"secretKey": "PASSWORD", "remoteRef": {"key": "password", "property": "pass.word"}}]);
        scene
            .apply(external_secret("app", json!({"data": data})))
            .await;
        let words = [
            "spec.data[0]",
            "property pass.word does not exist in key password",
            "check remoteRef.property",
        ];
        let told = scene.fails(&app, "InvalidReference", &words).await;
        assert!(!told["status"].to_string().contains("somebody"));
        scene.assert_untouched(&target).await;
    });
}

/// The schema says what ESO's webhook says, so nothing of this gets as far as the operator.
#[test]
fn what_the_schema_refuses_leaves_the_present_object_at_work() {
    run(async {
        let scene = Scene::synced("schema").await;
        let entry = |key: &str| json!({"secretKey": key, "remoteRef": {"key": "password"}});
        for (spec, words) in [
            (
                json!({"data": [entry("A"), entry("B"), entry("A")]}),
                ["spec", "duplicate secretKey found"],
            ),
            (
                json!({"data": [entry("a b")]}),
                ["spec.data[0].secretKey", "should match"],
            ),
            (
                json!({"refreshInterval": "1d"}),
                ["spec.refreshInterval", "must be a duration such as"],
            ),
            (
                json!({"refreshInterval": "soon"}),
                ["spec.refreshInterval", "must be a duration such as"],
            ),
            (
                json!({"refreshPolicy": "Sometimes"}),
                ["spec.refreshPolicy", "supported values"],
            ),
            (
                json!({"target": {"name": "Not_A_Name"}}),
                ["spec.target.name", "should match"],
            ),
            (
                json!({"target": {"name": ""}}),
                ["spec.target.name", "at least 1 chars"],
            ),
            (
                json!({"target": {"name": "../kube-system/x"}}),
                ["spec.target.name", "should match"],
            ),
            (
                json!({"data": null}),
                ["spec", "either data or dataFrom should be specified"],
            ),
            (
                json!({"secretStoreRef": {"name": "kv", "kind": "Vault"}}),
                ["spec.secretStoreRef.kind", "supported values"],
            ),
        ] {
            let refused = scene.refused(external_secret("app", spec.clone())).await;
            for word in words {
                assert!(refused.contains(word), "{spec}: {refused}");
            }
        }
        scene.put("password", "second");
        scene.force("app").await;
        scene.holds("app", "PASSWORD", "second").await;
        scene.ready(&scene.object("ExternalSecret", "app")).await;
    });
}
