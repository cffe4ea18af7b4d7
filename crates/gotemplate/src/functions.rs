//! The functions a template may call: names, parameter types, Rust closures. Knows how they are
//! registered; does not know any of them.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crate::builtins;
use crate::value::{Elem, List, Value};

/// The type of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// `interface {}`: anything, nil included
    Any,
    /// `bool`
    Bool,
    /// `string`
    String,
    /// `int`
    Int,
    /// `int64`
    Int64,
    /// `uint32`, handed over as [`Value::Int`]
    Uint32,
    /// `float64`
    Float64,
    /// `map[string]interface {}`
    Dict,
    /// `[]interface {}`
    List,
    /// an object with this Go type name
    Object(&'static str),
}

impl Type {
    /// Go's name of the type.
    pub fn name(self) -> &'static str {
        match self {
            Self::Any => "interface {}",
            Self::Bool => "bool",
            Self::String => "string",
            Self::Int => "int",
            Self::Int64 => "int64",
            Self::Uint32 => "uint32",
            Self::Float64 => "float64",
            Self::Dict => "map[string]interface {}",
            Self::List => "[]interface {}",
            Self::Object(name) => name,
        }
    }

    /// Whether a value can be passed as it is.
    pub(crate) fn accepts(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Any, _)
            | (Self::Bool, Value::Bool(_))
            | (Self::String, Value::Str(_))
            | (Self::Int, Value::Int(_))
            | (Self::Int64, Value::Int64(_))
            | (Self::Float64, Value::Float(_)) => true,
            (Self::Dict, Value::Map(map)) => map.elem() == Elem::Any,
            (Self::List, Value::List(list)) => list.elem() == Elem::Any,
            (Self::Object(name), Value::Object(object)) => object.type_name() == name,
            _ => false,
        }
    }

    /// What nil becomes for this type, where it has a nil.
    pub(crate) fn nil(self) -> Option<Value> {
        match self {
            Self::Any => Some(Value::Nil),
            Self::Dict => Some(Value::dict::<&[u8]>([])),
            Self::List => Some(Value::List(List::nil(Elem::Any))),
            _ => None,
        }
    }
}

/// Why a function failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallError {
    message: String,
    redacted: Option<String>,
}

impl CallError {
    /// An error whose message repeats no value of the template.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            redacted: None,
        }
    }

    /// An error whose message repeats a value, and the same without it.
    pub fn revealing(message: impl Into<String>, redacted: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            redacted: Some(redacted.into()),
        }
    }

    /// The message, in Go's words.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The message without values of the template.
    pub fn redacted(&self) -> &str {
        self.redacted.as_deref().unwrap_or(&self.message)
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CallError {}

type Closure = dyn Fn(&[Value]) -> Result<Value, CallError> + Send + Sync;

/// A function with the types of its parameters.
#[derive(Clone)]
pub struct Function {
    pub(crate) params: Arc<[Type]>,
    pub(crate) variadic: bool,
    pub(crate) cost: u64,
    pub(crate) body: Body,
}

#[derive(Clone)]
pub(crate) enum Body {
    /// evaluates its arguments only until one is false
    And,
    /// evaluates its arguments only until one is true
    Or,
    /// calls its first argument, which it must be able to name
    Call,
    /// alone tells a nil that something holds from a missing value
    Len,
    Closure(Arc<Closure>),
}

impl Function {
    /// A function with these parameters. The engine sees to number and types of the arguments.
    pub fn new<F>(params: &[Type], body: F) -> Self
    where
        F: Fn(&[Value]) -> Result<Value, CallError> + Send + Sync + 'static,
    {
        Self {
            params: params.into(),
            variadic: false,
            cost: 0,
            body: Body::Closure(Arc::new(body)),
        }
    }

    /// As [`Function::new`]; the last parameter may be given any number of times.
    pub fn variadic<F>(params: &[Type], body: F) -> Self
    where
        F: Fn(&[Value]) -> Result<Value, CallError> + Send + Sync + 'static,
    {
        Self {
            params: params.into(),
            variadic: true,
            cost: 0,
            body: Body::Closure(Arc::new(body)),
        }
    }

    /// The same function, whose every call counts as so many steps of the template.
    #[must_use]
    pub fn costing(self, steps: u64) -> Self {
        Self {
            cost: steps,
            ..self
        }
    }

    pub(crate) fn builtin(params: &[Type], body: Body) -> Self {
        Self {
            params: params.into(),
            variadic: !matches!(body, Body::Len),
            cost: 0,
            body,
        }
    }

    pub(crate) fn type_name(&self) -> String {
        let names: Vec<_> = self.params.iter().map(|param| param.name()).collect();
        match names.split_last() {
            Some((last, [])) if self.variadic => format!("func(...{last}) (interface {{}}, error)"),
            Some((last, fixed)) if self.variadic => {
                format!(
                    "func({}, ...{last}) (interface {{}}, error)",
                    fixed.join(", ")
                )
            }
            _ => format!("func({}) (interface {{}}, error)", names.join(", ")),
        }
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.type_name())
    }
}

/// The functions that templates may call, by name.
///
/// ```
/// use gotemplate::{Function, Functions, Template, Type, Value};
///
/// let mut functions = Functions::new();
/// functions.add("shout", Function::new(&[Type::String], |args| {
///     let text = args[0].as_bytes().unwrap_or_default();
///     Ok(Value::bytes([text, b"!"].concat()))
/// }));
/// let template = Template::parse("greeting", "{{ shout .who }}", &functions).unwrap();
/// let root = Value::string_map([("who", "hello")]);
/// assert_eq!(template.execute(&root).unwrap(), b"hello!");
/// ```
#[derive(Clone, Debug)]
pub struct Functions(Arc<HashMap<String, Function>>);

impl Functions {
    /// Go's built-in functions.
    pub fn new() -> Self {
        let mut functions = Self(Arc::default());
        builtins::add_to(&mut functions);
        functions
    }

    /// Adds a function, in place of one of the same name.
    pub fn add(&mut self, name: impl Into<String>, function: Function) -> &mut Self {
        Arc::make_mut(&mut self.0).insert(name.into(), function);
        self
    }

    /// The function of this name.
    pub fn get(&self, name: &str) -> Option<&Function> {
        self.0.get(name)
    }

    /// The names, in no particular order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl Default for Functions {
    fn default() -> Self {
        Self::new()
    }
}
