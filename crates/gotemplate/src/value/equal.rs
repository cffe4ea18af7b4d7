//! Go's `reflect.DeepEqual`: equal in type and content. Knows nothing of the templates' `eq`.

use std::rc::Rc;

use crate::functions::CallError;
use crate::limits::MAX_VALUE_DEPTH;
use crate::value::{List, Map, Value};

/// How many pairs of values one comparison looks at.
const MAX_PAIRS: usize = 1_000_000;

/// Whether both are equal in type and content. Fails on values too deep or large to compare.
pub(crate) fn deep_equal(a: &Value, b: &Value) -> Result<bool, CallError> {
    Comparison { pairs: 0 }.equal(a, b, 0)
}

struct Comparison {
    pairs: usize,
}

impl Comparison {
    fn equal(&mut self, a: &Value, b: &Value, depth: usize) -> Result<bool, CallError> {
        self.pairs += 1;
        if depth > MAX_VALUE_DEPTH || self.pairs > MAX_PAIRS {
            return Err(CallError::new("value too deep or too large to compare"));
        }
        Ok(match (a, b) {
            (Value::Nil, Value::Nil) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(a), Value::Int(b)) | (Value::Int64(a), Value::Int64(b)) => a == b,
            (Value::Uint8(a), Value::Uint8(b)) => a == b,
            (Value::Uint64(a), Value::Uint64(b)) => a == b,
            #[allow(clippy::float_cmp, reason = "Go compares exactly")]
            (Value::Float(a), Value::Float(b)) => a == b,
            #[allow(clippy::float_cmp, reason = "Go compares exactly")]
            (Value::Complex(a, b), Value::Complex(c, d)) => a == c && b == d,
            (Value::Str(a), Value::Str(b)) => a == b,
            (Value::List(a), Value::List(b)) => self.lists(a, b, depth)?,
            (Value::Map(a), Value::Map(b)) => self.maps(a, b, depth)?,
            (Value::Object(a), Value::Object(b)) => Rc::ptr_eq(a, b) || a.equals(&**b),
            _ => false,
        })
    }

    fn lists(&mut self, a: &List, b: &List, depth: usize) -> Result<bool, CallError> {
        if a.elem() != b.elem() || a.len() != b.len() || a.is_nil() != b.is_nil() {
            return Ok(false);
        }
        for (a, b) in a.items().iter().zip(b.items().iter()) {
            if !self.equal(a, b, depth + 1)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn maps(&mut self, a: &Map, b: &Map, depth: usize) -> Result<bool, CallError> {
        if a.elem() != b.elem() || a.len() != b.len() {
            return Ok(false);
        }
        if a.same(b) {
            return Ok(true);
        }
        for ((ka, a), (kb, b)) in a.entries().iter().zip(b.entries().iter()) {
            if ka != kb || !self.equal(a, b, depth + 1)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
