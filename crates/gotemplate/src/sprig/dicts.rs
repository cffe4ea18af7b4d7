//! Maps: making, reading, changing, copying. Knows that set and unset change the map in place for
//! all who share it; merging is in `merge`.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::functions::{CallError, Function, Functions, Type};
use crate::limits::MAX_VALUE_DEPTH;
use crate::printf::to_text;
use crate::sprig::versions::Version;
use crate::sprig::{ANY, TEXT, add_both, bytes, map, merge};
use crate::value::{Elem, List, Map, Value};

const DICT: Type = Type::Dict;

/// Values of one copy.
const MAX_COPIED: usize = 1_000_000;

pub(super) fn add_to(functions: &mut Functions) {
    functions
        .add("dict", Function::variadic(&[ANY], dict))
        .add(
            "get",
            Function::new(&[DICT, TEXT], |args| {
                Ok(map(args, 0)?
                    .get(bytes(args, 1))
                    .unwrap_or_else(|| Value::from("")))
            }),
        )
        .add(
            "set",
            Function::new(&[DICT, TEXT, ANY], |args| {
                let inserted = map(args, 0)?.insert(bytes(args, 1), args[2].clone());
                inserted.map_err(|error| CallError::new(error.to_string()))?;
                Ok(args[0].clone())
            }),
        )
        .add(
            "unset",
            Function::new(&[DICT, TEXT], |args| {
                map(args, 0)?.remove(bytes(args, 1));
                Ok(args[0].clone())
            }),
        )
        .add(
            "hasKey",
            Function::new(&[DICT, TEXT], |args| {
                Ok(map(args, 0)?.contains(bytes(args, 1)).into())
            }),
        )
        .add(
            "pluck",
            Function::variadic(&[TEXT, DICT], |args| {
                let key = bytes(args, 0);
                let maps = (1..args.len()).map(|i| map(args, i));
                let found: Result<Vec<_>, _> = maps.map(|map| Ok(map?.get(key))).collect();
                Ok(Value::list(found?.into_iter().flatten().collect()))
            }),
        );
    add_views(functions);
}

/// Functions that look at whole maps.
fn add_views(functions: &mut Functions) {
    functions
        .add("keys", Function::variadic(&[DICT], keys))
        .add(
            "values",
            Function::new(&[DICT], |args| {
                Ok(Value::list(
                    map(args, 0)?.entries().values().cloned().collect(),
                ))
            }),
        )
        .add(
            "pick",
            Function::variadic(&[DICT, TEXT], |args| filtered(args, true)),
        )
        .add(
            "omit",
            Function::variadic(&[DICT, TEXT], |args| filtered(args, false)),
        )
        .add("dig", Function::variadic(&[ANY], dig));
    let copy = Function::new(&[ANY], |args| match &args[0] {
        Value::Nil => Err(CallError::new(
            "reflect: call of reflect.Value.Type on zero Value",
        )),
        value => Copy { copied: 0 }.value(value, 0),
    });
    add_both(functions, ["deepCopy", "mustDeepCopy"], &copy);
    let merging = Function::variadic(&[DICT, DICT], |args| merge::merge(args, false));
    add_both(functions, ["merge", "mustMerge"], &merging);
    let overwriting = Function::variadic(&[DICT, DICT], |args| merge::merge(args, true));
    add_both(
        functions,
        ["mergeOverwrite", "mustMergeOverwrite"],
        &overwriting,
    );
}

fn dict(args: &[Value]) -> Result<Value, CallError> {
    let mut entries: BTreeMap<Rc<[u8]>, Value> = BTreeMap::new();
    for pair in args.chunks(2) {
        let value = pair.get(1).cloned().unwrap_or_else(|| Value::from(""));
        entries.insert(Rc::from(to_text(&pair[0])?), value);
    }
    Ok(Value::Map(Map::new(Elem::Any, entries)))
}

/// The keys of all maps. Sorted, where Go's order is random.
fn keys(args: &[Value]) -> Result<Value, CallError> {
    let mut keys = Vec::new();
    for i in 0..args.len() {
        keys.extend(map(args, i)?.entries().keys().cloned());
    }
    Ok(Value::strings(keys))
}

/// The entries with or without the keys.
fn filtered(args: &[Value], wanted: bool) -> Result<Value, CallError> {
    let named = |key: &[u8]| (1..args.len()).any(|i| bytes(args, i) == key);
    let entries = map(args, 0)?.entries();
    let kept = entries.iter().filter(|(key, _)| named(key) == wanted);
    Ok(Value::dict(
        kept.map(|(key, value)| (key.clone(), value.clone())),
    ))
}

/// dig KEY... DEFAULT MAP
fn dig(args: &[Value]) -> Result<Value, CallError> {
    let [path @ .., default, root] = args else {
        return Err(CallError::new("dig needs at least three arguments"));
    };
    if path.is_empty() {
        return Err(CallError::new("dig needs at least three arguments"));
    }
    let conversion = |value: &Value, to: &str| {
        let (name, to) = (value.type_name(), to);
        CallError::new(match value {
            Value::Nil => format!("interface conversion: interface {{}} is nil, not {to}"),
            _ => format!("interface conversion: interface {{}} is {name}, not {to}"),
        })
    };
    if !matches!(root, Value::Map(map) if map.elem() == Elem::Any) {
        return Err(conversion(root, "map[string]interface {}"));
    }
    let keys = path
        .iter()
        .map(|key| key.as_bytes().ok_or_else(|| conversion(key, "string")))
        .collect::<Result<Vec<_>, _>>()?;
    let mut at = root.clone();
    for key in keys {
        let Value::Map(map) = &at else {
            return Err(conversion(&at, "map[string]interface {}"));
        };
        if map.elem() != Elem::Any {
            return Err(conversion(&at, "map[string]interface {}"));
        }
        match map.get(key) {
            Some(value) => at = value,
            None => return Ok(default.clone()),
        }
    }
    Ok(at)
}

struct Copy {
    copied: usize,
}

impl Copy {
    fn value(&mut self, value: &Value, depth: usize) -> Result<Value, CallError> {
        self.copied += 1;
        if depth > MAX_VALUE_DEPTH || self.copied > MAX_COPIED {
            return Err(CallError::new("value too deep or too large to copy"));
        }
        Ok(match value {
            Value::List(list) => {
                let items: Result<Vec<_>, _> = list
                    .items()
                    .iter()
                    .map(|item| self.value(item, depth + 1))
                    .collect();
                Value::List(List::new(list.elem(), items?))
            }
            Value::Map(map) => {
                let mut entries = BTreeMap::new();
                for (key, value) in map.entries().iter() {
                    entries.insert(key.clone(), self.value(value, depth + 1)?);
                }
                Value::Map(Map::new(map.elem(), entries))
            }
            // upstream copies exported fields only, and a version has none
            Value::Object(object) if object.as_any().is::<Version>() => {
                Value::object(Version::default())
            }
            other => other.clone(),
        })
    }
}
