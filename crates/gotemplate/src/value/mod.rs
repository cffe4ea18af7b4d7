//! The values a template works on, with the Go types that templates can observe. Knows shapes and
//! type names; does not know how a value is printed, compared or computed with.

mod containers;
mod convert;
mod equal;
mod object;

use std::borrow::Cow;
use std::rc::Rc;

pub use containers::{CycleError, Elem, List, Map};
pub(crate) use equal::deep_equal;
pub use object::{Kind, Object, Sequence};

use crate::functions::Function;

/// A value of a template, tagged with its Go type.
///
/// Strings are byte strings: nothing requires UTF-8. Lists and maps are references, as in Go: a
/// clone shares its content with the original. Values are meant to live inside one rendering and
/// are therefore not [`Send`].
#[derive(Clone, Debug)]
pub enum Value {
    /// Go's untyped nil, which is also the value of a missing key.
    Nil,
    /// `bool`
    Bool(bool),
    /// `int`, the type of integer constants
    Int(i64),
    /// `int64`
    Int64(i64),
    /// `uint8`, what indexing a string gives
    Uint8(u8),
    /// `uint64`
    Uint64(u64),
    /// `float64`
    Float(f64),
    /// `complex128`, real and imaginary part; only constants make one
    Complex(f64, f64),
    /// `string`
    Str(Rc<[u8]>),
    /// a slice
    List(List),
    /// a map with string keys
    Map(Map),
    /// a function, for `call` and `range`
    Func(Function),
    /// a value with methods or fields, such as a time
    Object(Rc<dyn Object>),
}

impl Value {
    /// A string value of these bytes.
    pub fn bytes(bytes: impl AsRef<[u8]>) -> Self {
        Self::Str(Rc::from(bytes.as_ref()))
    }

    /// A `[]interface {}` of these items.
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(List::new(Elem::Any, items))
    }

    /// A `map[string]string`, the type of Secret data.
    pub fn string_map<K: AsRef<[u8]>, V: AsRef<[u8]>>(
        entries: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let entries = entries
            .into_iter()
            .map(|(k, v)| (Rc::from(k.as_ref()), Self::bytes(v)));
        Self::Map(Map::new(Elem::String, entries.collect()))
    }

    /// A `map[string]interface {}`.
    pub fn dict<K: AsRef<[u8]>>(entries: impl IntoIterator<Item = (K, Self)>) -> Self {
        let entries = entries.into_iter().map(|(k, v)| (Rc::from(k.as_ref()), v));
        Self::Map(Map::new(Elem::Any, entries.collect()))
    }

    /// The Go type, as `%T` and error messages give it.
    pub fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Nil => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Int64(_) => "int64",
            Self::Uint8(_) => "uint8",
            Self::Uint64(_) => "uint64",
            Self::Float(_) => "float64",
            Self::Complex(..) => "complex128",
            Self::Str(_) => "string",
            Self::List(list) => list.type_name(),
            Self::Map(map) => map.type_name(),
            Self::Func(function) => return Cow::Owned(function.type_name()),
            Self::Object(object) => object.type_name(),
        })
    }

    /// The kind of Go's reflect package.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Nil => Kind::Invalid,
            Self::Bool(_) => Kind::Bool,
            Self::Int(_) => Kind::Int,
            Self::Int64(_) => Kind::Int64,
            Self::Uint8(_) => Kind::Uint8,
            Self::Uint64(_) => Kind::Uint64,
            Self::Float(_) => Kind::Float64,
            Self::Complex(..) => Kind::Complex128,
            Self::Str(_) => Kind::String,
            Self::List(_) => Kind::Slice,
            Self::Map(_) => Kind::Map,
            Self::Func(_) => Kind::Func,
            Self::Object(object) => object.kind(),
        }
    }

    /// What `if` makes of the value: false for nil, false, zero and the empty.
    pub fn truth(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(b) => *b,
            Self::Int(n) | Self::Int64(n) => *n != 0,
            Self::Uint8(n) => *n != 0,
            Self::Uint64(n) => *n != 0,
            Self::Float(f) => *f != 0.0,
            Self::Complex(re, im) => *re != 0.0 || *im != 0.0,
            Self::Str(s) => !s.is_empty(),
            Self::List(list) => list.len() != 0,
            Self::Map(map) => map.len() != 0,
            Self::Func(_) => true,
            Self::Object(object) => object.int().is_none_or(|n| n != 0),
        }
    }

    /// The bytes of a string.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Str(s) => Some(s),
            _ => None,
        }
    }

    /// The value as a signed integer, if it is of a signed integer type.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(n) | Self::Int64(n) => Some(*n),
            Self::Object(object) => object.int(),
            _ => None,
        }
    }

    /// The value as an unsigned integer, if it is of an unsigned integer type.
    pub fn as_uint(&self) -> Option<u64> {
        match self {
            Self::Uint8(n) => Some(u64::from(*n)),
            Self::Uint64(n) => Some(*n),
            _ => None,
        }
    }
}
