//! `remoteRef.property`: a part of a value that is JSON. Pure.

use crate::provider::Error;
use crate::secret::{SecretValue, property};

/// The part of `value` that `path` names; all of it where it is empty. `key` is for the message.
pub(super) fn part(value: &SecretValue, path: &str, key: &str) -> Result<SecretValue, Error> {
    if path.is_empty() {
        return Ok(value.clone());
    }
    property::select(value, path).ok_or_else(|| Error::Invalid {
        message: format!(
            "property {path} does not exist in key {key}; check remoteRef.property, and that the value is JSON"
        ),
    })
}
