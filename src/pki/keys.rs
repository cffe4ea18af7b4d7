//! Private and public keys: what is read and the one form each is written in, PKCS#8 and SPKI. Does
//! not know where a key comes from.

use der::asn1::{AnyRef, BitStringRef, ObjectIdentifier, OctetStringRef};
use der::{Decode as _, Sequence};
use p256::NistP256;
use p256::elliptic_curve::sec1::{FromSec1Point, ModulusSize, ToSec1Point};
use p256::elliptic_curve::{AffinePoint, CurveArithmetic, FieldBytesSize, PublicKey, SecretKey};
use p384::NistP384;
use p521::NistP521;
use rsa::pkcs1;
use rsa::pkcs8::PrivateKeyInfoRef;

use super::encode::{self, Der};

pub const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");

/// An algorithm with its parameters.
#[derive(Clone, Copy, Debug, Sequence)]
pub struct Algorithm<'a> {
    pub oid: ObjectIdentifier,
    #[asn1(optional = "true")]
    pub parameters: Option<AnyRef<'a>>,
}

#[derive(Sequence)]
struct EcKey<'a> {
    version: u8,
    key: &'a OctetStringRef,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    curve: Option<ObjectIdentifier>,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", optional = "true")]
    public_key: Option<BitStringRef<'a>>,
}

/// One of the curves of NIST.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    /// The curve that a JWK names so.
    pub fn of_jwk(name: &str) -> Option<Self> {
        Some(match name {
            "P-256" => Self::P256,
            "P-384" => Self::P384,
            "P-521" => Self::P521,
            _ => return None,
        })
    }

    fn of_oid(oid: ObjectIdentifier) -> Option<Self> {
        let all = [Self::P256, Self::P384, Self::P521];
        all.into_iter().find(|curve| curve.oid() == oid)
    }

    fn oid(self) -> ObjectIdentifier {
        match self {
            Self::P256 => P256,
            Self::P384 => P384,
            Self::P521 => P521,
        }
    }

    /// Bytes of a coordinate.
    pub fn size(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    /// Whether the uncompressed point lies on the curve.
    fn holds(self, point: &[u8]) -> bool {
        match self {
            Self::P256 => PublicKey::<NistP256>::from_sec1_bytes(point).is_ok(),
            Self::P384 => PublicKey::<NistP384>::from_sec1_bytes(point).is_ok(),
            Self::P521 => PublicKey::<NistP521>::from_sec1_bytes(point).is_ok(),
        }
    }

    /// The uncompressed public point of a private key.
    fn public_point(self, key: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::P256 => public_point::<NistP256>(key),
            Self::P384 => public_point::<NistP384>(key),
            Self::P521 => public_point::<NistP521>(key),
        }
    }
}

fn public_point<C: CurveArithmetic>(key: &[u8]) -> Option<Vec<u8>>
where
    AffinePoint<C>: FromSec1Point<C> + ToSec1Point<C>,
    FieldBytesSize<C>: ModulusSize,
{
    let key = SecretKey::<C>::from_slice(key).ok()?;
    Some(key.public_key().to_sec1_point(false).as_bytes().to_vec())
}

/// A private key as PKCS#8, from PKCS#1, PKCS#8 or SEC 1, tried in this order.
pub fn pkcs8_of(der: &[u8]) -> Option<Der> {
    if pkcs1::RsaPrivateKeyRef::from_der(der).is_ok() {
        return Some(rsa_pkcs8(der));
    }
    if let Ok(key) = PrivateKeyInfoRef::from_der(der) {
        return normalised(&key);
    }
    let key = EcKey::from_der(der).ok()?;
    ec_pkcs8(Curve::of_oid(key.curve?)?, key.key.as_bytes())
}

/// PKCS#8 without attributes, with what is derived of the key.
fn normalised(pkcs8: &PrivateKeyInfoRef<'_>) -> Option<Der> {
    let key = pkcs8.private_key.as_bytes();
    match pkcs8.algorithm.oid {
        RSA => {
            pkcs1::RsaPrivateKeyRef::from_der(key).ok()?;
            Some(rsa_pkcs8(key))
        }
        EC => {
            let curve = pkcs8.algorithm.parameters?.decode_as().ok()?;
            let key = EcKey::from_der(key).ok()?;
            ec_pkcs8(Curve::of_oid(curve)?, key.key.as_bytes())
        }
        ED25519 => {
            let seed = <&OctetStringRef>::from_der(key).ok()?;
            ed25519_pkcs8(seed.as_bytes())
        }
        _ => None,
    }
}

