//! Why a store could not answer. Absence is not among them: it is `None`.

use std::time::Duration;

use crate::credentials;

/// When trying again makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Only a change of an object can help; retried at the refresh interval, for vaults change too.
    OnChange,
    /// The other side named a pause.
    After(Duration),
    /// Growing pauses.
    Backoff,
}

/// Why a store could not answer. Texts hold no secret, no request id and no time: they stand in
/// conditions, where anything volatile causes a write per try.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The store's configuration cannot work as written.
    #[error("{message}")]
    Config {
        /// What is wrong, which field, and what to write instead.
        message: String,
    },
    /// A credential that the store names cannot be read from the cluster.
    #[error(transparent)]
    Credential(#[from] credentials::Error),
    /// Entra or the vault did not accept the identity.
    #[error("authentication failed ({code}): {message}; {remedy}")]
    Auth {
        /// `AADSTS7000215`, `Unauthorized`, ...
        code: String,
        /// The server's words, without trace ids and times.
        message: String,
        /// What to do.
        remedy: String,
    },
    /// The identity is known and not allowed to do this.
    #[error("access denied ({code}) to {object}: {message}; {remedy}")]
    Denied {
        /// `ForbiddenByRbac`, `ForbiddenByFirewall`, `SecretDisabled`, ...
        code: String,
        /// What was asked for.
        object: String,
        /// The server's words.
        message: String,
        /// What to do.
        remedy: String,
    },
    /// The vault asks for fewer requests.
    #[error(
        "throttled by {host}; it is asked again after a pause: if this lasts, raise \
         spec.refreshInterval of those who read from it"
    )]
    Throttled {
        /// Who throttles.
        host: String,
        /// The pause it asked for, capped.
        after: Option<Duration>,
    },
    /// What was asked for cannot exist: a malformed name, property or value.
    #[error("{message}")]
    Invalid {
        /// What is wrong, which field, and what to write instead.
        message: String,
    },
    /// No useful answer: DNS, connection, time-out, 5xx, or an answer that is not Key Vault's.
    #[error("{host} is unavailable: {message}; {remedy}")]
    Unavailable {
        /// Who did not answer.
        host: String,
        /// What happened.
        message: String,
        /// What to do.
        remedy: String,
        /// The pause it asked for, capped.
        after: Option<Duration>,
    },
}

impl Error {
    /// A short closed word for status messages and metric labels.
    pub fn category(&self) -> &'static str {
        match self {
            Self::Config { .. } => "InvalidStore",
            Self::Credential(_) => "CredentialUnavailable",
            Self::Auth { .. } => "AuthenticationFailed",
            Self::Denied { .. } => "AccessDenied",
            Self::Throttled { .. } => "Throttled",
            Self::Invalid { .. } => "InvalidReference",
            Self::Unavailable { .. } => "VaultUnavailable",
        }
    }

    /// When trying again makes sense.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Config { .. } | Self::Invalid { .. } => Retry::OnChange,
            Self::Throttled {
                after: Some(after), ..
            }
            | Self::Unavailable {
                after: Some(after), ..
            } => Retry::After(*after),
            _ => Retry::Backoff,
        }
    }
}
