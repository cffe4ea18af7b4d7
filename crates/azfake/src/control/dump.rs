//! What a vault holds, as tests and golden cases look at it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::vault::store::Vault;

/// The content of a vault.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct VaultDump {
    /// Secrets by name, soft-deleted ones included.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, SecretDump>,
    /// Names and tags of keys that are not deleted.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub keys: BTreeMap<String, BTreeMap<String, String>>,
    /// Names and tags of certificates that are not deleted.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub certificates: BTreeMap<String, BTreeMap<String, String>>,
}

impl VaultDump {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.secrets.is_empty() && self.keys.is_empty() && self.certificates.is_empty()
    }
}

/// The newest version of a secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretDump {
    /// Its value.
    pub value: String,
    /// Whether it may be read.
    pub enabled: bool,
    /// Number of versions.
    pub versions: usize,
    /// Its tags.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Media type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Not before, Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
    /// Expiry, Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exp: Option<i64>,
    /// Whether it is soft-deleted.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
}

/// The content of a vault, or only what clients wrote.
pub(crate) fn of(vault: &Vault, written_only: bool) -> VaultDump {
    let wanted = vault
        .secrets()
        .filter(|secret| secret.written || !written_only);
    let secrets = wanted.map(|secret| {
        let latest = secret.latest();
        let shown = SecretDump {
            value: latest.value.clone(),
            enabled: latest.attributes.enabled,
            versions: secret.versions.len(),
            tags: latest.tags.clone(),
            content_type: latest.content_type.clone(),
            nbf: latest.attributes.nbf,
            exp: latest.attributes.exp,
            deleted: secret.deleted.is_some(),
        };
        (secret.name.clone(), shown)
    });
    let secrets = secrets.collect();
    if written_only {
        return VaultDump {
            secrets,
            ..VaultDump::default()
        };
    }
    let tags = |objects: &BTreeMap<String, crate::vault::public::Public>| {
        let live = objects.values().filter(|object| !object.deleted);
        live.map(|object| (object.name.clone(), object.tags.clone()))
            .collect()
    };
    VaultDump {
        secrets,
        keys: tags(&vault.keys),
        certificates: tags(&vault.certificates),
    }
}
