//! What Entra denies, with its codes and texts (Microsoft Entra, "Error codes").

use serde_json::json;

use super::token::guid;
use crate::exchange::Reply;

/// A token request that is denied; the text is that of Entra's answer, without code and trace.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Denial {
    #[error(
        "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the \
         correct cloud. Check with your subscription administrator, this may happen if there are no active \
         subscriptions for the tenant."
    )]
    UnknownTenant { tenant: String },
    #[error(
        "Application with identifier '{client}' was not found in the directory 'Default Directory'. This can happen \
         if the application has not been installed by the administrator of the tenant or consented to by any user \
         in the tenant. You may have sent your authentication request to the wrong tenant."
    )]
    UnknownClient { client: String },
    #[error(
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, \
         not the client secret ID, for a secret added to app '{client}'."
    )]
    WrongSecret { client: String },
    #[error(
        "The provided client secret keys for app '{client}' are expired. Visit the Azure portal to create new keys \
         for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added \
         security: https://aka.ms/certCreds."
    )]
    ExpiredSecret { client: String },
    #[error(
        "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type."
    )]
    NoCredential,
    #[error("The request body must contain the following parameter: '{name}'.")]
    MissingParameter { name: &'static str },
    #[error("The app requested an unsupported grant type '{grant}'.")]
    UnsupportedGrant { grant: String },
    #[error(
        "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with \
         /.default suffixed to the resource identifier (application ID URI)."
    )]
    BadScope { scope: String },
    #[error(
        "The resource principal named {resource} was not found in the tenant named {tenant}. This can happen if the \
         application has not been installed by the administrator of the tenant or consented to by any user in the \
         tenant. You might have sent your authentication request to the wrong tenant."
    )]
    UnknownResource { resource: String, tenant: String },
    /// The assertion is no JWT.
    #[error("JWT token is invalid or malformed.")]
    MalformedAssertion,
    /// The assertion is too old or too young.
    #[error("Client assertion is not within its valid time range.")]
    StaleAssertion,
    #[error(
        "No matching federated identity record found for presented assertion issuer '{issuer}'. Check your \
         federated identity credential Subject, Audience and Issuer against the presented assertion. \
         https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
    )]
    UntrustedIssuer { issuer: String },
    #[error(
        "No matching federated identity record found for presented assertion audience '{audience}'. Check your \
         federated identity credential Subject, Audience and Issuer against the presented assertion. \
         https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
    )]
    UntrustedAudience { audience: String },
    #[error(
        "No matching federated identity record found for presented assertion subject '{subject}'. Check your \
         federated identity credential Subject, Audience and Issuer against the presented assertion. \
         https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
    )]
    UntrustedSubject { subject: String },
    /// A federated token that none of its issuer's keys signed.
    #[error(
        "Assertion failed signature validation. [Reason - Key was not found or the signature is not valid.]"
    )]
    BadSignature,
    /// No certificate of the application made the signature.
    #[error(
        "The certificate used to sign the client assertion is not registered on application '{client}', or the \
         signature is not valid. [Reason - The key was not found.]"
    )]
    UnknownCertificate { client: String },
    /// The assertion is for another tenant or host.
    #[error("Client assertion audience claim does not match Realm issuer.")]
    WrongRealm,
    /// A fault that a test asked for.
    #[error("{description}")]
    Injected {
        status: u16,
        error: String,
        description: String,
    },
}

impl Denial {
    /// The answer of a login host.
    pub(crate) fn reply(&self, host: &str) -> Reply {
        let (status, error, code) = self.class();
        let now = jiff::Timestamp::now()
            .strftime("%Y-%m-%d %H:%M:%SZ")
            .to_string();
        let (trace, correlation) = (guid(), guid());
        let prefix = if code == 0 {
            String::new()
        } else {
            format!("AADSTS{code}: ")
        };
        let description = format!(
            "{prefix}{self} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {now}"
        );
        let body = json!({
            "error": error,
            "error_description": description,
            "error_codes": [code],
            "timestamp": now,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("https://{host}/error?code={code}"),
        });
        Reply::json(status, &body)
    }

    /// Status, OAuth error and AADSTS code.
    fn class(&self) -> (u16, &str, u32) {
        match self {
            Self::UnknownTenant { .. } => (400, "invalid_request", 90_002),
            Self::UnknownClient { .. } => (400, "unauthorized_client", 700_016),
            Self::WrongSecret { .. } => (401, "invalid_client", 7_000_215),
            Self::ExpiredSecret { .. } => (401, "invalid_client", 7_000_222),
            Self::NoCredential => (401, "invalid_client", 7_000_216),
            Self::MissingParameter { .. } => (400, "invalid_request", 900_144),
            Self::UnsupportedGrant { .. } => (400, "unsupported_grant_type", 70_003),
            Self::BadScope { .. } => (400, "invalid_scope", 1_002_012),
            Self::UnknownResource { .. } => (400, "invalid_resource", 500_011),
            Self::MalformedAssertion => (400, "invalid_request", 50_027),
            Self::StaleAssertion => (401, "invalid_client", 700_024),
            Self::UntrustedIssuer { .. } => (401, "invalid_client", 700_211),
            Self::UntrustedAudience { .. } => (401, "invalid_client", 700_212),
            Self::UntrustedSubject { .. } => (401, "invalid_client", 700_213),
            Self::BadSignature => (401, "invalid_client", 50_013),
            Self::UnknownCertificate { .. } => (401, "invalid_client", 700_027),
            Self::WrongRealm => (401, "invalid_client", 700_023),
            Self::Injected { status, error, .. } => (*status, error, 0),
        }
    }
}
