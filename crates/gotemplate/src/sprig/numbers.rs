//! Conversion to numbers, and arithmetic with floats. Knows how anything becomes a number; integer
//! arithmetic is in `integers`, exact decimals are in `decimal`.

use crate::functions::{CallError, Function, Functions, Type};
use crate::parse::{parse_float, parse_int};
use crate::sprig::decimal::Decimal;
use crate::sprig::{ANY, INT, int};
use crate::value::Value;

pub(super) fn add_to(functions: &mut Functions) {
    functions
        .add(
            "int",
            Function::new(&[ANY], |args| Ok(Value::Int(to_int(&args[0])))),
        )
        .add(
            "int64",
            Function::new(&[ANY], |args| Ok(Value::Int64(to_int(&args[0])))),
        )
        .add(
            "float64",
            Function::new(&[ANY], |args| Ok(to_float(&args[0]).into())),
        )
        .add(
            "add1f",
            Function::new(&[ANY], |args| {
                decimals(&args[0], &[Value::Int(1)], Decimal::add)
            }),
        )
        .add(
            "addf",
            Function::variadic(&[ANY], |args| decimals(&Value::Int(0), args, Decimal::add)),
        )
        .add(
            "subf",
            Function::variadic(&[ANY, ANY], |args| {
                decimals(&args[0], &args[1..], Decimal::sub)
            }),
        )
        .add(
            "mulf",
            Function::variadic(&[ANY, ANY], |args| {
                decimals(&args[0], &args[1..], Decimal::mul)
            }),
        )
        .add(
            "divf",
            Function::variadic(&[ANY, ANY], |args| {
                decimals(&args[0], &args[1..], Decimal::div)
            }),
        );
    add_rounding(functions);
}

/// Functions that compare and round.
fn add_rounding(functions: &mut Functions) {
    functions
        .add(
            "maxf",
            Function::variadic(&[ANY, ANY], |args| Ok(fold(args, max).into())),
        )
        .add(
            "minf",
            Function::variadic(&[ANY, ANY], |args| {
                Ok(fold(args, |a, b| -max(-a, -b)).into())
            }),
        )
        .add(
            "floor",
            Function::new(&[ANY], |args| Ok(to_float(&args[0]).floor().into())),
        )
        .add(
            "ceil",
            Function::new(&[ANY], |args| Ok(to_float(&args[0]).ceil().into())),
        )
        .add(
            "round",
            Function::variadic(&[ANY, INT, Type::Float64], |args| {
                let on = match args.get(2) {
                    Some(Value::Float(on)) => *on,
                    _ => 0.5,
                };
                Ok(round(to_float(&args[0]), int(args, 1), on).into())
            }),
        );
}

/// What Go's cast library makes of a value; 0 for what is no number.
pub(super) fn to_int(value: &Value) -> i64 {
    match value {
        Value::Uint8(n) => i64::from(*n),
        Value::Uint64(n) => n.cast_signed(),
        Value::Float(f) => truncate(*f),
        Value::Bool(b) => i64::from(*b),
        Value::Str(text) => {
            let text = std::str::from_utf8(text).unwrap_or_default();
            parse_int(without_fraction(text)).unwrap_or_default()
        }
        value => value.as_int().unwrap_or_default(),
    }
}

/// What a 64-bit Intel processor makes of a float.
#[allow(clippy::cast_possible_truncation, reason = "the range is checked")]
fn truncate(f: f64) -> i64 {
    let range = -9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0;
    if range.contains(&f) {
        f as i64
    } else {
        i64::MIN
    }
}

/// `1` of `1.9`; other texts are unchanged.
fn without_fraction(text: &str) -> &str {
    let Some((whole, fraction)) = text.split_once('.') else {
        return text;
    };
    let digits = whole.strip_prefix(['+', '-']).unwrap_or(whole);
    let all_digits = |s: &str| s.bytes().all(|byte| byte.is_ascii_digit());
    match (
        all_digits(digits) && all_digits(fraction),
        digits.is_empty(),
    ) {
        (true, true) => "0",
        (true, false) => whole,
        _ => text,
    }
}

#[allow(clippy::cast_precision_loss, reason = "Go loses it too")]
fn to_float(value: &Value) -> f64 {
    match value {
        Value::Float(f) => *f,
        Value::Str(text) => std::str::from_utf8(text)
            .ok()
            .and_then(parse_float)
            .unwrap_or_default(),
        Value::Uint64(n) => *n as f64,
        value => to_int(value) as f64,
    }
}

fn fold(args: &[Value], choose: impl Fn(f64, f64) -> f64) -> f64 {
    args.iter().map(to_float).reduce(choose).unwrap_or_default()
}

/// Go's `math.Max`: NaN if either is.
fn max(a: f64, b: f64) -> f64 {
    if a.is_infinite() && a > 0.0 || b.is_infinite() && b > 0.0 {
        f64::INFINITY
    } else if a.is_nan() || b.is_nan() {
        f64::NAN
    } else if a == 0.0 && b == 0.0 {
        // the positive zero
        a + b
    } else {
        a.max(b)
    }
}

fn decimals(
    first: &Value,
    others: &[Value],
    operate: fn(&Decimal, &Decimal) -> Result<Decimal, CallError>,
) -> Result<Value, CallError> {
    let mut result = Decimal::from_float(to_float(first))?;
    for other in others {
        result = operate(&result, &Decimal::from_float(to_float(other))?)?;
    }
    Ok(result.to_float().into())
}

/// Rounds up from the fraction `on`, with so many decimal places.
fn round(value: f64, places: i64, on: f64) -> f64 {
    let places = i32::try_from(places.clamp(-10_000, 10_000)).unwrap_or_default();
    let power = 10.0_f64.powi(places);
    let digits = power * value;
    let rounded = if digits.fract() >= on {
        digits.ceil()
    } else {
        digits.floor()
    };
    rounded / power
}
