//! What Microsoft Entra's refusals mean: `AADSTS` codes and what to do about them. Knows the token
//! endpoint's answers only.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use azure_core::error::ErrorKind;
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{Context, Request};
use serde::Deserialize;

use super::errors::{self, ConnectionFailure};
use crate::provider::{Error, Outage, StoreFault};

/// Who tried to sign in where: what a failure is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// The sign-in service's host.
    pub host: String,
    /// The longest wait that was in force.
    pub limit: Duration,
}

/// Why a way to sign in gave no token.
#[derive(Debug)]
pub enum Failure {
    /// Entra refused or did not answer.
    Answered {
        /// What the SDK says.
        error: azure_core::Error,
        /// What was shown to Entra.
        shown: Option<Shown>,
    },
    /// Known in the words that a user sees.
    Told(Error),
}

/// What of a signed assertion may be told, so that somebody can make Entra trust it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// A token of a cluster.
    Federated {
        /// `iss`
        issuer: String,
        /// `sub`
        subject: String,
        /// `aud`, all of them.
        audiences: String,
    },
    /// A signature by a certificate.
    Certificate {
        /// SHA-1 of the certificate, as portals show it.
        thumbprint: String,
    },
}

impl From<azure_core::Error> for Failure {
    fn from(error: azure_core::Error) -> Self {
        Self::Answered { error, shown: None }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Told(error)
    }
}

/// A sign-in that failed. Shared by all who waited for it.
#[derive(Debug)]
pub struct SignInFailure {
    sign_in: SignIn,
    failure: Failure,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    error_codes: Vec<u64>,
    #[serde(default)]
    error_description: String,
}

impl SignInFailure {
    /// What `failure` says about `sign_in`.
    pub fn new(sign_in: SignIn, failure: impl Into<Failure>) -> Self {
        let failure = failure.into();
        Self { sign_in, failure }
    }

    /// The failure as users see it.
    pub fn to_error(&self) -> Error {
        let (source, shown) = match &self.failure {
            Failure::Told(error) => return error.clone(),
            Failure::Answered { error, shown } => (error, shown.as_ref()),
        };
        let host = self.sign_in.host.clone();
        let Some((status, headers, body)) = errors::raw_answer(source) else {
            return self.without_answer(source);
        };
        let after = errors::retry_after(headers);
        let refusal: Option<Refusal> = serde_json::from_slice(body).ok();
        match (status, refusal) {
            (429, _) => Error::Throttled { host, after },
            (400..=499, Some(refusal)) if !refusal.error_codes.is_empty() => {
                let code = refusal.error_codes[0];
                let message = errors::clean(&refusal.error_description);
                let prefix = format!("AADSTS{code}:");
                Error::Auth {
                    code: format!("AADSTS{code}"),
                    message: message.trim_start_matches(&prefix).trim().to_owned(),
                    remedy: remedy(code, shown),
                    fault: fault(code),
                }
            }
            _ => Error::Unavailable {
                host,
                outage: Outage::BadAnswer,
                message: format!("the sign-in service answered HTTP {status}"),
                remedy: "check for a proxy in between; else wait for the service".to_owned(),
                after,
            },
        }
    }

    fn without_answer(&self, source: &azure_core::Error) -> Error {
        let SignIn { host, limit } = &self.sign_in;
        match source.kind() {
            ErrorKind::Connection | ErrorKind::Io => {}
            // the SDK wraps everything that happens while signing in
            ErrorKind::Credential if errors::chain(source).nth(1).is_some() => {}
            _ => {
                return Error::Config {
                    message: errors::clean(&source.to_string()),
                };
            }
        }
        ConnectionFailure::new(source).into_error(
            host,
            *limit,
            "check environmentType, customCloudConfig and that the cluster resolves public names",
        )
    }
}

impl fmt::Display for SignInFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot sign in at {}", self.sign_in.host)
    }
}

impl std::error::Error for SignInFailure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.failure {
            Failure::Answered { error, .. } => Some(error),
            Failure::Told(error) => Some(error),
        }
    }
}

/// Carries a [`SignInFailure`] through the SDK to whoever asked for a value.
#[derive(Clone, Debug)]
pub(super) struct Carried(pub(super) Arc<SignInFailure>);

impl fmt::Display for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Carried {}

/// The failed sign-in behind an error of the SDK, where there is one.
pub fn sign_in_failure(error: &azure_core::Error) -> Option<Error> {
    errors::chain(error)
        .find_map(|cause| cause.downcast_ref::<Carried>())
        .map(|carried| carried.0.to_error())
}

/// What an `AADSTS` code means for the store (Microsoft Entra authentication and authorization error codes).
fn fault(code: u64) -> StoreFault {
    match code {
        7_000_215 => StoreFault::TokenSecretWrong,
        7_000_222 => StoreFault::TokenSecretExpired,
        90_002 | 900_021 | 900_023 => StoreFault::TenantUnknown,
        700_016 => StoreFault::ClientUnknown,
        700_027 => StoreFault::TokenCertificateWrong,
        70_021 | 700_211 | 700_212 | 700_213 => StoreFault::FederationMissing,
        _ => StoreFault::TokenRefused,
    }
}

/// What to do about an `AADSTS` code, given what was shown.
fn remedy(code: u64, shown: Option<&Shown>) -> String {
    match (code, shown) {
        (
            70_021 | 700_211..=700_213,
            Some(Shown::Federated {
                issuer,
                subject,
                audiences,
            }),
        ) => format!(
            "give the application a federated credential with issuer {issuer}, subject {subject} \
             and audience {audiences}"
        ),
        (700_027 | 700_021 | 50_013, Some(Shown::Certificate { thumbprint })) => format!(
            "add the certificate {thumbprint} to the application, or put one that it has into the \
             Secret key that clientCertificate names"
        ),
        _ => plain_remedy(code).to_owned(),
    }
}

