//! The proxy itself: hosts, protocols, connections, certificates.

use std::sync::Arc;

use reqwest::{Method, Version};

use crate::support::{Bed, VAULT, client, send};

#[tokio::test]
async fn other_hosts_are_refused_and_counted() {
    let bed = Bed::start().await;
    let plain = send(bed.http.get("http://example.com/")).await.unwrap();
    assert_eq!(plain.status, 403);
    for url in [
        "https://example.com/",
        "https://kv.vault.azure.net:8443/",
        "https://a.b.vault.azure.net/",
    ] {
        assert!(
            send(bed.http.get(url)).await.unwrap_err().is_connect(),
            "{url}"
        );
    }
    let refused = bed.control().counters().refused;
    assert_eq!(
        (
            refused["example.com"],
            refused["kv.vault.azure.net"],
            refused["a.b.vault.azure.net"]
        ),
        (2, 1, 1)
    );
    assert!(bed.control().requests().is_empty());
}

#[tokio::test]
async fn http2_carries_many_requests_on_one_connection() {
    let bed = Bed::start().await;
    bed.seed(&[("db", "x")]);
    let token: Arc<str> = bed.token().await.into();
    let first = bed.vault(Method::GET, &token, "/secrets/db", None).await;
    assert_eq!(first.version, Version::HTTP_2);
    let requests = (0..100).map(|_| {
        let request = bed
            .http
            .get(format!("https://{VAULT}/secrets/db?api-version=7.6"))
            .bearer_auth(&token);
        tokio::spawn(send(request))
    });
    for request in requests.collect::<Vec<_>>() {
        assert_eq!(request.await.unwrap().unwrap().status, 200);
    }
    let counters = bed.control().counters();
    assert_eq!(
        (counters.connections[VAULT].total, counters.connects[VAULT]),
        (1, 1)
    );
    assert_eq!(
        (
            counters.ops["secrets.get"],
            counters.hosts[VAULT]["secrets.get"]
        ),
        (101, 101)
    );
}

#[tokio::test]
async fn http1_is_served_too() {
    let bed = Bed::start().await;
    let http = client(&bed.fake.proxy_url(), bed.fake.ca_pem())
        .http1_only()
        .build()
        .unwrap();
    let answer = send(http.get(format!("https://{VAULT}/secrets?api-version=7.6")))
        .await
        .unwrap();
    assert_eq!((answer.status, answer.version), (401, Version::HTTP_11));
}

#[tokio::test]
async fn only_those_who_know_the_ca_trust_it() {
    let (bed, other) = (Bed::start().await, Bed::start().await);
    let stranger = client(&bed.fake.proxy_url(), other.fake.ca_pem())
        .build()
        .unwrap();
    assert!(
        send(stranger.get(format!("https://{VAULT}/")))
            .await
            .unwrap_err()
            .is_connect()
    );
    assert_eq!(bed.control().counters().connections["all"].total, 0);
}

#[tokio::test]
async fn the_machine_signs_in_by_the_metadata_service() {
    let bed = Bed::start().await;
    bed.seed(&[("db", "s3cret")]);
    let url = "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://vault.azure.net";
    let bare = send(bed.http.get(url)).await.unwrap();
    assert_eq!(
        (bare.status, &bare.json()["error"]),
        (400, &"invalid_request".into())
    );
    let asked = send(bed.http.get(url).header("metadata", "true"))
        .await
        .unwrap();
    assert_eq!(asked.json()["resource"], "https://vault.azure.net");
    let token = asked.json()["access_token"].as_str().unwrap().to_owned();
    let read = bed.vault(Method::GET, &token, "/secrets/db", None).await;
    assert_eq!(read.json()["value"], "s3cret");
    let ask = async |query: &str| {
        let request = bed.http.get(format!("{url}&{query}"));
        send(request.header("metadata", "true")).await.unwrap()
    };
    let resource_id = "/subscriptions/s/resourcegroups/g";
    bed.control().identity(resource_id, Some("client-b"));
    assert_eq!(
        ask(&format!("msi_res_id={resource_id}")).await.json()["client_id"],
        "client-b"
    );
    let unknown = ask("client_id=99999999-9999-9999-9999-999999999999").await;
    assert_eq!(unknown.json()["error_description"], "Identity not found");
    bed.control().identity("", None);
    assert_eq!(ask("").await.status, 400);
    let other = send(
        bed.http
            .get("http://169.254.169.254/metadata/instance")
            .header("metadata", "true"),
    )
    .await;
    assert_eq!(other.unwrap().status, 404);
}

#[tokio::test]
async fn app_service_wants_its_header() {
    let bed = Bed::start().await;
    let url =
        "http://169.254.131.2/msi/token?api-version=2019-08-01&resource=https://vault.azure.net";
    assert_eq!(send(bed.http.get(url)).await.unwrap().status, 401);
    let request = bed
        .http
        .get(url)
        .header("x-identity-header", azfake::IDENTITY_HEADER);
    assert_eq!(
        send(request).await.unwrap().json()["client_id"],
        azfake::CLIENT
    );
}

#[tokio::test]
async fn the_environment_says_all_that_a_program_needs() {
    let bed = Bed::start().await;
    let environment = bed.fake.environment("/tmp/ca.pem".as_ref());
    let names: Vec<_> = environment.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        ["HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "SSL_CERT_FILE"]
    );
    assert_eq!(environment[0].1, bed.fake.proxy_url());
}
