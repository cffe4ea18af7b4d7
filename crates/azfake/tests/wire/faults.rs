//! Faults as a client meets them.

use std::time::{Duration, Instant};

use azfake::{CLIENT, CLIENT_SECRET, Fault, TENANT};
use reqwest::Method;

use crate::support::{Bed, VAULT, client, send};

#[tokio::test]
async fn throttling_begins_and_ends_as_told() {
    let bed = Bed::start().await;
    bed.seed(&[("db", "x")]);
    bed.control().fault(
        "kv",
        Some(Fault {
            skip: 1,
            times: 2,
            ..Fault::throttled(7)
        }),
    );
    let token = bed.token().await;
    let mut seen = Vec::new();
    for _ in 0..5 {
        assert_eq!(
            bed.vault(Method::GET, "", "/secrets/db", None).await.status,
            401
        ); // a challenge is not counted
        let answer = bed.vault(Method::GET, &token, "/secrets/db", None).await;
        if answer.status == 429 {
            assert_eq!(
                (
                    answer.headers["retry-after"].to_str().unwrap(),
                    answer.code().as_str()
                ),
                ("7", "Throttled")
            );
        }
        seen.push(answer.status);
    }
    assert_eq!(seen, [200, 429, 429, 200, 200]);
}

#[tokio::test]
async fn answers_are_shaped_and_filtered() {
    let bed = Bed::start().await;
    bed.seed(&[("one", "x"), ("two", "x")]);
    let fault = Fault {
        message: Some("firewall".into()),
        path: Some("/secrets/two".into()),
        ..Fault::forbidden("ForbiddenByFirewall")
    };
    bed.control().fault(VAULT, Some(fault));
    assert_eq!(bed.get("/secrets/one").await.status, 200);
    let denied = bed.get("/secrets/two/").await;
    assert_eq!(
        (denied.status, denied.code().as_str()),
        (403, "Forbidden/ForbiddenByFirewall")
    );
    assert_eq!(denied.json()["error"]["message"], "firewall");
    bed.control().fault(VAULT, None);
    bed.control().faults(
        "kv",
        vec![
            Fault {
                ops: vec!["secrets.list".into()],
                ..Fault::status(403)
            },
            Fault {
                methods: vec!["PUT".into()],
                ..Fault::status(503)
            },
            Fault {
                body: Some("{\"value\": ".into()),
                ..Fault::default()
            },
        ],
    );
    assert_eq!(
        bed.get("/secrets").await.code(),
        "Forbidden/ForbiddenByRbac"
    );
    assert_eq!(
        bed.vault(Method::PUT, &bed.token().await, "/secrets/one", None)
            .await
            .code(),
        "ServiceUnavailable"
    );
    let broken = bed.get("/secrets/one").await;
    assert_eq!((broken.status, broken.text.as_str()), (200, "{\"value\": "));
}

#[tokio::test]
async fn a_login_host_fails_in_its_own_words() {
    let bed = Bed::start().await;
    let host = "login.microsoftonline.com";
    bed.control().fault(
        host,
        Some(Fault {
            code: Some("temporarily_unavailable".into()),
            times: 1,
            ..Fault::status(503)
        }),
    );
    let fields = [("client_id", CLIENT), ("client_secret", CLIENT_SECRET)];
    let answer = bed.sign_in(TENANT, &fields).await;
    assert_eq!(
        (answer.status, &answer.json()["error"]),
        (503, &"temporarily_unavailable".into())
    );
    assert_eq!(bed.sign_in(TENANT, &fields).await.status, 200);
}

#[tokio::test]
async fn connections_break_hang_and_lag() {
    let bed = Bed::start().await;
    bed.seed(&[("db", "x")]);
    let token = bed.token().await;
    let ask = async || {
        let request = bed
            .http
            .get(format!("https://{VAULT}/secrets/db?api-version=7.6"))
            .bearer_auth(&token);
        send(request.timeout(Duration::from_millis(400))).await
    };
    bed.control().fault(
        "kv",
        Some(Fault {
            drop_connection: true,
            ..Fault::default()
        }),
    );
    let error = ask().await.unwrap_err();
    assert!(!error.is_timeout() && !error.is_connect(), "{error:?}");
    bed.control().fault(
        "kv",
        Some(Fault {
            hang: true,
            ..Fault::default()
        }),
    );
    assert!(ask().await.unwrap_err().is_timeout());
    bed.control().fault(
        "kv",
        Some(Fault {
            latency_ms: 60,
            ..Fault::default()
        }),
    );
    let start = Instant::now();
    assert_eq!(ask().await.unwrap().status, 200);
    assert!(start.elapsed() >= Duration::from_millis(60));
    bed.control().fault(
        "kv",
        Some(Fault {
            refuse_connect: true,
            ..Fault::default()
        }),
    );
    assert!(ask().await.is_err(), "a standing connection breaks");
    let error = ask().await.unwrap_err();
    assert!(error.is_connect(), "{error:?}");
    bed.control().fault("kv", None);
    assert_eq!(ask().await.unwrap().status, 200);
    let counters = bed.control().counters();
    assert_eq!(counters.statuses[&200], 3);
    assert!(counters.statuses[&0] >= 3, "{counters:?}");
}

#[tokio::test]
async fn a_proxy_refuses_with_the_status_that_is_asked_for() {
    let bed = Bed::start().await;
    let fault = Fault {
        refuse_connect: true,
        ..Fault::status(407)
    };
    bed.control().fault("kv", Some(fault));
    let url = format!("https://{VAULT}/secrets?api-version=7.6");
    let error = format!("{:?}", send(bed.http.get(url)).await.unwrap_err());
    assert!(error.contains("ProxyAuthRequired"), "{error}");
}

#[tokio::test]
async fn names_with_nxdomain_do_not_resolve() {
    let bed = Bed::start().await;
    let request = bed
        .http
        .get("https://my-nxdomain-vault.vault.azure.net/secrets?api-version=7.6");
    let error = send(request).await.unwrap_err();
    assert!(error.is_connect(), "{error:?}");
    assert_eq!(
        bed.control().counters().connects["my-nxdomain-vault.vault.azure.net"],
        1
    );
    assert!(bed.control().counters().refused.is_empty());
}

#[tokio::test]
async fn dropping_the_fake_closes_everything() {
    let bed = Bed::start().await;
    bed.seed(&[("db", "x")]);
    assert_eq!(bed.get("/secrets/db").await.status, 200);
    let (proxy, ca) = (bed.fake.proxy_url(), bed.fake.ca_pem().to_owned());
    let Bed { fake, http } = bed;
    drop(fake);
    let url = format!("https://{VAULT}/secrets/db?api-version=7.6");
    assert!(send(http.get(&url)).await.is_err());
    assert!(
        send(client(&proxy, &ca).build().unwrap().get(&url))
            .await
            .is_err()
    );
}
