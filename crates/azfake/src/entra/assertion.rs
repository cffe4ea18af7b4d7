//! Client assertions: federated tokens of a cluster, and tokens signed with an application's certificate.
//! Decides whether an application trusts one.

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use super::denial::Denial;
use super::jws::{Jwks, Jws};
use super::{App, EXCHANGE_AUDIENCE};

/// What an assertion is held against.
pub(crate) struct Trust<'a> {
    pub(crate) app: &'a App,
    pub(crate) client: &'a str,
    /// `https://HOST/TENANT` of the request.
    pub(crate) authority: &'a str,
    /// Issuer for applications that state none.
    pub(crate) sa_issuer: Option<&'a str>,
    /// Certificates for applications that state none.
    pub(crate) certificates: &'a [CertificateDer<'static>],
    /// Unix seconds.
    pub(crate) now: i64,
}

/// Checks an assertion; `keys` gives the keys of an issuer where they are known.
pub(crate) fn check(
    trust: &Trust<'_>,
    assertion: &str,
    keys: impl FnOnce(&str) -> Option<Jwks>,
) -> Result<(), Denial> {
    let jws = Jws::parse(assertion).ok_or(Denial::MalformedAssertion)?;
    if jws.claims.iss.eq_ignore_ascii_case(trust.client) {
        check_certificate(trust, &jws)?;
    } else {
        check_federated(trust, &jws, keys(&jws.claims.iss).as_ref())?;
    }
    if jws.claims.exp <= trust.now || jws.claims.nbf > trust.now + 300 {
        return Err(Denial::StaleAssertion);
    }
    Ok(())
}

fn check_certificate(trust: &Trust<'_>, jws: &Jws) -> Result<(), Denial> {
    let own: Vec<_> = trust
        .app
        .certificates
        .iter()
        .filter_map(|pem| CertificateDer::from_pem_slice(pem.as_bytes()).ok())
        .collect();
    let certificates = if own.is_empty() {
        trust.certificates
    } else {
        &own
    };
    if !jws.is_signed_by_certificate(certificates) {
        return Err(Denial::UnknownCertificate {
            client: trust.client.to_owned(),
        });
    }
    if !jws
        .claims
        .audiences()
        .iter()
        .any(|audience| audience.starts_with(trust.authority))
    {
        return Err(Denial::WrongRealm);
    }
    Ok(())
}

/// Issuer, then audience, then subject, as Entra names what does not match; then the signature.
fn check_federated(trust: &Trust<'_>, jws: &Jws, keys: Option<&Jwks>) -> Result<(), Denial> {
    let (app, claims) = (trust.app, &jws.claims);
    let issuer_known = match app.issuers.as_slice() {
        [] => trust.sa_issuer == Some(&claims.iss),
        issuers => issuers.contains(&claims.iss),
    };
    if !issuer_known {
        return Err(Denial::UntrustedIssuer {
            issuer: claims.iss.clone(),
        });
    }
    let audience_known = claims
        .audiences()
        .iter()
        .any(|audience| match app.audiences.as_slice() {
            [] => audience == EXCHANGE_AUDIENCE,
            audiences => audiences.contains(audience),
        });
    if !audience_known {
        return Err(Denial::UntrustedAudience {
            audience: claims.audiences().join(","),
        });
    }
    if !app.subjects.is_empty() && !app.subjects.contains(&claims.sub) {
        return Err(Denial::UntrustedSubject {
            subject: claims.sub.clone(),
        });
    }
    match keys {
        Some(keys) if !jws.is_signed_by_key(keys) => Err(Denial::BadSignature),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
    use serde_json::{Value, json};

    use super::*;
    use crate::entra::jws::Jwk;

    const ISSUER: &str = "https://127.0.0.1:6443";
    const SUBJECT: &str = "system:serviceaccount:demo:wi";

    struct Signer(EcdsaKeyPair);

    impl Signer {
        fn new() -> Self {
            let (rng, algorithm) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
            let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &rng).unwrap();
            Self(EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &rng).unwrap())
        }

        fn jwks(&self) -> Jwks {
            let (x, y) = self.0.public_key().as_ref()[1..].split_at(32);
            let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
            Jwks {
                keys: vec![Jwk {
                    kty: "EC".into(),
                    kid: "k".into(),
                    x,
                    y,
                    ..Jwk::default()
                }],
            }
        }

        fn sign(&self, claims: &Value) -> String {
            let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
            let signed = format!(
                "{}.{}",
                encode(&json!({"alg": "ES256", "kid": "k"})),
                encode(claims)
            );
            let signature = self
                .0
                .sign(&SystemRandom::new(), signed.as_bytes())
                .unwrap();
            format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
        }
    }

    fn claims(change: (&str, Value)) -> Value {
        let mut claims =
            json!({"iss": ISSUER, "sub": SUBJECT, "aud": [EXCHANGE_AUDIENCE], "exp": 100});
        claims[change.0] = change.1;
        claims
    }

    fn verdict(app: &App, assertion: &str, jwks: Option<Jwks>) -> Result<(), Denial> {
        let trust = Trust {
            app,
            client: crate::CLIENT,
            authority: "https://login.microsoftonline.com/t",
            sa_issuer: Some(ISSUER),
            certificates: &[],
            now: 50,
        };
        check(&trust, assertion, |_| jwks)
    }

    #[test]
    fn every_claim_counts() {
        let (signer, app) = (Signer::new(), App::default());
        let of = |change| verdict(&app, &signer.sign(&claims(change)), None);
        assert_eq!(of(("exp", json!(100))), Ok(()));
        assert_eq!(of(("aud", json!(EXCHANGE_AUDIENCE))), Ok(()));
        assert_eq!(of(("exp", json!(50.5))), Err(Denial::StaleAssertion));
        assert_eq!(of(("nbf", json!(1000))), Err(Denial::StaleAssertion));
        assert_eq!(
            of(("iss", json!("https://x"))),
            Err(Denial::UntrustedIssuer {
                issuer: "https://x".into()
            })
        );
        assert_eq!(
            of(("aud", json!("x"))),
            Err(Denial::UntrustedAudience {
                audience: "x".into()
            })
        );
        let strict = App {
            subjects: vec!["system:serviceaccount:x:y".into()],
            ..App::default()
        };
        let other = verdict(&strict, &signer.sign(&claims(("exp", json!(100)))), None);
        assert_eq!(
            other,
            Err(Denial::UntrustedSubject {
                subject: SUBJECT.into()
            })
        );
        assert_eq!(
            verdict(&app, "nonsense", None),
            Err(Denial::MalformedAssertion)
        );
    }

    #[test]
    fn a_known_issuer_must_have_signed() {
        let (signer, stranger, app) = (Signer::new(), Signer::new(), App::default());
        let token = signer.sign(&claims(("exp", json!(100))));
        assert_eq!(verdict(&app, &token, Some(signer.jwks())), Ok(()));
        assert_eq!(
            verdict(&app, &token, Some(stranger.jwks())),
            Err(Denial::BadSignature)
        );
        assert_eq!(
            verdict(&app, &token, Some(Jwks::default())),
            Err(Denial::BadSignature)
        );
    }

    #[test]
    fn a_certificate_must_be_registered() {
        let token = Signer::new().sign(&claims(("iss", json!(crate::CLIENT))));
        let denial = Denial::UnknownCertificate {
            client: crate::CLIENT.into(),
        };
        assert_eq!(verdict(&App::default(), &token, None), Err(denial));
    }
}