/// The PKCS#1 key inside a PKCS#8 one, if it is of RSA.
pub fn pkcs1_of(pkcs8: &[u8]) -> Option<&[u8]> {
    let key = PrivateKeyInfoRef::from_der(pkcs8).ok()?;
    (key.algorithm.oid == RSA).then(|| key.private_key.as_bytes())
}

/// PKCS#8 of a PKCS#1 key.
pub fn rsa_pkcs8(pkcs1: &[u8]) -> Der {
    let algorithm = encode::sequence(&[&encode::oid(RSA), encode::NULL]);
    encode::sequence(&[&encode::integer(&[]), &algorithm, &encode::octets(pkcs1)])
}

/// PKCS#8 of an EC key. `None` for a number that is no key of the curve.
pub fn ec_pkcs8(curve: Curve, key: &[u8]) -> Option<Der> {
    // some writers strip zeros, some pad
    let zeros = key.len().saturating_sub(curve.size());
    if key[..zeros].iter().any(|b| *b != 0) {
        return None;
    }
    let padded = left_padded(&key[zeros..], curve.size());
    let public = encode::bits(&curve.public_point(&padded)?);
    let inner = encode::sequence(&[
        &encode::integer(&[1]),
        &encode::octets(&padded),
        &encode::explicit(1, &public),
    ]);
    let algorithm = ec_algorithm(curve);
    Some(encode::sequence(&[
        &encode::integer(&[]),
        &algorithm,
        &encode::octets(&inner),
    ]))
}

/// PKCS#8 of an Ed25519 seed of 32 bytes.
pub fn ed25519_pkcs8(seed: &[u8]) -> Option<Der> {
    let algorithm = encode::sequence(&[&encode::oid(ED25519)]);
    let seed = (seed.len() == 32).then(|| encode::octets(&encode::octets(seed)))?;
    Some(encode::sequence(&[
        &encode::integer(&[]),
        &algorithm,
        &seed,
    ]))
}

/// SPKI of modulus and exponent.
pub fn rsa_spki(modulus: &[u8], exponent: &[u8]) -> Der {
    let key = encode::sequence(&[&encode::integer(modulus), &encode::integer(exponent)]);
    let algorithm = encode::sequence(&[&encode::oid(RSA), encode::NULL]);
    encode::sequence(&[&algorithm, &encode::bits(&key)])
}

/// SPKI of a point. `None` if it is not on the curve.
pub fn ec_spki(curve: Curve, x: &[u8], y: &[u8]) -> Option<Der> {
    let point = point(curve, x, y)?;
    Some(encode::sequence(&[
        &ec_algorithm(curve),
        &encode::bits(&point),
    ]))
}

/// The uncompressed point, if it is on the curve.
pub fn point(curve: Curve, x: &[u8], y: &[u8]) -> Option<Vec<u8>> {
    if x.len() > curve.size() || y.len() > curve.size() {
        return None;
    }
    let mut point = vec![4];
    point.extend(left_padded(x, curve.size()).iter());
    point.extend(left_padded(y, curve.size()).iter());
    curve.holds(&point).then_some(point)
}

/// SPKI of an Ed25519 key of 32 bytes.
pub fn ed25519_spki(key: &[u8]) -> Option<Der> {
    let algorithm = encode::sequence(&[&encode::oid(ED25519)]);
    (key.len() == 32).then(|| encode::sequence(&[&algorithm, &encode::bits(key)]))
}

fn ec_algorithm(curve: Curve) -> Der {
    encode::sequence(&[&encode::oid(EC), &encode::oid(curve.oid())])
}

fn left_padded(bytes: &[u8], size: usize) -> Der {
    let mut padded = Der::new(vec![0; size.saturating_sub(bytes.len())]);
    padded.extend_from_slice(bytes);
    padded
}
