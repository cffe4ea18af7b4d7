//! Durations on the command line.

use k8s_openapi::jiff::SignedDuration;

use crate::api::duration;

/// A duration as Go writes it, not negative.
///
/// # Errors
/// For people: what is wrong with the text.
pub(super) fn go_duration(text: &str) -> Result<SignedDuration, String> {
    let parsed = duration::parse(text).map_err(|error| error.to_string())?;
    if parsed.is_negative() {
        Err("must not be negative".to_owned())
    } else {
        Ok(parsed)
    }
}

/// A duration as Go writes it, longer than nothing.
///
/// # Errors
/// For people: what is wrong with the text.
pub(super) fn positive_duration(text: &str) -> Result<SignedDuration, String> {
    let parsed = go_duration(text)?;
    if parsed.is_zero() {
        Err("must be more than zero".to_owned())
    } else {
        Ok(parsed)
    }
}
