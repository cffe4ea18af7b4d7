//! Integer arithmetic and sequences. Knows Go's 64-bit wrapping; conversion is in `numbers`.

use crate::functions::{CallError, Function, Functions};
use crate::parse::parse_int;
use crate::printf::to_text;
use crate::sprig::numbers::to_int;
use crate::sprig::{ANY, INT, TEXT, int, lossy};
use crate::value::Value;

/// Items of a sequence.
const MAX_ITEMS: usize = 1_000_000;

pub(super) fn add_to(functions: &mut Functions) {
    functions
        .add(
            "atoi",
            Function::new(&[TEXT], |args| Ok(Value::Int(decimal(&lossy(args, 0))))),
        )
        .add("toDecimal", Function::new(&[ANY], |args| octal(&args[0])))
        .add(
            "add1",
            Function::new(&[ANY], |args| {
                Ok(Value::Int64(to_int(&args[0]).wrapping_add(1)))
            }),
        )
        .add(
            "add",
            Function::variadic(&[ANY], |args| Ok(fold(args, i64::wrapping_add))),
        )
        .add(
            "sub",
            Function::new(&[ANY, ANY], |args| Ok(fold(args, i64::wrapping_sub))),
        )
        .add(
            "mul",
            Function::variadic(&[ANY, ANY], |args| Ok(fold(args, i64::wrapping_mul))),
        )
        .add(
            "div",
            Function::new(&[ANY, ANY], |args| divide(args, i64::wrapping_div)),
        )
        .add(
            "mod",
            Function::new(&[ANY, ANY], |args| divide(args, i64::wrapping_rem)),
        )
        .add(
            "max",
            Function::variadic(&[ANY, ANY], |args| Ok(fold(args, i64::max))),
        )
        .add(
            "biggest",
            Function::variadic(&[ANY, ANY], |args| Ok(fold(args, i64::max))),
        )
        .add(
            "min",
            Function::variadic(&[ANY, ANY], |args| Ok(fold(args, i64::min))),
        );
    add_sequences(functions);
}

/// Functions that count.
fn add_sequences(functions: &mut Functions) {
    functions
        .add(
            "until",
            Function::new(&[INT], |args| {
                let end = int(args, 0);
                steps(0, end, if end < 0 { -1 } else { 1 }).map(Value::ints)
            }),
        )
        .add(
            "untilStep",
            Function::new(&[INT, INT, INT], |args| {
                steps(int(args, 0), int(args, 1), int(args, 2)).map(Value::ints)
            }),
        )
        .add(
            "seq",
            Function::variadic(&[INT], |args| {
                let params: Vec<i64> = (0..args.len()).map(|i| int(args, i)).collect();
                let texts: Vec<_> = seq(&params)?.iter().map(i64::to_string).collect();
                Ok(texts.join(" ").into())
            }),
        );
}

/// A decimal number in the range of int64; others are 0 or the bound of the range, as in Go.
fn decimal(text: &str) -> i64 {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return 0;
    }
    text.parse().unwrap_or(if text.starts_with('-') {
        i64::MIN
    } else {
        i64::MAX
    })
}

/// Reads the text of the value as octal digits.
fn octal(value: &Value) -> Result<Value, CallError> {
    let text = to_text(value)?;
    let text = std::str::from_utf8(&text).unwrap_or_default();
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let valid = !digits.is_empty() && digits.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
    let sign = if text.starts_with('-') { "-" } else { "" };
    Ok(Value::Int64(
        valid
            .then(|| parse_int(&format!("{sign}0o{digits}")))
            .flatten()
            .unwrap_or_default(),
    ))
}

fn fold(args: &[Value], operate: fn(i64, i64) -> i64) -> Value {
    Value::Int64(args.iter().map(to_int).reduce(operate).unwrap_or_default())
}

fn divide(args: &[Value], operate: fn(i64, i64) -> i64) -> Result<Value, CallError> {
    if to_int(&args[1]) == 0 {
        return Err(CallError::new("runtime error: integer divide by zero"));
    }
    Ok(fold(args, operate))
}

/// From the first towards the end, without it; nothing if the step leads away.
fn steps(from: i64, end: i64, step: i64) -> Result<Vec<i64>, CallError> {
    let up = end >= from;
    if (up && step <= 0) || (!up && step >= 0) {
        return Ok(Vec::new());
    }
    let mut items = Vec::new();
    let mut next = Some(from);
    while let Some(item) = next.filter(|item| if up { *item < end } else { *item > end }) {
        if items.len() >= MAX_ITEMS {
            return Err(CallError::new(format!("more than {MAX_ITEMS} items")));
        }
        items.push(item);
        next = item.checked_add(step);
    }
    Ok(items)
}

/// Like the Unix command: end; start and end; start, step and end. The end belongs to it.
fn seq(params: &[i64]) -> Result<Vec<i64>, CallError> {
    let towards = |start: i64, end: i64| if end < start { -1 } else { 1 };
    match *params {
        [end] => steps(1, end.saturating_add(towards(1, end)), towards(1, end)),
        [start, end] => steps(
            start,
            end.saturating_add(towards(start, end)),
            towards(start, end),
        ),
        [start, step, end] if end < start && step > 0 => Ok(Vec::new()),
        [start, step, end] => steps(start, end.saturating_add(towards(start, end)), step),
        _ => Ok(Vec::new()),
    }
}
