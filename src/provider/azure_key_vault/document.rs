//! What a vault answers (`SecretBundle`, `KeyBundle` and `CertificateBundle` of the Key Vault REST API), and the
//! bytes that a consumer gets of it. A key is handed on in ESO's order of members, and times as the vault counts
//! them. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize};

use super::metadata::{Attributes, Metadata, Tags};
use super::object::ObjectKind;
use crate::secret::{SecretValue, go_json};

/// One object with its value.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Document {
    #[serde(deserialize_with = "wiped")]
    value: Option<SecretValue>,
    key: Option<PublicKey>,
    cer: Option<String>,
    #[serde(rename = "contentType")]
    content_type: Option<String>,
    tags: Option<Tags>,
    attributes: Option<Attributes>,
    id: Option<String>,
}

/// The public members of a JSON Web Key, in ESO's order. A vault never sends others.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct PublicKey {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kty: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key_ops: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    n: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    e: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    crv: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    x: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    y: Option<String>,
}

impl Document {
    /// Reads an answer; `None` where it is not one of Key Vault's.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }

    /// The value of an object of this kind: a secret's text, a key's JWK, a certificate's DER.
    /// `None` where the answer holds none.
    pub(super) fn value(&self, kind: ObjectKind) -> Option<SecretValue> {
        match kind {
            ObjectKind::Secret => self.value.clone(),
            ObjectKind::Key => {
                let key = go_json::serialized(self.key.as_ref()?);
                key.ok().map(SecretValue::new)
            }
            ObjectKind::Certificate => {
                let der = STANDARD.decode(self.cer.as_ref()?);
                der.ok().map(SecretValue::new)
            }
        }
    }

    /// What its value is said to be, such as `application/x-pkcs12`.
    pub(super) fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }

    /// Its times.
    pub(super) fn attributes(&self) -> Option<&Attributes> {
        self.attributes.as_ref()
    }

    /// The id of its version, which ends its identifier.
    pub(super) fn version(&self) -> Option<String> {
        let of_key = self.key.as_ref().and_then(|key| key.kid.as_ref());
        let (_, version) = self.id.as_ref().or(of_key)?.rsplit_once('/')?;
        Some(version.to_owned())
    }

    /// Its tags and times.
    pub(super) fn metadata(&self) -> Metadata {
        Metadata::new(self.tags.as_ref(), self.attributes.as_ref())
    }
}

fn wiped<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretValue>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.map(SecretValue::new))
}

/// One page of a listing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Page {
    pub(super) value: Vec<Item>,
    #[serde(rename = "nextLink")]
    pub(super) next_link: Option<String>,
}

/// One entry of a listing: everything but the value.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Item {
    #[serde(alias = "kid")]
    pub(super) id: String,
    pub(super) tags: Option<Tags>,
    pub(super) attributes: Option<Attributes>,
}

impl Item {
    /// The name, which ends the id.
    pub(super) fn name(&self) -> &str {
        self.id.rsplit('/').next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(kind: ObjectKind, json: &str) -> Option<Vec<u8>> {
        let value = Document::parse(json.as_bytes()).unwrap().value(kind)?;
        Some(value.expose().to_vec())
    }

    #[test]
    fn each_kind_has_its_own_bytes() {
        let vectors = [
            (ObjectKind::Secret, r#"{"value":"x","id":"i"}"#, "x"),
            (
                ObjectKind::Certificate,
                r#"{"cer":"AQID+/8="}"#,
                "\u{1}\u{2}\u{3}",
            ),
            (
                ObjectKind::Key,
                r#"{"key":{"y":"Y","x":"X","crv":"P-256","kty":"EC","kid":"k<","key_ops":["sign"],"d":"no"}}"#,
                r#"{"kid":"k\u003c","kty":"EC","key_ops":["sign"],"crv":"P-256","x":"X","y":"Y"}"#,
            ),
            (
                ObjectKind::Key,
                r#"{"key":{"e":"AQAB","n":"N","kty":"RSA","key_ops":[],"crv":null}}"#,
                r#"{"kty":"RSA","key_ops":[],"n":"N","e":"AQAB"}"#,
            ),
        ];
        for (kind, json, want) in vectors {
            let value = value(kind, json).unwrap();
            assert!(value.starts_with(want.as_bytes()), "{json}");
        }
        let der = value(ObjectKind::Certificate, r#"{"cer":"AQID+/8="}"#).unwrap();
        assert_eq!(der, [1, 2, 3, 0xfb, 0xff]);
    }

    #[test]
    fn an_answer_without_the_kinds_member_has_no_value() {
        for kind in [ObjectKind::Secret, ObjectKind::Key, ObjectKind::Certificate] {
            assert_eq!(value(kind, r#"{"value":null}"#), None, "{kind:?}");
        }
        assert_eq!(value(ObjectKind::Certificate, r#"{"cer":"%"}"#), None);
        for body in ["<html>", "[1]", r#"{"value":1}"#] {
            assert!(Document::parse(body.as_bytes()).is_none(), "{body}");
        }
    }

    #[test]
    fn a_page_may_lack_everything() {
        let page: Page = serde_json::from_str(
            r#"{"value":[{"id":"https://kv.vault.azure.net/secrets/a","tags":{"t":null}},{}],"nextLink":null}"#,
        )
        .unwrap();
        assert_eq!(page.value[0].name(), "a");
        assert_eq!(page.value[1].name(), "");
        assert!(page.next_link.is_none());
    }
}
