//! The text of floats: shortest, in the style of Go's `%g`. Knows nothing else.

/// The float with the precision of 32 bits; beyond their range, infinity.
#[allow(
    clippy::cast_possible_truncation,
    reason = "the precision that is lost in Go"
)]
pub(super) fn shortest_32(value: f64) -> String {
    let value = value as f32;
    general(value.is_nan(), value.is_infinite(), &format!("{value:e}"))
}

/// The float with its whole precision.
pub(super) fn shortest_64(value: f64) -> String {
    general(value.is_nan(), value.is_infinite(), &format!("{value:e}"))
}

/// As YAML writes it: `.inf` and `.nan` for what is not finite.
pub(super) fn yaml(shortest: String) -> String {
    match shortest.as_str() {
        "+Inf" => ".inf".to_owned(),
        "-Inf" => "-.inf".to_owned(),
        "NaN" => ".nan".to_owned(),
        _ => shortest,
    }
}

/// `%g` of a number in Rust's scientific notation.
fn general(nan: bool, infinite: bool, scientific: &str) -> String {
    let negative = scientific.starts_with('-');
    if nan {
        return "NaN".to_owned();
    }
    if infinite {
        return if negative { "-Inf" } else { "+Inf" }.to_owned();
    }
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let sign = if negative { "-" } else { "" };
    if (-4..6).contains(&exponent) {
        return format!("{sign}{}", plain(&digits, exponent));
    }
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    let exponent_sign = if exponent < 0 { '-' } else { '+' };
    let exponent = exponent.unsigned_abs();
    format!("{sign}{first}{point}{rest}e{exponent_sign}{exponent:02}")
}

/// Digits with the point after `exponent + 1` of them.
fn plain(digits: &str, exponent: i32) -> String {
    let Ok(exponent) = usize::try_from(exponent) else {
        let zeros = exponent.unsigned_abs() as usize - 1;
        return format!("0.{}{digits}", "0".repeat(zeros));
    };
    if digits.len() <= exponent + 1 {
        return format!("{digits:0<width$}", width = exponent + 1);
    }
    let (whole, fraction) = digits.split_at(exponent + 1);
    format!("{whole}.{fraction}")
}

/// The float as a JSON number, an integer where it has no fraction and fits one. Go writes the
/// shortest digits and fills with zeros.
pub(super) fn json(value: f64) -> Option<serde_json::Number> {
    if value.fract() == 0.0 && value.abs() < 1e21 {
        let text = format!("{}", value + 0.0);
        if let Ok(integer) = text.parse::<i64>() {
            return Some(integer.into());
        }
        if let Ok(integer) = text.parse::<u64>() {
            return Some(integer.into());
        }
    }
    serde_json::Number::from_f64(value)
}
