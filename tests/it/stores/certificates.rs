//! Service principals with a certificate: every form it is kept in, and what is wrong with others.

#![expect(
    clippy::unwrap_used,
    reason = "clippy's exception for tests does not reach their helpers"
)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keyferry::pki::certificate::Certificate;
use keyferry::pki::{keys, pem, pkcs12};
use serde_json::{Value, json};

use super::assert_told_and_mended;
use crate::support::manifests::{credentials, external_secret};
use crate::support::run;
use crate::support::scene::Scene;
use crate::support::settings::repository;

const PASSWORD: &str = "a password";

/// Bytes, password, and problem and remedy.
type Case<'a> = (Vec<u8>, Option<&'a str>, [&'a str; 2]);

/// The certificate that azfake's application has, and its key in PKCS#8.
struct Material {
    certificate: Certificate,
    key: Vec<u8>,
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(repository().join("tests/golden/fixtures").join(name)).unwrap()
}

impl Material {
    fn new() -> Self {
        let blocks = pem::blocks(&fixture("sp-client.pem"));
        let of = |kind: &[u8]| blocks.iter().find(|block| block.kind == kind).unwrap();
        Self {
            certificate: Certificate::parse(&of(b"CERTIFICATE").bytes).unwrap(),
            key: of(b"PRIVATE KEY").bytes.to_vec(),
        }
    }

    fn archive(&self, password: &str) -> Vec<u8> {
        let chain = [self.certificate.clone()];
        pkcs12::archive(&chain, &self.key, password.as_bytes())
            .unwrap()
            .to_vec()
    }

    fn encrypted(&self) -> String {
        let key = pkcs12::encrypt_key(&self.key, PASSWORD.as_bytes()).unwrap();
        self.certificate.pem() + &pem::encode("ENCRYPTED PRIVATE KEY", &key)
    }
}

/// Secret `creds` with this certificate, and the password beside it.
fn secret(certificate: &[u8], password: Option<&str>) -> Value {
    let mut secret = credentials(azfake::CLIENT_SECRET);
    secret["data"] = json!({"sp": STANDARD.encode(certificate)});
    if let Some(password) = password {
        // as an editor leaves it
        secret["stringData"]["sp.password"] = json!(format!("{password}\n"));
    }
    secret
}

fn by_certificate(scene: &Scene) -> Value {
    scene.store(json!({"authSecretRef": {
        "clientId": {"name": "creds", "key": "id"},
        "clientCertificate": {"name": "creds", "key": "sp"},
    }}))
}

#[test]
fn a_certificate_signs_in_in_whatever_form_it_is_kept() {
    run(async {
        let scene = Scene::new("cert-forms").await;
        let material = Material::new();
        let pkcs1 = pem::encode("RSA PRIVATE KEY", keys::pkcs1_of(&material.key).unwrap());
        let archive = material.archive("");
        let forms = [
            (fixture("sp-client.pem"), None),
            ((pkcs1 + &material.certificate.pem()).into_bytes(), None),
            (archive.clone(), None),
            (STANDARD.encode(&archive).into_bytes(), None),
            (material.archive(PASSWORD), Some(PASSWORD)),
            (material.encrypted().into_bytes(), Some(PASSWORD)),
        ];
        scene.apply(by_certificate(&scene)).await;
        let store = scene.object("SecretStore", "kv");
        for (i, (form, password)) in forms.into_iter().enumerate() {
            let value = format!("value {i}");
            scene.put("password", &value);
            scene.apply(secret(&form, password)).await;
            scene.ready(&store).await;
            if i == 0 {
                scene.apply(external_secret("app", json!({}))).await;
            }
            // other credentials are a reason to read again
            scene.holds("app", "PASSWORD", &value).await;
        }
    });
}

#[test]
fn what_is_no_certificate_with_its_key_is_told_with_its_place() {
    run(async {
        let scene = Scene::synced("cert-bad").await;
        let material = Material::new();
        let own = material.certificate.pem();
        let place = format!(
            "clientCertificate: key \"sp\" of Secret {}/creds",
            scene.namespace
        );
        let password = "put its password into key \"sp.password\" of the same Secret";
        let both = "put the certificate and its RSA key there, in PEM or PKCS#12";
        let text = String::from_utf8(fixture("key-rsa.pem")).unwrap();
        let cases: [Case; 8] = [
            (
                b"no certificate".to_vec(),
                None,
                ["no certificate found in PEM file", both],
            ),
            (
                text.clone().into(),
                None,
                ["no certificate found in PEM file", both],
            ),
            (
                own.clone().into(),
                None,
                ["no private key found in PEM file", both],
            ),
            (
                (own + &text).into(),
                None,
                ["belongs to none of the certificates", both],
            ),
            (
                fixture("web-ec.pem"),
                None,
                ["Entra takes RSA keys only", both],
            ),
            (
                material.archive(PASSWORD),
                None,
                ["it is encrypted", password],
            ),
            (
                material.archive(PASSWORD),
                Some("other"),
                ["its password does not fit", password],
            ),
            (
                material.encrypted().into(),
                Some("other"),
                ["its password does not fit", password],
            ),
        ];
        for (form, given, [problem, remedy]) in cases {
            scene.apply(secret(&form, given)).await;
            let words = [place.as_str(), problem, remedy];
            assert_told_and_mended(&scene, by_certificate(&scene), &words).await;
        }
    });
}

#[test]
fn a_certificate_that_the_application_lacks_is_told_with_its_thumbprint() {
    run(async {
        let scene = Scene::synced("cert-unknown").await;
        let client = "33333333-0000-0000-0000-000000000001";
        let other = String::from_utf8(fixture("web-chain.pem")).unwrap();
        let register = |certificates: &[String]| {
            let app = json!({"certificates": certificates});
            scene
                .bed()
                .entra(&json!({azfake::TENANT: {client: app}}))
                .unwrap();
        };
        register(&[other]);
        let material = Material::new();
        scene.apply(secret(&fixture("sp-client.pem"), None)).await;
        let mut store = by_certificate(&scene);
        let block = &mut store["spec"]["provider"]["azurekv"];
        block["authSecretRef"]
            .as_object_mut()
            .unwrap()
            .remove("clientId");
        block["clientId"] = json!(client);
        scene.apply(store).await;
        let app = scene.object("ExternalSecret", "app");
        let key =
            keyferry::azure::auth::certificate::ClientKey::parse(&fixture("sp-client.pem"), None);
        let remedy = format!(
            "add the certificate {} to the application",
            key.unwrap().thumbprint()
        );
        let words = ["AADSTS700027", remedy.as_str()];
        scene.fails(&app, "AuthenticationFailed", &words).await;
        scene.put("password", "second");
        register(&[material.certificate.pem()]);
        // nothing in the cluster changes: it comes back by itself
        scene.holds("app", "PASSWORD", "second").await;
    });
}
