//! [`SecretValue`]: bytes that cannot be printed, logged or serialised by accident.

use std::collections::BTreeMap;
use std::fmt;

use zeroize::Zeroizing;

/// The data of one target: key to value, sorted by key.
pub type SecretData = BTreeMap<String, SecretValue>;

/// Secret bytes: wiped when dropped, shown as `<redacted>`, readable only through
/// [`SecretValue::expose`].
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecretValue(Zeroizing<Vec<u8>>);

impl SecretValue {
    /// Takes ownership of `bytes`.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    /// The bytes themselves. Every use is a place where a secret may leave: keep them few.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The bytes as text, where they are UTF-8.
    pub fn expose_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

/// Data of a test.
#[cfg(test)]
pub(crate) fn data(entries: &[(&str, &str)]) -> SecretData {
    let entries = entries.iter();
    entries
        .map(|(key, value)| ((*key).to_owned(), SecretValue::new(*value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_never_shows_the_value() {
        let data = SecretData::from([("password".to_owned(), SecretValue::new("hunter2"))]);
        assert_eq!(format!("{data:?}"), r#"{"password": <redacted>}"#);
    }
}
