//! A parsed template and its options: the crate's entrance. Knows parser and executor by name only.

use crate::error::Error;
use crate::exec;
use crate::functions::Functions;
use crate::lex::Delims;
use crate::limits::Limits;
use crate::parse::{Trees, parse};
use crate::value::Value;

/// What a field that a map does not have is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissingKey {
    /// nothing: prints `<no value>` and is false
    #[default]
    Default,
    /// the zero value of the map's element type
    Zero,
    /// an error
    Error,
}

/// How a text is parsed and executed.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// left and right delimiter; an empty one is the default `{{` or `}}`
    pub delims: (String, String),
    /// what a missing key is
    pub missing_key: MissingKey,
    /// what the template may use up
    pub limits: Limits,
}

/// A parsed template, ready to be executed any number of times.
///
/// ```
/// use gotemplate::{Functions, Template, Value};
///
/// let functions = Functions::new();
/// let template = Template::parse("dsn", "{{ .user }}@{{ .host | html }}", &functions)?;
/// let root = Value::string_map([("user", "app"), ("host", "db<1>")]);
/// assert_eq!(template.execute(&root)?, b"app@db&lt;1&gt;");
///
/// let error = Template::parse("dsn", "{{ .user", &functions).unwrap_err();
/// assert_eq!(error.to_string(), "template: dsn:1: unclosed action");
/// # Ok::<(), gotemplate::Error>(())
/// ```
#[derive(Debug)]
pub struct Template {
    pub(crate) name: String,
    pub(crate) text: Vec<u8>,
    pub(crate) trees: Trees,
    pub(crate) functions: Functions,
    pub(crate) missing_key: MissingKey,
    pub(crate) limits: Limits,
}

impl Template {
    /// Parses a text with Go's defaults. The text need not be UTF-8.
    pub fn parse(name: &str, text: impl AsRef<[u8]>, functions: &Functions) -> Result<Self, Error> {
        Self::parse_with(name, text, functions, &Options::default())
    }

    /// Parses a text with these options.
    pub fn parse_with(
        name: &str,
        text: impl AsRef<[u8]>,
        functions: &Functions,
        options: &Options,
    ) -> Result<Self, Error> {
        let text = text.as_ref().to_vec();
        let limits = options.limits;
        if text.len() > limits.input {
            let message = format!("text of {} bytes, more than {}", text.len(), limits.input);
            return Err(Error::parse(name, 0, message));
        }
        let (left, right) = &options.delims;
        let left = if left.is_empty() { "{{" } else { left };
        let right = if right.is_empty() { "}}" } else { right };
        let delims = Delims {
            left: left.into(),
            right: right.into(),
        };
        let trees = parse(name, &text, functions, &delims)?;
        Ok(Self {
            name: name.to_owned(),
            text,
            trees,
            functions: functions.clone(),
            missing_key: options.missing_key,
            limits,
        })
    }

    /// Executes the template with this value as dot and returns what it writes. Nothing is
    /// returned of a rendering that fails.
    pub fn execute(&self, root: &Value) -> Result<Vec<u8>, Error> {
        exec::execute(self, root)
    }
}
