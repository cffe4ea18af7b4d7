//! The content of a vault as a test, a golden case or a seed file states it. Wire types only.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Content of one vault; `None` (null) soft-deletes the named object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Content {
    /// The tenant that owns the vault; default: [`crate::TENANT`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Secrets by name.
    pub secrets: BTreeMap<String, Option<SecretContent>>,
    /// Keys by name.
    pub keys: BTreeMap<String, Option<KeyContent>>,
    /// Certificates by name.
    pub certificates: BTreeMap<String, Option<CertificateContent>>,
}

/// One secret: a value makes a new version, attributes alone change the newest one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SecretContent {
    /// The value of the new version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Replaces all tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
    /// Media type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Default for a new version: true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Not before, Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
    /// Expiry, Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exp: Option<i64>,
    /// Several versions at once, oldest first, after this entry's own value.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<SecretContent>,
}

impl SecretContent {
    /// A secret with this value and no attributes.
    pub fn value(value: impl Into<String>) -> Self {
        Self {
            value: Some(value.into()),
            ..Self::default()
        }
    }
}

/// One key: the public part of a fixture, or of a key made at run time (EC only).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct KeyContent {
    /// `RSA` or `EC`.
    pub kty: String,
    /// Replaces all tags.
    pub tags: Option<BTreeMap<String, String>>,
    /// Default: true.
    pub enabled: Option<bool>,
}

/// One certificate from a fixture, with the secret that backs it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct CertificateContent {
    /// `web-chain-pem`, `web-ec-pem`, `web-pkcs12` or `web-pkcs12-aes`.
    pub fixture: String,
    /// Replaces all tags.
    pub tags: Option<BTreeMap<String, String>>,
    /// Default: true.
    pub enabled: Option<bool>,
}
