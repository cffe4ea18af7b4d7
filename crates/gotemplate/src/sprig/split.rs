//! Splitting, joining and sorting strings. Knows sprig's maps of parts (`_0`, `_1`, …).

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::functions::{CallError, Function, Functions};
use crate::lex::decode;
use crate::printf::to_text;
use crate::sprig::strings::find;
use crate::sprig::{ANY, INT, TEXT, bytes, check_length, int};
use crate::value::{Elem, List, Map, Value};

pub(super) fn add_to(functions: &mut Functions) {
    functions
        .add(
            "split",
            Function::new(&[TEXT, TEXT], |args| {
                Ok(numbered(split(bytes(args, 1), bytes(args, 0), -1)))
            }),
        )
        .add(
            "splitn",
            Function::new(&[TEXT, INT, TEXT], |args| {
                Ok(numbered(split(
                    bytes(args, 2),
                    bytes(args, 0),
                    int(args, 1),
                )))
            }),
        )
        .add(
            "splitList",
            Function::new(&[TEXT, TEXT], |args| {
                Ok(Value::strings(split(bytes(args, 1), bytes(args, 0), -1)))
            }),
        )
        .add(
            "join",
            Function::new(&[TEXT, ANY], |args| join(bytes(args, 0), &args[1])),
        )
        .add(
            "toStrings",
            Function::new(&[ANY], |args| strings(&args[0]).map(Value::List)),
        )
        .add(
            "sortAlpha",
            Function::new(&[ANY], |args| {
                let list = match &args[0] {
                    Value::Nil => List::new(Elem::String, vec![Value::from("<nil>")]),
                    value => strings(value)?,
                };
                list.sort_strings();
                Ok(Value::List(list))
            }),
        );
}

/// The parts between separators, at most `limit` of them if it is not negative.
fn split<'t>(text: &'t [u8], separator: &[u8], limit: i64) -> Vec<&'t [u8]> {
    if limit == 0 {
        return Vec::new();
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut parts = Vec::new();
    let mut rest = text;
    if separator.is_empty() {
        // every character is a part
        while parts.len() + 1 < limit
            && let Some((_, length)) = decode(rest)
        {
            parts.push(&rest[..length]);
            rest = &rest[length..];
        }
        if !rest.is_empty() {
            parts.push(rest);
        }
        return parts;
    }
    while parts.len() + 1 < limit
        && let Some(at) = find(rest, separator)
    {
        parts.push(&rest[..at]);
        rest = &rest[at + separator.len()..];
    }
    parts.push(rest);
    parts
}

fn numbered(parts: Vec<&[u8]>) -> Value {
    let entries: BTreeMap<Rc<[u8]>, Value> = parts
        .into_iter()
        .enumerate()
        .map(|(i, part)| (Rc::from(format!("_{i}").as_bytes()), Value::bytes(part)))
        .collect();
    Value::Map(Map::new(Elem::String, entries))
}

/// The items as text, without nil; anything else is one item. A list of strings is itself.
fn strings(value: &Value) -> Result<List, CallError> {
    let items = match value {
        Value::List(list) if list.elem() == Elem::String => return Ok(list.clone()),
        Value::List(list) => list.items().to_vec(),
        value => vec![value.clone()],
    };
    let items = items.iter().filter(|item| !matches!(item, Value::Nil));
    let items: Result<Vec<_>, _> = items.map(|item| to_text(item).map(Value::from)).collect();
    Ok(List::new(Elem::String, items?))
}

fn join(separator: &[u8], value: &Value) -> Result<Value, CallError> {
    let mut joined = Vec::new();
    for (i, item) in strings(value)?.items().iter().enumerate() {
        if i > 0 {
            joined.extend_from_slice(separator);
        }
        joined.extend_from_slice(item.as_bytes().unwrap_or_default());
        check_length(joined.len())?;
    }
    Ok(joined.into())
}
