//! From a password to keys: the encodings and the derivation of PKCS#12 (RFC 7292 appendix B) and
//! PBKDF2. Knows digests; does not know ciphers.

use std::num::NonZeroU32;

use ring::{digest, hmac, pbkdf2};
use zeroize::Zeroizing;

use super::error::Error;

/// More than anybody writes; they would keep a worker busy for long.
const MAX_ITERATIONS: u32 = 1_000_000;

/// A password in the encodings that the two families of algorithms take.
pub(super) struct Password {
    /// UTF-16, big-endian, for PKCS#12's own
    pub(super) bmp: Zeroizing<Vec<u8>>,
    /// for PBES2 and PBMAC1
    pub(super) utf8: Zeroizing<Vec<u8>>,
}

impl Password {
    /// The password with a final zero character.
    pub(super) fn new(password: &[u8]) -> Self {
        let text = String::from_utf8_lossy(password);
        let units = text.encode_utf16().chain([0]);
        Self {
            bmp: Zeroizing::new(units.flat_map(u16::to_be_bytes).collect()),
            utf8: Zeroizing::new(password.to_vec()),
        }
    }

    /// No password at all, which is not the same as an empty one.
    pub(super) fn none() -> Self {
        Self {
            bmp: Zeroizing::default(),
            utf8: Zeroizing::default(),
        }
    }
}

/// A digest with what is built on it.
#[derive(Clone, Copy)]
pub(super) struct Hash {
    pub(super) digest: &'static digest::Algorithm,
    pub(super) hmac: hmac::Algorithm,
    pub(super) pbkdf2: pbkdf2::Algorithm,
}

pub(super) const SHA1: Hash = Hash {
    digest: &digest::SHA1_FOR_LEGACY_USE_ONLY,
    hmac: hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
    pbkdf2: pbkdf2::PBKDF2_HMAC_SHA1,
};
pub(super) const SHA256: Hash = Hash {
    digest: &digest::SHA256,
    hmac: hmac::HMAC_SHA256,
    pbkdf2: pbkdf2::PBKDF2_HMAC_SHA256,
};
pub(super) const SHA384: Hash = Hash {
    digest: &digest::SHA384,
    hmac: hmac::HMAC_SHA384,
    pbkdf2: pbkdf2::PBKDF2_HMAC_SHA384,
};
pub(super) const SHA512: Hash = Hash {
    digest: &digest::SHA512,
    hmac: hmac::HMAC_SHA512,
    pbkdf2: pbkdf2::PBKDF2_HMAC_SHA512,
};

/// What bytes are derived for.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Key = 1,
    Iv = 2,
    Mac = 3,
}

/// PKCS#12's own derivation.
pub(super) fn pkcs12_kdf(
    hash: Hash,
    purpose: Purpose,
    password: &Password,
    salt: &[u8],
    iterations: u32,
    length: usize,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let iterations = checked(iterations)?.get();
    let block = hash.digest.block_len();
    let fill = |bytes: &[u8]| -> Vec<u8> {
        let size = bytes.len().div_ceil(block) * block;
        bytes.iter().copied().cycle().take(size).collect()
    };
    let mut input = Zeroizing::new([fill(salt), fill(&password.bmp)].concat());
    let prefix = vec![purpose as u8; block];
    let mut derived = Zeroizing::new(Vec::with_capacity(length + block));
    loop {
        let mut context = digest::Context::new(hash.digest);
        context.update(&prefix);
        context.update(&input);
        let mut round = context.finish();
        for _ in 1..iterations {
            round = digest::digest(hash.digest, round.as_ref());
        }
        derived.extend_from_slice(round.as_ref());
        if derived.len() >= length {
            derived.truncate(length);
            return Ok(derived);
        }
        let addend: Vec<u8> = round.as_ref().iter().copied().cycle().take(block).collect();
        input
            .chunks_mut(block)
            .for_each(|chunk| add_one_more(chunk, &addend));
    }
}

/// `number + addend + 1`, without the carry out of it.
fn add_one_more(number: &mut [u8], addend: &[u8]) {
    let mut carry = 1u16;
    for (digit, add) in number.iter_mut().zip(addend).rev() {
        let sum = u16::from(*digit) + u16::from(*add) + carry;
        let [high, low] = sum.to_be_bytes();
        *digit = low;
        carry = u16::from(high);
    }
}

/// PBKDF2.
pub(super) fn pbkdf2(
    hash: Hash,
    password: &Password,
    salt: &[u8],
    iterations: u32,
    length: usize,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut derived = Zeroizing::new(vec![0; length]);
    let iterations = checked(iterations)?;
    pbkdf2::derive(hash.pbkdf2, iterations, salt, &password.utf8, &mut derived);
    Ok(derived)
}

fn checked(iterations: u32) -> Result<NonZeroU32, Error> {
    NonZeroU32::new(iterations)
        .filter(|iterations| iterations.get() <= MAX_ITERATIONS)
        .ok_or(Error::Unsupported("number of iterations"))
}
