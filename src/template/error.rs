//! Why a template gives nothing.

use crate::secret::decoding;

use super::excerpt::Excerpt;
use super::manifest;

/// Which template failed, and why. Texts hold no value.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A text cannot be parsed or executed.
    #[error("could not apply template: unable to {act} template at key {key}: {message}")]
    Engine {
        /// `parse` or `execute`.
        act: &'static str,
        /// The key it renders; the place for a text that renders several.
        key: String,
        /// The engine's text, with line and column.
        message: String,
        /// The place, for a terminal. No part of the text, which goes into status and log.
        excerpt: Box<Excerpt>,
    },
    /// A rendered value cannot be decoded.
    #[error(
        "could not apply template: failed to decode rendered template value for key {key}: {source}"
    )]
    Decode {
        /// The key.
        key: String,
        /// Why.
        source: decoding::Error,
    },
    /// A rendered text is no flat map.
    #[error("could not apply template: could not unmarshal template to 'map[string][]byte': {0}")]
    KeyValues(String),
    /// A rendered value has no place in the target.
    #[error("could not apply template: {0}")]
    Path(#[from] manifest::path::Error),
}