fn plain_remedy(code: u64) -> &'static str {
    match code {
        7_000_215 => {
            "put the secret's value (not its id) into the Secret key that clientSecret names"
        }
        7_000_222 => {
            "create a new client secret for the application and put its value into the Secret key that clientSecret names"
        }
        7_000_112 => "enable the application's service principal in the tenant",
        7_000_229 => "create the application's service principal in the tenant",
        700_016 => "check clientId, and that the application exists in the tenant of tenantId",
        90_002 | 900_021 | 900_023 => {
            "check tenantId, and environmentType where the tenant is in another cloud"
        }
        500_011 => "check environmentType: the tenant does not know this cloud's Key Vault",
        53_003 => "ask for an exception: a Conditional Access policy blocks this application",
        700_023 => "check tenantId and environmentType: the assertion is for another sign-in host",
        700_024 => "check the clocks of the cluster's machines",
        50_013 => {
            "publish the cluster's current signing keys (jwks) where Entra reads the issuer's configuration"
        }
        50_166 | 50_027 => "check that the federated token is one of the cluster's API server",
        700_027 | 700_021 | 70_021 | 700_211..=700_213 => {
            "check the application's certificates and federated credentials"
        }
        _ => "look the code up in Microsoft's list of AADSTS codes",
    }
}

/// Keeps Entra's whole answer: the SDK drops status, headers and every body that it cannot read.
#[derive(Debug)]
pub(super) struct KeepAnswer;

#[async_trait]
impl Policy for KeepAnswer {
    async fn send(
        &self,
        ctx: &Context,
        request: &mut Request,
        next: &[Arc<dyn Policy>],
    ) -> PolicyResult {
        let Some((policy, rest)) = next.split_first() else {
            return Err(azure_core::Error::with_message(
                ErrorKind::Other,
                "no transport behind this policy",
            ));
        };
        let response = policy.send(ctx, request, rest).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        let raw = response.try_into_raw_response().await?;
        Err(ErrorKind::HttpResponse {
            status: raw.status(),
            error_code: None,
            raw_response: Some(Box::new(raw)),
        }
        .into_error())
    }
}

#[cfg(test)]
mod tests {
    use azure_core::http::headers::Headers;
    use azure_core::http::{RawResponse, StatusCode};

    use super::*;

    fn failure(status: StatusCode, body: &'static str) -> SignInFailure {
        let raw = RawResponse::from_bytes(status, Headers::new(), body.as_bytes().to_vec());
        let kind = ErrorKind::HttpResponse {
            status,
            error_code: None,
            raw_response: Some(Box::new(raw)),
        };
        let outer =
            azure_core::Error::with_error(ErrorKind::Credential, kind.into_error(), "failed");
        let sign_in = SignIn {
            host: "login.microsoftonline.com".to_owned(),
            limit: Duration::from_secs(10),
        };
        SignInFailure::new(sign_in, outer)
    }

    #[test]
    fn a_wrong_secret_is_named_with_its_remedy_and_without_volatile_parts() {
        let body = r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided.\r\nTrace ID: 3f Correlation ID: 4a Timestamp: 2026-01-01 00:00:00Z","error_codes":[7000215],"trace_id":"3f"}"#;
        let text = failure(StatusCode::Unauthorized, body)
            .to_error()
            .to_string();
        assert_eq!(
            text,
            "authentication failed (AADSTS7000215): Invalid client secret provided; put the secret's value (not its id) into the Secret key that clientSecret names"
        );
    }

    #[test]
    fn what_was_shown_is_named_where_it_must_be_trusted() {
        let federated = Shown::Federated {
            issuer: "https://cluster".to_owned(),
            subject: "system:serviceaccount:a:b".to_owned(),
            audiences: "api://AzureADTokenExchange".to_owned(),
        };
        let certificate = Shown::Certificate {
            thumbprint: "AB12".to_owned(),
        };
        for code in [70_021, 700_211, 700_212, 700_213] {
            let text = remedy(code, Some(&federated));
            let want = "issuer https://cluster, subject system:serviceaccount:a:b and audience api://AzureADTokenExchange";
            assert!(text.ends_with(want), "{text}");
            assert_eq!(remedy(code, None), plain_remedy(code));
        }
        assert!(remedy(700_027, Some(&certificate)).contains("AB12"));
        // a fault of another kind is told as ever
        assert_eq!(remedy(90_002, Some(&federated)), plain_remedy(90_002));
    }

    #[test]
    fn what_is_known_beforehand_is_told_as_it_is() {
        let sign_in = SignIn {
            host: "h".to_owned(),
            limit: Duration::ZERO,
        };
        let known = Error::Config {
            message: "so".to_owned(),
        };
        let failure = SignInFailure::new(sign_in, Failure::Told(known));
        assert_eq!(failure.to_error().to_string(), "so");
    }

    #[test]
    fn every_status_has_its_kind() {
        let kinds = [
            (StatusCode::TooManyRequests, "{}", "Throttled"),
            (StatusCode::ServiceUnavailable, "<html>", "VaultUnavailable"),
            (
                StatusCode::Forbidden,
                "<html>proxy says no",
                "VaultUnavailable",
            ),
            (
                StatusCode::BadRequest,
                r#"{"error_codes":[90002]}"#,
                "AuthenticationFailed",
            ),
        ];
        for (status, body, want) in kinds {
            assert_eq!(failure(status, body).to_error().category(), want, "{body}");
        }
    }
}
