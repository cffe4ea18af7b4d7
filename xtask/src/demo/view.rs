//! What may be known of a Secret: names, lengths, fingerprints, versions; and the same as YAML with
//! its values redacted.

use anyhow::{Context as _, Result};
use k8s_openapi::api::core::v1::Secret;
use keyferry::api::meta::DATA_HASH_ANNOTATION;

use super::sensitive::{Sensitive, redacted};

/// A Secret at one moment.
pub(super) struct SecretView {
    secret: Secret,
}

impl SecretView {
    /// Takes what `kubectl get secret NAME -o json` says.
    pub(super) fn parse(json: &str) -> Result<Self> {
        Ok(Self {
            secret: serde_json::from_str(json).context("kubectl's answer is no Secret")?,
        })
    }

    /// The Secret's version in the cluster.
    pub(super) fn resource_version(&self) -> &str {
        self.secret
            .metadata
            .resource_version
            .as_deref()
            .unwrap_or_default()
    }

    /// What the operator noted as the hash of the data.
    pub(super) fn data_hash(&self) -> &str {
        let annotations = self.secret.metadata.annotations.as_ref();
        annotations
            .and_then(|all| all.get(DATA_HASH_ANNOTATION))
            .map_or("", String::as_str)
    }

    /// The value behind a key.
    pub(super) fn value(&self, key: &str) -> Option<&[u8]> {
        self.secret
            .data
            .as_ref()?
            .get(key)
            .map(|value| value.0.as_slice())
    }

    /// Name, length and fingerprint of each value, version and hash, a line each.
    pub(super) fn summary(&self, sensitive: &Sensitive) -> String {
        let mut lines: Vec<String> = self
            .secret
            .data
            .iter()
            .flatten()
            .map(|(key, value)| {
                format!(
                    "{key}: {}, fingerprint {}",
                    redacted(value.0.len()),
                    sensitive.fingerprint(&value.0)
                )
            })
            .collect();
        lines.push(format!("resourceVersion: {}", self.resource_version()));
        lines.push(format!("data-hash: {}", self.data_hash()));
        lines.join("\n")
    }

    /// As `kubectl get -o yaml` shows it, but for the values. Field management is left out.
    pub(super) fn redacted_yaml(&self) -> Result<String> {
        let mut secret = serde_json::to_value(&self.secret)?;
        for (key, value) in self.secret.data.iter().flatten() {
            secret["data"][key] = redacted(value.0.len()).into();
        }
        if let Some(metadata) = secret["metadata"].as_object_mut() {
            metadata.remove("managedFields");
        }
        serde_saphyr::to_string(&secret).context("write the redacted Secret as YAML")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_shows_lengths_and_no_value() {
        let mut sensitive = Sensitive::new().unwrap();
        let value = sensitive.make("password").unwrap();
        let data = k8s_openapi::ByteString(value.clone().into_bytes());
        let json = serde_json::json!({"apiVersion": "v1", "kind": "Secret", "data": {"DB_PASSWORD": data},
            "metadata": {"name": "s", "resourceVersion": "7", "annotations": {DATA_HASH_ANNOTATION: "abc"},
                "managedFields": [{"manager": "m"}]}});
        let view = SecretView::parse(&json.to_string()).unwrap();
        assert_eq!(view.value("DB_PASSWORD"), Some(value.as_bytes()));
        assert_eq!((view.resource_version(), view.data_hash()), ("7", "abc"));
        let shown = view.summary(&sensitive) + &view.redacted_yaml().unwrap();
        assert!(
            shown.contains("DB_PASSWORD: <redacted, 32 bytes>"),
            "{shown}"
        );
        assert!(!shown.contains("manager"), "{shown}");
        assert!(sensitive.found_in(shown.as_bytes()).is_empty());
    }
}
