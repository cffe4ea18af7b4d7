//! The Azure adapter against the fake Azure, without a cluster: what it asks a vault, and what it
//! makes of answers that no golden case has.

#![expect(
    clippy::unwrap_used,
    reason = "clippy's exception for tests does not reach their helpers"
)]

mod hub;
mod listing;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use azfake::{AzFake, CLIENT, CLIENT_SECRET, Fault, TENANT};
use k8s_openapi::jiff::Timestamp;
use keyferry::api::external_secret::{Find, RemoteRef};
use keyferry::azure::http::{Http, HttpSettings};
use keyferry::azure::{Azure, AzureOptions, Observer};
use keyferry::credentials::{self, CredentialReader};
use keyferry::provider::azure_key_vault::{AzureKeyVault, Hub};
use keyferry::provider::{
    Connection, Error, ListOptions, ObjectRef, Provider as _, Scope, Search, SecretsClient,
};
use keyferry::secret::{SecretData, SecretValue};
use keyferry::telemetry::Metrics;
use serde_json::{Value, json};

use crate::support::run;
use crate::support::settings::repository;

/// A fake Azure with one vault, and a client of it.
struct Vault {
    azure: AzFake,
    hub: Arc<Hub>,
    client: Arc<dyn SecretsClient>,
    calls: Arc<Calls>,
    /// Holds the CA certificate.
    _state: tempfile::TempDir,
}

impl Vault {
    async fn start(content: Value) -> Self {
        let options = azfake::Options {
            fixtures: Some(repository().join("tests/golden/fixtures")),
            ..azfake::Options::default()
        };
        let azure = AzFake::start(options).await.unwrap();
        let content = serde_json::from_value(content).unwrap();
        azure.control().seed("kv", content).unwrap();
        let state = tempfile::tempdir().unwrap();
        let ca_file = state.path().join("ca.pem");
        std::fs::write(&ca_file, azure.ca_pem()).unwrap();
        let settings = HttpSettings {
            https_proxy: Some(azure.proxy_url()),
            ca_file: Some(ca_file),
            ..HttpSettings::default()
        };
        let calls = Arc::new(Calls::default());
        let options = AzureOptions {
            observer: calls.clone(),
            ..AzureOptions::default()
        };
        let shared = Azure::new(Http::new(&settings).unwrap(), options);
        let hub = Arc::new(Hub::new(Arc::new(shared), Metrics::new().unwrap().vaults));
        Self {
            client: connect(&hub, Credentials::default()).await,
            hub,
            azure,
            calls,
            _state: state,
        }
    }

    async fn find(&self, find: Value) -> Result<SecretData, Error> {
        let find: Find = serde_json::from_value(find).unwrap();
        let find = Search::from(&find);
        let found = self
            .client
            .find(&find, &|_| true, terms(Timestamp::now(), 1));
        found.await.map(|found| found.value)
    }

    async fn extract(&self, remote_ref: Value) -> SecretData {
        let remote_ref: RemoteRef = serde_json::from_value(remote_ref).unwrap();
        let remote_ref = ObjectRef::from(&remote_ref);
        let found = self.client.extract(&remote_ref).await.unwrap();
        found.value.unwrap()
    }

    async fn get(&self, remote_ref: Value) -> Option<SecretValue> {
        let remote_ref: RemoteRef = serde_json::from_value(remote_ref).unwrap();
        let remote_ref = ObjectRef::from(&remote_ref);
        self.client.get(&remote_ref).await.unwrap().value
    }

    /// Requests by operation since the start.
    fn requests(&self, op: &str) -> u64 {
        let counters = self.azure.control().counters();
        counters.ops.get(op).copied().unwrap_or_default()
    }
}

/// As one who is content with a listing begun at `since` or later, among consumers with so many reads.
fn terms(since: Timestamp, reads: usize) -> ListOptions<'static> {
    ListOptions {
        since,
        now: Timestamp::now(),
        store: "kv",
        reads,
    }
}

/// A client of the vault for a store with these credentials.
async fn connect(hub: &Arc<Hub>, credentials: Credentials) -> Arc<dyn SecretsClient> {
    let selector = |key: &str| json!({"name": "creds", "key": key});
    let block = json!({
        "vaultUrl": "https://kv.vault.azure.net",
        "tenantId": TENANT,
        "authSecretRef": {"clientId": selector("id"), "clientSecret": selector("secret")},
    });
    let provider = AzureKeyVault::new(Arc::clone(hub), &serde_json::from_value(block).unwrap());
    let scope = Scope::Namespaced("team".to_owned());
    provider.validate(&scope).unwrap();
    let connection = provider.connect(&scope, &credentials).await;
    match connection.unwrap() {
        Connection::Client(client) => client,
        _ => unreachable!("a store with credentials of its own has a client"),
    }
}

