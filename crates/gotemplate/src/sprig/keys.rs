//! Private keys: making them, reading and writing PEM. Knows RSA, P-256 and Ed25519, which is what
//! upstream makes; does not know certificates.

use std::convert::Infallible;

use data_encoding::BASE64;
use p256::pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding};
use rand_core::{TryCryptoRng, TryRng};
use rsa::pkcs1::{DecodeRsaPrivateKey, EncodeRsaPrivateKey};

use crate::sprig::Env;

/// PKCS#8 of an Ed25519 key up to the key itself.
const ED25519_PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

pub(super) enum PrivateKey {
    Rsa(Box<rsa::PrivateKey>),
    P256(Box<p256::SecretKey>),
    /// PKCS#8 of a key of another kind
    Other(Vec<u8>),
}

/// The environment's randomness as the key crates want it.
struct EnvironmentRng<'e>(&'e Env);

impl TryRng for EnvironmentRng<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.0.fill_random(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.0.fill_random(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill_random(bytes);
        Ok(())
    }
}

impl TryCryptoRng for EnvironmentRng<'_> {}

impl PrivateKey {
    pub(super) fn rsa(env: &Env, bits: usize) -> Result<Self, String> {
        let key = rsa::PrivateKey::new(&mut EnvironmentRng(env), bits);
        key.map(|key| Self::Rsa(Box::new(key)))
            .map_err(|error| error.to_string())
    }

    pub(super) fn p256(env: &Env) -> Result<Self, String> {
        let mut bytes = [0; 32];
        // almost every number of 256 bits is a key
        for _ in 0..128 {
            env.fill_random(&mut bytes);
            if let Ok(key) = p256::SecretKey::from_slice(&bytes) {
                return Ok(Self::P256(Box::new(key)));
            }
        }
        Err("no randomness".to_owned())
    }

    pub(super) fn ed25519(env: &Env) -> Self {
        let mut seed = [0; 32];
        env.fill_random(&mut seed);
        Self::Other([&ED25519_PREFIX[..], &seed].concat())
    }

    /// Reads the first block of a PEM text.
    pub(super) fn from_pem(text: &[u8]) -> Result<Self, String> {
        let block = pem::parse(text).map_err(|_| "no PEM data in input".to_owned())?;
        let der = block.contents();
        match block.tag() {
            "PRIVATE KEY" => Ok(Self::from_pkcs8(der)),
            "RSA PRIVATE KEY" => match rsa::PrivateKey::from_pkcs1_der(der) {
                Ok(key) => Ok(Self::Rsa(Box::new(key))),
                Err(error) => Err(format!("parsing RSA private key from PEM: {error}")),
            },
            "EC PRIVATE KEY" => match p256::SecretKey::from_sec1_der(der) {
                Ok(key) => Ok(Self::P256(Box::new(key))),
                Err(error) => Err(format!("parsing EC private key from PEM: {error}")),
            },
            tag => match tag.strip_suffix(" PRIVATE KEY") {
                Some(kind) => Err(format!("invalid private key type {kind}")),
                None => Err(format!("no private key data in PEM block of type {tag}")),
            },
        }
    }

    fn from_pkcs8(der: &[u8]) -> Self {
        if let Ok(key) = rsa::PrivateKey::from_pkcs8_der(der) {
            return Self::Rsa(Box::new(key));
        }
        match p256::SecretKey::from_pkcs8_der(der) {
            Ok(key) => Self::P256(Box::new(key)),
            Err(_) => Self::Other(der.to_vec()),
        }
    }

    /// PEM as upstream writes it: PKCS#1 for RSA, SEC1 for elliptic curves, else PKCS#8.
    pub(super) fn to_pem(&self) -> Result<String, String> {
        match self {
            Self::Rsa(key) => {
                let der = key.to_pkcs1_der().map_err(|error| error.to_string())?;
                Ok(pem_block("RSA PRIVATE KEY", der.as_bytes()))
            }
            Self::P256(key) => {
                let text = key
                    .to_sec1_pem(LineEnding::LF)
                    .map_err(|error| error.to_string())?;
                Ok(text.to_string())
            }
            Self::Other(der) => Ok(pem_block("PRIVATE KEY", der)),
        }
    }

    /// The key for signing certificates.
    pub(super) fn to_signer(&self) -> Result<rcgen::KeyPair, String> {
        let der = match self {
            Self::Rsa(key) => key.to_pkcs8_der().map(|der| der.as_bytes().to_vec()),
            Self::P256(key) => key.to_pkcs8_der().map(|der| der.as_bytes().to_vec()),
            Self::Other(der) => Ok(der.clone()),
        };
        let der = der.map_err(|error| error.to_string())?;
        rcgen::KeyPair::try_from(der).map_err(|error| error.to_string())
    }
}

/// A PEM block with lines of 64 characters.
pub(super) fn pem_block(tag: &str, der: &[u8]) -> String {
    let encoded = BASE64.encode(der);
    let mut text = format!("-----BEGIN {tag}-----\n");
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    format!("{text}-----END {tag}-----\n")
}
