//! Reads archives: one key and its certificates. Knows the structure; does not know ciphers.

use der::asn1::{AnyRef, ObjectIdentifier, OctetStringRef};
use der::{Decode as _, Encode as _, Sequence};
use zeroize::Zeroizing;

use super::super::encode::Der;
use super::super::keys::{self, Algorithm};
use super::crypto::{self, MacData};
use super::error::Error;
use super::oids::{CERT_BAG, DATA, ENCRYPTED_DATA, KEY_BAG, SHROUDED_KEY_BAG, X509};
use super::password::Password;

/// What an archive holds.
pub struct Contents {
    /// PKCS#8
    pub key: Der,
    /// in the order of the file, at least one
    pub certificates: Vec<Vec<u8>>,
}

#[derive(Sequence)]
struct Pfx<'a> {
    version: u8,
    content: ContentInfo<'a>,
    #[asn1(optional = "true")]
    mac: Option<MacData<'a>>,
}

#[derive(Sequence)]
struct ContentInfo<'a> {
    kind: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    content: AnyRef<'a>,
}

#[derive(Sequence)]
struct EncryptedData<'a> {
    version: u8,
    content: EncryptedContent<'a>,
}

#[derive(Sequence)]
struct EncryptedContent<'a> {
    kind: ObjectIdentifier,
    algorithm: Algorithm<'a>,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT")]
    content: &'a OctetStringRef,
}

#[derive(Sequence)]
struct EncryptedKey<'a> {
    algorithm: Algorithm<'a>,
    content: &'a OctetStringRef,
}

#[derive(Sequence)]
struct Bag<'a> {
    kind: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    value: AnyRef<'a>,
    #[asn1(optional = "true")]
    attributes: Option<AnyRef<'a>>,
}

#[derive(Sequence)]
struct CertBag<'a> {
    kind: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    value: &'a OctetStringRef,
}

/// The one key and the certificates.
pub fn read(archive: &[u8], password: &[u8]) -> Result<Contents, Error> {
    let pfx = Pfx::from_der(archive)?;
    if pfx.version != 3 || pfx.content.kind != DATA {
        return Err(Error::Unsupported("version or kind of content"));
    }
    let content: &OctetStringRef = pfx.content.content.decode_as()?;
    let password = verified(&pfx, password, content.as_bytes())?;
    let mut bags = Bags::default();
    for info in Vec::<ContentInfo<'_>>::from_der(content.as_bytes())? {
        bags.add_content(&info, &password)?;
    }
    match bags.key {
        None => Err(Error::NoKey),
        Some(_) if bags.certificates.is_empty() => Err(Error::NoCertificate),
        Some(key) => Ok(Contents {
            key,
            certificates: bags.certificates,
        }),
    }
}

/// A private key as PKCS#8 from an encrypted one (PEM's `ENCRYPTED PRIVATE KEY`).
pub fn decrypt_key(encrypted: &[u8], password: &[u8]) -> Result<Der, Error> {
    let key = EncryptedKey::from_der(encrypted)?;
    let password = Password::new(password);
    let key = crypto::decrypt(key.algorithm, &password, key.content.as_bytes())?;
    // a wrong password may leave padding that looks right
    keys::pkcs8_of(&key).ok_or(Error::IncorrectPassword)
}

/// The password in the encoding that the MAC verifies with.
fn verified(pfx: &Pfx<'_>, password: &[u8], content: &[u8]) -> Result<Password, Error> {
    let given = Password::new(password);
    let Some(mac) = &pfx.mac else {
        return if password.is_empty() {
            Ok(given)
        } else {
            Err(Error::NoMac)
        };
    };
    match mac.verify(&given, content) {
        Err(Error::IncorrectPassword) if password.is_empty() => {
            let none = Password::none();
            mac.verify(&none, content).map(|()| none)
        }
        outcome => outcome.map(|()| given),
    }
}

#[derive(Default)]
struct Bags {
    key: Option<Der>,
    certificates: Vec<Vec<u8>>,
}

impl Bags {
    fn add_content(&mut self, info: &ContentInfo<'_>, password: &Password) -> Result<(), Error> {
        let bags = match info.kind {
            DATA => {
                let content: &OctetStringRef = info.content.decode_as()?;
                Zeroizing::new(content.as_bytes().to_vec())
            }
            ENCRYPTED_DATA => {
                let EncryptedData { content, .. } = info.content.decode_as()?;
                crypto::decrypt(content.algorithm, password, content.content.as_bytes())?
            }
            _ => return Err(Error::Unsupported("kind of content")),
        };
        for bag in Vec::<Bag<'_>>::from_der(&bags)? {
            self.add(&bag, password)?;
        }
        Ok(())
    }

    fn add(&mut self, bag: &Bag<'_>, password: &Password) -> Result<(), Error> {
        match bag.kind {
            CERT_BAG => {
                let certificate: CertBag<'_> = bag.value.decode_as()?;
                if certificate.kind != X509 {
                    return Err(Error::Unsupported("kind of certificate"));
                }
                self.certificates
                    .push(certificate.value.as_bytes().to_vec());
                Ok(())
            }
            KEY_BAG => self.add_key(&Zeroizing::new(bag.value.to_der()?)),
            SHROUDED_KEY_BAG => {
                let key: EncryptedKey<'_> = bag.value.decode_as()?;
                self.add_key(&crypto::decrypt(
                    key.algorithm,
                    password,
                    key.content.as_bytes(),
                )?)
            }
            _ => Ok(()),
        }
    }

    fn add_key(&mut self, pkcs8: &[u8]) -> Result<(), Error> {
        if self.key.is_some() {
            return Err(Error::ManyKeys);
        }
        self.key = Some(keys::pkcs8_of(pkcs8).ok_or(Error::Unsupported("private key"))?);
        Ok(())
    }
}
