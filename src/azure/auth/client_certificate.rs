//! A service principal with a certificate: signs the assertion that Entra wants
//! (RFC 7523; Microsoft Entra, "Certificate credentials").

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use azure_core::credentials::AccessToken;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use ring::rand::{SecureRandom as _, SystemRandom};
use serde_json::{Value, json};

use super::application::Application;
use super::certificate::ClientKey;
use super::{SignIn, entra_client};
use crate::azure::entra::{Failure, Shown};
use crate::azure::http::Http;
use crate::provider::{Error, StoreFault};
use crate::secret::SecretValue;

/// Assertions are used at once; Entra takes up to a day.
const LIFE: Duration = Duration::from_mins(10);

/// Who signs in, and with what.
#[derive(Clone, Debug)]
pub struct ClientCertificate {
    /// Who.
    pub application: Application,
    /// Key and certificates.
    pub certificate: ClientKey,
}

pub(in crate::azure) struct CertificateSignIn {
    identity: ClientCertificate,
    http: Http,
}

impl CertificateSignIn {
    pub(in crate::azure) fn new(identity: ClientCertificate, http: Http) -> Self {
        Self { identity, http }
    }
}

#[async_trait]
impl SignIn for CertificateSignIn {
    async fn token(&self, scope: &str) -> Result<AccessToken, Failure> {
        let ClientCertificate {
            application,
            certificate,
        } = &self.identity;
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        refuse_expired(certificate, now)?;
        let assertion = assertion(&self.identity, now).ok_or_else(|| Error::Config {
            message: "the client certificate's key cannot sign".to_owned(),
        })?;
        let exchanged = entra_client::exchange(application, assertion, &self.http, scope).await;
        exchanged.map_err(|error| Failure::Answered {
            error,
            shown: Some(Shown::Certificate {
                thumbprint: certificate.thumbprint(),
            }),
        })
    }

    fn host(&self) -> &str {
        self.identity.application.cloud.authority_host()
    }
}

/// Entra would say so less clearly.
fn refuse_expired(certificate: &ClientKey, now: Duration) -> Result<(), Error> {
    let end = certificate.not_after();
    if now.as_secs() <= end {
        return Ok(());
    }
    let end = i64::try_from(end)
        .ok()
        .and_then(|end| Timestamp::from_second(end).ok());
    let end = end.map_or_else(String::new, |end| format!(" on {end}"));
    Err(Error::Auth {
        code: "CertificateExpired".to_owned(),
        message: format!(
            "the client certificate {} expired{end}",
            certificate.thumbprint()
        ),
        remedy: "add a new certificate to the application and put it with its key into the \
                 Secret key that clientCertificate names"
            .to_owned(),
        fault: StoreFault::TokenNotAccepted,
    })
}

/// The signed assertion: by thumbprint (`x5t`) for registered certificates, with the chain (`x5c`)
/// for trust by subject name and issuer.
fn assertion(identity: &ClientCertificate, now: Duration) -> Option<SecretValue> {
    let ClientCertificate {
        application,
        certificate,
    } = identity;
    let chain: Vec<String> = certificate
        .chain()
        .map(|der| STANDARD.encode(der))
        .collect();
    let mut id = [0; 16];
    SystemRandom::new().fill(&mut id).ok()?;
    let header = json!({
        "alg": "RS256",
        "typ": "JWT",
        "x5t": URL_SAFE_NO_PAD.encode(certificate.sha1()),
        "x5c": chain,
    });
    let Application {
        cloud,
        tenant,
        client_id,
    } = application;
    let claims = json!({
        "aud": format!("{}/{tenant}/oauth2/v2.0/token", cloud.authority()),
        "iss": client_id,
        "sub": client_id,
        "jti": URL_SAFE_NO_PAD.encode(id),
        "nbf": now.as_secs(),
        "iat": now.as_secs(),
        "exp": (now + LIFE).as_secs(),
    });
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", encode(&header), encode(&claims));
    let signature = URL_SAFE_NO_PAD.encode(certificate.sign(signed.as_bytes())?);
    Some(SecretValue::new(format!("{signed}.{signature}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::azure::cloud::Cloud;

    fn identity() -> ClientCertificate {
        let archive = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/fixtures/web.pfx");
        let archive = std::fs::read(archive).unwrap();
        ClientCertificate {
            application: Application {
                cloud: Cloud::china(),
                tenant: "t".to_owned(),
                client_id: "c".to_owned(),
            },
            certificate: ClientKey::parse(&archive, None).unwrap(),
        }
    }

    fn part(assertion: &SecretValue, index: usize) -> Value {
        let part = assertion.expose_text().unwrap().split('.').nth(index);
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part.unwrap()).unwrap()).unwrap()
    }

    #[test]
    fn an_assertion_names_the_certificate_and_lives_for_minutes() {
        let identity = identity();
        let now = Duration::from_secs(1_000_000);
        let (one, other) = (
            assertion(&identity, now).unwrap(),
            assertion(&identity, now).unwrap(),
        );
        let (header, claims) = (part(&one, 0), part(&one, 1));
        assert_eq!(header["alg"], "RS256");
        assert_eq!(
            header["x5c"].as_array().unwrap().len(),
            identity.certificate.chain().count()
        );
        let url = "https://login.chinacloudapi.cn/t/oauth2/v2.0/token";
        assert_eq!(
            (&claims["aud"], &claims["iss"], &claims["sub"]),
            (&url.into(), &"c".into(), &"c".into())
        );
        assert_eq!(
            (&claims["nbf"], &claims["exp"]),
            (&1_000_000.into(), &1_000_600.into())
        );
        // no two are the same
        assert_ne!(claims["jti"], part(&other, 1)["jti"]);
    }

    #[test]
    fn an_expired_certificate_is_told_before_entra_is_asked() {
        let certificate = identity().certificate;
        let end = Duration::from_secs(certificate.not_after());
        assert!(refuse_expired(&certificate, end).is_ok());
        let error = refuse_expired(&certificate, end + Duration::from_secs(1)).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains(&certificate.thumbprint()) && text.contains("add a new certificate"),
            "{text}"
        );
    }
}
