//! The encryption schemes and MACs of archives, by their identifiers. Knows algorithms and their
//! parameters; does not know what is protected.

use aes::{Aes128, Aes192, Aes256};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockCipherDecrypt, BlockModeDecrypt as _, InnerIvInit as _, KeyInit};
use der::Sequence;
use der::asn1::{ObjectIdentifier, OctetStringRef};
use des::TdesEde3;
use rc2::Rc2;
use ring::hmac;
use zeroize::Zeroizing;

use super::super::keys::Algorithm;
use super::error::Error;
use super::password::{self, Hash, Password, Purpose, SHA1, SHA256, SHA384, SHA512};

const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}

const PBE_3DES: ObjectIdentifier = oid("1.2.840.113549.1.12.1.3");
const PBE_RC2_128: ObjectIdentifier = oid("1.2.840.113549.1.12.1.5");
const PBE_RC2_40: ObjectIdentifier = oid("1.2.840.113549.1.12.1.6");
pub(super) const PBES2: ObjectIdentifier = oid("1.2.840.113549.1.5.13");
pub(super) const PBKDF2: ObjectIdentifier = oid("1.2.840.113549.1.5.12");
const PBMAC1: ObjectIdentifier = oid("1.2.840.113549.1.5.14");
const DES3_CBC: ObjectIdentifier = oid("1.2.840.113549.3.7");
const AES_128_CBC: ObjectIdentifier = oid("2.16.840.1.101.3.4.1.2");
const AES_192_CBC: ObjectIdentifier = oid("2.16.840.1.101.3.4.1.22");
pub(super) const AES_256_CBC: ObjectIdentifier = oid("2.16.840.1.101.3.4.1.42");
const HMAC_SHA1: ObjectIdentifier = oid("1.2.840.113549.2.7");
pub(super) const HMAC_SHA256: ObjectIdentifier = oid("1.2.840.113549.2.9");
const HMAC_SHA384: ObjectIdentifier = oid("1.2.840.113549.2.10");
const HMAC_SHA512: ObjectIdentifier = oid("1.2.840.113549.2.11");
const DIGEST_SHA1: ObjectIdentifier = oid("1.3.14.3.2.26");
pub(super) const DIGEST_SHA256: ObjectIdentifier = oid("2.16.840.1.101.3.4.2.1");
const DIGEST_SHA384: ObjectIdentifier = oid("2.16.840.1.101.3.4.2.2");
const DIGEST_SHA512: ObjectIdentifier = oid("2.16.840.1.101.3.4.2.3");

#[derive(Sequence)]
struct PbeParameters<'a> {
    salt: &'a OctetStringRef,
    iterations: u32,
}

/// The parameters of PBES2 and of PBMAC1.
#[derive(Sequence)]
struct Pbes2Parameters<'a> {
    kdf: Algorithm<'a>,
    scheme: Algorithm<'a>,
}

#[derive(Sequence)]
struct Pbkdf2Parameters<'a> {
    salt: &'a OctetStringRef,
    iterations: u32,
    #[asn1(optional = "true")]
    length: Option<u32>,
    #[asn1(optional = "true")]
    prf: Option<Algorithm<'a>>,
}

/// The MAC of an archive.
#[derive(Sequence)]
pub(super) struct MacData<'a> {
    mac: Digest<'a>,
    salt: &'a OctetStringRef,
    #[asn1(optional = "true")]
    iterations: Option<u32>,
}

#[derive(Sequence)]
struct Digest<'a> {
    algorithm: Algorithm<'a>,
    digest: &'a OctetStringRef,
}

/// Decrypts what a password protects.
pub(super) fn decrypt(
    algorithm: Algorithm<'_>,
    password: &Password,
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let parameters = algorithm.parameters.ok_or(Error::Malformed)?;
    if algorithm.oid == PBES2 {
        return pbes2(&parameters.decode_as()?, password, ciphertext);
    }
    let (size, cipher): (usize, Cipher) = match algorithm.oid {
        PBE_3DES => (24, cbc_of::<TdesEde3>),
        PBE_RC2_128 => (16, rc2_cbc),
        PBE_RC2_40 => (5, rc2_cbc),
        _ => return Err(Error::Unsupported("encryption algorithm")),
    };
    let PbeParameters { salt, iterations } = parameters.decode_as()?;
    let derive = |purpose, size| {
        password::pkcs12_kdf(SHA1, purpose, password, salt.as_bytes(), iterations, size)
    };
    cipher(
        &derive(Purpose::Key, size)?,
        &derive(Purpose::Iv, 8)?,
        ciphertext,
    )
}

