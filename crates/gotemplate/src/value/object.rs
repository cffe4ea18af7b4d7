//! Values with methods and fields: the trait that times, versions and certificates implement. Knows
//! what the engine asks of such a value; does not know any of them.

use std::any::Any;
use std::fmt::Debug;

use crate::functions::{CallError, Type};
use crate::value::Value;

/// A kind of Go's reflect package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// nil
    Invalid,
    /// `bool`
    Bool,
    /// `int`
    Int,
    /// `int64`
    Int64,
    /// `uint8`
    Uint8,
    /// `uint64`
    Uint64,
    /// `float64`
    Float64,
    /// `complex128`
    Complex128,
    /// `string`
    String,
    /// a slice
    Slice,
    /// a map
    Map,
    /// a function
    Func,
    /// a struct
    Struct,
    /// a pointer
    Ptr,
}

impl Kind {
    /// Go's name of the kind.
    pub fn name(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Int64 => "int64",
            Self::Uint8 => "uint8",
            Self::Uint64 => "uint64",
            Self::Float64 => "float64",
            Self::Complex128 => "complex128",
            Self::String => "string",
            Self::Slice => "slice",
            Self::Map => "map",
            Self::Func => "func",
            Self::Struct => "struct",
            Self::Ptr => "ptr",
        }
    }
}

/// What an iterator function yields.
pub enum Sequence<'a> {
    /// `func(yield func(V) bool)`
    One(Box<dyn Iterator<Item = Value> + 'a>),
    /// `func(yield func(K, V) bool)`
    Two(Box<dyn Iterator<Item = (Value, Value)> + 'a>),
}

/// A value with methods or fields. Its printed form is [`Object::text`].
pub trait Object: Debug {
    /// The Go type, for instance `time.Time`.
    fn type_name(&self) -> &'static str;

    /// The kind of that type.
    fn kind(&self) -> Kind;

    /// What the value prints as.
    fn text(&self) -> String;

    /// The number behind a type whose kind is an integer.
    fn int(&self) -> Option<i64> {
        None
    }

    /// Another number of the same type, where [`Object::int`] is one.
    fn with_int(&self, int: i64) -> Option<Value> {
        let _ = int;
        None
    }

    /// What `range` iterates over, where the type is one of Go's iterator functions. Each call
    /// begins anew.
    fn sequence(&self) -> Option<Sequence<'_>> {
        None
    }

    /// The exported field of this name.
    fn field(&self, name: &str) -> Option<Value> {
        let _ = name;
        None
    }

    /// The types of the parameters of the method of this name.
    fn method(&self, name: &str) -> Option<&'static [Type]> {
        let _ = name;
        None
    }

    /// Calls a method with arguments of the types that [`Object::method`] gave.
    fn call(&self, name: &str, args: &[Value]) -> Result<Value, CallError> {
        let _ = args;
        Err(CallError::new(format!("no method {name}")))
    }

    /// What the value is in JSON.
    fn json(&self) -> Value {
        Value::from(self.text())
    }

    /// Whether the other is of the same type and equal in Go's `==`.
    fn equals(&self, other: &dyn Object) -> bool {
        self.type_name() == other.type_name() && self.text() == other.text()
    }

    /// For downcasting by those who know the type.
    fn as_any(&self) -> &dyn Any;
}
