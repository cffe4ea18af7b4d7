//! Durations in Go's notation, kept as written.

use std::borrow::Cow;

use k8s_openapi::jiff::SignedDuration;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A duration as Go's `time.ParseDuration` reads it (`1h30m`, `.5s`, `0`), verbatim. Any text decodes; [`Self::parse`] judges.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GoDuration(pub String);

/// Why a text is no duration; the words are Go's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not of the form `[-+](number unit)+`, or beyond ±292 years.
    #[error("time: invalid duration {0:?}")]
    Invalid(String),
    /// A number without a unit.
    #[error("time: missing unit in duration {0:?}")]
    MissingUnit(String),
    /// A unit that Go does not know, such as `d`.
    #[error("time: unknown unit {unit:?} in duration {text:?}")]
    UnknownUnit {
        /// The unit.
        unit: String,
        /// The whole text.
        text: String,
    },
}

impl GoDuration {
    /// The duration, to the nanosecond; beyond i64 nanoseconds is an error, as in Go.
    pub fn parse(&self) -> Result<SignedDuration, Error> {
        parse(&self.0)
    }
}

impl From<&str> for GoDuration {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl std::fmt::Display for GoDuration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl JsonSchema for GoDuration {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "GoDuration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "maxLength": 64,
            "x-kubernetes-validations": super::schema::rules(&[(
                &format!("self.matches('{PATTERN}') && duration(self) == duration(self)"),
                "must be a duration such as 30s, 15m, 1h or 1h30m (units: ns, us, ms, s, m, h)",
            )]),
        })
    }
}

/// The grammar of [`parse`] as a regular expression (RE2), for the schema.
pub(super) const PATTERN: &str =
    r"^[-+]?(0|(([0-9]+([.][0-9]*)?|[.][0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$";

/// Go's `time.ParseDuration`.
pub fn parse(text: &str) -> Result<SignedDuration, Error> {
    let invalid = || Error::Invalid(text.to_owned());
    let (is_negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok(SignedDuration::ZERO);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut nanos: i128 = 0;
    while !rest.is_empty() {
        let (whole, fraction, tail) = split_number(rest).ok_or_else(invalid)?;
        let (unit, tail) = tail.split_at(tail.find(is_numeric).unwrap_or(tail.len()));
        if unit.is_empty() {
            return Err(Error::MissingUnit(text.to_owned()));
        }
        let unit_nanos = unit_nanos(unit).ok_or_else(|| Error::UnknownUnit {
            unit: unit.to_owned(),
            text: text.to_owned(),
        })?;
        nanos += amount(whole, fraction, unit_nanos).ok_or_else(invalid)?;
        rest = tail;
    }
    let signed = if is_negative { -nanos } else { nanos };
    i64::try_from(signed)
        .map(SignedDuration::from_nanos)
        .map_err(|_| invalid())
}

fn is_numeric(c: char) -> bool {
    c == '.' || c.is_ascii_digit()
}

/// Digits before the point, digits after it, the rest; `None` where there is no digit at all.
fn split_number(text: &str) -> Option<(&str, &str, &str)> {
    let digits = |text: &str| {
        text.find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len())
    };
    let (whole, rest) = text.split_at(digits(text));
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(digits(rest)),
        None => ("", rest),
    };
    (!whole.is_empty() || !fraction.is_empty()).then_some((whole, fraction, rest))
}

/// Nanoseconds of `whole.fraction` units; `None` where they do not fit.
fn amount(whole: &str, fraction: &str, unit_nanos: u64) -> Option<i128> {
    let whole: u64 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    Some(i128::from(whole) * i128::from(unit_nanos) + i128::from(part(fraction, unit_nanos)))
}

/// Nanoseconds of `0.fraction` units, in floating point because Go does so: the last nanosecond depends on it.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "below 3.6e12, not negative, and rounded as Go rounds"
)]
fn part(fraction: &str, unit_nanos: u64) -> u64 {
    let mut digits: u64 = 0;
    let mut scale = 1.0;
    for digit in fraction.bytes().map(|b| u64::from(b - b'0')) {
        // Further digits than an i64 holds are ignored.
        let Some(longer) = i64::try_from(digits).ok().and_then(|d| d.checked_mul(10)) else {
            break;
        };
        digits = longer.unsigned_abs() + digit;
        scale *= 10.0;
    }
    (digits as f64 * (unit_nanos as f64 / scale)) as u64
}

fn unit_nanos(unit: &str) -> Option<u64> {
    Some(match unit {
        "ns" => 1,
        // MICRO SIGN and GREEK SMALL LETTER MU
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

/// Seconds or a duration, not negative.
pub(super) fn int_or_duration() -> Schema {
    json_schema!({
        "x-kubernetes-int-or-string": true,
        "anyOf": [{"type": "integer"}, {"type": "string"}],
        "maxLength": 128,
        "x-kubernetes-validations": super::schema::rules(&[(
            &format!("type(self) == int ? self >= 0 : (self.matches('{PATTERN}') && duration(self) >= duration('0s'))"),
            "must be seconds or a duration such as 30s, 15m or 1h, and not negative",
        )]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nanos(text: &str) -> i128 {
        parse(text).unwrap().as_nanos()
    }

    #[test]
    fn reads_what_go_reads() {
        const SECOND: i128 = 1_000_000_000;
        for (text, want) in [
            ("0", 0),
            ("+0", 0),
            ("0s", 0),
            ("5s", 5 * SECOND),
            ("1h0m0s", 3600 * SECOND),
            ("1h30m", 5400 * SECOND),
            ("1h1h", 7200 * SECOND),
            ("1.5h", 5400 * SECOND),
            (".5s", SECOND / 2),
            ("1.s", SECOND),
            ("-5m", -300 * SECOND),
            ("+5m", 300 * SECOND),
            ("1µs", 1_000),
            ("1μs", 1_000),
            ("1us", 1_000),
            ("3ns", 3),
            ("1.9ns", 1),
            ("39h9m14.425s", 140_954_425_000_000),
            ("0.333333333333333333h", 1_200 * SECOND - 1),
            ("0.3333333333333333333h", 1_200 * SECOND),
            ("0.100000000000000000000h", 360 * SECOND),
            ("9223372036854775807ns", i128::from(i64::MAX)),
            ("-9223372036854775808ns", i128::from(i64::MIN)),
        ] {
            assert_eq!(nanos(text), want, "{text}");
        }
    }

    #[test]
    fn refuses_what_go_refuses() {
        for (text, want) in [
            ("", "time: invalid duration \"\""),
            ("-", "time: invalid duration \"-\""),
            ("soon", "time: invalid duration \"soon\""),
            (".", "time: invalid duration \".\""),
            (".s", "time: invalid duration \".s\""),
            ("--5m", "time: invalid duration \"--5m\""),
            (" 5m", "time: invalid duration \" 5m\""),
            ("300", "time: missing unit in duration \"300\""),
            ("1h30", "time: missing unit in duration \"1h30\""),
            ("1d", "time: unknown unit \"d\" in duration \"1d\""),
            ("1h 30m", "time: unknown unit \"h \" in duration \"1h 30m\""),
            ("1H", "time: unknown unit \"H\" in duration \"1H\""),
            ("3000000h", "time: invalid duration \"3000000h\""),
            (
                "9223372036854775808ns",
                "time: invalid duration \"9223372036854775808ns\"",
            ),
            (
                "99999999999999999999h",
                "time: invalid duration \"99999999999999999999h\"",
            ),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), want);
        }
    }
}
