//! One template text through `gotemplate`, with the functions that ESO's templates have. Knows no
//! target and no policy. Not pure: `now` and `randAlpha` read the clock and the system's randomness.

use std::sync::{Arc, LazyLock};
use std::time::SystemTime;

use gotemplate::{Environment, Functions, MissingKey, Options, Template, Value, add_sprig};

use super::error::Error;
use super::excerpt::{Excerpt, Origin};
use crate::clock::Clock;
use crate::secret::{SecretData, SecretValue};

/// Left and right delimiter of an action; an empty one is Go's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delimiters {
    /// `{{` by default.
    pub left: String,
    /// `}}` by default.
    pub right: String,
}

/// Renders texts.
#[derive(Clone, Debug, Default)]
pub struct Engine {
    delimiters: Delimiters,
}

/// Go's, sprig's and ESO's functions.
pub(super) static FUNCTIONS: LazyLock<Functions> = LazyLock::new(|| {
    let mut functions = Functions::new();
    let environment: Arc<dyn Environment> = Arc::new(System);
    add_sprig(&mut functions, &environment);
    super::functions::add_to(&mut functions);
    functions
});

/// Time and randomness of the operating system: `now` and `randAlpha` are new at each refresh.
struct System;

impl Environment for System {
    fn now(&self) -> SystemTime {
        Clock::System.now().into()
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system has randomness");
    }
}

/// What a template finds at its dot: a map of texts.
pub(super) fn root(data: &SecretData) -> Value {
    Value::string_map(data.iter().map(|(key, value)| (key, value.expose())))
}

/// What `dataFrom[].rewrite[].transform` makes of a key: a missing field is no error there.
///
/// # Errors
/// The engine's text.
pub fn rename(template: &str, key: &str) -> Result<String, String> {
    let parsed = Template::parse("transform", template, &FUNCTIONS);
    let rendered = parsed.and_then(|parsed| parsed.execute(&Value::string_map([("value", key)])));
    match rendered {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) => Err(error.redacted()),
    }
}

impl Engine {
    /// With the delimiters that the operator was told.
    pub fn new(delimiters: Delimiters) -> Self {
        Self { delimiters }
    }

    /// Renders the value of `key`.
    pub(super) fn render(
        &self,
        key: &str,
        text: &[u8],
        origin: &Origin,
        root: &Value,
    ) -> Result<SecretValue, Error> {
        self.execute((key, key), text, origin, root)
            .map(SecretValue::new)
    }

    /// Renders a text that is a YAML map of keys to values.
    pub(super) fn render_key_values(
        &self,
        text: &[u8],
        origin: &Origin,
        root: &Value,
    ) -> Result<Vec<(String, SecretValue)>, Error> {
        let rendered = self.render_several(text, origin, root)?;
        let pairs = super::yaml::key_values(&rendered);
        let pairs = pairs.map_err(|error| Error::KeyValues(error.to_string()))?;
        Ok(pairs
            .into_iter()
            .map(|(key, value)| (key, SecretValue::new(value)))
            .collect())
    }

    /// Renders a text that is YAML of several keys.
    pub(super) fn render_several(
        &self,
        text: &[u8],
        origin: &Origin,
        root: &Value,
    ) -> Result<Vec<u8>, Error> {
        // a template is named by its text, which errors repeat; that of a Secret goes nowhere
        let name = match origin {
            Origin::Secret { key, .. } => key.into(),
            _ => String::from_utf8_lossy(text),
        };
        self.execute((&name, "of several keys"), text, origin, root)
    }

    /// `name` is the template's, `key` what an error names.
    fn execute(
        &self,
        (name, key): (&str, &str),
        text: &[u8],
        origin: &Origin,
        root: &Value,
    ) -> Result<Vec<u8>, Error> {
        let options = Options {
            delims: (self.delimiters.left.clone(), self.delimiters.right.clone()),
            missing_key: MissingKey::Error,
            ..Options::default()
        };
        let failed = |act, error: &gotemplate::Error| Error::Engine {
            act,
            key: key.to_owned(),
            message: error.redacted(),
            excerpt: Box::new(Excerpt::new(origin, text, error)),
        };
        let template = Template::parse_with(name, text, &FUNCTIONS, &options)
            .map_err(|error| failed("parse", &error))?;
        template
            .execute(root)
            .map_err(|error| failed("execute", &error))
    }
}
