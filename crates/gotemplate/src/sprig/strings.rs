//! String functions: trimming, searching, replacing, padding, quoting. Knows bytes and their order
//! of arguments; words and letter case are in `text` and `case`.

use crate::functions::{CallError, Function, Functions};
use crate::lex::{decode, decode_last};
use crate::printf::{quoted, to_text};
use crate::sprig::{ANY, INT, TEXT, add_both, add_text, bytes, check_length, int};
use crate::value::Value;

pub(super) fn add_to(functions: &mut Functions) {
    add_text(functions, "trim", |s| {
        trim_where(s, char::is_whitespace).to_vec()
    });
    let trim_all = two_texts(|cutset, s| {
        let cutset = chars(cutset);
        Ok(Value::from(trim_where(s, |c| cutset.contains(&c))))
    });
    add_both(functions, ["trimAll", "trimall"], &trim_all);
    functions
        .add(
            "trimPrefix",
            two_texts(|affix, s| Ok(s.strip_prefix(affix).unwrap_or(s).into())),
        )
        .add(
            "trimSuffix",
            two_texts(|affix, s| Ok(s.strip_suffix(affix).unwrap_or(s).into())),
        )
        .add(
            "contains",
            two_texts(|needle, s| Ok(find(s, needle).is_some().into())),
        )
        .add(
            "hasPrefix",
            two_texts(|affix, s| Ok(s.starts_with(affix).into())),
        )
        .add(
            "hasSuffix",
            two_texts(|affix, s| Ok(s.ends_with(affix).into())),
        )
        .add(
            "replace",
            Function::new(&[TEXT, TEXT, TEXT], |args| {
                replace(bytes(args, 2), bytes(args, 0), bytes(args, 1)).map(Value::from)
            }),
        );
    add_shaping(functions);
}

/// Functions that change length and place.
fn add_shaping(functions: &mut Functions) {
    functions
        .add(
            "repeat",
            Function::new(&[INT, TEXT], |args| repeat(int(args, 0), bytes(args, 1))),
        )
        .add(
            "indent",
            Function::new(&[INT, TEXT], |args| {
                indent(b"", int(args, 0), bytes(args, 1))
            }),
        )
        .add(
            "nindent",
            Function::new(&[INT, TEXT], |args| {
                indent(b"\n", int(args, 0), bytes(args, 1))
            }),
        )
        .add(
            "trunc",
            Function::new(&[INT, TEXT], |args| {
                Ok(trunc(int(args, 0), bytes(args, 1)).into())
            }),
        )
        .add(
            "substr",
            Function::new(&[INT, INT, TEXT], |args| {
                substr(int(args, 0), int(args, 1), bytes(args, 2))
            }),
        )
        .add(
            "plural",
            Function::new(&[TEXT, TEXT, INT], |args| {
                Ok(args[usize::from(int(args, 2) != 1)].clone())
            }),
        );
    add_quoting(functions);
}

/// Functions that make text of anything.
fn add_quoting(functions: &mut Functions) {
    functions
        .add(
            "quote",
            Function::variadic(&[ANY], |args| {
                joined(args, |value| Ok(quoted(&to_text(value)?).into_bytes()))
            }),
        )
        .add(
            "squote",
            Function::variadic(&[ANY], |args| {
                joined(
                    args,
                    |value| Ok([b"'", &to_text(value)?[..], b"'"].concat()),
                )
            }),
        )
        .add(
            "cat",
            Function::variadic(&[ANY], |args| joined(args, to_text)),
        )
        .add(
            "toString",
            Function::new(&[ANY], |args| to_text(&args[0]).map(Value::from)),
        )
        .add("hello", Function::new(&[], |_| Ok("Hello!".into())));
}

fn two_texts(run: fn(&[u8], &[u8]) -> Result<Value, CallError>) -> Function {
    Function::new(&[TEXT, TEXT], move |args| {
        run(bytes(args, 0), bytes(args, 1))
    })
}

fn chars(mut text: &[u8]) -> Vec<char> {
    let mut chars = Vec::new();
    while let Some((c, length)) = decode(text) {
        chars.push(c);
        text = &text[length..];
    }
    chars
}

