//! Values from Rust's own types. Knows nothing else.

use std::rc::Rc;

use crate::value::{Elem, List, Map, Object, Value};

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::bytes(value)
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::bytes(value)
    }
}

impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Self {
        Self::bytes(value)
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::bytes(value)
    }
}

impl From<List> for Value {
    fn from(value: List) -> Self {
        Self::List(value)
    }
}

impl From<Map> for Value {
    fn from(value: Map) -> Self {
        Self::Map(value)
    }
}

impl Value {
    /// A `[]string`.
    pub fn strings<S: AsRef<[u8]>>(items: impl IntoIterator<Item = S>) -> Self {
        Self::List(List::new(
            Elem::String,
            items.into_iter().map(Self::bytes).collect(),
        ))
    }

    /// A `[]int`.
    pub fn ints(items: impl IntoIterator<Item = i64>) -> Self {
        Self::List(List::new(
            Elem::Int,
            items.into_iter().map(Self::Int).collect(),
        ))
    }

    /// A value with methods or fields.
    pub fn object(object: impl Object + 'static) -> Self {
        Self::Object(Rc::new(object))
    }

    /// The object of this Rust type.
    pub fn downcast<T: 'static>(&self) -> Option<&T> {
        match self {
            Self::Object(object) => object.as_any().downcast_ref(),
            _ => None,
        }
    }
}
