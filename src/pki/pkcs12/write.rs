//! Writes archives: AES-256-CBC by PBES2, HMAC-SHA-256, 2048 iterations. Knows the structure and
//! the one profile.

use aes::Aes256;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeEncrypt as _, KeyIvInit as _};
use der::asn1::ObjectIdentifier;
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::{digest, hmac};

use super::super::certificate::Certificate;
use super::super::encode::{self, Der};
use super::crypto::{AES_256_CBC, DIGEST_SHA256, HMAC_SHA256, PBES2, PBKDF2};
use super::error::Error;
use super::oids::{CERT_BAG, DATA, ENCRYPTED_DATA, SHROUDED_KEY_BAG, X509};
use super::password::{self, Password, Purpose, SHA256};

const ITERATIONS: u32 = 2048;
const FRIENDLY_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.20");
const LOCAL_KEY_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.21");
/// Java's mark of a certificate that it trusts, and what for.
const TRUSTED_KEY_USAGE: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("2.16.840.1.113894.746875.1.1");
const ANY_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37.0");
const BMP_STRING: u8 = 0x1e;
/// `[0] IMPLICIT` of a primitive type.
const IMPLICIT_0: u8 = 0x80;

/// An archive of a chain, the leaf first, and the leaf's key in PKCS#8.
pub fn archive(chain: &[Certificate], key: &[u8], password: &[u8]) -> Result<Der, Error> {
    let password = Password::new(password);
    let leaf = chain.first().map_or(&[][..], |leaf| &leaf.der);
    let id = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, leaf);
    let id = encode::set(&[&attribute(LOCAL_KEY_ID, &encode::octets(id.as_ref()))]);
    let bags: Vec<Der> = chain
        .iter()
        .enumerate()
        .map(|(i, certificate)| cert_bag(certificate, (i == 0).then_some(&*id)))
        .collect();
    let shrouded = encrypted(key, &password)?;
    let key_bag = encode::sequence(&[
        &encode::oid(SHROUDED_KEY_BAG),
        &encode::explicit(0, &shrouded),
        &id,
    ]);
    let contents = [
        encrypted_content(&bags, &password)?,
        data_content(&encode::sequence(&[&key_bag])),
    ];
    pfx(&contents, &password)
}

/// A private key, encrypted as PEM's `ENCRYPTED PRIVATE KEY` holds it.
pub fn encrypt_key(key: &[u8], password: &[u8]) -> Result<Der, Error> {
    encrypted(key, &Password::new(password))
}

fn encrypted(key: &[u8], password: &Password) -> Result<Der, Error> {
    let (algorithm, ciphertext) = encrypt(key, password)?;
    Ok(encode::sequence(&[
        &algorithm,
        &encode::octets(&ciphertext),
    ]))
}

/// An archive of certificates that Java trusts.
pub fn trust_store(certificates: &[Certificate], password: &[u8]) -> Result<Der, Error> {
    let password = Password::new(password);
    let usage = attribute(TRUSTED_KEY_USAGE, &encode::oid(ANY_KEY_USAGE));
    let bag = |certificate: &Certificate| {
        let name: Vec<u8> = certificate
            .subject()
            .encode_utf16()
            .flat_map(u16::to_be_bytes)
            .collect();
        let name = attribute(FRIENDLY_NAME, &encode::tagged(BMP_STRING, &[&name]));
        let mut attributes: [&[u8]; 2] = [&name, &usage];
        attributes.sort_unstable();
        cert_bag(certificate, Some(&*encode::set(&attributes)))
    };
    let bags: Vec<Der> = certificates.iter().map(bag).collect();
    pfx(&[encrypted_content(&bags, &password)?], &password)
}

fn attribute(kind: ObjectIdentifier, value: &[u8]) -> Der {
    encode::sequence(&[&encode::oid(kind), &encode::set(&[value])])
}

fn cert_bag(certificate: &Certificate, attributes: Option<&[u8]>) -> Der {
    let value = encode::explicit(0, &encode::octets(&certificate.der));
    let value = encode::sequence(&[&encode::oid(X509), &value]);
    encode::sequence(&[
        &encode::oid(CERT_BAG),
        &encode::explicit(0, &value),
        attributes.unwrap_or_default(),
    ])
}

fn data_content(content: &[u8]) -> Der {
    let content = encode::explicit(0, &encode::octets(content));
    encode::sequence(&[&encode::oid(DATA), &content])
}

fn encrypted_content(bags: &[Der], password: &Password) -> Result<Der, Error> {
    let bags: Vec<&[u8]> = bags.iter().map(|bag| bag.as_slice()).collect();
    let (algorithm, ciphertext) = encrypt(&encode::sequence(&bags), password)?;
    let content = encode::sequence(&[
        &encode::oid(DATA),
        &algorithm,
        &encode::tagged(IMPLICIT_0, &[&ciphertext]),
    ]);
    let data = encode::sequence(&[&encode::integer(&[]), &content]);
    let data = encode::explicit(0, &data);
    Ok(encode::sequence(&[&encode::oid(ENCRYPTED_DATA), &data]))
}

/// The algorithm with its parameters, and the ciphertext.
fn encrypt(plaintext: &[u8], password: &Password) -> Result<(Der, Vec<u8>), Error> {
    let (salt, iv) = (random()?, random()?);
    let key = password::pbkdf2(SHA256, password, &salt, ITERATIONS, 32)?;
    let cipher = cbc::Encryptor::<Aes256>::new_from_slices(&key, &iv)
        .map_err(|_| Error::Failed("encryption failed"))?;
    let ciphertext = cipher.encrypt_padded_vec::<Pkcs7>(plaintext);
    let prf = encode::sequence(&[&encode::oid(HMAC_SHA256), encode::NULL]);
    let kdf = encode::sequence(&[
        &encode::octets(&salt),
        &encode::integer(&ITERATIONS.to_be_bytes()),
        &prf,
    ]);
    let kdf = encode::sequence(&[&encode::oid(PBKDF2), &kdf]);
    let scheme = encode::sequence(&[&encode::oid(AES_256_CBC), &encode::octets(&iv)]);
    let parameters = encode::sequence(&[&kdf, &scheme]);
    Ok((
        encode::sequence(&[&encode::oid(PBES2), &parameters]),
        ciphertext,
    ))
}

fn pfx(contents: &[Der], password: &Password) -> Result<Der, Error> {
    let contents: Vec<&[u8]> = contents.iter().map(|content| content.as_slice()).collect();
    let content = encode::sequence(&contents);
    let salt = random()?;
    let key = password::pkcs12_kdf(SHA256, Purpose::Mac, password, &salt, ITERATIONS, 32);
    let key = hmac::Key::new(SHA256.hmac, &key?);
    let mac = hmac::sign(&key, &content);
    let algorithm = encode::sequence(&[&encode::oid(DIGEST_SHA256), encode::NULL]);
    let mac = encode::sequence(&[
        &encode::sequence(&[&algorithm, &encode::octets(mac.as_ref())]),
        &encode::octets(&salt),
        &encode::integer(&ITERATIONS.to_be_bytes()),
    ]);
    let version = encode::integer(&[3]);
    Ok(encode::sequence(&[&version, &data_content(&content), &mac]))
}

fn random() -> Result<[u8; 16], Error> {
    let mut bytes = [0; 16];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| Error::Failed("no random numbers from the system"))?;
    Ok(bytes)
}
