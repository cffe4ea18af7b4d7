//! The requests of the Key Vault REST API that are made: the one place that knows method, path, permission and
//! name of each. Asks nobody. Pure.

use azure_core::http::Method;

use super::object::{Object, ObjectKind};

/// One request.
#[derive(Clone, Copy, Debug)]
pub(super) enum Operation<'a> {
    /// Get Secret, Get Key, Get Certificate.
    Get(&'a Object),
    /// A page of Get Secrets, Get Keys, Get Certificates.
    List(ObjectKind),
}

impl Operation<'_> {
    /// The kind of the object that it is about.
    pub(super) fn kind(self) -> ObjectKind {
        match self {
            Self::Get(object) => object.kind,
            Self::List(kind) => kind,
        }
    }

    /// The HTTP method.
    pub(super) fn method(self) -> Method {
        match self {
            Self::Get(_) | Self::List(_) => Method::Get,
        }
    }

    /// The segments of the path, which need no escapes: names and versions were checked.
    pub(super) fn path(&self) -> Vec<&str> {
        match self {
            Self::Get(object) => {
                let version = object.version.as_deref().unwrap_or_default();
                vec![object.kind.collection(), &object.name, version]
            }
            Self::List(kind) => vec![kind.collection()],
        }
    }

    /// ESO's name for it, in the metric of provider calls.
    pub(super) fn call(self) -> &'static str {
        match (self, self.kind()) {
            (Self::Get(_), ObjectKind::Secret) => "GetSecret",
            (Self::Get(_), ObjectKind::Key) => "GetKey",
            (Self::Get(_), ObjectKind::Certificate) => "GetCertificate",
            (Self::List(_), ObjectKind::Secret) => "GetSecrets",
            (Self::List(_), ObjectKind::Key) => "GetKeys",
            (Self::List(_), ObjectKind::Certificate) => "GetCertificates",
        }
    }

    /// What an access policy has to permit.
    pub(super) fn permission(self) -> &'static str {
        match self {
            Self::Get(_) => "Get",
            Self::List(_) => "List",
        }
    }

    /// `secret "db"`, for messages.
    pub(super) fn describe(self) -> String {
        match self {
            Self::Get(object) => object.describe(),
            Self::List(kind) => format!("the list of {}s", kind.noun()),
        }
    }

    /// Where to correct what the vault does not understand.
    pub(super) fn reference(self) -> &'static str {
        match self {
            Self::Get(_) => "check remoteRef.key and remoteRef.version",
            Self::List(_) => "check vaultUrl",
        }
    }
}
