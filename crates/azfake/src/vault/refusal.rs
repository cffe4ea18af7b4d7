//! What a vault refuses, and the exact error documents of Azure for it (Azure Key Vault, "REST API error codes").

use serde_json::json;

use super::route::Kind;
use crate::exchange::Reply;

/// A request that a vault does not serve; the text is that of Azure's answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// No such object or version.
    #[error(
        "A {} with (name/id) {id} was not found in this key vault. If you recently deleted this {} you may be able \
         to recover it using the correct recovery command. For help resolving this issue, please see \
         https://go.microsoft.com/fwlink/?linkid=2125182",
        kind.singular(),
        kind.singular()
    )]
    Missing { kind: Kind, id: String },
    /// The name is not among the deleted ones.
    #[error("Deleted Secret not found: {name}")]
    NotDeleted { name: String },
    /// The secret is disabled.
    #[error("Operation {op} is not allowed on a disabled secret.")]
    Disabled { op: &'static str },
    /// The name belongs to a soft-deleted secret.
    #[error(
        "Secret {name} is currently in a deleted but recoverable state, and its name cannot be reused; in this \
         state, the secret can only be recovered or purged."
    )]
    Deleted { name: String },
    /// The name is not `[0-9a-zA-Z-]{1,127}`.
    #[error("The request URI contains an invalid name: {name}")]
    BadName { name: String },
    /// The body is not what the operation takes.
    #[error("{detail}")]
    BadBody { detail: String },
    /// A property is longer than the service takes.
    #[error("The property {property} is longer than {limit} characters.")]
    TooLong {
        property: &'static str,
        limit: usize,
    },
    /// More tags than the service takes.
    #[error("The property tags has more than {limit} entries.")]
    TooManyTags { limit: usize },
    /// `maxresults` is not 1 to 25.
    #[error("maxresults must be between 1 and 25, not {given}.")]
    BadMaxResults { given: String },
    /// A skip token that no page gave.
    #[error("The skip token is not valid.")]
    BadSkipToken,
    /// No `api-version`.
    #[error("api-version must be specified")]
    NoApiVersion,
    /// An unknown `api-version`.
    #[error("The specified version ({given}) is not recognized.")]
    BadApiVersion { given: String },
    /// The identity lacks a permission.
    #[error(
        "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role \
         definitions were changed recently, please observe propagation time.\r\nCaller: {caller}\r\nAction: \
         'Microsoft.KeyVault/vaults/{action}'\r\nResource: \
         '/subscriptions/00000000-0000-0000-0000-000000000000/resourcegroups/azfake/providers/microsoft.keyvault/\
         vaults/{resource}'\r\nAssignment: (not found)\r\nDenyAssignmentId: null\r\nDecisionReason: null \r\n\
         Vault: {vault};location=westeurope\r\n"
    )]
    Denied {
        caller: String,
        /// Kind and what is done to it.
        action: String,
        /// The vault's label, with kind and name where an object is named.
        resource: String,
        vault: String,
    },
    /// No such route.
    #[error("The request URI {path} names no resource of a vault.")]
    NoRoute { path: String },
    /// The route has no such method.
    #[error("The HTTP method {method} is not allowed here.")]
    NoMethod { method: String },
    /// The route exists in Azure but not here yet.
    #[error("azfake does not serve {op}.")]
    NotServed { op: String },
}

impl Refusal {
    /// A missing object or version.
    pub(crate) fn missing(kind: Kind, name: &str, version: &str) -> Self {
        let id = if version.is_empty() {
            name.to_owned()
        } else {
            format!("{name}/{version}")
        };
        Self::Missing { kind, id }
    }

    /// The answer that Azure gives.
    pub(crate) fn reply(&self) -> Reply {
        let (status, code, inner) = self.class();
        document(status, code, inner, &self.to_string())
    }

    /// Status, code and inner code.
    fn class(&self) -> (u16, &'static str, Option<&'static str>) {
        match self {
            Self::Missing {
                kind: Kind::Keys, ..
            } => (404, "KeyNotFound", None),
            Self::Missing {
                kind: Kind::Certificates,
                ..
            } => (404, "CertificateNotFound", None),
            Self::Missing {
                kind: Kind::Secrets,
                ..
            }
            | Self::NotDeleted { .. } => (404, "SecretNotFound", None),
            Self::Disabled { .. } => (403, "Forbidden", Some("SecretDisabled")),
            Self::Deleted { .. } => (409, "Conflict", Some("ObjectIsDeletedButRecoverable")),
            Self::Denied { .. } => (403, "Forbidden", Some("ForbiddenByRbac")),
            Self::NoRoute { .. } => (404, "NotFound", None),
            Self::NoMethod { .. } => (405, "MethodNotAllowed", None),
            Self::NotServed { .. } => (501, "NotImplemented", None),
            _ => (400, "BadParameter", None),
        }
    }
}

/// Azure's error document of the data plane.
pub(crate) fn document(status: u16, code: &str, inner: Option<&str>, message: &str) -> Reply {
    let mut error = json!({ "code": code, "message": message });
    if let Some(inner) = inner {
        error["innererror"] = json!({ "code": inner });
    }
    Reply::json(status, &json!({ "error": error }))
}
