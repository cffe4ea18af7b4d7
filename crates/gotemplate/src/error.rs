//! What can go wrong with a template, told as Go tells it. Knows the form of the messages; the
//! words are those of lexer, parser and executor.

use std::fmt;

/// Why a template cannot be parsed or executed. Its [`Display`](fmt::Display) is Go's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Box<Details>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Details {
    template: String,
    line: usize,
    at: Option<Place>,
    message: String,
    redacted: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    executing: String,
    column: usize,
    context: String,
}

impl Error {
    pub(crate) fn parse(template: &str, line: usize, message: impl Into<String>) -> Self {
        let (template, message) = (template.to_owned(), message.into());
        Self(Box::new(Details {
            template,
            line,
            at: None,
            message,
            redacted: None,
        }))
    }

    pub(crate) fn at(mut self, executing: &str, column: usize, context: String) -> Self {
        self.0.at = Some(Place {
            executing: executing.to_owned(),
            column,
            context,
        });
        self
    }

    pub(crate) fn with_redacted(mut self, redacted: impl Into<String>) -> Self {
        self.0.redacted = Some(redacted.into());
        self
    }

    /// The name of the text that was parsed.
    pub fn template(&self) -> &str {
        &self.0.template
    }

    /// The line, from 1; 0 where the error is about the whole text.
    pub fn line(&self) -> usize {
        self.0.line
    }

    /// The column in bytes, from 0; known for errors of execution.
    pub fn column(&self) -> Option<usize> {
        self.0.at.as_ref().map(|place| place.column)
    }

    /// The source of what was executed, as Go writes it.
    pub fn context(&self) -> Option<&str> {
        self.0.at.as_ref().map(|place| place.context.as_str())
    }

    /// Whether the template was being executed, rather than parsed.
    pub fn is_execution(&self) -> bool {
        self.0.at.is_some()
    }

    /// What is wrong, in Go's words, without the place. May repeat values of the template's data.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The whole text without values of the template's data: for logs and status fields.
    pub fn redacted(&self) -> String {
        self.text(self.0.redacted.as_deref().unwrap_or(&self.0.message))
    }

    fn text(&self, message: &str) -> String {
        let (template, line) = (&self.0.template, self.0.line);
        match &self.0.at {
            Some(Place {
                executing,
                column,
                context,
            }) => format!(
                "template: {template}:{line}:{column}: executing {} at <{context}>: {message}",
                crate::printf::quoted(executing.as_bytes()),
            ),
            None if line == 0 => format!("template: {template}: {message}"),
            None => format!("template: {template}:{line}: {message}"),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(&self.0.message))
    }
}

impl std::error::Error for Error {}