fn trim_where(mut text: &[u8], unwanted: impl Fn(char) -> bool) -> &[u8] {
    while let Some((c, length)) = decode(text)
        && unwanted(c)
    {
        text = &text[length..];
    }
    while let Some((c, length)) = decode_last(text)
        && unwanted(c)
    {
        text = &text[..text.len() - length];
    }
    text
}

/// The offset of the first occurrence.
pub(super) fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    if needle.is_empty() {
        return Some(0);
    }
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

fn replace(text: &[u8], old: &[u8], new: &[u8]) -> Result<Vec<u8>, CallError> {
    let mut replaced = Vec::with_capacity(text.len());
    let mut rest = text;
    if old.is_empty() {
        // Go inserts before every character and at the end
        while let Some((_, length)) = decode(rest) {
            replaced.extend_from_slice(new);
            replaced.extend_from_slice(&rest[..length]);
            check_length(replaced.len())?;
            rest = &rest[length..];
        }
        replaced.extend_from_slice(new);
        return Ok(replaced);
    }
    while let Some(at) = find(rest, old) {
        replaced.extend_from_slice(&rest[..at]);
        replaced.extend_from_slice(new);
        check_length(replaced.len())?;
        rest = &rest[at + old.len()..];
    }
    replaced.extend_from_slice(rest);
    Ok(replaced)
}

/// The count as a length that is allowed.
fn count(count: i64, unit: usize) -> Result<usize, CallError> {
    let count =
        usize::try_from(count).map_err(|_| CallError::new("strings: negative Repeat count"))?;
    check_length(count.saturating_mul(unit))?;
    Ok(count)
}

fn repeat(times: i64, text: &[u8]) -> Result<Value, CallError> {
    Ok(text.repeat(count(times, text.len())?).into())
}

fn indent(before: &[u8], spaces: i64, text: &[u8]) -> Result<Value, CallError> {
    let lines = text.split(|byte| *byte == b'\n').count();
    let pad = b" ".repeat(count(spaces, lines)?);
    let mut indented = before.to_vec();
    for (i, line) in text.split(|byte| *byte == b'\n').enumerate() {
        if i > 0 {
            indented.push(b'\n');
        }
        indented.extend_from_slice(&pad);
        indented.extend_from_slice(line);
    }
    Ok(indented.into())
}

/// The first bytes, or the last ones if the count is negative.
fn trunc(count: i64, text: &[u8]) -> &[u8] {
    let length = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    if length >= text.len() {
        return text;
    }
    if count < 0 {
        &text[text.len() - length..]
    } else {
        &text[..length]
    }
}

fn substr(start: i64, end: i64, text: &[u8]) -> Result<Value, CallError> {
    let length = i64::try_from(text.len()).unwrap_or(i64::MAX);
    let out_of_range =
        |what: String| CallError::new(format!("runtime error: slice bounds out of range {what}"));
    let (start, end) = if start < 0 {
        (0, end)
    } else if end < 0 || end > length {
        (start, length)
    } else {
        (start, end)
    };
    if end < 0 {
        return Err(out_of_range(format!("[:{end}]")));
    }
    if end > length {
        return Err(out_of_range(format!("[:{end}] with length {length}")));
    }
    if start > end {
        return Err(out_of_range(format!("[{start}:{end}]")));
    }
    let bound = |n: i64| usize::try_from(n).unwrap_or_default();
    Ok(text[bound(start)..bound(end)].into())
}

/// The values that are not nil, as text with spaces between.
fn joined(
    args: &[Value],
    text: impl Fn(&Value) -> Result<Vec<u8>, CallError>,
) -> Result<Value, CallError> {
    let mut joined = Vec::new();
    for (i, arg) in args
        .iter()
        .filter(|arg| !matches!(arg, Value::Nil))
        .enumerate()
    {
        if i > 0 {
            joined.push(b' ');
        }
        joined.extend(text(arg)?);
        check_length(joined.len())?;
    }
    Ok(joined.into())
}