fn pbes2(
    parameters: &Pbes2Parameters<'_>,
    password: &Password,
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let (size, cipher): (usize, Cipher) = match parameters.scheme.oid {
        AES_128_CBC => (16, cbc_of::<Aes128>),
        AES_192_CBC => (24, cbc_of::<Aes192>),
        AES_256_CBC => (32, cbc_of::<Aes256>),
        DES3_CBC => (24, cbc_of::<TdesEde3>),
        _ => return Err(Error::Unsupported("encryption algorithm")),
    };
    let iv = parameters.scheme.parameters.ok_or(Error::Malformed)?;
    let iv: &OctetStringRef = iv.decode_as()?;
    let key = pbkdf2(parameters.kdf, password, Some(size))?;
    cipher(&key, iv.as_bytes(), ciphertext)
}

/// The key that PBKDF2 derives; of the length given, else of the one in the parameters.
fn pbkdf2(
    kdf: Algorithm<'_>,
    password: &Password,
    size: Option<usize>,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    if kdf.oid != PBKDF2 {
        return Err(Error::Unsupported("key derivation"));
    }
    let parameters: Pbkdf2Parameters<'_> = kdf.parameters.ok_or(Error::Malformed)?.decode_as()?;
    let hash = parameters
        .prf
        .map_or(Ok(SHA1), |prf| hash_of_hmac(prf.oid))?;
    let length = parameters.length.filter(|length| (1..=64).contains(length));
    let size = size
        .or(length.map(|length| length as usize))
        .ok_or(Error::Malformed)?;
    password::pbkdf2(
        hash,
        password,
        parameters.salt.as_bytes(),
        parameters.iterations,
        size,
    )
}

fn hash_of_hmac(oid: ObjectIdentifier) -> Result<Hash, Error> {
    Ok(match oid {
        HMAC_SHA1 => SHA1,
        HMAC_SHA256 => SHA256,
        HMAC_SHA384 => SHA384,
        HMAC_SHA512 => SHA512,
        _ => return Err(Error::Unsupported("pseudo-random function")),
    })
}

type Cipher = fn(&[u8], &[u8], &[u8]) -> Result<Zeroizing<Vec<u8>>, Error>;

fn cbc_of<C: BlockCipherDecrypt + KeyInit>(
    key: &[u8],
    iv: &[u8],
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Error> {
    cbc_with(
        C::new_from_slice(key).map_err(|_| Error::Malformed)?,
        iv,
        ciphertext,
    )
}

fn rc2_cbc(key: &[u8], iv: &[u8], ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    cbc_with(
        Rc2::new_with_eff_key_len(key, key.len() * 8),
        iv,
        ciphertext,
    )
}

fn cbc_with<C: BlockCipherDecrypt>(
    cipher: C,
    iv: &[u8],
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let cipher = cbc::Decryptor::inner_iv_slice_init(cipher, iv).map_err(|_| Error::Malformed)?;
    let plaintext = cipher.decrypt_padded_vec::<Pkcs7>(ciphertext);
    plaintext
        .map(Zeroizing::new)
        .map_err(|_| Error::IncorrectPassword)
}

impl MacData<'_> {
    /// Whether the MAC is that of the content under the password.
    pub(super) fn verify(&self, password: &Password, content: &[u8]) -> Result<(), Error> {
        let algorithm = self.mac.algorithm;
        let (hash, key) = if algorithm.oid == PBMAC1 {
            let parameters = algorithm.parameters.ok_or(Error::Malformed)?;
            let parameters: Pbes2Parameters<'_> = parameters.decode_as()?;
            let hash = hash_of_hmac(parameters.scheme.oid)?;
            (hash, pbkdf2(parameters.kdf, password, None)?)
        } else {
            let hash = match algorithm.oid {
                DIGEST_SHA1 => SHA1,
                DIGEST_SHA256 => SHA256,
                DIGEST_SHA384 => SHA384,
                DIGEST_SHA512 => SHA512,
                _ => return Err(Error::Unsupported("MAC algorithm")),
            };
            let (salt, iterations) = (self.salt.as_bytes(), self.iterations.unwrap_or(1));
            let size = hash.digest.output_len();
            let key = password::pkcs12_kdf(hash, Purpose::Mac, password, salt, iterations, size)?;
            (hash, key)
        };
        let key = hmac::Key::new(hash.hmac, &key);
        hmac::verify(&key, content, self.mac.digest.as_bytes())
            .map_err(|_| Error::IncorrectPassword)
    }
}
