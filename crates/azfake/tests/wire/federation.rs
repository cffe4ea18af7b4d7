//! Sign-in without a client secret: federated tokens of a cluster and certificates of an application.

use azfake::{App, CLIENT, Jwk, Jwks, Options, TENANT};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{CertificateParams, KeyPair};
use reqwest::Method;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rsa::pkcs8::EncodePrivateKey as _;
use serde_json::{Value, json};

use crate::support::{Answer, Bed};

const ISSUER: &str = "https://127.0.0.1:6443";
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const FOREVER: i64 = 4_000_000_000;

/// An RSA key made for the test.
struct Signer {
    pkcs8: Vec<u8>,
    pair: RsaKeyPair,
}

impl Signer {
    fn new() -> Self {
        let key = rsa::PrivateKey::new(&mut getrandom::SysRng, 2048).unwrap();
        let pkcs8 = key.to_pkcs8_der().unwrap().as_bytes().to_vec();
        let pair = RsaKeyPair::from_pkcs8(&pkcs8).unwrap();
        Self { pkcs8, pair }
    }

    fn jwks(&self) -> Jwks {
        let public: PublicKeyComponents<Vec<u8>> = self.pair.public().into();
        let (n, e) = (
            URL_SAFE_NO_PAD.encode(public.n),
            URL_SAFE_NO_PAD.encode(public.e),
        );
        let key = Jwk {
            kty: "RSA".into(),
            n,
            e,
            ..Jwk::default()
        };
        Jwks { keys: vec![key] }
    }

    fn certificate(&self) -> String {
        let key = KeyPair::try_from(self.pkcs8.as_slice()).unwrap();
        let params = CertificateParams::new(vec!["sp.example".to_owned()]).unwrap();
        params.self_signed(&key).unwrap().pem()
    }

    fn sign(&self, claims: &Value) -> String {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(&json!({"alg": "RS256"})), encode(claims));
        let mut signature = vec![0; self.pair.public().modulus_len()];
        let random = SystemRandom::new();
        self.pair
            .sign(
                &RSA_PKCS1_SHA256,
                &random,
                signed.as_bytes(),
                &mut signature,
            )
            .unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

async fn present(bed: &Bed, assertion: &str) -> Answer {
    let fields = [
        ("client_id", CLIENT),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", assertion),
    ];
    bed.sign_in(TENANT, &fields).await
}

fn verdict(answer: &Answer) -> Value {
    answer.json()["error_codes"][0].clone()
}

#[tokio::test]
async fn a_service_account_signs_in() {
    let options = Options {
        sa_issuer: Some(ISSUER.into()),
        ..Options::default()
    };
    let bed = Bed::with(options).await;
    bed.seed(&[("db", "s3cret")]);
    let signer = Signer::new();
    let audience = "api://AzureADTokenExchange";
    let claims = json!({"iss": ISSUER, "sub": "system:serviceaccount:demo:wi", "aud": [audience], "exp": FOREVER});
    let assertion = signer.sign(&claims);
    bed.control().jwks(ISSUER, Some(signer.jwks()));
    let answer = present(&bed, &assertion).await;
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    let read = bed.vault(Method::GET, &token, "/secrets/db", None).await;
    assert_eq!(read.json()["value"], "s3cret");
    let strict = App {
        subjects: vec!["system:serviceaccount:x:y".into()],
        ..App::default()
    };
    bed.control().entra(TENANT, CLIENT, Some(strict));
    assert_eq!(verdict(&present(&bed, &assertion).await), 700_213);
    bed.control().entra(TENANT, CLIENT, Some(App::default()));
    bed.control().jwks(ISSUER, Some(Jwks::default()));
    assert_eq!(verdict(&present(&bed, &assertion).await), 50_013);
}

/// A claim of a good token, changed.
fn changed(name: &str, value: Value) -> Value {
    let mut claims = json!({
        "iss": ISSUER, "sub": "system:serviceaccount:demo:wi",
        "aud": ["api://AzureADTokenExchange"], "nbf": 0, "exp": FOREVER,
    });
    claims[name] = value;
    claims
}

#[tokio::test]
async fn a_federated_token_that_does_not_fit_is_denied_for_its_fault() {
    let options = Options {
        sa_issuer: Some(ISSUER.into()),
        ..Options::default()
    };
    let bed = Bed::with(options).await;
    let (signer, stranger) = (Signer::new(), Signer::new());
    bed.control().jwks(ISSUER, Some(signer.jwks()));
    let app = App {
        subjects: vec!["system:serviceaccount:demo:wi".into()],
        ..App::default()
    };
    bed.control().entra(TENANT, CLIENT, Some(app));
    let good = changed("exp", json!(FOREVER));
    assert_eq!(present(&bed, &signer.sign(&good)).await.status, 200);
    let cases = [
        (changed("iss", json!("https://elsewhere")), 700_211),
        (changed("aud", json!(["https://vault.azure.net"])), 700_212),
        (changed("aud", json!([])), 700_212),
        (
            changed("sub", json!("system:serviceaccount:demo:other")),
            700_213,
        ),
        (changed("exp", json!(1)), 700_024),
        (changed("nbf", json!(FOREVER)), 700_024),
    ];
    for (claims, code) in cases {
        let answer = present(&bed, &signer.sign(&claims)).await;
        assert_eq!(
            (answer.status, verdict(&answer)),
            (401, code.into()),
            "{claims}"
        );
    }
    // signed by a key that the issuer does not publish
    let answer = present(&bed, &stranger.sign(&good)).await;
    assert_eq!(verdict(&answer), 50_013);
    // signed for something else
    let (token, other) = (signer.sign(&good), signer.sign(&changed("iat", json!(1))));
    let (_, signature) = other.rsplit_once('.').unwrap();
    let (content, _) = token.rsplit_once('.').unwrap();
    let answer = present(&bed, &format!("{content}.{signature}")).await;
    assert_eq!(verdict(&answer), 50_013);
    // not signed at all
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let unsigned = format!("{}.{}.", encode(&json!({"alg": "none"})), encode(&good));
    assert_eq!(verdict(&present(&bed, &unsigned).await), 50_013);
    assert_eq!(verdict(&present(&bed, "no token").await), 50_027);
    let untyped = [("client_id", CLIENT), ("client_assertion", token.as_str())];
    assert_eq!(verdict(&bed.sign_in(TENANT, &untyped).await), 900_144);
}

#[tokio::test]
async fn a_certificate_signs_in() {
    let bed = Bed::start().await;
    let signer = Signer::new();
    let audience = format!("https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token");
    let claims = json!({"iss": CLIENT, "sub": CLIENT, "aud": audience, "exp": FOREVER});
    let assertion = signer.sign(&claims);
    assert_eq!(verdict(&present(&bed, &assertion).await), 700_027);
    let app = App {
        certificates: vec![signer.certificate()],
        ..App::default()
    };
    bed.control().entra(TENANT, CLIENT, Some(app));
    assert_eq!(present(&bed, &assertion).await.status, 200);
    let elsewhere = json!({"iss": CLIENT, "sub": CLIENT, "aud": "https://else", "exp": FOREVER});
    assert_eq!(
        verdict(&present(&bed, &signer.sign(&elsewhere)).await),
        700_023
    );
}
