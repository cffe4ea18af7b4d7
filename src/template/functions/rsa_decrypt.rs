//! `rsaDecrypt`: RSA-OAEP. Knows the schemes; does not know how keys are stored.

use gotemplate::CallError;
use rsa::pkcs1::DecodeRsaPrivateKey as _;
use rsa::sha2::{Sha256, Sha512};
use rsa::{Oaep, PrivateKey};
use sha1::Sha1;

use crate::pki::{keys, pem};

/// The plaintext. An unknown hash means SHA-256.
pub(super) fn decrypt(
    scheme: &[u8],
    hash: &[u8],
    ciphertext: &[u8],
    key: &[u8],
) -> Result<Vec<u8>, CallError> {
    match scheme {
        b"None" => return Ok(ciphertext.to_vec()),
        b"RSA-OAEP" => {}
        _ => {
            let scheme = String::from_utf8_lossy(scheme);
            return Err(CallError::revealing(
                format!("decryption scheme {scheme} is not supported"),
                "decryption scheme is not supported; use RSA-OAEP or None",
            ));
        }
    }
    let (block, _) = pem::next(key).ok_or_else(|| CallError::new("failed to decode PEM block"))?;
    let pkcs8 = keys::pkcs8_of(&block.bytes).ok_or_else(|| {
        CallError::new("could not parse private key: unable to parse private key type")
    })?;
    let no_rsa = || CallError::new("could not parse RSA private key");
    let pkcs1 = keys::pkcs1_of(&pkcs8).ok_or_else(no_rsa)?;
    let key = PrivateKey::from_pkcs1_der(pkcs1).map_err(|_| no_rsa())?;
    let plaintext = match hash {
        b"SHA1" => key.decrypt(Oaep::<Sha1>::new(), ciphertext),
        b"SHA512" => key.decrypt(Oaep::<Sha512>::new(), ciphertext),
        _ => key.decrypt(Oaep::<Sha256>::new(), ciphertext),
    };
    plaintext.map_err(|_| {
        CallError::new(
            "error decrypting data with RSA: decryption error; check that key and hash are those \
             of the encryption",
        )
    })
}
