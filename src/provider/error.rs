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

/// Why no useful answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outage {
    /// The host's name does not resolve: so it is with a vault that does not exist.
    NameUnknown,
    /// Nobody listens, or the connection broke.
    ConnectionFailed,
    /// The certificate or the handshake.
    TlsFailed,
    /// A proxy in between could not reach it, or did not want to.
    ProxyFailed,
    /// Not in time.
    TimedOut,
    /// An error of the service, or an answer that is not its own.
    BadAnswer,
}

/// What is wrong between a store and its vault. Adapters set it where they make an error, for they know
/// their services' codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreFault {
    /// The client secret is not the identity's.
    TokenSecretWrong,
    /// The client secret expired.
    TokenSecretExpired,
    /// The client certificate is not the identity's.
    TokenCertificateWrong,
    /// There is no such tenant.
    TenantUnknown,
    /// There is no such client in the tenant.
    ClientUnknown,
    /// The machine has no such identity.
    IdentityMissing,
    /// The identity does not trust the token shown.
    FederationMissing,
    /// The sign-in service refused for another reason.
    TokenRefused,
    /// The vault does not accept the token.
    TokenNotAccepted,
    /// A firewall or network rule.
    FirewallDenied,
    /// The identity lacks a right.
    AccessDenied,
    /// No useful answer came.
    NoAnswer(Outage),
}

impl StoreFault {
    /// The reason of the store's `Reachable` condition.
    pub fn reason(self) -> &'static str {
        match self {
            Self::TokenSecretWrong => "TokenSecretWrong",
            Self::TokenSecretExpired => "TokenSecretExpired",
            Self::TokenCertificateWrong => "TokenCertificateWrong",
            Self::TenantUnknown => "TenantUnknown",
            Self::ClientUnknown => "ClientUnknown",
            Self::IdentityMissing => "IdentityMissing",
            Self::FederationMissing => "FederationMissing",
            Self::TokenRefused => "TokenRefused",
            Self::TokenNotAccepted => "TokenNotAccepted",
            Self::FirewallDenied => "FirewallDenied",
            Self::AccessDenied => "AccessDenied",
            Self::NoAnswer(outage) => match outage {
                Outage::NameUnknown => "VaultNotFound",
                Outage::ConnectionFailed => "ConnectionFailed",
                Outage::TlsFailed => "TlsFailed",
                Outage::ProxyFailed => "ProxyFailed",
                Outage::TimedOut => "TimedOut",
                Outage::BadAnswer => "BadAnswer",
            },
        }
    }
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
        /// What that means for the store.
        fault: StoreFault,
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
        /// The service's id of the request.
        request_id: Option<Box<str>>,
        /// What that means for the store; `None` if it is about one object.
        fault: Option<StoreFault>,
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
        /// What kind of failure it is.
        outage: Outage,
        /// What happened.
        message: String,
        /// What to do.
        remedy: String,
        /// The pause it asked for, capped.
        after: Option<Duration>,
    },
}

/// The parts of an error that are told one by one, where they are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// The service's code.
    pub code: Option<String>,
    /// The HTTP status of its answer.
    pub http_status: Option<u16>,
    /// Its id of the request.
    pub request_id: Option<String>,
    /// What to do.
    pub remedy: Option<String>,
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

    /// What is wrong between the store and its vault; `None` if the vault answered, if only about one
    /// object.
    pub fn store_fault(&self) -> Option<StoreFault> {
        match self {
            Self::Auth { fault, .. } => Some(*fault),
            Self::Denied { fault, .. } => *fault,
            Self::Unavailable { outage, .. } => Some(StoreFault::NoAnswer(*outage)),
            Self::Config { .. }
            | Self::Credential(_)
            | Self::Throttled { .. }
            | Self::Invalid { .. } => None,
        }
    }

    /// What is told of it apart from its text.
    pub fn detail(&self) -> Detail {
        let some = |text: &str| Some(text.to_owned());
        match self {
            Self::Denied {
                code,
                remedy,
                request_id,
                ..
            } => Detail {
                code: some(code),
                // what is refused here, without asking, has no status
                http_status: request_id.is_some().then_some(403),
                request_id: request_id.as_deref().map(str::to_owned),
                remedy: some(remedy),
            },
            Self::Auth { code, remedy, .. } => Detail {
                code: some(code),
                remedy: some(remedy),
                ..Detail::default()
            },
            Self::Throttled { .. } => Detail {
                http_status: Some(429),
                remedy: some("raise spec.refreshInterval of those who read from this vault"),
                ..Detail::default()
            },
            Self::Unavailable { remedy, .. } => Detail {
                remedy: some(remedy),
                ..Detail::default()
            },
            Self::Config { .. } | Self::Credential(_) | Self::Invalid { .. } => Detail::default(),
        }
    }

    /// Nobody else is answered by the store either.
    pub fn is_about_the_store(&self) -> bool {
        !matches!(self, Self::Denied { .. } | Self::Invalid { .. })
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
