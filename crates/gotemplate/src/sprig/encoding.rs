//! base64, base32, hex and hashes. Knows Go's messages for bad input, which the decoders return as
//! their result.

use data_encoding::{BASE32, BASE64, HEXLOWER};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use crate::functions::Functions;
use crate::lex::unicode_point;
use crate::sprig::add_text;

pub(super) fn add_to(functions: &mut Functions) {
    add_text(functions, "b64enc", |s| BASE64.encode(s).into_bytes());
    add_text(functions, "b64dec", |s| {
        decode_base64(s).unwrap_or_else(String::into_bytes)
    });
    add_text(functions, "b32enc", |s| BASE32.encode(s).into_bytes());
    add_text(functions, "b32dec", |s| {
        decode_base32(s).unwrap_or_else(String::into_bytes)
    });
    add_text(functions, "hexdec", |s| {
        decode_hex(s).unwrap_or_else(String::into_bytes)
    });
    add_text(functions, "sha1sum", |s| {
        HEXLOWER.encode(&Sha1::digest(s)).into_bytes()
    });
    add_text(functions, "sha256sum", |s| {
        HEXLOWER.encode(&Sha256::digest(s)).into_bytes()
    });
    add_text(functions, "sha512sum", |s| {
        HEXLOWER.encode(&Sha512::digest(s)).into_bytes()
    });
    add_text(functions, "adler32sum", |s| {
        adler2::adler32_slice(s).to_string().into_bytes()
    });
}

/// Padded standard base64; line breaks are skipped.
pub(super) fn decode_base64(text: &[u8]) -> Result<Vec<u8>, String> {
    // the strict decoder is fast; what it refuses Go may take
    if let Ok(decoded) = BASE64.decode(text) {
        return Ok(decoded);
    }
    let corrupt = |at: usize| format!("illegal base64 data at input byte {at}");
    let chars: Vec<(usize, u8)> = skip_newlines(text);
    let mut decoded = Vec::with_capacity(chars.len() / 4 * 3);
    let mut quantum = 0_u32;
    let mut filled = 0;
    for (i, (at, byte)) in chars.iter().enumerate() {
        if *byte == b'=' {
            let rest = &chars[i + 1..];
            let padded = match (filled, rest) {
                (0 | 1, _) => return Err(corrupt(*at)),
                (2, []) => return Err(corrupt(text.len())),
                (2, [(_, b'='), after @ ..]) => after,
                (2, [(at, _), ..]) => return Err(corrupt(at - 1)),
                (_, rest) => rest,
            };
            if let Some((at, _)) = padded.first() {
                return Err(corrupt(*at));
            }
            quantum <<= 6 * (4 - filled);
            decoded.extend_from_slice(&quantum.to_be_bytes()[1..filled]);
            return Ok(decoded);
        }
        quantum = quantum << 6 | sextet(*byte).ok_or_else(|| corrupt(*at))?;
        filled += 1;
        if filled == 4 {
            decoded.extend_from_slice(&quantum.to_be_bytes()[1..]);
            (quantum, filled) = (0, 0);
        }
    }
    if filled > 0 {
        return Err(corrupt(text.len() - filled));
    }
    Ok(decoded)
}

fn skip_newlines(text: &[u8]) -> Vec<(usize, u8)> {
    let bytes = text.iter().copied().enumerate();
    bytes
        .filter(|(_, byte)| !matches!(byte, b'\r' | b'\n'))
        .collect()
}

fn sextet(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

/// Padded standard base32; line breaks are skipped and do not count for positions.
fn decode_base32(text: &[u8]) -> Result<Vec<u8>, String> {
    let chars: Vec<u8> = skip_newlines(text)
        .into_iter()
        .map(|(_, byte)| byte)
        .collect();
    let corrupt = |at: usize| format!("illegal base32 data at input byte {at}");
    let mut decoded = Vec::with_capacity(chars.len() / 8 * 5);
    let (mut at, mut ended) = (0, false);
    while at < chars.len() && !ended {
        let (mut bits, mut filled) = (0_u64, 0);
        while filled < 8 && !ended {
            let byte = chars.get(at).ok_or_else(|| corrupt(at - filled))?;
            let value = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'2'..=b'7' => byte - b'2' + 26,
                b'=' if filled >= 2 && chars.len() - at <= 8 => {
                    check_padding(&chars, at, filled).map_err(corrupt)?;
                    ended = true;
                    continue;
                }
                _ => return Err(corrupt(at)),
            };
            bits = bits << 5 | u64::from(value);
            filled += 1;
            at += 1;
        }
        bits <<= 5 * (8 - filled);
        decoded.extend_from_slice(&bits.to_be_bytes()[3..3 + filled * 5 / 8]);
    }
    Ok(decoded)
}

/// The place where the padding is wrong that begins at `at`, behind `filled` characters of a block. What
/// follows the block is not looked at.
fn check_padding(chars: &[u8], at: usize, filled: usize) -> Result<(), usize> {
    let after = &chars[at + 1..];
    let wanted = 7 - filled;
    if after.len() < wanted {
        return Err(chars.len());
    }
    if let Some(other) = after[..wanted].iter().position(|byte| *byte != b'=') {
        return Err(at + other);
    }
    if matches!(filled, 1 | 3 | 6) {
        Err(at)
    } else {
        Ok(())
    }
}

fn decode_hex(text: &[u8]) -> Result<Vec<u8>, String> {
    let nibble = |byte: &u8| match char::from(*byte).to_digit(16) {
        Some(digit) => Ok(u8::try_from(digit).unwrap_or_default()),
        None => Err(format!(
            "encoding/hex: invalid byte: {}",
            unicode_point(char::from(*byte))
        )),
    };
    let mut decoded = Vec::with_capacity(text.len() / 2);
    for pair in text.chunks(2) {
        let high = nibble(&pair[0])?;
        let low = pair.get(1).map(nibble).transpose()?;
        let low = low.ok_or_else(|| "encoding/hex: odd length hex string".to_owned())?;
        decoded.push(high << 4 | low);
    }
    Ok(decoded)
}
