//! len, index and slice. Knows bounds and key types of strings, lists and maps.

use crate::functions::CallError;
use crate::value::{List, Value};

pub(crate) fn length(value: &Value) -> Result<Value, CallError> {
    let length = match value {
        Value::Str(bytes) => bytes.len(),
        Value::List(list) => list.len(),
        Value::Map(map) => map.len(),
        Value::Nil => {
            return Err(CallError::new(
                "reflect: call of reflect.Value.Type on zero Value",
            ));
        }
        value => return Err(CallError::new(format!("len of type {}", value.type_name()))),
    };
    Ok(Value::Int(i64::try_from(length).unwrap_or(i64::MAX)))
}

pub(super) fn index(item: &Value, keys: &[Value]) -> Result<Value, CallError> {
    if let Value::Nil = item {
        return Err(CallError::new("index of untyped nil"));
    }
    let mut item = item.clone();
    for key in keys {
        item = match &item {
            Value::Nil => return Err(CallError::new("index of nil pointer")),
            Value::Str(bytes) => match bytes.get(position(key, bytes.len())?) {
                Some(byte) => Value::Uint8(*byte),
                None => return Err(CallError::new("reflect: string index out of range")),
            },
            Value::List(list) => match list.get(position(key, list.len())?) {
                Some(item) => item,
                None => return Err(CallError::new("reflect: slice index out of range")),
            },
            Value::Map(map) => {
                let key = map_key(key)?;
                map.get(key).unwrap_or_else(|| map.elem().zero())
            }
            value => {
                let message = format!("can't index item of type {}", value.type_name());
                return Err(CallError::new(message));
            }
        };
    }
    Ok(item)
}

fn map_key(key: &Value) -> Result<&[u8], CallError> {
    match key {
        Value::Str(key) => Ok(key),
        Value::Nil => Err(CallError::new("value is nil; should be of type string")),
        key => {
            let message = format!("value has type {}; should be string", key.type_name());
            Err(CallError::new(message))
        }
    }
}

/// An index up to and including the length, as Go checks it.
fn position(key: &Value, length: usize) -> Result<usize, CallError> {
    let position = match key {
        Value::Nil => return Err(CallError::new("cannot index slice/array with nil")),
        key => key.as_int().or_else(|| key.as_uint().map(u64::cast_signed)),
    };
    let Some(position) = position else {
        let message = format!("cannot index slice/array with type {}", key.type_name());
        return Err(CallError::new(message));
    };
    usize::try_from(position)
        .ok()
        .filter(|position| *position <= length)
        .ok_or_else(|| CallError::new(format!("index out of range: {position}")))
}

pub(super) fn slice(item: &Value, indexes: &[Value]) -> Result<Value, CallError> {
    if let Value::Nil = item {
        return Err(CallError::new("slice of untyped nil"));
    }
    if indexes.len() > 3 {
        return Err(CallError::new(format!(
            "too many slice indexes: {}",
            indexes.len()
        )));
    }
    let length = match item {
        Value::Str(_) if indexes.len() == 3 => {
            return Err(CallError::new("cannot 3-index slice a string"));
        }
        Value::Str(bytes) => bytes.len(),
        Value::List(list) => list.len(),
        value => {
            let message = format!("can't slice item of type {}", value.type_name());
            return Err(CallError::new(message));
        }
    };
    let mut bounds = [0, length, length];
    for (bound, index) in bounds.iter_mut().zip(indexes) {
        *bound = position(index, length)?;
    }
    for pair in bounds.windows(2).take(indexes.len().max(2) - 1) {
        if pair[0] > pair[1] {
            let message = format!("invalid slice index: {} > {}", pair[0], pair[1]);
            return Err(CallError::new(message));
        }
    }
    let [start, end, _] = bounds;
    Ok(match item {
        Value::List(list) => Value::List(List::new(list.elem(), list.items()[start..end].to_vec())),
        item => Value::bytes(&item.as_bytes().unwrap_or_default()[start..end]),
    })
}
