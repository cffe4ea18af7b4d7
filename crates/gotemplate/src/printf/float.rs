//! Go's `strconv.FormatFloat` for 64 bits. Knows digits and exponents; signs, widths and flags are
//! the printer's.

use std::fmt::Write;

/// No double has more digits behind the point.
const MAX_FRACTION: usize = 1100;

/// The number in the format `b`, `e`, `E`, `f`, `g`, `G`, `x` or `X`. No precision means as many
/// digits as it takes to read the same number back.
pub(crate) fn format_float(value: f64, format: u8, precision: Option<usize>) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    if value.is_infinite() {
        return if value > 0.0 {
            "+Inf".to_owned()
        } else {
            "-Inf".to_owned()
        };
    }
    let magnitude = value.abs();
    let text = match format {
        b'b' => binary(magnitude),
        b'e' => exponential(magnitude, precision),
        b'f' => fixed(magnitude, precision),
        b'x' => hexadecimal(magnitude, precision),
        b'E' | b'G' | b'X' => {
            return format_float(value, format.to_ascii_lowercase(), precision).to_uppercase();
        }
        _ => general(magnitude, precision),
    };
    format!("{sign}{text}")
}

fn exponential(magnitude: f64, precision: Option<usize>) -> String {
    let Some(precision) = precision else {
        let (digits, exponent) = Digits::shortest(magnitude).parts();
        return with_exponent(&digits, exponent, digits.len() - 1);
    };
    let digits = Digits::rounded(magnitude, precision + 1);
    with_exponent(&digits.digits, digits.exponent(), precision)
}

fn with_exponent(digits: &str, exponent: i32, fraction: usize) -> String {
    let mut text = digits[..1].to_owned();
    if fraction > 0 {
        let _ = write!(text, ".{}", &digits[1..]);
        text.extend(std::iter::repeat_n(
            '0',
            (fraction + 1).saturating_sub(digits.len()),
        ));
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    let _ = write!(text, "e{sign}{:02}", exponent.unsigned_abs());
    text
}

fn fixed(magnitude: f64, precision: Option<usize>) -> String {
    match precision {
        None => format!("{magnitude}"),
        Some(precision) => {
            let exact = precision.min(MAX_FRACTION);
            let mut text = format!("{magnitude:.exact$}");
            text.extend(std::iter::repeat_n('0', precision - exact));
            text
        }
    }
}

fn general(magnitude: f64, precision: Option<usize>) -> String {
    let shortest = precision.is_none();
    let precision = precision.map(|precision| precision.max(1));
    let digits = match precision {
        None => Digits::shortest(magnitude),
        Some(precision) => Digits::rounded(magnitude, precision).trimmed(),
    };
    let count = digits.digits.len();
    let exponent = digits.exponent();
    let mut limit = precision.map_or(6, |precision| precision);
    if limit > count && count_reaches(count, digits.point) {
        limit = count;
    }
    if shortest {
        limit = 6;
    }
    if exponent < -4 || exponent >= i32::try_from(limit).unwrap_or(i32::MAX) {
        return with_exponent(&digits.digits, exponent, count - 1);
    }
    digits.plain()
}

fn count_reaches(count: usize, point: i32) -> bool {
    i32::try_from(count).is_ok_and(|count| count >= point)
}

/// Decimal digits of a number and where its point is.
struct Digits {
    digits: String,
    /// the number of digits before the point
    point: i32,
}

impl Digits {
    fn shortest(magnitude: f64) -> Self {
        Self::from_exponential(&format!("{magnitude:e}"))
    }

    fn rounded(magnitude: f64, count: usize) -> Self {
        let fraction = count.saturating_sub(1).min(MAX_FRACTION);
        Self::from_exponential(&format!("{magnitude:.fraction$e}"))
    }

    fn from_exponential(text: &str) -> Self {
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
        let exponent: i32 = exponent.parse().unwrap_or_default();
        Self {
            digits,
            point: exponent + 1,
        }
    }

    fn trimmed(mut self) -> Self {
        let kept = self.digits.trim_end_matches('0').len().max(1);
        self.digits.truncate(kept);
        self
    }

    fn exponent(&self) -> i32 {
        self.point - 1
    }

    fn parts(self) -> (String, i32) {
        let exponent = self.exponent();
        (self.digits, exponent)
    }

    fn plain(&self) -> String {
        let Ok(point) = usize::try_from(self.point) else {
            let zeros = "0".repeat(self.point.unsigned_abs() as usize);
            return format!("0.{zeros}{}", self.digits);
        };
        let count = self.digits.len();
        if point == 0 {
            return format!("0.{}", self.digits);
        }
        if count <= point {
            return format!("{}{}", self.digits, "0".repeat(point - count));
        }
        format!("{}.{}", &self.digits[..point], &self.digits[point..])
    }
}

/// Mantissa and binary exponent: value = mantissa * 2^exponent.
fn decompose(magnitude: f64) -> (u64, i32) {
    let bits = magnitude.to_bits();
    let fraction = bits & ((1 << 52) - 1);
    let exponent = i32::try_from(bits >> 52 & 0x7ff).unwrap_or_default();
    if exponent == 0 {
        (fraction, -1074)
    } else {
        (fraction | 1 << 52, exponent - 1075)
    }
}

fn binary(magnitude: f64) -> String {
    let (mantissa, exponent) = decompose(magnitude);
    format!("{mantissa}p{exponent:+}")
}

fn hexadecimal(magnitude: f64, precision: Option<usize>) -> String {
    let (mut mantissa, mut exponent) = decompose(magnitude);
    exponent += 52;
    if mantissa == 0 {
        exponent = 0;
    } else {
        let shift = mantissa.leading_zeros() - 11;
        mantissa <<= shift;
        exponent -= i32::try_from(shift).unwrap_or_default();
    }
    // one digit before the point, thirteen behind it
    if let Some(precision) = precision
        && precision < 13
    {
        let dropped = 4 * (13 - precision);
        let half = 1_u64 << (dropped - 1);
        let rest = mantissa & ((1 << dropped) - 1);
        mantissa >>= dropped;
        if rest > half || (rest == half && mantissa & 1 == 1) {
            mantissa += 1;
        }
        mantissa <<= dropped;
        if mantissa >> 53 == 1 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let mut fraction = format!("{:013x}", mantissa & ((1 << 52) - 1));
    match precision {
        None => fraction.truncate(fraction.trim_end_matches('0').len()),
        Some(precision) if precision <= 13 => fraction.truncate(precision),
        Some(precision) => fraction.extend(std::iter::repeat_n('0', precision - 13)),
    }
    let point = if fraction.is_empty() { "" } else { "." };
    let sign = if exponent < 0 { '-' } else { '+' };
    format!(
        "0x{}{point}{fraction}p{sign}{:02}",
        mantissa >> 52,
        exponent.unsigned_abs()
    )
}
