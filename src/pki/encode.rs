//! Writes DER. Knows tags and lengths; does not know what is written.

use der::asn1::ObjectIdentifier;
use zeroize::Zeroizing;

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;

/// `NULL`.
pub const NULL: &[u8] = &[5, 0];

/// DER, wiped when it goes: most of it holds keys.
pub type Der = Zeroizing<Vec<u8>>;

/// Any tag over these contents.
pub fn tagged(tag: u8, parts: &[&[u8]]) -> Der {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let bytes = length.to_be_bytes();
    let significant = &bytes[bytes.iter().take_while(|b| **b == 0).count()..];
    let mut der = Zeroizing::new(Vec::with_capacity(length + 10));
    der.push(tag);
    match significant {
        [] => der.push(0),
        [short @ 0..=0x7f] => der.push(*short),
        #[allow(clippy::cast_possible_truncation, reason = "at most 8 bytes")]
        long => {
            der.push(0x80 | long.len() as u8);
            der.extend_from_slice(long);
        }
    }
    for part in parts {
        der.extend_from_slice(part);
    }
    der
}

pub fn sequence(parts: &[&[u8]]) -> Der {
    tagged(SEQUENCE, parts)
}

/// A set of these parts, which must be in DER's order.
pub fn set(parts: &[&[u8]]) -> Der {
    tagged(SET, parts)
}

/// `[number] EXPLICIT`.
pub fn explicit(number: u8, content: &[u8]) -> Der {
    tagged(0xa0 | number, &[content])
}

pub fn octets(content: &[u8]) -> Der {
    tagged(OCTET_STRING, &[content])
}

/// A bit string of whole bytes.
pub fn bits(content: &[u8]) -> Der {
    tagged(BIT_STRING, &[&[0], content])
}

pub fn oid(oid: ObjectIdentifier) -> Der {
    tagged(OID, &[oid.as_bytes()])
}

/// An unsigned integer from big-endian bytes.
pub fn integer(bytes: &[u8]) -> Der {
    let zeros = bytes.iter().take_while(|b| **b == 0).count();
    match &bytes[zeros..] {
        [] => tagged(INTEGER, &[&[0]]),
        digits @ [first, ..] if *first >= 0x80 => tagged(INTEGER, &[&[0], digits]),
        digits => tagged(INTEGER, &[digits]),
    }
}
