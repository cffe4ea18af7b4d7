//! Secrets, keys and certificates through the data plane.

use std::collections::BTreeMap;

use azfake::{CertificateContent, Content, KeyContent, Options, SecretContent};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Bed, VAULT, send};

fn names(answer: &Value) -> Vec<&str> {
    let items = answer["value"].as_array().unwrap().iter();
    items
        .map(|item| item["id"].as_str().unwrap().rsplit('/').next().unwrap())
        .collect()
}

#[tokio::test]
async fn a_request_without_token_is_challenged() {
    let bed = Bed::start().await;
    let answer = bed.vault(Method::GET, "", "/secrets/db", None).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (401, "Unauthorized")
    );
    assert_eq!(
        answer.headers["www-authenticate"],
        "Bearer authorization=\"https://login.microsoftonline.com/11111111-1111-1111-1111-111111111111\", \
         resource=\"https://vault.azure.net\""
    );
    assert!(answer.headers.contains_key("x-ms-request-id"));
}

#[tokio::test]
async fn api_versions_are_checked() {
    let bed = Bed::start().await;
    let token = bed.token().await;
    for (query, status) in [
        ("", 400),
        ("?api-version=6.0", 400),
        ("?api-version=7.9", 400),
        ("?api-version=2016-10-01", 400),
        ("?api-version=7.0", 200),
        ("?api-version=7.6", 200),
        ("?api-version=2025-07-01", 200),
        ("?api-version=2026-03-01-preview", 200),
    ] {
        let request = bed
            .http
            .get(format!("https://{VAULT}/secrets{query}"))
            .bearer_auth(&token);
        assert_eq!(send(request).await.unwrap().status, status, "{query}");
    }
}

#[tokio::test]
async fn versions_are_read_one_by_one() {
    let bed = Bed::start().await;
    let first = bed.control().set_secret("kv", "many", "a");
    bed.control().set_secret("kv", "many", "b");
    let latest = bed.get("/secrets/MANY/").await.json();
    assert_eq!(latest["value"], "b");
    assert_eq!(latest["attributes"]["updated"], 1_735_689_660);
    let old = bed.get(&format!("/secrets/many/{first}")).await.json();
    assert_eq!(
        (&old["value"], &old["id"]),
        (
            &"a".into(),
            &format!("https://{VAULT}/secrets/many/{first}").into()
        )
    );
    let listed = bed.get("/secrets/many/versions?maxresults=1").await.json();
    assert_eq!(names(&listed), [first.as_str()]);
    let next = listed["nextLink"]
        .as_str()
        .unwrap()
        .strip_prefix(&format!("https://{VAULT}"))
        .unwrap();
    let rest = bed.get(next).await.json();
    assert_eq!((names(&rest).len(), &rest["nextLink"]), (1, &Value::Null));
    assert_eq!(
        bed.get("/secrets/none/versions").await.json()["value"],
        json!([])
    );
    let unknown = bed
        .get("/secrets/many/00000000000000000000000000000000")
        .await;
    assert_eq!(
        (unknown.status, unknown.code().as_str()),
        (404, "SecretNotFound")
    );
    assert!(
        unknown
            .text
            .contains("(name/id) many/00000000000000000000000000000000 was not found")
    );
}

#[tokio::test]
async fn listings_come_in_pages_of_25() {
    let bed = Bed::start().await;
    let secrets: BTreeMap<_, _> = (0..60)
        .map(|number| (format!("item-{number:03}"), Some(SecretContent::value("v"))))
        .collect();
    bed.control()
        .seed(
            "kv",
            Content {
                secrets,
                ..Content::default()
            },
        )
        .unwrap();
    bed.control().delete_secret("kv", "item-059");
    bed.control().set_secret("kv", "item-060", "v");
    let token = bed.token().await;
    let (mut path, mut pages, mut seen) = ("/secrets".to_owned(), Vec::new(), Vec::new());
    loop {
        let page = bed.vault(Method::GET, &token, &path, None).await.json();
        pages.push(names(&page).len());
        seen.extend(names(&page).iter().map(ToString::to_string));
        assert!(
            page["value"]
                .as_array()
                .unwrap()
                .iter()
                .all(|item| item.get("value").is_none())
        );
        let Some(next) = page["nextLink"].as_str() else {
            break;
        };
        path = next
            .strip_prefix(&format!("https://{VAULT}"))
            .unwrap()
            .replace("api-version=7.6&", "");
    }
    assert_eq!(pages, [25, 25, 10]);
    assert!(
        seen.is_sorted()
            && seen.contains(&"item-060".to_owned())
            && !seen.contains(&"item-059".to_owned())
    );
    let logged: Vec<_> = bed
        .control()
        .requests()
        .into_iter()
        .filter(|entry| entry.op == "secrets.list")
        .collect();
    assert_eq!(
        logged[1].path,
        "/secrets?%24skiptoken=aXRlbS0wMjU%3D&maxresults=25"
    );
    for bad in ["maxresults=26", "maxresults=0", "%24skiptoken=!"] {
        assert_eq!(
            bed.get(&format!("/secrets?{bad}")).await.status,
            400,
            "{bad}"
        );
    }
}

