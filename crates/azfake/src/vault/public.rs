//! Keys and certificates as far as a reader sees them: public parts made from fixtures. Private keys are never served.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rsa::PublicKeyComponents;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RsaKeyPair};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};

use super::store::Attributes;
use crate::Error;

/// A key or certificate with one version.
#[derive(Clone, Debug)]
pub(crate) struct Public {
    pub(crate) name: String,
    pub(crate) version: String,
    /// Version of the secret behind a certificate; empty for a key.
    pub(crate) secret_version: String,
    /// Members of the answer that belong to the kind: a JWK, or `cer` and its kin.
    pub(crate) document: Value,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) attributes: Attributes,
    pub(crate) deleted: bool,
}

/// A certificate fixture.
pub(crate) struct Certificate {
    pub(crate) leaf: Vec<u8>,
    /// Value of the secret behind the certificate.
    pub(crate) secret: String,
    /// Content type of that secret.
    pub(crate) content_type: &'static str,
}

/// The public JWK of a key type: of a fixture, or for EC of a fresh key where there are no fixtures.
pub(crate) fn jwk(fixtures: Option<&Path>, kty: &str) -> Result<Value, Error> {
    match kty {
        "RSA" => rsa(&read(fixtures, "key-rsa.pem")?),
        "EC" if fixtures.is_none() => {
            let rng = ring::rand::SystemRandom::new();
            let pair = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &rng);
            ec(pair.map_err(|_| unusable("EC key"))?.as_ref())
        }
        "EC" => {
            let pem = read(fixtures, "key-ec.pem")?;
            ec(private_key(&pem, "key-ec.pem")?.secret_pkcs8_der())
        }
        other => Err(unusable(other)),
    }
}

fn rsa(pem: &[u8]) -> Result<Value, Error> {
    let der = private_key(pem, "key-rsa.pem")?;
    let pair =
        RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).map_err(|_| unusable("key-rsa.pem"))?;
    let public: PublicKeyComponents<Vec<u8>> = pair.public().into();
    Ok(json!({
        "kty": "RSA",
        "key_ops": ["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"],
        "n": URL_SAFE_NO_PAD.encode(public.n),
        "e": URL_SAFE_NO_PAD.encode(public.e),
    }))
}

fn ec(pkcs8: &[u8]) -> Result<Value, Error> {
    let rng = ring::rand::SystemRandom::new();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8, &rng);
    let pair = pair.map_err(|_| unusable("key-ec.pem"))?;
    let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
    Ok(json!({
        "kty": "EC",
        "key_ops": ["sign", "verify"],
        "crv": "P-256",
        "x": URL_SAFE_NO_PAD.encode(x),
        "y": URL_SAFE_NO_PAD.encode(y),
    }))
}

/// The certificate fixture of a name that golden cases use.
pub(crate) fn certificate(fixtures: Option<&Path>, name: &str) -> Result<Certificate, Error> {
    const PFX: &str = "application/x-pkcs12";
    const PEM: &str = "application/x-pem-file";
    let (leaf, secret, content_type) = match name {
        "web-chain-pem" => ("web-chain.pem", "web-chain.pem", PEM),
        "web-ec-pem" => ("web-ec.pem", "web-ec.pem", PEM),
        // both hold the leaf of the chain
        "web-pkcs12" => ("web-chain.pem", "web.pfx", PFX),
        "web-pkcs12-aes" => ("web-chain.pem", "web-aes.pfx", PFX),
        other => return Err(unusable(other)),
    };
    let secret = read(fixtures, secret)?;
    let der = CertificateDer::from_pem_slice(&read(fixtures, leaf)?).map_err(|_| unusable(leaf))?;
    let secret = match content_type {
        PFX => STANDARD.encode(secret),
        _ => String::from_utf8(secret).map_err(|_| unusable(leaf))?,
    };
    Ok(Certificate {
        leaf: der.to_vec(),
        secret,
        content_type,
    })
}

/// What a certificate's answer holds besides ids: the leaf, its SHA-1 thumbprint and the policy's main points.
pub(crate) fn document(certificate: &Certificate) -> Value {
    let thumbprint =
        ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, &certificate.leaf);
    json!({
        "cer": STANDARD.encode(&certificate.leaf),
        "x5t": URL_SAFE_NO_PAD.encode(thumbprint),
        "policy": {
            "key_props": { "exportable": true, "reuse_key": false },
            "secret_props": { "contentType": certificate.content_type },
            "issuer": { "name": "Unknown" },
        },
    })
}

fn private_key(pem: &[u8], name: &str) -> Result<PrivatePkcs8KeyDer<'static>, Error> {
    PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(|_| unusable(name))
}

fn read(fixtures: Option<&Path>, name: &str) -> Result<Vec<u8>, Error> {
    let path = fixtures.map_or_else(|| PathBuf::from(name), |directory| directory.join(name));
    std::fs::read(&path).map_err(|source| Error::ReadFixture { path, source })
}

fn unusable(name: &str) -> Error {
    Error::Fixture {
        name: name.to_owned(),
    }
}
