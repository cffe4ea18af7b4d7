//! Go's text/template and sprig, byte for byte.
//!
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod builtins;
mod error;
mod exec;
mod functions;
#[doc(hidden)]
pub mod fuzz;
mod lex;
mod limits;
mod node;
mod parse;
mod printf;
mod sprig;
mod template;
mod value;

pub use error::Error;
pub use functions::{CallError, Function, Functions, Type};
pub use limits::Limits;
pub use sprig::{Environment, Regexp, add_sprig};
pub use template::{MissingKey, Options, Template};
pub use value::{CycleError, Elem, Kind, List, Map, Object, Sequence, Value};
