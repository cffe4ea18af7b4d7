//! The functions of sprig, those that reach out of the process left out. Knows their names; each
//! group has a file.

mod case;
#[cfg(feature = "crypto")]
mod certificates;
mod constraints;
#[cfg(feature = "crypto")]
mod crypto;
mod dates;
mod decimal;
mod defaults;
mod dicts;
mod duration;
mod encoding;
mod integers;
mod json;
#[cfg(feature = "crypto")]
mod keys;
mod layout;
mod layout_parse;
mod lists;
mod merge;
mod numbers;
mod paths;
mod random;
mod re2;
mod re2_class;
mod regexes;
mod split;
mod stray;
mod strings;
mod text;
mod time;
mod urls;
mod versions;
mod zone;

use std::sync::Arc;
use std::time::SystemTime;

pub use regexes::Regexp;

use crate::functions::{CallError, Function, Functions, Type};
use crate::lex::to_text;
use crate::value::{List, Map, Value};

/// What functions need from outside: the time and randomness.
///
/// ```
/// use std::sync::Arc;
/// use std::time::{Duration, SystemTime};
/// use gotemplate::{Environment, Functions, Template, Value, add_sprig};
///
/// struct Fixed;
///
/// impl Environment for Fixed {
///     fn now(&self) -> SystemTime {
///         SystemTime::UNIX_EPOCH + Duration::from_secs(86_400)
///     }
///     fn fill_random(&self, bytes: &mut [u8]) {
///         bytes.fill(7); // a real one asks the operating system
///     }
/// }
///
/// let mut functions = Functions::new();
/// let environment: Arc<dyn Environment> = Arc::new(Fixed);
/// add_sprig(&mut functions, &environment);
/// let text = r#"{{ .name | upper | quote }} {{ now | date "2006-01-02" }}"#;
/// let template = Template::parse("t", text, &functions)?;
/// let output = template.execute(&Value::string_map([("name", "app")]))?;
/// assert_eq!(output, br#""APP" 1970-01-02"#);
/// # Ok::<(), gotemplate::Error>(())
/// ```
pub trait Environment: Send + Sync {
    /// The present time.
    fn now(&self) -> SystemTime;

    /// Fills the bytes from a cryptographically secure source.
    fn fill_random(&self, bytes: &mut [u8]);
}

type Env = Arc<dyn Environment>;

/// Adds sprig's functions. `env`, `expandenv` and `getHostByName` are not among them.
pub fn add_sprig(functions: &mut Functions, environment: &Arc<dyn Environment>) {
    strings::add_to(functions);
    text::add_to(functions);
    split::add_to(functions);
    numbers::add_to(functions);
    integers::add_to(functions);
    defaults::add_to(functions);
    lists::add_to(functions);
    dicts::add_to(functions);
    json::add_to(functions);
    encoding::add_to(functions);
    paths::add_to(functions);
    urls::add_to(functions);
    regexes::add_to(functions);
    versions::add_to(functions);
    dates::add_to(functions, environment);
    random::add_to(functions, environment);
    #[cfg(feature = "crypto")]
    crypto::add_to(functions, environment);
    #[cfg(feature = "crypto")]
    certificates::add_to(functions, environment);
}

const ANY: Type = Type::Any;
const TEXT: Type = Type::String;
const INT: Type = Type::Int;

/// The bytes of a string argument.
fn bytes(args: &[Value], index: usize) -> &[u8] {
    args.get(index)
        .and_then(Value::as_bytes)
        .unwrap_or_default()
}

/// An argument as text; bytes that are no UTF-8 become U+FFFD.
fn lossy(args: &[Value], index: usize) -> std::borrow::Cow<'_, str> {
    to_text(bytes(args, index))
}

/// The bytes as characters of the same numbers, for what looks at ASCII only and keeps the rest.
fn widened(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// The bytes again.
fn narrowed(text: &str) -> Vec<u8> {
    text.chars()
        .map(|c| u8::try_from(c).unwrap_or(b'?'))
        .collect()
}

/// An integer argument.
fn int(args: &[Value], index: usize) -> i64 {
    args.get(index).and_then(Value::as_int).unwrap_or_default()
}

/// An argument that the engine has seen to be a map.
fn map(args: &[Value], index: usize) -> Result<&Map, CallError> {
    match args.get(index) {
        Some(Value::Map(map)) => Ok(map),
        _ => Err(CallError::new("map expected")),
    }
}

/// Adds a function from string to string.
fn add_text(functions: &mut Functions, name: &str, run: fn(&[u8]) -> Vec<u8>) {
    functions.add(
        name,
        Function::new(&[TEXT], move |args| Ok(Value::from(run(bytes(args, 0))))),
    );
}

/// Adds a function under two names.
fn add_both(functions: &mut Functions, names: [&str; 2], function: &Function) {
    for name in names {
        functions.add(name, function.clone());
    }
}

fn list_of(args: &[Value], index: usize) -> Option<&List> {
    match args.get(index) {
        Some(Value::List(list)) => Some(list),
        _ => None,
    }
}

/// What Go says where nil is not foreseen.
fn nil_error() -> CallError {
    CallError::new("runtime error: invalid memory address or nil pointer dereference")
}

/// A string that would be too long for this crate.
fn too_long() -> CallError {
    CallError::new("result too long")
}

/// Fails before a string of this many bytes is made.
fn check_length(length: usize) -> Result<(), CallError> {
    if length > crate::limits::MAX_STRING {
        Err(too_long())
    } else {
        Ok(())
    }
}