#[tokio::test]
async fn a_client_sets_and_changes() {
    let bed = Bed::start().await;
    let token = bed.token().await;
    let ask = async |method, path: &str, body| bed.vault(method, &token, path, body).await.json();
    let body = json!({
        "value": "one", "contentType": "text/plain", "tags": {"env": "dev"},
        "attributes": {"exp": 4_000_000_000_i64},
    });
    let set = ask(Method::PUT, "/secrets/db", Some(body)).await;
    assert_eq!(set["value"], "one");
    assert_eq!(set["contentType"], "text/plain");
    assert_eq!(set["tags"], json!({"env": "dev"}));
    let attributes = json!({
        "enabled": true, "exp": 4_000_000_000_i64, "created": 1_735_689_600, "updated": 1_735_689_600,
        "recoveryLevel": "Recoverable+Purgeable", "recoverableDays": 90,
    });
    assert_eq!(set["attributes"], attributes);
    let change = json!({"tags": {"env": "prod"}, "attributes": {"enabled": false}});
    let updated = ask(Method::PATCH, "/secrets/db/", Some(change)).await;
    assert_eq!(
        (&updated["tags"]["env"], updated.get("value")),
        (&"prod".into(), None)
    );
    assert_eq!(updated["attributes"]["enabled"], false);
    assert_eq!(updated["attributes"]["updated"], 1_735_689_601);
    assert_eq!(
        (&updated["contentType"], &updated["id"]),
        (&set["contentType"], &set["id"])
    );
    let missing = ask(Method::PATCH, "/secrets/none", Some(json!({}))).await;
    assert_eq!(missing["error"]["code"], "SecretNotFound");
}

#[tokio::test]
async fn deletion_is_soft_until_purged() {
    let bed = Bed::start().await;
    bed.seed(&[("db", "one")]);
    let token = bed.token().await;
    let ask = async |method, path: &str, body| bed.vault(method, &token, path, body).await;
    let two = || Some(json!({"value": "two"}));
    let deleted = ask(Method::DELETE, "/secrets/db", None).await.json();
    assert_eq!(
        deleted["recoveryId"],
        format!("https://{VAULT}/deletedsecrets/db")
    );
    assert_eq!(ask(Method::GET, "/secrets/db", None).await.status, 404);
    let conflict = ask(Method::PUT, "/secrets/db", two()).await;
    assert_eq!(conflict.status, 409);
    assert_eq!(conflict.code(), "Conflict/ObjectIsDeletedButRecoverable");
    assert_eq!(
        names(&ask(Method::GET, "/deletedsecrets", None).await.json()),
        ["db"]
    );
    assert_eq!(
        ask(Method::GET, "/deletedsecrets/db", None).await.status,
        200
    );
    assert_eq!(
        ask(Method::POST, "/deletedsecrets/db/recover", None)
            .await
            .status,
        200
    );
    assert_eq!(
        ask(Method::GET, "/secrets/db", None).await.json()["value"],
        "one"
    );
    ask(Method::DELETE, "/secrets/db", None).await;
    assert_eq!(
        ask(Method::DELETE, "/deletedsecrets/db", None).await.status,
        204
    );
    assert_eq!(
        ask(Method::DELETE, "/deletedsecrets/db", None).await.code(),
        "SecretNotFound"
    );
    assert_eq!(ask(Method::PUT, "/secrets/db", two()).await.status, 200);
    let dump = bed.control().dump("kv");
    assert_eq!(
        (
            dump.secrets["db"].value.as_str(),
            dump.secrets["db"].versions
        ),
        ("two", 1)
    );
}

