//! An application's certificate and private key as people keep them: PEM or PKCS#12
//! (Microsoft Entra, "Certificate credentials"). Knows formats; does not know where the bytes come from.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::rsa::KeyPair;
use ring::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use zeroize::Zeroizing;

use crate::pki::certificate::Certificate;
use crate::pki::{keys, pem, pkcs12};

/// Why bytes are no certificate to sign in with. The texts begin as ESO's do where it has one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Neither PEM nor PKCS#12.
    #[error("no certificate found in PEM file, and it is no PKCS#12 archive either")]
    NoCertificate,
    /// PEM without a private key.
    #[error("no private key found in PEM file")]
    NoKey,
    /// A block that should be a certificate.
    #[error("failed to parse PEM certificate: {0}")]
    Certificate(String),
    /// A block that should be a private key.
    #[error(
        "failed to extract private key from PEM certificate: failed to parse private key; PKCS#8 and PKCS#1 are read"
    )]
    Key,
    /// A key that Entra takes no signature of.
    #[error("found unknown private key type in PKCS#8 wrapping: Entra takes RSA keys only")]
    NotRsa,
    /// An RSA key that cannot sign here.
    #[error("the RSA key cannot sign ({0}); it must have 2048 to 4096 bits")]
    Unfit(String),
    /// Key and certificates do not belong together.
    #[error("the private key belongs to none of the certificates beside it")]
    Mismatch,
    /// Something encrypted, and no password.
    #[error("it is encrypted")]
    PasswordNeeded,
    /// Something encrypted, and another password.
    #[error("its password does not fit")]
    WrongPassword,
    /// `Proc-Type: 4,ENCRYPTED`.
    #[error(
        "the private key is encrypted in OpenSSL's old form; write it anew with openssl pkcs8 -topk8"
    )]
    OldEncryption,
    /// An archive that cannot be read.
    #[error("{0}")]
    Archive(pkcs12::Error),
}

/// A private key with its certificate and what stood beside it. Debug shows the thumbprint only.
#[derive(Clone)]
pub struct ClientKey {
    pkcs8: Zeroizing<Vec<u8>>,
    /// The key's certificate first.
    chain: Vec<Certificate>,
}

impl fmt::Debug for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientKey({})", self.thumbprint())
    }
}

impl ClientKey {
    /// Reads PEM (certificates and key in any order; of several keys the last counts, as ESO has
    /// it) or PKCS#12, as it is or in base64 as vaults give it.
    pub fn parse(bytes: &[u8], password: Option<&[u8]>) -> Result<Self, Error> {
        if bytes.windows(11).any(|window| window == b"-----BEGIN ") {
            return Self::from_pem(bytes, password);
        }
        let blank = |byte: &u8| !byte.is_ascii_whitespace();
        let text: Zeroizing<Vec<u8>> =
            Zeroizing::new(bytes.iter().copied().filter(blank).collect());
        let decoded = STANDARD.decode(&*text).map(Zeroizing::new);
        let archive = match &decoded {
            Ok(decoded) => decoded,
            Err(_) => bytes,
        };
        // a SEQUENCE of DER
        if archive.first() != Some(&0x30) {
            return Err(Error::NoCertificate);
        }
        Self::from_archive(archive, password)
    }

    fn from_archive(archive: &[u8], password: Option<&[u8]>) -> Result<Self, Error> {
        let contents = pkcs12::read(archive, password.unwrap_or_default());
        let contents = contents.map_err(|error| match (error, password) {
            (pkcs12::Error::IncorrectPassword, None) => Error::PasswordNeeded,
            (pkcs12::Error::IncorrectPassword, Some(_)) => Error::WrongPassword,
            (pkcs12::Error::Malformed, _) => Error::NoCertificate,
            (error, _) => Error::Archive(error),
        })?;
        let certificates = contents.certificates.iter().map(|der| certificate(der));
        Self::new(contents.key, certificates.collect::<Result<_, _>>()?)
    }

    fn from_pem(text: &[u8], password: Option<&[u8]>) -> Result<Self, Error> {
        let (mut certificates, mut key) = (Vec::new(), None);
        for block in pem::blocks(text) {
            match block.kind.as_slice() {
                b"CERTIFICATE" => certificates.push(certificate(&block.bytes)?),
                b"ENCRYPTED PRIVATE KEY" => {
                    let password = password.ok_or(Error::PasswordNeeded)?;
                    let decrypted = pkcs12::decrypt_key(&block.bytes, password);
                    key = Some(decrypted.map_err(|error| match error {
                        pkcs12::Error::IncorrectPassword => Error::WrongPassword,
                        error => Error::Archive(error),
                    })?);
                }
                kind if kind.ends_with(b"PRIVATE KEY") => {
                    if block.is_encrypted() {
                        return Err(Error::OldEncryption);
                    }
                    key = Some(keys::pkcs8_of(&block.bytes).ok_or(Error::Key)?);
                }
                // such as the EC PARAMETERS that openssl writes before a key
                _ => {}
            }
        }
        if certificates.is_empty() {
            return Err(Error::NoCertificate);
        }
        Self::new(key.ok_or(Error::NoKey)?, certificates)
    }

    /// The key's certificate goes first; the others stay in their order.
    fn new(pkcs8: Zeroizing<Vec<u8>>, mut chain: Vec<Certificate>) -> Result<Self, Error> {
        if keys::pkcs1_of(&pkcs8).is_none() {
            return Err(Error::NotRsa);
        }
        let pair = KeyPair::from_pkcs8(&pkcs8).map_err(|error| Error::Unfit(error.to_string()))?;
        let public = pair.public_key().as_ref();
        let own = chain.iter().rposition(|it| it.public_key() == public);
        let own = chain.remove(own.ok_or(Error::Mismatch)?);
        chain.insert(0, own);
        Ok(Self { pkcs8, chain })
    }

    /// The certificates in DER, the key's own first.
    pub fn chain(&self) -> impl Iterator<Item = &[u8]> {
        self.chain.iter().map(|it| it.der.as_slice())
    }

    /// The end of the certificate's life in Unix seconds.
    pub fn not_after(&self) -> u64 {
        self.chain.first().map_or(0, Certificate::not_after)
    }

    /// SHA-1 of the certificate as portals show it: upper-case hexadecimal.
    pub fn thumbprint(&self) -> String {
        use std::fmt::Write as _;
        let mut text = String::new();
        for byte in self.sha1().as_ref() {
            // writing to a string cannot fail
            let _ = write!(text, "{byte:02X}");
        }
        text
    }

    /// SHA-1 of the certificate.
    pub(super) fn sha1(&self) -> ring::digest::Digest {
        let der = self.chain().next().unwrap_or_default();
        ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, der)
    }

    /// All that is shown to Entra, to tell identities apart.
    pub(super) fn shown(&self) -> Vec<u8> {
        self.chain().flatten().copied().collect()
    }

    /// Signs with RS256; `None` where the key cannot.
    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let pair = KeyPair::from_pkcs8(&self.pkcs8).ok()?;
        let mut signature = vec![0; pair.public().modulus_len()];
        pair.sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            message,
            &mut signature,
        )
        .ok()?;
        Some(signature)
    }
}

fn certificate(der: &[u8]) -> Result<Certificate, Error> {
    Certificate::parse(der).map_err(|error| Error::Certificate(error.to_string()))
}

#[cfg(test)]
#[path = "certificate_tests.rs"]
mod tests;
