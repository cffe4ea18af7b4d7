//! Durations, months and weekdays. Knows Go's text of each; does not know instants.

use std::any::Any;
use std::fmt::Write as _;

use crate::functions::{CallError, Type};
use crate::sprig::narrowed;
use crate::value::{Kind, Object, Value};

pub(super) const NANOS: i64 = 1_000_000_000;

/// Nanoseconds between two instants.
#[derive(Clone, Copy, Debug)]
pub(super) struct Duration(pub(super) i64);

/// Units and their nanoseconds, as in `1h30m`.
const UNITS: [(&str, i64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", NANOS),
    ("m", 60 * NANOS),
    ("h", 3600 * NANOS),
];

/// Widened bytes as Go's package time shows them in errors.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            ' '..='\x7f' => out.push(c),
            c => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
        }
    }
    out.push('"');
    out
}

impl Duration {
    /// Reads a duration such as `-1.5h` or `1m30s`, in widened bytes.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let invalid = || format!("time: invalid duration {}", quoted(text));
        let (negative, mut rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        if rest == "0" {
            return Ok(Self(0));
        }
        if rest.is_empty() {
            return Err(invalid());
        }
        let mut total = 0_i128;
        while !rest.is_empty() {
            let (whole, mut after) = split_digits(rest);
            let mut fraction = "";
            if let Some(behind) = after.strip_prefix('.') {
                (fraction, after) = split_digits(behind);
            }
            if whole.is_empty() && fraction.is_empty() {
                return Err(invalid());
            }
            let unit_end = after.find(|c: char| c.is_ascii_digit() || c == '.');
            let (unit, after) = after.split_at(unit_end.unwrap_or(after.len()));
            let quoted_text = quoted(text);
            if unit.is_empty() {
                return Err(format!("time: missing unit in duration {quoted_text}"));
            }
            let Some((_, scale)) = UNITS
                .into_iter()
                .find(|(name, _)| name.as_bytes() == narrowed(unit))
            else {
                let unit = quoted(unit);
                return Err(format!(
                    "time: unknown unit {unit} in duration {quoted_text}"
                ));
            };
            let whole: i64 = if whole.is_empty() {
                0
            } else {
                whole.parse().map_err(|_| invalid())?
            };
            total += i128::from(whole) * i128::from(scale) + fraction_of(fraction, scale);
            if total > 1 << 63 {
                return Err(invalid());
            }
            rest = after;
        }
        i64::try_from(if negative { -total } else { total })
            .map(Self)
            .map_err(|_| invalid())
    }

    pub(super) fn text(self) -> String {
        let nanos = self.0.unsigned_abs();
        let sign = if self.0 < 0 { "-" } else { "" };
        let second = NANOS.unsigned_abs();
        let text = match nanos {
            0 => return "0s".to_owned(),
            1..1_000 => format!("{nanos}ns"),
            1_000..1_000_000 => format!("{}µs", decimal(nanos, 1_000)),
            1_000_000..1_000_000_000 => format!("{}ms", decimal(nanos, 1_000_000)),
            _ => {
                let minutes = nanos / second / 60;
                let seconds = format!("{}s", decimal(nanos % (60 * second), second));
                match (minutes / 60, minutes % 60) {
                    (0, 0) => seconds,
                    (0, minutes) => format!("{minutes}m{seconds}"),
                    (hours, minutes) => format!("{hours}h{minutes}m{seconds}"),
                }
            }
        };
        format!("{sign}{text}")
    }

    #[allow(clippy::cast_precision_loss, reason = "Go divides floats too")]
    fn in_units(self, unit: i64) -> f64 {
        (self.0 / unit) as f64 + (self.0 % unit) as f64 / unit as f64
    }
}

/// The digits at the beginning, and the rest.
fn split_digits(text: &str) -> (&str, &str) {
    text.split_at(
        text.find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len()),
    )
}

/// What the digits behind the point are of a unit.
fn fraction_of(digits: &str, scale: i64) -> i128 {
    let mut numerator = 0_i128;
    let mut denominator = 1_i128;
    // more digits than nanoseconds of a day have do not count
    for digit in digits.bytes().take(18) {
        numerator = numerator * 10 + i128::from(digit - b'0');
        denominator *= 10;
    }
    numerator * i128::from(scale) / denominator
}

/// A quotient with as many decimal places as it takes.
fn decimal(value: u64, unit: u64) -> String {
    let places = unit.ilog10() as usize;
    let fraction = format!("{:0places$}", value % unit);
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{}{point}{fraction}", value / unit)
}

impl Object for Duration {
    fn type_name(&self) -> &'static str {
        "time.Duration"
    }

    fn kind(&self) -> Kind {
        Kind::Int64
    }

    fn text(&self) -> String {
        (*self).text()
    }

    fn int(&self) -> Option<i64> {
        Some(self.0)
    }

    fn with_int(&self, int: i64) -> Option<Value> {
        Some(Value::object(Self(int)))
    }

    fn method(&self, name: &str) -> Option<&'static [Type]> {
        match name {
            "Hours" | "Minutes" | "Seconds" | "Milliseconds" | "Microseconds" | "Nanoseconds"
            | "String" | "Abs" => Some(&[]),
            _ => None,
        }
    }

    fn call(&self, name: &str, _args: &[Value]) -> Result<Value, CallError> {
        Ok(match name {
            "Hours" => self.in_units(3600 * NANOS).into(),
            "Minutes" => self.in_units(60 * NANOS).into(),
            "Seconds" => self.in_units(NANOS).into(),
            "Milliseconds" => Value::Int64(self.0 / 1_000_000),
            "Microseconds" => Value::Int64(self.0 / 1_000),
            "Nanoseconds" => Value::Int64(self.0),
            "Abs" => Value::object(Self(self.0.saturating_abs())),
            _ => (*self).text().into(),
        })
    }

    fn json(&self) -> Value {
        Value::Int64(self.0)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// A month, from 1, or a weekday, from 0.
#[derive(Clone, Copy, Debug)]
pub(super) enum Named {
    Month(i64),
    Weekday(i64),
}

impl Object for Named {
    fn type_name(&self) -> &'static str {
        match self {
            Self::Month(_) => "time.Month",
            Self::Weekday(_) => "time.Weekday",
        }
    }

    fn kind(&self) -> Kind {
        Kind::Int
    }

    fn text(&self) -> String {
        let (names, index, kind) = match self {
            Self::Month(month) => (&MONTHS[..], month - 1, "Month"),
            Self::Weekday(day) => (&WEEKDAYS[..], *day, "Weekday"),
        };
        let name = usize::try_from(index)
            .ok()
            .and_then(|index| names.get(index));
        match name {
            Some(name) => (*name).to_owned(),
            None => format!("%!{kind}({})", self.int().unwrap_or_default()),
        }
    }

    fn int(&self) -> Option<i64> {
        match self {
            Self::Month(n) | Self::Weekday(n) => Some(*n),
        }
    }

    fn with_int(&self, int: i64) -> Option<Value> {
        Some(Value::object(match self {
            Self::Month(_) => Self::Month(int),
            Self::Weekday(_) => Self::Weekday(int),
        }))
    }

    fn method(&self, name: &str) -> Option<&'static [Type]> {
        (name == "String").then_some(&[])
    }

    fn call(&self, _name: &str, _args: &[Value]) -> Result<Value, CallError> {
        Ok(self.text().into())
    }

    fn json(&self) -> Value {
        Value::Int64(self.int().unwrap_or_default())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
