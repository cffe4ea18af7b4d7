//! Secrets that must be nowhere but in Secrets: not in the log at its most verbose, nor in events,
//! statuses or metrics.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{application, credentials_of};
use crate::support::cluster::text;
use crate::support::manifests::{external_secret, value};
use crate::support::run;
use crate::support::scene::Scene;

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

/// An ExternalSecret that reads this property of `document` into `USER`.
fn property(name: &str) -> Value {
    let remote_ref = json!({"key": "document", "property": name});
    let data = json!([{"secretKey": "USER", "remoteRef": remote_ref}]);
    external_secret(name, json!({ "data": data }))
}

/// Values on their way into Secrets, and over what somebody else put there.
async fn succeed(scene: &Scene) {
    scene.put("password", VALUE);
    scene.put("document", &json!({"user": PROPERTY}).to_string());
    scene.apply(scene.store(json!({}))).await;
    scene.apply(external_secret("app", json!({}))).await;
    scene.holds("app", "PASSWORD", VALUE).await;
    scene.apply(property("user")).await;
    scene.holds("user", "USER", PROPERTY).await;
    let all = json!({"data": null, "dataFrom": [{"extract": {"key": "document"}}]});
    scene.apply(external_secret("all", all)).await;
    scene.holds("all", "user", PROPERTY).await;

    let target = scene.object("Secret", "app");
    let by_hand = json!({"stringData": {"MORE": BY_HAND}});
    scene.patch(&target, by_hand.clone()).await;
    let repaired = |o: Option<&Value>| o.is_some_and(|o| value(o, "MORE").is_empty());
    scene.until("repaired", &target, repaired).await;
    let mut taken = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "taken"}});
    taken["stringData"] = by_hand["stringData"].clone();
    scene.apply(taken).await;
    scene.apply(external_secret("taken", json!({}))).await;
    let taken = scene.object("ExternalSecret", "taken");
    scene.event(&taken, "Warning", "Adopted", &["MORE"]).await;
}

/// The failures that have a secret at hand.
async fn fail(scene: &Scene, client: &str) {
    let remote_ref = json!({"key": "password", "decodingStrategy": "Base64"});
    let encoded = json!([{"secretKey": "A", "remoteRef": remote_ref}]);
    let members = json!([{"extract": {"key": "password"}}]);
    for (object, category, words) in [
        (
            property("absent"),
            "InvalidReference",
            "does not exist in key",
        ),
        (
            external_secret("encoded", json!({ "data": encoded })),
            "InvalidValue",
            "illegal base64 data",
        ),
        (
            external_secret("members", json!({"data": null, "dataFrom": members})),
            "InvalidReference",
            "extract takes a JSON object",
        ),
    ] {
        let name = text(&object["metadata"]["name"]).to_owned();
        scene.apply(object).await;
        let object = scene.object("ExternalSecret", &name);
        scene.fails(&object, category, &[words]).await;
    }
    let app = scene.object("ExternalSecret", "app");
    scene.apply(credentials_of(client, WRONG_SECRET)).await;
    let words = ["AADSTS7000215"];
    scene.fails(&app, "AuthenticationFailed", &words).await;
    let literal = json!({"clientSecret": LITERAL, "authSecretRef": null});
    scene.apply(scene.store(literal)).await;
    let words = ["must not be written into the store"];
    let store = scene.object("SecretStore", "kv");
    scene.fails(&store, "InvalidStore", &words).await;
}

#[test]
fn no_secret_is_told_at_the_most_verbose_level() {
    run(async {
        let scene = Scene::new("canary").await;
        let client = application(&scene, CLIENT_SECRET);
        scene.apply(credentials_of(&client, CLIENT_SECRET)).await;
        succeed(&scene).await;
        fail(&scene, &client).await;
        let secrets = [
            VALUE,
            PROPERTY,
            CLIENT_SECRET,
            WRONG_SECRET,
            LITERAL,
            BY_HAND,
        ];
        let told = scene.told().await;
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
