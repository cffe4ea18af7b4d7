//! Numeric constants of Go: bases, underscores, hexadecimal floats, characters. Knows every type
//! that a constant fits; which one it takes is decided where it is used.

use crate::lex::{TokenKind, to_text};
use crate::node::Number;
use crate::parse::unquote::character;
use crate::printf::quoted;

pub(super) fn parse_number(source: &[u8], kind: TokenKind) -> Result<Number, String> {
    let text = to_text(source).into_owned();
    match kind {
        TokenKind::CharConstant => char_constant(source, text),
        TokenKind::Complex => {
            let complex = parse_complex(&text);
            let complex = complex.ok_or_else(|| format!("illegal number syntax: {text}"))?;
            Ok(complex_number(text, complex))
        }
        _ => number(text),
    }
}

fn char_constant(source: &[u8], text: String) -> Result<Number, String> {
    let (point, length) = character(&source[1..]).ok_or("invalid syntax")?;
    if &source[1 + length..] != b"'" {
        return Err(format!("malformed character constant: {text}"));
    }
    Ok(Number {
        text,
        int: Some(i64::from(point)),
        uint: Some(u64::from(point)),
        float: Some(f64::from(point)),
        complex: None,
    })
}

fn number(text: String) -> Result<Number, String> {
    if let Some(imaginary) = text.strip_suffix('i')
        && let Some(imaginary) = parse_float(imaginary)
    {
        return Ok(complex_number(text, (0.0, imaginary)));
    }
    let mut number = Number {
        int: parse_int(&text),
        uint: parse_uint(&text),
        ..Number::default()
    };
    if number.int == Some(0) {
        number.uint = Some(0);
    }
    #[allow(clippy::cast_precision_loss, reason = "Go promotes the same way")]
    if let Some(int) = number.int {
        number.float = Some(int as f64);
    } else if let Some(uint) = number.uint {
        number.float = Some(uint as f64);
    } else if let Some(float) = parse_float(&text) {
        if !text.contains(['.', 'e', 'E', 'p', 'P']) {
            return Err(format!("integer overflow: {}", quoted(text.as_bytes())));
        }
        set_float(&mut number, float);
    }
    if number.float.is_none() {
        return Err(format!(
            "illegal number syntax: {}",
            quoted(text.as_bytes())
        ));
    }
    number.text = text;
    Ok(number)
}

/// A complex constant is also a float if it has no imaginary part.
fn complex_number(text: String, complex: (f64, f64)) -> Number {
    let mut number = Number {
        complex: Some(complex),
        ..Number::default()
    };
    if complex.1 == 0.0 {
        set_float(&mut number, complex.0);
    }
    number.text = text;
    number
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss
)]
fn set_float(number: &mut Number, float: f64) {
    number.float = Some(float);
    if float.fract() == 0.0 {
        if (-9.3e18..9.2e18).contains(&float) {
            number.int = Some(float as i64);
        }
        if (0.0..1.8e19).contains(&float) {
            number.uint = Some(float as u64);
        }
    }
}

/// `1+2i`
fn parse_complex(text: &str) -> Option<(f64, f64)> {
    let text = text.strip_suffix('i')?;
    let split = text.bytes().enumerate().skip(1).filter(|(i, byte)| {
        matches!(byte, b'+' | b'-') && !matches!(text.as_bytes()[i - 1], b'e' | b'E' | b'p' | b'P')
    });
    let (split, _) = split.max()?;
    Some((parse_float(&text[..split])?, parse_float(&text[split..])?))
}

/// An integer literal of Go, with sign.
pub(crate) fn parse_int(text: &str) -> Option<i64> {
    let (negative, digits) = sign(text);
    let magnitude = i128::from(parse_uint(digits)?);
    i64::try_from(if negative { -magnitude } else { magnitude }).ok()
}

/// An integer literal of Go, without sign: the prefix gives the base.
fn parse_uint(text: &str) -> Option<u64> {
    let lower = text.to_ascii_lowercase();
    let (base, digits) = match lower.as_bytes() {
        [b'0', b'x', ..] => (16, &lower[2..]),
        [b'0', b'o', ..] => (8, &lower[2..]),
        [b'0', b'b', ..] => (2, &lower[2..]),
        [b'0', _, ..] => (8, &lower[1..]),
        _ => (10, &lower[..]),
    };
    if digits.starts_with(['+', '-']) || !underscores_ok(&lower) {
        return None;
    }
    u64::from_str_radix(&digits.replace('_', ""), base).ok()
}

/// A floating-point literal of Go, decimal or hexadecimal. Overflow is an error, as in Go.
pub(crate) fn parse_float(text: &str) -> Option<f64> {
    let (negative, digits) = sign(text);
    let lower = digits.to_ascii_lowercase();
    if lower.is_empty() || lower.starts_with(['+', '-']) || !underscores_ok(&lower) {
        return None;
    }
    let plain = lower.replace('_', "");
    let magnitude = match plain.strip_prefix("0x") {
        Some(hex) => hex_float(hex)?,
        None if plain == "inf" || plain == "infinity" => f64::INFINITY,
        None if plain == "nan" => f64::NAN,
        None if !plain.starts_with(|c: char| c.is_ascii_digit() || c == '.') => return None,
        None => plain.parse().ok().filter(|value: &f64| value.is_finite())?,
    };
    Some(if negative { -magnitude } else { magnitude })
}

fn hex_float(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once('p')?;
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut value = 0.0_f64;
    for digit in whole.chars().chain(fraction.chars()) {
        value = value * 16.0 + f64::from(digit.to_digit(16)?);
    }
    let shift = i32::try_from(fraction.len()).ok()?.checked_mul(4)?;
    let value = value * 2.0_f64.powi(exponent.checked_sub(shift)?);
    value.is_finite().then_some(value)
}

fn sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// Underscores stand only between digits or after the prefix of a base.
fn underscores_ok(lower: &str) -> bool {
    let bytes = lower.as_bytes();
    let (prefixed, rest) = match bytes {
        [b'0', b'x' | b'o' | b'b', rest @ ..] => (true, rest),
        _ => (false, bytes),
    };
    let hex = bytes.starts_with(b"0x");
    let digit = |byte: u8| {
        if hex {
            byte.is_ascii_hexdigit()
        } else {
            byte.is_ascii_digit()
        }
    };
    rest.iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'_')
        .all(|(i, _)| {
            let before = if i == 0 { prefixed } else { digit(rest[i - 1]) };
            before && rest.get(i + 1).is_some_and(|next| digit(*next))
        })
}
