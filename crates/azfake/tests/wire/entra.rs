//! Sign-in: what opens a vault and what Entra denies.

use azfake::{App, CLIENT, CLIENT_SECRET, Content, EXPIRED_SECRET, SecretContent, TENANT};
use reqwest::Method;

use crate::support::{Bed, send};

const OTHER_TENANT: &str = "33333333-3333-3333-3333-333333333333";
const UNKNOWN_CLIENT: &str = "99999999-9999-9999-9999-999999999999";
const GOOD: [(&str, &str); 2] = [("client_id", CLIENT), ("client_secret", CLIENT_SECRET)];

#[tokio::test]
async fn a_client_secret_opens_a_vault() {
    let bed = Bed::start().await;
    bed.seed(&[("db", "s3cret")]);
    let answer = bed.sign_in(TENANT, &GOOD).await;
    assert_eq!(answer.json()["token_type"], "Bearer");
    assert_eq!(answer.json()["expires_in"], 3599);
    assert_eq!(bed.get("/secrets/db").await.json()["value"], "s3cret");
}

#[tokio::test]
async fn v1_takes_a_resource_and_states_numbers_as_strings() {
    let bed = Bed::start().await;
    bed.seed(&[("db", "s3cret")]);
    let url = format!("https://login.microsoftonline.com/{TENANT}/oauth2/token?api-version=1.0");
    let mut form = vec![
        ("grant_type", "client_credentials"),
        ("resource", "https://vault.azure.net"),
    ];
    form.extend(GOOD);
    let answer = bed.post_form(&url, &form).await.json();
    assert_eq!(
        (&answer["expires_in"], &answer["resource"]),
        (&"3599".into(), &"https://vault.azure.net".into())
    );
    let token = answer["access_token"].as_str().unwrap();
    assert_eq!(
        bed.vault(Method::GET, token, "/secrets/db/", None)
            .await
            .status,
        200
    );
}

/// Signs in with a form beside the good one's fields and expects "STATUS error CODE".
async fn denied(bed: &Bed, tenant: &str, form: &str, expected: &str) {
    let fields: Vec<_> = form
        .split('&')
        .filter_map(|field| field.split_once('='))
        .collect();
    let answer = bed.sign_in(tenant, &fields).await;
    let body = answer.json();
    let (error, code) = (body["error"].as_str().unwrap(), &body["error_codes"][0]);
    assert_eq!(
        format!("{} {error} {code}", answer.status),
        expected,
        "{form}"
    );
    let text = body["error_description"].as_str().unwrap();
    let trace = body["trace_id"].as_str().unwrap();
    assert!(text.starts_with(&format!("AADSTS{code}: ")), "{text}");
    assert!(
        text.contains(&format!(" Trace ID: {trace} Correlation ID: ")),
        "{text}"
    );
    let stamp = body["timestamp"].as_str().unwrap();
    assert!(
        text.ends_with(&format!(" Timestamp: {stamp}")) && stamp.ends_with('Z'),
        "{text}"
    );
    let uri = format!("https://login.microsoftonline.com/error?code={code}");
    assert_eq!(body["error_uri"], uri);
}

#[tokio::test]
async fn what_entra_denies_carries_its_codes() {
    let bed = &Bed::start().await;
    let good = format!("client_id={CLIENT}&client_secret={CLIENT_SECRET}");
    let with = |more: &str| format!("{good}&{more}");
    let client = |more: &str| format!("client_id={CLIENT}&{more}");
    let jwt = "client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let expired = client(&format!("client_secret={EXPIRED_SECRET}"));
    let stranger = format!("client_id={UNKNOWN_CLIENT}&client_secret=x");
    denied(bed, OTHER_TENANT, &good, "400 invalid_request 90002").await;
    denied(bed, TENANT, &stranger, "400 unauthorized_client 700016").await;
    let cases = [
        (client("client_secret=wrong"), "401 invalid_client 7000215"),
        (expired, "401 invalid_client 7000222"),
        (client(""), "401 invalid_client 7000216"),
        ("client_secret=x".to_owned(), "400 invalid_request 900144"),
        (
            with("grant_type=password"),
            "400 unsupported_grant_type 70003",
        ),
        (
            with("scope=https://vault.azure.net"),
            "400 invalid_scope 1002012",
        ),
        (
            with("scope=https://vault.azure.cn/.default"),
            "400 invalid_resource 500011",
        ),
        (client("client_assertion=x"), "400 invalid_request 900144"),
        (
            client(&format!("{jwt}&client_assertion=x")),
            "400 invalid_request 50027",
        ),
        (
            client(&format!("{jwt}&client_assertion=e30.e30.e30")),
            "401 invalid_client 700211",
        ),
    ];
    for (form, expected) in &cases {
        denied(bed, TENANT, form, expected).await;
    }
    assert_eq!(bed.control().counters().entra["token"], 12);
    assert!(!bed.control().counters().entra.contains_key("token.issued"));
}

