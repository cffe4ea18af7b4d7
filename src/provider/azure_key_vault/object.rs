//! `remoteRef` as Key Vault understands it: which kind of object, which name, which version
//! (Azure Key Vault, "Objects, identifiers and versioning"). What passes here is safe in a URL. Pure.

use crate::provider::{Aspect, Error, ObjectRef};
use crate::secret::property;

const MAX_NAME: usize = 127;
const MAX_VERSION: usize = 64;

/// The kinds of objects that a vault holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum ObjectKind {
    /// `NAME` or `secret/NAME`.
    Secret,
    /// `key/NAME`.
    Key,
    /// `cert/NAME`.
    Certificate,
}

/// An object of a vault: name and version are checked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Object {
    /// Its kind.
    pub(super) kind: ObjectKind,
    /// Its name: letters, digits, hyphens.
    pub(super) name: String,
    /// Its version; `None` is the latest.
    pub(super) version: Option<String>,
}

impl ObjectKind {
    /// The word for one, in messages and permissions.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::Key => "key",
            Self::Certificate => "certificate",
        }
    }

    /// The path under which a vault has them.
    pub(super) fn collection(self) -> &'static str {
        match self {
            Self::Secret => "secrets",
            Self::Key => "keys",
            Self::Certificate => "certificates",
        }
    }
}

impl Object {
    /// The latest version of a secret; `None` where `name` is no name.
    pub(super) fn latest_secret(name: &str) -> Option<Self> {
        is_name(name).then(|| Self {
            kind: ObjectKind::Secret,
            name: name.to_owned(),
            version: None,
        })
    }

    /// Reads `remoteRef.key` and `remoteRef.version`.
    pub(super) fn parse(remote_ref: &ObjectRef) -> Result<Self, Error> {
        let mut segments = remote_ref.key.split('/');
        let first = segments.next().unwrap_or_default();
        // what follows the second segment is ignored, as ESO does
        let (kind, name) = match segments.next() {
            None => (ObjectKind::Secret, first),
            Some(name) => (kind(first, name)?, name),
        };
        if !is_name(name) {
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

    /// `secret/db`, in lower case, whatever the version.
    pub(super) fn path(&self) -> String {
        let kind = match self.kind {
            ObjectKind::Secret => "secret",
            ObjectKind::Key => "key",
            ObjectKind::Certificate => "cert",
        };
        format!("{kind}/{}", self.name.to_lowercase())
    }

    /// `secret "db"`, for messages.
    pub(super) fn describe(&self) -> String {
        let kind = self.kind.noun();
        match &self.version {
            None => format!("{kind} {:?}", self.name),
            Some(version) => format!("{kind} {:?} version {version}", self.name),
        }
    }
}

/// What a reference asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted<'a> {
    /// The object.
    pub(super) object: Object,
    /// Its tags and times instead of its value.
    pub(super) is_metadata: bool,
    /// The part that is wanted; `None` is all of it.
    pub(super) property: Option<&'a str>,
}

impl<'a> Wanted<'a> {
    /// Reads `remote_ref`, for one value.
    pub(super) fn value(remote_ref: &'a ObjectRef) -> Result<Self, Error> {
        let object = Object::parse(remote_ref)?;
        let property = remote_ref.property.as_deref().filter(|p| !p.is_empty());
        if property.is_some_and(|p| p.len() > property::MAX_PATH || p.contains(char::is_control)) {
            return Err(invalid(format!(
                "remoteRef.property: more than {} bytes or a control character; write a path such as a.b",
                property::MAX_PATH
            )));
        }
        let is_metadata = match &remote_ref.aspect {
            Aspect::Value => false,
            Aspect::Metadata => true,
            Aspect::Unknown(policy) => {
                return Err(invalid(format!(
                    "remoteRef.metadataPolicy: {} is unknown; write None or Fetch",
                    quoted(policy)
                )));
            }
        };
        Ok(Self {
            object,
            is_metadata,
            property,
        })
    }

    /// Reads `remote_ref`, for many values (Azure Key Vault, "Objects, identifiers and versioning"): secrets only.
    pub(super) fn members(remote_ref: &'a ObjectRef) -> Result<Self, Error> {
        let wanted = Self::value(remote_ref)?;
        match wanted.object.kind {
            ObjectKind::Secret => Ok(wanted),
            kind @ (ObjectKind::Key | ObjectKind::Certificate) => Err(invalid(format!(
                "cannot get use dataFrom to get {} secret; read {} under spec.data",
                kind.noun(),
                quoted(&remote_ref.key)
            ))),
        }
    }
}

fn is_name(text: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '-';
    (1..=MAX_NAME).contains(&text.len()) && text.chars().all(is_letter)
}

fn kind(text: &str, name: &str) -> Result<ObjectKind, Error> {
    match text {
        "secret" => Ok(ObjectKind::Secret),
        "key" => Ok(ObjectKind::Key),
        "cert" => Ok(ObjectKind::Certificate),
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

    fn reference(key: &str, version: &str) -> ObjectRef {
        ObjectRef {
            key: key.to_owned(),
            version: Some(version.to_owned()),
            ..ObjectRef::default()
        }
    }

    #[test]
    fn keys_of_the_specification() {
        let cases = [
            ("foo", ObjectKind::Secret),
            ("secret/foo", ObjectKind::Secret),
            ("cert/foo", ObjectKind::Certificate),
            ("key/foo", ObjectKind::Key),
            ("secret/foo/0123abcd", ObjectKind::Secret),
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
    fn keys_and_certificates_are_values_but_have_no_members() {
        for (key, want) in [
            ("key/foo", "cannot get use dataFrom to get key secret"),
            (
                "cert/foo",
                "cannot get use dataFrom to get certificate secret",
            ),
        ] {
            let remote_ref = reference(key, "");
            assert!(Wanted::value(&remote_ref).is_ok(), "{key}");
            let error = Wanted::members(&remote_ref).unwrap_err().to_string();
            assert!(error.starts_with(want), "{error}");
        }
    }

    #[test]
    fn an_empty_property_is_none_and_an_unknown_policy_is_refused() {
        let mut remote_ref = reference("foo", "");
        remote_ref.property = Some(String::new());
        remote_ref.aspect = Aspect::Metadata;
        let wanted = Wanted::members(&remote_ref).unwrap();
        assert!(wanted.is_metadata && wanted.property.is_none());
        remote_ref.aspect = Aspect::Unknown("Maybe".to_owned());
        let error = Wanted::value(&remote_ref).unwrap_err().to_string();
        assert!(error.contains("metadataPolicy"), "{error}");
    }
}
