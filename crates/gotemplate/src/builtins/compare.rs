//! eq, lt and le. Knows which types compare with which; does not know types that are equal in
//! content (that is sprig's deepEqual).

use std::cmp::Ordering;
use std::rc::Rc;

use crate::functions::CallError;
use crate::printf::{shown, shown_as};
use crate::value::{Kind, Value};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Basic {
    Bool,
    Complex,
    Int,
    Float,
    String,
    Uint,
    Other,
}

fn basic(value: &Value) -> Basic {
    match value {
        Value::Bool(_) => Basic::Bool,
        Value::Complex(..) => Basic::Complex,
        Value::Float(_) => Basic::Float,
        Value::Str(_) => Basic::String,
        value if value.as_int().is_some() => Basic::Int,
        value if value.as_uint().is_some() => Basic::Uint,
        _ => Basic::Other,
    }
}

/// Whether the first equals any of the others.
pub(super) fn eq(first: &Value, others: &[Value]) -> Result<bool, CallError> {
    if others.is_empty() {
        return Err(CallError::new("missing argument for comparison"));
    }
    for other in others {
        if equal(first, other)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn equal(a: &Value, b: &Value) -> Result<bool, CallError> {
    if basic(a) != basic(b) {
        if let Some(order) = mixed_order(a, b) {
            return Ok(order == Ordering::Equal);
        }
        if matches!(a, Value::Nil) || matches!(b, Value::Nil) {
            return Ok(false);
        }
        return Err(incompatible(a, b));
    }
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => Ok(a == b),
        #[allow(clippy::float_cmp, reason = "Go compares exactly")]
        (Value::Float(a), Value::Float(b)) => Ok(a == b),
        #[allow(clippy::float_cmp, reason = "Go compares exactly")]
        (Value::Complex(a, b), Value::Complex(c, d)) => Ok(a == c && b == d),
        (Value::Str(a), Value::Str(b)) => Ok(a == b),
        _ if basic(a) == Basic::Int => Ok(a.as_int() == b.as_int()),
        _ if basic(a) == Basic::Uint => Ok(a.as_uint() == b.as_uint()),
        _ => others_equal(a, b),
    }
}

/// Nil, lists, maps and objects.
fn others_equal(a: &Value, b: &Value) -> Result<bool, CallError> {
    match (a, b) {
        (Value::Nil, Value::Nil) => Ok(true),
        (Value::Nil, Value::List(list)) | (Value::List(list), Value::Nil) => Ok(list.is_nil()),
        (Value::Nil, _) | (_, Value::Nil) => Ok(false),
        (Value::List(a), Value::List(b)) if a.is_nil() || b.is_nil() => {
            Ok(a.is_nil() && b.is_nil())
        }
        (Value::Object(a), Value::Object(b)) if a.kind() == b.kind() => match a.kind() {
            Kind::Ptr => Ok(Rc::ptr_eq(a, b)),
            _ => Ok(a.equals(&**b)),
        },
        _ if a.kind() == b.kind() => Err(CallError::revealing(
            format!(
                "non-comparable type {}: {}",
                shown_as(b, 's'),
                b.type_name()
            ),
            format!("non-comparable type: {}", b.type_name()),
        )),
        _ => Err(CallError::revealing(
            format!(
                "non-comparable types {}: {}, {}: {}",
                shown_as(a, 's'),
                a.type_name(),
                b.type_name(),
                shown(b)
            ),
            format!("non-comparable types {}, {}", a.type_name(), b.type_name()),
        )),
    }
}

/// The order of a signed and an unsigned integer.
fn mixed_order(a: &Value, b: &Value) -> Option<Ordering> {
    match (a.as_int(), a.as_uint(), b.as_int(), b.as_uint()) {
        (Some(a), _, _, Some(b)) => Some(i128::from(a).cmp(&i128::from(b))),
        (_, Some(a), Some(b), _) => Some(i128::from(a).cmp(&i128::from(b))),
        _ => None,
    }
}

pub(super) fn lt(a: &Value, b: &Value) -> Result<bool, CallError> {
    let bad_type = || CallError::new("invalid type for comparison");
    if basic(a) == Basic::Other || basic(b) == Basic::Other {
        return Err(bad_type());
    }
    if basic(a) != basic(b) {
        return match mixed_order(a, b) {
            Some(order) => Ok(order == Ordering::Less),
            None => Err(incompatible(a, b)),
        };
    }
    match (a, b) {
        (Value::Float(a), Value::Float(b)) => Ok(a < b),
        (Value::Str(a), Value::Str(b)) => Ok(a < b),
        _ if basic(a) == Basic::Int => Ok(a.as_int() < b.as_int()),
        _ if basic(a) == Basic::Uint => Ok(a.as_uint() < b.as_uint()),
        _ => Err(bad_type()),
    }
}

pub(super) fn le(a: &Value, b: &Value) -> Result<bool, CallError> {
    Ok(lt(a, b)? || equal(a, b)?)
}

fn incompatible(a: &Value, b: &Value) -> CallError {
    let (a, b) = (a.type_name(), b.type_name());
    CallError::new(format!("incompatible types for comparison: {a} and {b}"))
}
