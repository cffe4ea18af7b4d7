//! Secrets that must be nowhere but in Secrets: not in the log at its most verbose, nor in events,
//! statuses or metrics.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::application;
use crate::support::run;
use crate::support::scene::{Scene, credentials, external_secret, value};

const VALUE: &str = "canary-value-6b1f0c52";
const PROPERTY: &str = "canary-property-0d9ae1c7";
const CLIENT_SECRET: &str = "canary-client-secret-93c4f7aa";
const WRONG_SECRET: &str = "canary-wrong-secret-51e80b3d";
const LITERAL: &str = "canary-literal-c27d6e19";
const BY_HAND: &str = "canary-by-hand-8840fd6e";

/// The ways in which a secret may be written.
fn forms(secret: &str) -> Vec<String> {
    let bytes = format!("{:?}", secret.as_bytes());
    vec![
        secret.to_owned(),
        // without the last characters, which depend on what follows
        STANDARD.encode(secret).trim_end_matches('=')[..20].to_owned(),
        URL_SAFE_NO_PAD.encode(secret)[..20].to_owned(),
        bytes.trim_matches(['[', ']']).to_owned(),
    ]
}

/// Goes through success and the failures that have a secret at hand.
async fn live(scene: &Scene) {
    let client = application(scene, &json!([CLIENT_SECRET]));
    let with_secret = |secret: &str| {
        let mut creds = credentials(secret);
        creds["stringData"]["id"] = json!(client);
        creds
    };
    let (store, app) = (
        scene.object("SecretStore", "kv"),
        scene.object("ExternalSecret", "app"),
    );
    scene.put("password", VALUE);
    scene.put("document", &json!({"user": PROPERTY}).to_string());
    scene.apply(with_secret(CLIENT_SECRET)).await;
    scene.apply(scene.store(json!({}))).await;
    scene.apply(external_secret("app", json!({}))).await;
    scene.holds("app", "PASSWORD", VALUE).await;
    let property = |name: &str| {
        let remote_ref = json!({"key": "document", "property": name});
        external_secret(
            name,
            json!({"data": [{"secretKey": "USER", "remoteRef": remote_ref}]}),
        )
    };
    scene.apply(property("user")).await;
    scene.holds("user", "USER", PROPERTY).await;
    scene.apply(property("absent")).await;
    scene
        .fails(
            &scene.object("ExternalSecret", "absent"),
            "InvalidReference",
            &["property absent"],
        )
        .await;
    scene
        .patch(
            &scene.object("Secret", "app"),
            json!({"stringData": {"MORE": BY_HAND}}),
        )
        .await;
    scene
        .until("repaired", &scene.object("Secret", "app"), |o| {
            o.is_some_and(|o| value(o, "MORE").is_empty())
        })
        .await;
    scene.apply(json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "taken"}, "stringData": {"OLD": BY_HAND}})).await;
    scene.apply(external_secret("taken", json!({}))).await;
    scene
        .event(
            &scene.object("ExternalSecret", "taken"),
            "Warning",
            "Adopted",
            &["OLD"],
        )
        .await;
    scene.apply(with_secret(WRONG_SECRET)).await;
    scene
        .fails(&app, "AuthenticationFailed", &["AADSTS7000215"])
        .await;
    scene
        .apply(scene.store(json!({"clientSecret": LITERAL, "authSecretRef": null})))
        .await;
    scene
        .fails(
            &store,
            "InvalidStore",
            &["must not be written into the store"],
        )
        .await;
}

/// All that is told about this scene, by where.
async fn told(scene: &Scene) -> Vec<(&'static str, String)> {
    let mut statuses = Vec::new();
    for kind in ["ExternalSecret", "SecretStore"] {
        let objects = scene
            .bed()
            .cluster()
            .list(kind, Some(&scene.namespace))
            .await
            .unwrap();
        statuses.extend(objects.into_iter().map(|object| object["status"].clone()));
    }
    let events = scene
        .bed()
        .cluster()
        .events(&scene.namespace)
        .await
        .unwrap();
    vec![
        ("the log", scene.operator().log().unwrap()),
        ("events", Value::from(events).to_string()),
        ("statuses", Value::from(statuses).to_string()),
        ("metrics", scene.operator().metrics().await.unwrap()),
    ]
}

#[test]
fn no_secret_is_told_at_the_most_verbose_level() {
    run(async {
        let scene = Scene::new("canary").await;
        live(&scene).await;
        let secrets = [
            VALUE,
            PROPERTY,
            CLIENT_SECRET,
            WRONG_SECRET,
            LITERAL,
            BY_HAND,
        ];
        let told = told(&scene).await;
        for (place, text) in &told {
            assert!(!text.is_empty(), "{place} is empty");
            for form in secrets.iter().flat_map(|secret| forms(secret)) {
                let line = text.lines().find(|line| line.contains(&form));
                assert_eq!(line, None, "{form} is in {place}");
            }
            // tokens are JWTs, Kubernetes' and Entra's
            let line = text.lines().find(|line| line.contains("eyJ"));
            assert_eq!(line, None, "a token is in {place}");
        }
        let log = &told[0].1;
        assert!(
            log.contains(&scene.namespace),
            "the log is of something else"
        );
        for level in ["TRACE", "DEBUG"] {
            assert!(
                log.contains(&format!("\"level\":\"{level}\"")),
                "no {level} lines"
            );
        }
    });
}
