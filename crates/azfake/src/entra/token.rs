//! Access tokens: signed with a key of the process, so that a vault can verify them without a table.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::vault::store::hex;

/// What a token says; times in Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Claims {
    pub(crate) aud: String,
    pub(crate) iss: String,
    /// Client id.
    pub(crate) appid: String,
    /// Object id of the service principal.
    pub(crate) oid: String,
    /// Tenant.
    pub(crate) tid: String,
    pub(crate) iat: i64,
    pub(crate) nbf: i64,
    pub(crate) exp: i64,
}

impl Claims {
    /// Claims of a token for an application, valid from `now` on.
    pub(crate) fn new(tenant: &str, client: &str, audience: &str, now: i64, seconds: i64) -> Self {
        Self {
            aud: audience.to_owned(),
            iss: issuer(tenant),
            appid: client.to_owned(),
            oid: as_guid(&Sha256::digest(client.as_bytes())[..16]),
            tid: tenant.to_owned(),
            iat: now,
            nbf: now,
            exp: now + seconds,
        }
    }
}

/// The issuer that a tenant's tokens name.
pub(crate) fn issuer(tenant: &str) -> String {
    format!("https://sts.windows.net/{tenant}/")
}

/// Signs and verifies tokens.
pub(crate) struct Signer {
    key: hmac::Key,
}

impl Signer {
    /// A signer with a fresh key.
    pub(crate) fn new() -> Self {
        let mut key = [0; 32];
        fill(&mut key);
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, &key),
        }
    }

    /// A token of JWT form.
    pub(crate) fn sign(&self, claims: &Claims) -> String {
        let header = URL_SAFE_NO_PAD.encode(br#"{"typ":"JWT","alg":"HS256","kid":"azfake"}"#);
        let claims = serde_json::to_vec(claims).expect("strings and numbers always serialise");
        let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims));
        let tag = hmac::sign(&self.key, signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))
    }

    /// The claims of a token that this process signed; the time is for the caller to check.
    pub(crate) fn verify(&self, token: &str) -> Option<Claims> {
        let (signed, tag) = token.rsplit_once('.')?;
        let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
        hmac::verify(&self.key, signed.as_bytes(), &tag).ok()?;
        let (_, claims) = signed.split_once('.')?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
    }
}

/// A random GUID.
pub(crate) fn guid() -> String {
    let mut bytes = [0; 16];
    fill(&mut bytes);
    as_guid(&bytes)
}

fn fill(bytes: &mut [u8]) {
    SystemRandom::new()
        .fill(bytes)
        .expect("the system has a random source");
}

fn as_guid(bytes: &[u8]) -> String {
    let digits = hex(bytes);
    format!(
        "{}-{}-4{}-8{}-{}",
        &digits[..8],
        &digits[8..12],
        &digits[13..16],
        &digits[17..20],
        &digits[20..32]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_tokens_verify() {
        let (ours, theirs) = (Signer::new(), Signer::new());
        let claims = Claims::new(
            crate::TENANT,
            crate::CLIENT,
            "https://vault.azure.net",
            0,
            3599,
        );
        let token = ours.sign(&claims);
        assert_eq!(ours.verify(&token), Some(claims));
        assert_eq!(theirs.verify(&token), None);
        assert_eq!(ours.verify("fake"), None);
        assert_eq!(guid().len(), 36);
    }
}