#[tokio::test]
async fn attributes_show_and_only_enabled_gates_a_read() {
    let bed = Bed::start().await;
    let content = SecretContent {
        nbf: Some(4_000_000_000),
        exp: Some(1),
        ..SecretContent::value("x")
    };
    bed.control().put_secret("kv", "dated", content);
    bed.control().put_secret(
        "kv",
        "off",
        SecretContent {
            enabled: Some(false),
            ..SecretContent::value("x")
        },
    );
    let dated = bed.get("/secrets/dated").await.json();
    assert_eq!(
        (&dated["value"], &dated["attributes"]["exp"]),
        (&"x".into(), &json!(1))
    );
    let off = bed.get("/secrets/off").await;
    assert_eq!(
        (off.status, off.code().as_str()),
        (403, "Forbidden/SecretDisabled")
    );
    assert_eq!(
        off.json()["error"]["message"],
        "Operation get is not allowed on a disabled secret."
    );
    let listed = bed.get("/secrets").await.json();
    assert_eq!(listed["value"][1]["attributes"]["enabled"], false);
}

#[tokio::test]
async fn bad_input_is_refused() {
    let bed = Bed::start().await;
    let token = bed.token().await;
    let ask = async |method, path: &str, body| bed.vault(method, &token, path, body).await;
    for (name, shown) in [
        ("under_score", "under_score"),
        ("", ""),
        ("a.b", "a.b"),
        ("a%2Fb", "a%2Fb"),
    ] {
        let answer = ask(Method::GET, &format!("/secrets/{name}/"), None).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, "BadParameter"),
            "{name}"
        );
        assert_eq!(
            answer.json()["error"]["message"],
            format!("The request URI contains an invalid name: {shown}")
        );
    }
    let long = "x".repeat(25 * 1024 + 1);
    let tags: BTreeMap<_, _> = (0..16).map(|number| (number.to_string(), "")).collect();
    for body in [
        json!({"value": long}),
        json!({"value": "x", "contentType": "x".repeat(256)}),
        json!({"value": "x", "tags": tags}),
        json!({"tags": {}}),
        json!([]),
    ] {
        assert_eq!(
            ask(Method::PUT, "/secrets/db", Some(body)).await.code(),
            "BadParameter"
        );
    }
    let fits = json!({"value": "x".repeat(25 * 1024)});
    assert_eq!(
        ask(Method::PUT, "/secrets/db", Some(fits)).await.status,
        200
    );
    assert_eq!(ask(Method::POST, "/secrets/db", None).await.status, 405);
    assert_eq!(ask(Method::GET, "/nowhere", None).await.status, 404);
    assert_eq!(
        ask(Method::POST, "/keys/k/create", Some(json!({})))
            .await
            .status,
        501
    );
}

#[tokio::test]
async fn public_parts_of_keys_and_certificates_are_served() {
    let fixtures = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["web.example".to_owned()]).unwrap();
    let pem = format!("{}{}", made.signing_key.serialize_pem(), made.cert.pem());
    std::fs::write(fixtures.path().join("web-ec.pem"), &pem).unwrap();
    std::fs::write(
        fixtures.path().join("key-ec.pem"),
        made.signing_key.serialize_pem(),
    )
    .unwrap();
    let bed = Bed::with(Options {
        fixtures: Some(fixtures.path().to_owned()),
        ..Options::default()
    })
    .await;
    let key = KeyContent {
        kty: "EC".into(),
        ..KeyContent::default()
    };
    let certificate = CertificateContent {
        fixture: "web-ec-pem".into(),
        ..CertificateContent::default()
    };
    let content = Content {
        keys: [("sign".to_owned(), Some(key))].into(),
        certificates: [("web".to_owned(), Some(certificate))].into(),
        ..Content::default()
    };
    bed.control().seed("kv", content).unwrap();
    let key = bed.get("/keys/sign").await.json();
    assert_eq!(
        (&key["key"]["kty"], &key["key"]["crv"]),
        (&"EC".into(), &"P-256".into())
    );
    assert!(key["key"].get("d").is_none());
    let certificate = bed.get("/certificates/web").await.json();
    let sid = certificate["sid"]
        .as_str()
        .unwrap()
        .strip_prefix(&format!("https://{VAULT}"))
        .unwrap();
    let secret = bed.get(sid).await.json();
    assert_eq!(
        (secret["value"].as_str(), &secret["managed"]),
        (Some(pem.as_str()), &json!(true))
    );
    assert_eq!(secret["contentType"], "application/x-pem-file");
    assert_eq!(bed.get("/keys/none").await.code(), "KeyNotFound");
    assert_eq!(
        bed.get("/certificates/none").await.code(),
        "CertificateNotFound"
    );
    let unknown = CertificateContent {
        fixture: "nothing".into(),
        ..CertificateContent::default()
    };
    let content = Content {
        certificates: [("x".to_owned(), Some(unknown))].into(),
        ..Content::default()
    };
    assert!(bed.control().seed("kv", content).is_err());
}
