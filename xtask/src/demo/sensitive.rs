//! What must not be shown: the values that a run makes up, how they are told apart without being
//! shown, and how a text is searched for them. Knows neither cluster nor vault.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// 64 characters that no shell, URL, YAML or JSON escapes, so that a value is found wherever it went.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.~";

/// The secret values of one run.
pub(super) struct Sensitive {
    values: Vec<(&'static str, String)>,
    salt: [u8; 16],
}

impl Sensitive {
    /// Knows no value yet; its fingerprints compare within this run only.
    pub(super) fn new() -> Result<Self> {
        Ok(Self {
            values: Vec::new(),
            salt: random()?,
        })
    }

    /// Makes up a value of 32 characters (192 bits) and remembers it.
    pub(super) fn make(&mut self, what: &'static str) -> Result<String> {
        let bytes: [u8; 32] = random()?;
        let value: String = bytes
            .iter()
            .map(|byte| ALPHABET[usize::from(byte & 63)] as char)
            .collect();
        self.values.push((what, value.clone()));
        Ok(value)
    }

    /// The text with each value, in any of its spellings, replaced by its length.
    pub(super) fn redact(&self, text: &str) -> String {
        let mut clean = text.to_owned();
        for (_, value) in &self.values {
            for form in forms(value) {
                clean = clean.replace(&form, &redacted(value.len()));
            }
        }
        clean
    }

    /// What the bytes give away, if anything: the names of the values found.
    pub(super) fn found_in(&self, bytes: &[u8]) -> Vec<&'static str> {
        let holds = |form: &String| {
            bytes
                .windows(form.len())
                .any(|window| window == form.as_bytes())
        };
        let found = self
            .values
            .iter()
            .filter(|(_, value)| forms(value).iter().any(holds));
        found.map(|(what, _)| *what).collect()
    }

    /// Eight hex digits that are equal for equal values of this run and tell nothing else: the salt
    /// is never shown.
    pub(super) fn fingerprint(&self, value: &[u8]) -> String {
        hex(&Sha256::new()
            .chain_update(self.salt)
            .chain_update(value)
            .finalize()[..4])
    }
}

/// What is in place of a value.
pub(super) fn redacted(bytes: usize) -> String {
    format!("<redacted, {bytes} bytes>")
}

/// A random identifier in the form of a tenant's or an application's.
pub(super) fn guid() -> Result<String> {
    let digits = hex(&random::<16>()?);
    let (a, rest) = digits.split_at(8);
    Ok(format!(
        "{a}-{}-4{}-a{}-{}",
        &rest[..4],
        &rest[5..8],
        &rest[9..12],
        &rest[12..]
    ))
}

/// The spellings in which a value would get into a text.
fn forms(value: &str) -> [String; 4] {
    let base64 = STANDARD.encode(value);
    let unpadded = base64.trim_end_matches('=').to_owned();
    // the padded form first, so that no padding is left behind
    [value.to_owned(), base64, unpadded, hex(value.as_bytes())]
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // writing into a String cannot fail
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).context("the system has no random numbers")?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_redacted_and_found() {
        let mut sensitive = Sensitive::new().unwrap();
        let value = sensitive.make("password").unwrap();
        let other = sensitive.make("client secret").unwrap();
        for form in [
            value.clone(),
            STANDARD.encode(&value),
            hex(value.as_bytes()),
        ] {
            let text = format!("before {form} after");
            assert_eq!(sensitive.found_in(text.as_bytes()), ["password"]);
            let clean = sensitive.redact(&text);
            assert_eq!(clean, "before <redacted, 32 bytes> after");
            assert!(sensitive.found_in(clean.as_bytes()).is_empty());
        }
        assert_eq!(
            sensitive.found_in(format!("{other}{value}").as_bytes()),
            ["password", "client secret"]
        );
    }

    #[test]
    fn fingerprints_tell_values_apart_and_differ_between_runs() {
        let (one, two) = (Sensitive::new().unwrap(), Sensitive::new().unwrap());
        assert_eq!(one.fingerprint(b"a"), one.fingerprint(b"a"));
        assert_ne!(one.fingerprint(b"a"), one.fingerprint(b"b"));
        assert_ne!(one.fingerprint(b"a"), two.fingerprint(b"a"));
        assert_eq!(one.fingerprint(b"").len(), 8);
    }

    #[test]
    fn identifiers_have_the_form_of_a_guid() {
        let id = guid().unwrap();
        let lengths: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12], "{id}");
        assert_ne!(id, guid().unwrap());
    }
}
