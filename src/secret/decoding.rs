//! `decodingStrategy`: base64 as Go's decoders take it (ESO's guide "Decoding strategies"). Pure.

use base64::Engine as _;
use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use super::SecretValue;
use crate::api::external_secret::DecodingStrategy;

/// Why a value cannot be decoded. Never holds a part of the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not the encoding that the strategy names.
    #[error("illegal {0} data; store the value encoded so, or choose another decodingStrategy")]
    Illegal(&'static str),
    /// A strategy that does not exist.
    #[error("decoding strategy {0} is not supported; use None, Base64, Base64URL or Auto")]
    Unknown(String),
}

/// Decodes `value`. `Auto` takes base64, else base64url, else leaves the value as it is.
///
/// # Errors
/// [`Error`].
pub fn decode(value: &SecretValue, strategy: &DecodingStrategy) -> Result<SecretValue, Error> {
    match strategy {
        DecodingStrategy::None => Ok(value.clone()),
        DecodingStrategy::Base64 => base64(value, &STANDARD).ok_or(Error::Illegal("base64")),
        DecodingStrategy::Base64Url => base64(value, &URL_SAFE).ok_or(Error::Illegal("base64url")),
        DecodingStrategy::Auto => Ok(base64(value, &STANDARD)
            .or_else(|| base64(value, &URL_SAFE))
            .unwrap_or_else(|| value.clone())),
        DecodingStrategy::Unknown(name) => Err(Error::Unknown(name.clone())),
    }
}

/// Line breaks anywhere are skipped, padding is required, the last character's spare bits are not
/// looked at.
fn base64(value: &SecretValue, alphabet: &Alphabet) -> Option<SecretValue> {
    let config = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical);
    let text: Zeroizing<Vec<u8>> = Zeroizing::new(
        value
            .expose()
            .iter()
            .copied()
            .filter(|byte| !matches!(byte, b'\r' | b'\n'))
            .collect(),
    );
    let decoded = GeneralPurpose::new(alphabet, config).decode(&*text).ok()?;
    Some(SecretValue::new(decoded))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str, strategy: &DecodingStrategy) -> Option<Vec<u8>> {
        let value = decode(&SecretValue::new(text), strategy).ok()?;
        Some(value.expose().to_vec())
    }

    #[test]
    fn base64_is_what_go_takes_for_it() {
        let rows: [(&str, Option<&[u8]>); 9] = [
            ("YmFy", Some(b"bar")),
            ("YmFyZg==", Some(b"barf")),
            ("YmFyZh==", Some(b"barf")),
            ("Ym\r\nFy\n", Some(b"bar")),
            ("", Some(b"")),
            ("YmFyZg", None),
            (" YmFy", None),
            ("YmFy ", None),
            ("_-8=", None),
        ];
        for (text, want) in rows {
            let found = decoded(text, &DecodingStrategy::Base64);
            assert_eq!(found.as_deref(), want, "{text:?}");
        }
        let url = decoded("_-8=", &DecodingStrategy::Base64Url);
        assert_eq!(url.as_deref(), Some(&[0xff, 0xef][..]));
        assert_eq!(decoded("/+8=", &DecodingStrategy::Base64Url), None);
    }

    #[test]
    fn auto_never_fails() {
        let auto = |text| decoded(text, &DecodingStrategy::Auto).unwrap();
        assert_eq!(auto("_-8="), [0xff, 0xef]);
        assert_eq!(auto("YmFy"), b"bar");
        assert_eq!(auto("not base64!"), b"not base64!");
    }

    #[test]
    fn errors_name_the_remedy_and_not_the_value() {
        let illegal = decode(&SecretValue::new("hunter2!"), &DecodingStrategy::Base64);
        let text = illegal.unwrap_err().to_string();
        assert!(
            text.contains("decodingStrategy") && !text.contains("hunter2"),
            "{text}"
        );
        let unknown = DecodingStrategy::Unknown("Rot13".to_owned());
        let error = decode(&SecretValue::new("x"), &unknown).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("decoding strategy Rot13 is not supported")
        );
    }
}
