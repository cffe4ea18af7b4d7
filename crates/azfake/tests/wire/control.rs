//! The control API over HTTP, with the calls that the golden runner makes.

use azfake::{CLIENT, TENANT};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Bed, no_body};

#[tokio::test]
async fn a_golden_case_can_be_driven() {
    let bed = Bed::start().await;
    let post = async |path: &str, body: Value| bed.call(Method::POST, path, body).await;
    let get = async |path: &str| bed.call(Method::GET, path, no_body()).await.json();
    let seed = json!({"g-a--kv": {"secrets": {"db": {"value": "x", "tags": {"env": "dev"}}, "many": {"versions": [{"value": "a"}, {"value": "b"}]}}}});
    assert_eq!(post("/seed", seed).await.json(), json!({}));
    let mark = get("/mark").await["mark"].as_u64().unwrap();
    let token = bed.token().await;
    let url = |path: &str| format!("https://g-a--kv.vault.azure.net{path}?api-version=7.0");
    let read = bed
        .http
        .get(url("/secrets/many/"))
        .bearer_auth(&token)
        .send()
        .await
        .unwrap();
    assert_eq!(read.status(), 200);
    let write = bed
        .http
        .put(url("/secrets/new"))
        .bearer_auth(&token)
        .body("{\"value\":\"n\"}")
        .send()
        .await
        .unwrap();
    assert_eq!(write.status(), 200);
    let log = get(&format!("/log?since={mark}&host=g-a--")).await;
    assert_eq!(log["mark"], mark + 3);
    let lines: Vec<_> = log["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            format!(
                "{} {} {}",
                entry["method"].as_str().unwrap(),
                entry["path"].as_str().unwrap(),
                entry["status"]
            )
        })
        .collect();
    assert_eq!(lines, ["GET /secrets/many/ 200", "PUT /secrets/new 200"]);
    let written = get("/dump?written=1&prefix=g-a--").await;
    assert_eq!(
        written,
        json!({"g-a--kv": {"secrets": {"new": {"enabled": true, "value": "n", "versions": 1}}}})
    );
    let all = get("/dump?prefix=g-a--kv").await;
    assert_eq!(all["g-a--kv"]["secrets"]["many"]["versions"], 2);
    post("/seed", json!({"g-a--kv": {"secrets": {"db": null}}})).await;
    assert_eq!(
        get("/dump?prefix=g-a--").await["g-a--kv"]["secrets"]["db"]["deleted"],
        true
    );
    assert_eq!(get("/counters").await["entra"]["token"], 1);
    assert!(get("/counters").await["connections"]["all"]["peak"].as_u64() >= Some(2));
    post("/reset?vaults=g-a--", no_body()).await;
    assert_eq!(get("/dump").await, json!({}));
}

#[tokio::test]
async fn faults_identities_and_permissions_are_set() {
    let bed = Bed::start().await;
    bed.seed(&[("db", "x")]);
    let post = async |path: &str, body: Value| {
        assert_eq!(bed.call(Method::POST, path, body).await.json(), json!({}));
    };
    post(
        "/fault",
        json!({"kv": {"status": 503, "times": 1, "retryAfter": 1}}),
    )
    .await;
    let busy = bed.get("/secrets/db").await;
    assert_eq!(
        (busy.status, busy.headers["retry-after"].to_str().unwrap()),
        (503, "1")
    );
    post(
        "/fault",
        json!({"kv": [{"status": 500}, {"status": 403}], "*": null}),
    )
    .await;
    assert_eq!(bed.get("/secrets/db").await.status, 500);
    post("/fault", json!({"kv": null})).await;
    assert_eq!(bed.get("/secrets/db").await.status, 200);
    post("/permissions", json!({CLIENT: {"kv": ["list"]}})).await;
    assert_eq!(bed.get("/secrets/db").await.status, 403);
    post("/permissions", json!({CLIENT: {"kv": null}})).await;
    post("/entra", json!({TENANT: {CLIENT: {"secrets": ["next"]}}})).await;
    assert_eq!(bed.token_of(CLIENT, "next").await.split('.').count(), 3);
    post("/entra", json!({TENANT: {CLIENT: null}})).await;
    let gone = bed
        .sign_in(TENANT, &[("client_id", CLIENT), ("client_secret", "next")])
        .await;
    assert_eq!(gone.json()["error_codes"][0], 700_016);
    post("/reset?log=1", no_body()).await;
    assert!(bed.control().requests().is_empty());
}

#[tokio::test]
async fn mistakes_are_told() {
    let bed = Bed::start().await;
    for (method, path, body, status) in [
        (Method::POST, "/seed", json!({"kv": {"secret": {}}}), 400),
        (
            Method::POST,
            "/seed",
            json!({"kv": {"keys": {"k": {"kty": "RSA"}}}}),
            400,
        ),
        (Method::POST, "/fault", json!({"kv": {"statuss": 1}}), 400),
        (Method::GET, "/log?since=x", no_body(), 400),
        (Method::GET, "/nowhere", no_body(), 404),
    ] {
        let answer = bed.call(method, path, body).await;
        assert_eq!(answer.status, status, "{path}");
        assert!(!answer.json()["error"].as_str().unwrap().is_empty());
    }
    assert!(
        bed.call(Method::GET, "/", no_body())
            .await
            .text
            .contains("POST /seed")
    );
    assert_eq!(
        bed.call(Method::GET, "/ca.pem", no_body()).await.text,
        bed.fake.ca_pem()
    );
}