#[tokio::test]
async fn applications_come_and_go() {
    let bed = Bed::start().await;
    bed.control().entra(
        OTHER_TENANT,
        UNKNOWN_CLIENT,
        Some(App::with_secret("other")),
    );
    let fields = [("client_id", UNKNOWN_CLIENT), ("client_secret", "other")];
    assert_eq!(bed.sign_in(OTHER_TENANT, &fields).await.status, 200);
    assert_eq!(
        bed.sign_in(TENANT, &fields).await.json()["error_codes"][0],
        700_016
    );
    bed.control().entra(OTHER_TENANT, UNKNOWN_CLIENT, None);
    assert_eq!(
        bed.sign_in(OTHER_TENANT, &fields).await.json()["error_codes"][0],
        700_016
    );
}

#[tokio::test]
async fn a_vault_checks_what_a_token_says() {
    let bed = Bed::start().await;
    bed.seed(&[("db", "s3cret")]);
    let other = Content {
        tenant: Some(OTHER_TENANT.into()),
        ..Content::default()
    };
    bed.control().seed("other", other).unwrap();
    let token = bed.token().await;
    let ask = async |host: &str, token: &str| {
        let request = bed
            .http
            .get(format!("https://{host}/secrets?api-version=7.6"))
            .bearer_auth(token);
        let answer = send(request).await.unwrap();
        let challenge = answer
            .headers
            .get("www-authenticate")
            .map(|value| value.to_str().unwrap().to_owned());
        (
            answer.status,
            answer.json()["error"]["message"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            challenge,
        )
    };
    assert_eq!(ask("kv.vault.azure.net", &token).await.0, 200);
    let (status, message, challenge) = ask("kv.vault.azure.cn", &token).await;
    assert!(
        status == 401 && message.starts_with("AKV10022: Invalid audience."),
        "{status} {message}"
    );
    let expected = format!(
        "Bearer authorization=\"https://login.chinacloudapi.cn/{TENANT}\", resource=\"https://vault.azure.cn\""
    );
    assert_eq!(challenge, Some(expected));
    let (status, message, _) = ask("other.vault.azure.net", &token).await;
    assert!(
        status == 401 && message.starts_with("AKV10032: Invalid issuer."),
        "{status} {message}"
    );
    assert_eq!(ask("kv.vault.azure.net", "forged").await.0, 401);
    let short = App {
        token_seconds: Some(0),
        ..App::with_secret(CLIENT_SECRET)
    };
    bed.control().entra(TENANT, CLIENT, Some(short));
    let (status, message, _) = ask("kv.vault.azure.net", &bed.token().await).await;
    assert!(
        status == 401 && message.contains("TokenExpired"),
        "{status} {message}"
    );
}

#[tokio::test]
async fn discovery_names_the_endpoints() {
    let bed = Bed::start().await;
    let get = async |path: String| {
        send(
            bed.http
                .get(format!("https://login.microsoftonline.us/{path}")),
        )
        .await
        .unwrap()
    };
    let openid = get(format!("{TENANT}/v2.0/.well-known/openid-configuration"))
        .await
        .json();
    let base = format!("https://login.microsoftonline.us/{TENANT}");
    assert_eq!(
        openid["token_endpoint"],
        format!("{base}/oauth2/v2.0/token")
    );
    assert_eq!(openid["issuer"], format!("{base}/v2.0"));
    assert_eq!(
        get(format!(
            "{OTHER_TENANT}/v2.0/.well-known/openid-configuration"
        ))
        .await
        .status,
        400
    );
    let query = format!("api-version=1.1&authorization_endpoint={base}/oauth2/v2.0/authorize");
    let instance = get(format!("common/discovery/instance?{query}"))
        .await
        .json();
    assert_eq!(
        instance["tenant_discovery_endpoint"],
        format!("{base}/v2.0/.well-known/openid-configuration")
    );
    assert_eq!(get("nowhere".to_owned()).await.status, 404);
}

#[tokio::test]
async fn identities_have_their_own_permissions() {
    let bed = Bed::start().await;
    bed.control()
        .entra(TENANT, UNKNOWN_CLIENT, Some(App::with_secret("other")));
    bed.control()
        .put_secret("kv", "db", SecretContent::value("s3cret"));
    bed.control()
        .permissions(UNKNOWN_CLIENT, "kv.vault.azure.net", Some(&["get"]));
    let limited = bed.token_of(UNKNOWN_CLIENT, "other").await;
    assert_eq!(
        bed.vault(Method::GET, &limited, "/secrets/db", None)
            .await
            .status,
        200
    );
    let denied = bed.vault(Method::GET, &limited, "/secrets", None).await;
    assert_eq!(
        (denied.status, denied.code().as_str()),
        (403, "Forbidden/ForbiddenByRbac")
    );
    for part in [
        format!("Caller: appid={UNKNOWN_CLIENT};oid="),
        "Action: 'Microsoft.KeyVault/vaults/secrets/readMetadata/action'".to_owned(),
        "/providers/microsoft.keyvault/vaults/kv'".to_owned(),
        "Vault: kv;location=".to_owned(),
    ] {
        assert!(denied.text.contains(&part), "{part}: {}", denied.text);
    }
    assert_eq!(bed.get("/secrets").await.status, 200);
    let clients: Vec<_> = bed
        .control()
        .requests()
        .into_iter()
        .map(|entry| entry.client.unwrap())
        .collect();
    assert_eq!(
        clients,
        [
            UNKNOWN_CLIENT,
            UNKNOWN_CLIENT,
            UNKNOWN_CLIENT,
            CLIENT,
            CLIENT
        ]
    );
}
