//! `remoteRef` as Key Vault understands it: which kind of object, which name, which version
//! (spec: azure-key-vault.md 3.1). What passes here is safe in a URL. Pure.

use crate::api::external_secret::{MetadataPolicy, RemoteRef};
use crate::provider::Error;
use crate::secret::property;

const MAX_NAME: usize = 127;
const MAX_VERSION: usize = 64;

/// The kinds of objects that a vault holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `NAME` or `secret/NAME`.
    Secret,
    /// `key/NAME`.
    Key,
    /// `cert/NAME`.
    Certificate,
}

/// An object of a vault: name and version are checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Object {
    /// Its kind.
    pub(super) kind: Kind,
    /// Its name: letters, digits, hyphens.
    pub(super) name: String,
    /// Its version; `None` is the latest.
    pub(super) version: Option<String>,
}

impl Object {
    /// Reads `remoteRef.key` and `remoteRef.version`.
    pub(super) fn parse(remote_ref: &RemoteRef) -> Result<Self, Error> {
        let mut segments = remote_ref.key.split('/');
        let first = segments.next().unwrap_or_default();
        // what follows the second segment is ignored, as ESO does
        let (kind, name) = match segments.next() {
            None => (Kind::Secret, first),
            Some(name) => (kind(first, name)?, name),
        };
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(is_name) {
            return Err(invalid(format!(
                "remoteRef.key: {} is not a name that Key Vault allows; write 1 to 127 letters, digits and hyphens",
                quoted(name)
            )));
        }
        let version = remote_ref.version.as_deref().filter(|v| !v.is_empty());
        if let Some(version) = version
            && !(version.len() <= MAX_VERSION && version.chars().all(|c| c.is_ascii_alphanumeric()))
        {
            return Err(invalid(format!(
                "remoteRef.version: {} is not a version id; write the 32 characters that end the object's identifier, or nothing for the latest",
                quoted(version)
            )));
        }
        Ok(Self {
            kind,
            name: name.to_owned(),
            version: version.map(str::to_owned),
        })
    }

    /// `secret "db"`, for messages.
    pub(super) fn describe(&self) -> String {
        let kind = match self.kind {
            Kind::Secret => "secret",
            Kind::Key => "key",
            Kind::Certificate => "certificate",
        };
        match &self.version {
            None => format!("{kind} {:?}", self.name),
            Some(version) => format!("{kind} {:?} version {version}", self.name),
        }
    }
}

/// The object that a read of `remote_ref` asks for, where it can be served.
pub(super) fn readable(remote_ref: &RemoteRef) -> Result<Object, Error> {
    let object = Object::parse(remote_ref)?;
    if object.kind != Kind::Secret {
        return Err(invalid(format!(
            "remoteRef.key: {} is not supported yet; read a secret (NAME or secret/NAME)",
            quoted(&remote_ref.key)
        )));
    }
    let property = remote_ref.property.as_deref().unwrap_or_default();
    if property.len() > property::MAX_PATH || property.contains(char::is_control) {
        return Err(invalid(format!(
            "remoteRef.property: more than {} bytes or a control character; write a path such as a.b",
            property::MAX_PATH
        )));
    }
    match remote_ref.metadata_policy() {
        MetadataPolicy::None => Ok(object),
        MetadataPolicy::Fetch => Err(invalid(
            "remoteRef.metadataPolicy: Fetch is not supported yet; leave it out to read the value"
                .to_owned(),
        )),
        MetadataPolicy::Unknown(policy) => Err(invalid(format!(
            "remoteRef.metadataPolicy: {} is unknown; write None or Fetch",
            quoted(&policy)
        ))),
    }
}

fn kind(text: &str, name: &str) -> Result<Kind, Error> {
    match text {
        "secret" => Ok(Kind::Secret),
        "key" => Ok(Kind::Key),
        "cert" => Ok(Kind::Certificate),
        _ => Err(invalid(format!(
            "unknown Azure Keyvault object Type for {}: remoteRef.key begins with {}; write NAME, secret/NAME, key/NAME or cert/NAME",
            quoted(name),
            quoted(text)
        ))),
    }
}

fn invalid(message: String) -> Error {
    Error::Invalid { message }
}

/// User text in a message: escaped, and no longer than a name may be.
fn quoted(text: &str) -> String {
    let short: String = text.chars().take(MAX_NAME + 1).collect();
    format!("{short:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(key: &str, version: &str) -> RemoteRef {
        RemoteRef {
            key: key.to_owned(),
            version: Some(version.to_owned()),
            ..RemoteRef::default()
        }
    }

    #[test]
    fn keys_of_the_specification() {
        let cases = [
            ("foo", Kind::Secret),
            ("secret/foo", Kind::Secret),
            ("cert/foo", Kind::Certificate),
            ("key/foo", Kind::Key),
            ("secret/foo/0123abcd", Kind::Secret),
        ];
        for (key, kind) in cases {
            let object = Object::parse(&reference(key, "")).unwrap();
            let want = Object {
                kind,
                name: "foo".to_owned(),
                version: None,
            };
            assert_eq!(object, want, "{key}");
        }
    }

    #[test]
    fn nothing_odd_reaches_a_url_and_every_refusal_names_its_field() {
        let long = "a".repeat(MAX_NAME + 1);
        for key in [
            "",
            "/foo",
            "Secret/foo",
            "certificate/foo",
            "key/",
            "../keys/k",
            "under_score",
            "a b",
            "a%2Fb",
            "a?b",
            "é",
            "secret/..",
            "https://kv.vault.azure.net/secrets/a",
            "a\nb",
            long.as_str(),
        ] {
            let error = Object::parse(&reference(key, "")).unwrap_err().to_string();
            assert!(error.contains("remoteRef.key"), "{key}: {error}");
            assert!(!error.contains('\n'), "{key}: {error}");
        }
        for version in ["../x", "latest version", "a-b", &long] {
            let error = Object::parse(&reference("foo", version)).unwrap_err();
            assert!(error.to_string().contains("remoteRef.version"), "{version}");
        }
    }

    #[test]
    fn what_is_not_served_yet_says_so() {
        let mut fetch = reference("foo", "");
        fetch.metadata_policy = Some(MetadataPolicy::Fetch);
        for remote_ref in [reference("key/foo", ""), reference("cert/foo", ""), fetch] {
            let error = readable(&remote_ref).unwrap_err();
            assert!(matches!(error, Error::Invalid { .. }), "{error}");
            assert!(error.to_string().contains("not supported yet"), "{error}");
        }
    }
}
