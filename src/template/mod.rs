//! `spec.target.template`: what templates make of the fetched values (spec: external-secrets.md
//! 2.10). Pure.

pub mod yaml;

use std::collections::BTreeMap;

use crate::secret::SecretData;

/// What a template made.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rendered {
    /// Keys and values of the target.
    pub data: SecretData,
    /// Labels of the target.
    pub labels: BTreeMap<String, String>,
    /// Annotations of the target.
    pub annotations: BTreeMap<String, String>,
}

/// What `dataFrom[].rewrite[].transform` makes of a key.
///
/// # Errors
/// There is no template engine yet.
pub fn rename(_template: &str, _key: &str) -> Result<String, String> {
    Err("templates are not supported yet; use rewrite.regexp".to_owned())
}
