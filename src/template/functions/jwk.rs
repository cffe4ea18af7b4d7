//! JSON Web Keys as PEM (RFC 7517, 7518, 8037). Knows which members a key needs; does not know how
//! keys are written.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gotemplate::CallError;
use rsa::BoxedUint;
use rsa::pkcs1::EncodeRsaPrivateKey as _;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::pki::encode::Der;
use crate::pki::keys::{self, Curve};
use crate::pki::pem;

/// `jwkPublicKeyPem`: an SPKI block of a public key.
pub(super) fn public_pem(jwk: &[u8]) -> Result<String, CallError> {
    let jwk = Jwk::parse(jwk)?;
    if jwk.is_private() {
        return Err(CallError::new(
            "the JWK holds a private key; use jwkPrivateKeyPem",
        ));
    }
    let spki = match jwk.kind()? {
        KeyKind::Rsa => Some(keys::rsa_spki(&jwk.bytes("n")?, &jwk.bytes("e")?)),
        KeyKind::Ec(curve) => keys::ec_spki(curve, &jwk.bytes("x")?, &jwk.bytes("y")?),
        KeyKind::Ed25519 => keys::ed25519_spki(&jwk.bytes("x")?),
    };
    let spki = spki.ok_or_else(invalid)?;
    Ok(pem::encode("PUBLIC KEY", &spki))
}

/// `jwkPrivateKeyPem`: a PKCS#8 block of a private key.
pub(super) fn private_pem(jwk: &[u8]) -> Result<String, CallError> {
    let jwk = Jwk::parse(jwk)?;
    if !jwk.is_private() {
        return Err(CallError::new(
            "the JWK holds no private key; use jwkPublicKeyPem",
        ));
    }
    let pkcs8 = match jwk.kind()? {
        KeyKind::Rsa => jwk.rsa_private()?,
        KeyKind::Ec(curve) => {
            let (x, y) = (jwk.bytes("x")?, jwk.bytes("y")?);
            let point = keys::point(curve, &x, &y).ok_or_else(invalid)?;
            let pkcs8 = keys::ec_pkcs8(curve, &jwk.bytes("d")?).ok_or_else(invalid)?;
            if !pkcs8.ends_with(&point) {
                return Err(CallError::new("the JWK's x and y do not belong to its d"));
            }
            pkcs8
        }
        KeyKind::Ed25519 => {
            jwk.bytes("x")?;
            keys::ed25519_pkcs8(&jwk.bytes("d")?).ok_or_else(invalid)?
        }
    };
    Ok(pem::encode("PRIVATE KEY", &pkcs8))
}

fn invalid() -> CallError {
    CallError::new("the JWK's members are no key of its type")
}

enum KeyKind {
    Rsa,
    Ec(Curve),
    Ed25519,
}

struct Jwk(Map<String, Value>);

impl Jwk {
    fn parse(text: &[u8]) -> Result<Self, CallError> {
        let members = serde_json::from_slice(text);
        members
            .map(Self)
            .map_err(|_| CallError::new("failed to parse JWK: not a JSON object"))
    }

    fn is_private(&self) -> bool {
        self.0.contains_key("d")
    }

    fn kind(&self) -> Result<KeyKind, CallError> {
        let curve = self.text("crv");
        match self.text("kty") {
            "RSA" => Ok(KeyKind::Rsa),
            "EC" => Curve::of_jwk(curve)
                .map(KeyKind::Ec)
                .ok_or_else(|| CallError::new("JWK: crv must be P-256, P-384 or P-521")),
            "OKP" if curve == "Ed25519" => Ok(KeyKind::Ed25519),
            _ => Err(CallError::new(
                "JWK: kty must be RSA, EC, or OKP with crv Ed25519",
            )),
        }
    }

    fn text(&self, member: &str) -> &str {
        self.0
            .get(member)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    fn bytes(&self, member: &str) -> Result<Zeroizing<Vec<u8>>, CallError> {
        let text = self.text(member).trim_end_matches('=');
        let bytes = URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
        if bytes.is_empty() {
            return Err(CallError::new(format!(
                "JWK: member {member} is missing or not base64url"
            )));
        }
        Ok(Zeroizing::new(bytes))
    }

    fn number(&self, member: &str) -> Result<BoxedUint, CallError> {
        Ok(BoxedUint::from_be_slice_vartime(&self.bytes(member)?))
    }

    fn rsa_private(&self) -> Result<Der, CallError> {
        let primes = vec![self.number("p")?, self.number("q")?];
        let (n, e, d) = (self.number("n")?, self.number("e")?, self.number("d")?);
        let key = rsa::PrivateKey::from_components(n, e, d, primes).map_err(|_| invalid())?;
        let pkcs1 = key.to_pkcs1_der().map_err(|_| invalid())?;
        Ok(keys::rsa_pkcs8(pkcs1.as_bytes()))
    }
}
