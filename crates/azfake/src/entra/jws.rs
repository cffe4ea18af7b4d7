//! Signed JSON (JWT) as clients present it: parsing, and checking a signature with a JWK or a certificate.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
    RsaPublicKeyComponents, UnparsedPublicKey,
};
use rustls_pki_types::CertificateDer;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use webpki::EndEntityCert;

/// A set of public keys, as an issuer publishes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Jwks {
    /// The keys; those of other kinds than RSA and EC P-256 never fit.
    pub keys: Vec<Jwk>,
}

/// A public key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Jwk {
    /// `RSA` or `EC`.
    pub kty: String,
    /// Key id; empty: any token may use it.
    pub kid: String,
    /// Modulus of an RSA key, base64url.
    pub n: String,
    /// Exponent of an RSA key, base64url.
    pub e: String,
    /// Point of an EC key, base64url.
    pub x: String,
    /// Point of an EC key, base64url.
    pub y: String,
}

/// The header of a token.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Header {
    pub(crate) alg: String,
    kid: String,
    x5t: Option<String>,
    #[serde(rename = "x5t#S256")]
    x5t_s256: Option<String>,
}

/// The claims that sign-in looks at; times in Unix seconds.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Claims {
    pub(crate) iss: String,
    pub(crate) sub: String,
    aud: Audience,
    #[serde(deserialize_with = "whole_seconds")]
    pub(crate) nbf: i64,
    #[serde(deserialize_with = "whole_seconds")]
    pub(crate) exp: i64,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// A `NumericDate` may have a fraction.
fn whole_seconds<'de, D: Deserializer<'de>>(input: D) -> Result<i64, D::Error> {
    let text = serde_json::Number::deserialize(input)?.to_string();
    let whole = text.split('.').next().unwrap_or_default();
    whole.parse().map_err(D::Error::custom)
}

impl Default for Audience {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl Claims {
    /// All audiences.
    pub(crate) fn audiences(&self) -> &[String] {
        match &self.aud {
            Audience::One(audience) => std::slice::from_ref(audience),
            Audience::Many(audiences) => audiences,
        }
    }
}

/// A token that has the form of one; its signature is not checked yet.
#[derive(Debug)]
pub(crate) struct Jws {
    header: Header,
    pub(crate) claims: Claims,
    signed: String,
    signature: Vec<u8>,
}

impl Jws {
    /// Parses the compact form.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
        Some(Self {
            header: serde_json::from_slice(&decode(header)?).ok()?,
            claims: serde_json::from_slice(&decode(claims)?).ok()?,
            signed: signed.to_owned(),
            signature: decode(signature)?,
        })
    }

    /// Whether one of the keys made the signature.
    pub(crate) fn is_signed_by_key(&self, jwks: &Jwks) -> bool {
        let named = |key: &&Jwk| key.kid.is_empty() || key.kid == self.header.kid;
        jwks.keys
            .iter()
            .filter(named)
            .any(|key| self.fits(key).is_some())
    }

    fn fits(&self, key: &Jwk) -> Option<()> {
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
        let message = self.signed.as_bytes();
        match (key.kty.as_str(), self.header.alg.as_str()) {
            ("RSA", alg @ ("RS256" | "PS256")) => {
                let parameters = if alg == "RS256" {
                    &RSA_PKCS1_2048_8192_SHA256
                } else {
                    &RSA_PSS_2048_8192_SHA256
                };
                let components = RsaPublicKeyComponents {
                    n: decode(&key.n)?,
                    e: decode(&key.e)?,
                };
                components.verify(parameters, message, &self.signature).ok()
            }
            ("EC", "ES256") => {
                let point = [vec![4], decode(&key.x)?, decode(&key.y)?].concat();
                let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
                public.verify(message, &self.signature).ok()
            }
            _ => None,
        }
    }

    /// Whether the key of one of the certificates made the signature, RS256 or PS256 as Entra wants it, and the
    /// header's thumbprints name that certificate.
    pub(crate) fn is_signed_by_certificate(&self, certificates: &[CertificateDer<'_>]) -> bool {
        let algorithm = match self.header.alg.as_str() {
            "RS256" => webpki::ring::RSA_PKCS1_2048_8192_SHA256,
            "PS256" => webpki::ring::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
            _ => return false,
        };
        let named = |certificate: &&CertificateDer<'_>| {
            let is = |stated: &Option<String>, algorithm| {
                let thumbprint = digest(algorithm, certificate);
                stated
                    .as_ref()
                    .is_none_or(|stated| octets(stated).as_deref() == Some(thumbprint.as_ref()))
            };
            is(&self.header.x5t, &SHA1_FOR_LEGACY_USE_ONLY) && is(&self.header.x5t_s256, &SHA256)
        };
        certificates.iter().filter(named).any(|certificate| {
            let parsed = EndEntityCert::try_from(certificate);
            parsed.is_ok_and(|parsed| {
                parsed
                    .verify_signature(algorithm, self.signed.as_bytes(), &self.signature)
                    .is_ok()
            })
        })
    }
}

/// A thumbprint in base64url or, as the Go SDK writes it and Entra takes it, in base64; padded or not.
fn octets(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    URL_SAFE_NO_PAD
        .decode(text)
        .or_else(|_| STANDARD_NO_PAD.decode(text))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thumbprint_is_read_in_either_alphabet() {
        for text in ["-_8", "-_8=", "+/8", "+/8="] {
            assert_eq!(octets(text), Some(vec![0xfb, 0xff]), "{text}");
        }
        assert_eq!(octets("no base64"), None);
    }
}
