//! Tests of `identity`: two identities never have one key, whatever they differ in.

use std::sync::Arc;

use async_trait::async_trait;

use super::*;
use crate::azure::auth::certificate::ClientKey;
use crate::azure::cloud::Cloud;
use crate::azure::http::HttpSettings;
use crate::azure::{Azure, AzureOptions};
use crate::credentials::{self, ServiceAccountTokens};
use crate::pki::pem;
use crate::pki::pkcs12;
use crate::secret::SecretValue;

struct NoTokens;

#[async_trait]
impl ServiceAccountTokens for NoTokens {
    async fn issue(
        &self,
        _: &str,
        _: &str,
        _: &[String],
    ) -> Result<SecretValue, credentials::Error> {
        unreachable!("nobody signs in")
    }
}

fn certificate(name: &str) -> ClientKey {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/fixtures");
    let archive = std::fs::read(format!("{directory}/{name}")).unwrap();
    ClientKey::parse(&archive, None).unwrap()
}

/// The same key and certificate as [`certificate`] without what stood beside it.
fn alone(name: &str) -> ClientKey {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/fixtures");
    let archive = std::fs::read(format!("{directory}/{name}")).unwrap();
    let contents = pkcs12::read(&archive, b"").unwrap();
    let leaf = certificate(name).chain().next().unwrap().to_vec();
    let text = pem::encode("CERTIFICATE", &leaf) + &pem::encode("PRIVATE KEY", &contents.key);
    ClientKey::parse(text.as_bytes(), None).unwrap()
}

fn account(namespace: &str, name: &str, audiences: &[&str]) -> TokenSource {
    TokenSource::ServiceAccount {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        audiences: audiences.iter().map(ToString::to_string).collect(),
        tokens: Arc::new(NoTokens),
    }
}

/// Every way to sign in, with every application: each differs from each other in one part at least.
fn all() -> Vec<Identity> {
    let mut identities = Vec::new();
    let certificates = [certificate("web.pfx"), alone("web.pfx")];
    for cloud in [Cloud::public(), Cloud::china()] {
        for tenant in ["t", "u"] {
            // that names run into each other must not matter
            for client_id in ["c", "d", "c/c"] {
                let application = Application {
                    cloud: cloud.clone(),
                    tenant: tenant.to_owned(),
                    client_id: client_id.to_owned(),
                };
                identities.extend(of(&application, &certificates));
            }
        }
    }
    let machine = |service: &Service, user_assigned| {
        Identity::Managed(ManagedIdentity {
            service: service.clone(),
            header: None,
            user_assigned,
        })
    };
    for service in [Service::Machine, Service::AppService("http://a".to_owned())] {
        identities.push(machine(&service, None));
        for id in ["c", "d", ""] {
            identities.push(machine(
                &service,
                Some(UserAssigned::ClientId(id.to_owned())),
            ));
            identities.push(machine(
                &service,
                Some(UserAssigned::ObjectId(id.to_owned())),
            ));
            identities.push(machine(
                &service,
                Some(UserAssigned::ResourceId(id.to_owned())),
            ));
        }
    }
    identities
}

fn of(application: &Application, certificates: &[ClientKey; 2]) -> Vec<Identity> {
    let secret = |text: &str| {
        Identity::ClientSecret(ClientSecret {
            application: application.clone(),
            secret: SecretValue::new(text),
        })
    };
    let signed = |certificate: &ClientKey| {
        Identity::ClientCertificate(ClientCertificate {
            application: application.clone(),
            certificate: certificate.clone(),
        })
    };
    let federated = |token: TokenSource| {
        Identity::Federated(Federated {
            application: application.clone(),
            token,
        })
    };
    vec![
        secret("hunter2"),
        secret("hunter3"),
        signed(&certificates[0]),
        signed(&certificates[1]),
        federated(TokenSource::File("/var/run/a".into())),
        federated(TokenSource::File("/var/run/b".into())),
        federated(account("n", "s", &["a"])),
        federated(account("m", "s", &["a"])),
        federated(account("n", "r", &["a"])),
        federated(account("n", "s", &["a", "b"])),
        federated(account("n", "s", &["ab"])),
    ]
}

#[test]
fn no_two_identities_share_a_key_or_tokens_and_equal_ones_do() {
    let azure = Azure::new(
        Http::new(&HttpSettings::default()).unwrap(),
        AzureOptions::default(),
    );
    let (identities, again) = (all(), all());
    let keys = |identities: &[Identity]| -> Vec<IdentityKey> {
        identities.iter().map(|it| it.key(b"salt")).collect()
    };
    let (one, other) = (keys(&identities), keys(&again));
    let tokens: Vec<_> = identities
        .into_iter()
        .map(|it| azure.credential(it))
        .collect();
    let same: Vec<_> = again.into_iter().map(|it| azure.credential(it)).collect();
    for i in 0..one.len() {
        for j in 0..one.len() {
            assert_eq!(one[i] == other[j], i == j, "{i} {j}");
            assert_eq!(Arc::ptr_eq(&tokens[i], &same[j]), i == j, "{i} {j}");
        }
    }
}

#[test]
fn neither_identities_nor_keys_show_a_secret() {
    for identity in all() {
        let shown = format!("{identity:?} {:?}", identity.key(b"salt"));
        assert!(!shown.contains("hunter"), "{shown}");
    }
}
