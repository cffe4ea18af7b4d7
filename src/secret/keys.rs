//! Keys of a Secret: what may stand in one, and how other names are turned into one
//! (Kubernetes, "Secrets": constraints on names). Pure.

use std::fmt::Write as _;
use std::sync::LazyLock;

use regex::Regex;

use super::SecretData;
use crate::api::external_secret::ConversionStrategy;

/// Bytes of a key at most, as the API server has it.
pub const MAX_KEY: usize = 253;

/// Why a name cannot be a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Two names became one.
    #[error("secret name collision during conversion: {0}; use rewrite to tell them apart")]
    Collision(String),
    /// More than [`MAX_KEY`] bytes.
    #[error("key has length {length} but max is {MAX_KEY}: (following is truncated): {start}")]
    TooLong {
        /// Its bytes.
        length: usize,
        /// Its beginning.
        start: String,
    },
    /// A character that keys do not have.
    #[error(
        "key has invalid character {character}, only alphanumeric, '-', '.' and '_' are allowed: {key}"
    )]
    Character {
        /// The first such character.
        character: char,
        /// The whole key.
        key: String,
    },
    /// A strategy that does not exist.
    #[error("unknown conversion strategy {0}; use Default or Unicode")]
    Unknown(String),
}

/// Turns every character that keys do not have into `_` (`Default`) or `_Uxxxx_` (`Unicode`).
///
/// # Errors
/// Two names become one, or the strategy is unknown.
pub fn convert(data: SecretData, strategy: &ConversionStrategy) -> Result<SecretData, Error> {
    let mut converted = SecretData::new();
    for (name, value) in data {
        let key = match strategy {
            ConversionStrategy::Default => replace(&name, |_, key| key.push('_')),
            ConversionStrategy::Unicode => replace(&name, |c, key| {
                // writing into a String cannot fail
                let _ = write!(key, "_U{:04x}_", u32::from(c));
            }),
            ConversionStrategy::Unknown(other) => return Err(Error::Unknown(other.clone())),
        };
        if converted.contains_key(&key) {
            return Err(Error::Collision(key));
        }
        converted.insert(key, value);
    }
    Ok(converted)
}

fn replace(name: &str, mut with: impl FnMut(char, &mut String)) -> String {
    let mut key = String::with_capacity(name.len());
    for c in name.chars() {
        if is_allowed(c) {
            key.push(c);
        } else {
            with(c, &mut key);
        }
    }
    key
}

/// Drops an empty key and checks the others.
///
/// # Errors
/// The first key, in order, that the API server would refuse.
pub fn validate(mut data: SecretData) -> Result<SecretData, Error> {
    data.remove("");
    for key in data.keys() {
        if key.len() > MAX_KEY {
            return Err(Error::TooLong {
                length: key.len(),
                start: key[..key.floor_char_boundary(MAX_KEY)].to_owned(),
            });
        }
        if let Some(character) = key.chars().find(|c| !is_allowed(*c)) {
            return Err(Error::Character {
                character,
                key: key.clone(),
            });
        }
    }
    Ok(data)
}

/// Go's letters and numbers. Rust's alphabetic characters are more: vowel signs and the like.
static FOREIGN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"[\pL\pN]").ok());

/// Letters and numbers of any script pass, as in ESO; the API server refuses the foreign ones.
fn is_allowed(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    }
    let is_foreign = |regex: &Regex| regex.is_match(c.encode_utf8(&mut [0; 4]));
    FOREIGN.as_ref().is_some_and(is_foreign)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::SecretValue;

    fn data(names: &[&str]) -> SecretData {
        let entries = names.iter();
        entries
            .map(|name| ((*name).to_owned(), SecretValue::new(*name)))
            .collect()
    }

    fn keys(data: &SecretData) -> Vec<&str> {
        data.keys().map(String::as_str).collect()
    }

    #[test]
    fn odd_characters_become_underscores_or_their_code_points() {
        let names = data(&["a/b", "c d", "ok-._1", "é", "\u{915}\u{93e}"]);
        let default = convert(names.clone(), &ConversionStrategy::Default).unwrap();
        // a vowel sign is a mark, no letter
        let want = ["a_b", "c_d", "ok-._1", "é", "\u{915}_"];
        assert_eq!(keys(&default), want);
        let unicode = convert(data(&["a/b", "\u{1f600}"]), &ConversionStrategy::Unicode).unwrap();
        assert_eq!(keys(&unicode), ["_U1f600_", "a_U002f_b"]);
    }

    #[test]
    fn names_that_become_one_are_refused() {
        let collision = convert(data(&["a/b", "a b"]), &ConversionStrategy::Default);
        assert_eq!(collision, Err(Error::Collision("a_b".to_owned())));
        assert!(convert(data(&["a/b", "a b"]), &ConversionStrategy::Unicode).is_ok());
    }

    #[test]
    fn keys_are_checked_and_an_empty_one_is_dropped() {
        assert_eq!(keys(&validate(data(&["", "a"])).unwrap()), ["a"]);
        let error = validate(data(&["a/b"])).unwrap_err().to_string();
        assert_eq!(
            error,
            "key has invalid character /, only alphanumeric, '-', '.' and '_' are allowed: a/b"
        );
        let long = "ä".repeat(127);
        let error = validate(data(&[&long])).unwrap_err();
        assert!(
            matches!(error, Error::TooLong { length: 254, .. }),
            "{error}"
        );
        assert!(validate(data(&[&"a".repeat(MAX_KEY)])).is_ok());
    }
}