/// A service principal: by default the one that the fake knows.
struct Credentials {
    client: &'static str,
    secret: &'static str,
}

impl Default for Credentials {
    fn default() -> Self {
        Self {
            client: CLIENT,
            secret: CLIENT_SECRET,
        }
    }
}

#[async_trait]
impl CredentialReader for Credentials {
    async fn secret_key(
        &self,
        _: &str,
        _: &str,
        key: &str,
    ) -> Result<SecretValue, credentials::Error> {
        let part = if key == "id" {
            self.client
        } else {
            self.secret
        };
        Ok(SecretValue::new(part))
    }

    async fn annotations(
        &self,
        _: &str,
        _: &str,
    ) -> Result<BTreeMap<String, String>, credentials::Error> {
        unreachable!("the service principal is kept in a Secret")
    }

    fn tokens(&self) -> Arc<dyn credentials::ServiceAccountTokens> {
        unreachable!("the service principal is kept in a Secret")
    }
}

/// Calls as they are counted, with whether they succeeded.
#[derive(Default)]
struct Calls(Mutex<BTreeMap<(&'static str, bool), u64>>);

impl Observer for Calls {
    fn provider_call(&self, call: &'static str, ok: bool) {
        *self.0.lock().unwrap().entry((call, ok)).or_default() += 1;
    }
}

fn names(data: &SecretData) -> Vec<&str> {
    data.keys().map(String::as_str).collect()
}

#[test]
fn a_large_vault_is_listed_once_and_only_what_matches_is_read() {
    run(async {
        let secrets: serde_json::Map<_, _> = (0..1003)
            .map(|n| {
                let team = if n % 10 == 0 { "a" } else { "b" };
                let secret = json!({"value": n.to_string(), "tags": {"team": team}});
                (format!("app-{n:04}"), secret)
            })
            .collect();
        let vault = Vault::start(json!({"secrets": secrets})).await;
        let found = vault.find(json!({"tags": {"team": "a"}})).await.unwrap();
        assert_eq!(found.len(), 101);
        assert_eq!(found["app-1000"].expose(), b"1000");
        assert_eq!(vault.requests("secrets.list"), 41);
        assert_eq!(vault.requests("secrets.get"), 101);
        let found = vault
            .find(json!({"name": {"regexp": r"^app-000\d$"}}))
            .await;
        assert_eq!(found.unwrap().len(), 10);
        assert!(
            vault
                .find(json!({"name": {"regexp": "^x"}}))
                .await
                .unwrap()
                .is_empty()
        );
        let calls = vault.calls.0.lock().unwrap();
        assert_eq!(calls[&("GetSecrets", true)], 3);
        assert_eq!(calls[&("GetSecret", true)], 111);
    });
}

#[test]
fn a_token_does_not_follow_a_link_to_another_host() {
    run(async {
        let vault = Vault::start(json!({"secrets": {"a": {"value": "1"}}})).await;
        for link in [
            "https://other.vault.azure.net/secrets?api-version=7.4",
            "http://kv.vault.azure.net/secrets",
            "//other.vault.azure.net/secrets",
            "https://kv.vault.azure.net:8443/secrets",
        ] {
            let page = json!({"value": [], "nextLink": link}).to_string();
            let fault = Fault {
                body: Some(page),
                ops: vec!["secrets.list".to_owned()],
                ..Fault::default()
            };
            vault.azure.control().fault("kv", Some(fault));
            let error = vault.find(json!({})).await.unwrap_err();
            assert!(
                error.to_string().contains("another host"),
                "{link}: {error}"
            );
        }
        let connects = vault.azure.control().counters().connects;
        let hosts: Vec<_> = connects.keys().map(String::as_str).collect();
        assert_eq!(hosts, ["kv.vault.azure.net", "login.microsoftonline.com"]);
        assert_eq!(vault.requests("secrets.list"), 4);
    });
}

#[test]
fn what_went_since_the_listing_is_skipped_and_what_is_forbidden_fails_the_find() {
    run(async {
        let secret = |value: &str| json!({"value": value});
        let vault = Vault::start(json!({
            "secrets": {"gone": secret("1"), "off": secret("2"), "stays": secret("3")},
        }))
        .await;
        let at = |path: &str, fault: Fault| Fault {
            path: Some(path.to_owned()),
            ..fault
        };
        let faults = vec![
            at("/secrets/gone", Fault::status(404)),
            at("/secrets/off", Fault::forbidden("SecretDisabled")),
        ];
        vault.azure.control().faults("kv", faults);
        let found = vault.find(json!({})).await.unwrap();
        assert_eq!(names(&found), ["stays"]);

        let forbidden = at("/secrets/gone", Fault::forbidden("ForbiddenByRbac"));
        vault.azure.control().fault("kv", Some(forbidden));
        let error = vault.find(json!({})).await.unwrap_err();
        assert!(matches!(error, Error::Denied { .. }), "{error}");
        assert!(error.to_string().contains("secret \"gone\""), "{error}");
    });
}

#[test]
fn a_page_that_fails_shortly_is_asked_for_again_and_a_refused_list_names_what_to_grant() {
    run(async {
        let secrets: serde_json::Map<_, _> = (0..60)
            .map(|n| (format!("s-{n:02}"), json!({"value": "v"})))
            .collect();
        let vault = Vault::start(json!({"secrets": secrets})).await;
        let list = |fault: Fault| Fault {
            ops: vec!["secrets.list".to_owned()],
            ..fault
        };
        let second_page_once = Fault {
            skip: 1,
            times: 1,
            ..list(Fault::status(503))
        };
        vault.azure.control().fault("kv", Some(second_page_once));
        assert_eq!(vault.find(json!({})).await.unwrap().len(), 60);
        assert_eq!(vault.requests("secrets.list"), 4);

        let refused = list(Fault::forbidden("ForbiddenByPolicy"));
        vault.azure.control().fault("kv", Some(refused));
        let error = vault.find(json!({})).await.unwrap_err().to_string();
        assert!(error.contains("secret permission List"), "{error}");
        let calls = vault.calls.0.lock().unwrap();
        assert_eq!(calls[&("GetSecrets", false)], 1);
    });
}

#[test]
fn tags_are_read_with_one_request() {
    run(async {
        let vault = Vault::start(json!({
            "secrets": {"foo": {"value": "v", "tags": {"env": "prod", "flat": r#"{"u":"1"}"#}}},
        }))
        .await;
        let all = vault
            .extract(json!({"key": "foo", "metadataPolicy": "Fetch"}))
            .await;
        let want = [
            "foo_attribute.created",
            "foo_attribute.updated",
            "foo_env",
            "foo_flat_u",
        ];
        assert_eq!(names(&all), want);
        let property = json!({"key": "secret/foo", "metadataPolicy": "Fetch", "property": "env"});
        let one = vault.extract(property).await;
        assert_eq!(names(&one), ["secret/foo_env"]);
        assert_eq!(one["secret/foo_env"].expose(), b"prod");
        assert_eq!(vault.requests("secrets.get"), 2);
    });
}

#[test]
fn keys_and_certificates_are_read_and_counted_under_their_names() {
    run(async {
        let vault = Vault::start(json!({
            "keys": {"curve": {"kty": "EC", "tags": {"env": "prod"}}},
            "certificates": {"web": {"fixture": "web-chain-pem"}},
        }))
        .await;
        let curve = vault
            .get(json!({"key": "key/curve", "property": "crv"}))
            .await;
        assert_eq!(curve.unwrap().expose(), b"P-256");
        let tag = json!({"key": "key/curve", "metadataPolicy": "Fetch", "property": "env"});
        assert_eq!(vault.get(tag).await.unwrap().expose(), b"prod");
        let der = vault.get(json!({"key": "cert/web"})).await.unwrap();
        assert_eq!(der.expose()[0], 0x30, "DER begins with a SEQUENCE");
        for key in ["key/nope", "cert/nope", "nope"] {
            assert!(vault.get(json!({"key": key})).await.is_none(), "{key}");
        }
        let calls: Vec<_> = vault.calls.0.lock().unwrap().clone().into_iter().collect();
        let want = [
            (("GetCertificate", false), 1),
            (("GetCertificate", true), 1),
            (("GetKey", false), 1),
            (("GetKey", true), 2),
            (("GetSecret", false), 1),
        ];
        assert_eq!(calls, want);
    });
}
