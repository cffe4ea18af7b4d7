//! What a vault's refusals mean (Azure Key Vault, "REST API error codes"), and which of them are worth a
//! second try at once.

use std::time::Duration;

use azure_core::error::ErrorKind;

use super::gate::Outcome;
use super::object::ObjectKind;
use super::operation::Operation;
use crate::azure::entra;
use crate::azure::errors::{Answer, ConnectionFailure};
use crate::provider::{Error, Outage, StoreFault};

/// Tries of one call in all.
const TRIES: u32 = 3;
/// A pause that a worker may spend waiting; longer ones are the queue's business.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// What was asked of whom.
pub(super) struct Request<'a> {
    /// The vault's host.
    pub(super) host: &'a str,
    /// What was asked.
    pub(super) operation: Operation<'a>,
    /// Longest wait for one answer.
    pub(super) limit: Duration,
}

impl Request<'_> {
    /// `None` where the vault has no such object: only a vault's own word counts, not a 404 of
    /// something in between.
    pub(super) fn refusal(&self, error: &azure_core::Error) -> Option<Error> {
        if let Some(failure) = entra::sign_in_failure(error) {
            return Some(failure);
        }
        let Some(answer) = Answer::from_error(error) else {
            let hint = "check vaultUrl, and that the vault exists";
            return Some(ConnectionFailure::new(error).into_error(self.host, self.limit, hint));
        };
        match (answer.status, answer.code.as_deref()) {
            (404, Some("SecretNotFound" | "KeyNotFound" | "CertificateNotFound")) => None,
            (400, Some(code)) => Some(Error::Invalid {
                message: format!(
                    "the vault refused {} ({code}): {}; {}",
                    self.operation.describe(),
                    answer.message,
                    self.operation.reference()
                ),
            }),
            (401, _) => Some(unauthorized(&answer)),
            (403, Some(_)) => Some(self.denied(answer)),
            (429, _) => Some(Error::Throttled {
                host: self.host.to_owned(),
                after: answer.retry_after,
            }),
            _ => Some(self.unavailable(&answer)),
        }
    }

    fn denied(&self, answer: Answer) -> Error {
        let code = answer.telling_code();
        let (noun, permission) = (self.operation.kind().noun(), self.operation.permission());
        let remedy = match code.as_str() {
            "ForbiddenByRbac" => {
                let role = match self.operation.kind() {
                    ObjectKind::Secret => "Key Vault Secrets User",
                    ObjectKind::Key => "Key Vault Crypto User",
                    ObjectKind::Certificate => "Key Vault Reader",
                };
                format!(
                    "grant the identity the role {role} on the vault (it takes minutes to spread)"
                )
            }
            "ForbiddenByPolicy" | "AccessDenied" => format!(
                "give the identity the {noun} permission {permission} in the vault's access policies"
            ),
            "ForbiddenByFirewall" => {
                "allow the cluster's outgoing address in the vault's firewall, or use a private endpoint".to_owned()
            }
            "ForbiddenByConnection" => {
                "reach the vault by an approved private endpoint (where the operator runs, the vault's name must resolve to it), or enable public network access".to_owned()
            }
            "SecretDisabled" | "KeyDisabled" | "CertificateDisabled" => {
                format!("enable the {noun}, or this version of it, in the vault")
            }
            _ => format!("grant the identity {permission} on the vault's {noun}s"),
        };
        Error::Denied {
            fault: fault(&code),
            code,
            object: self.operation.describe(),
            message: answer.message,
            remedy,
            request_id: answer.request_id.map(String::into_boxed_str),
        }
    }

    fn unavailable(&self, answer: &Answer) -> Error {
        let (message, remedy) = match &answer.code {
            Some(code) => (
                format!("HTTP {} ({code})", answer.status),
                "it is asked again by itself: if this lasts, see Azure's service health",
            ),
            None => (
                format!("HTTP {}, not from Key Vault", answer.status),
                "check for a proxy in between; else wait for the vault",
            ),
        };
        Error::Unavailable {
            outage: Outage::BadAnswer,
            host: self.host.to_owned(),
            message,
            remedy: remedy.to_owned(),
            after: answer.retry_after,
        }
    }
}

/// What a denial means for the store; `None` if it is about one object.
fn fault(code: &str) -> Option<StoreFault> {
    match code {
        "ForbiddenByFirewall" | "ForbiddenByConnection" => Some(StoreFault::FirewallDenied),
        "ForbiddenByRbac" | "ForbiddenByPolicy" | "AccessDenied" => Some(StoreFault::AccessDenied),
        _ => None,
    }
}

fn unauthorized(answer: &Answer) -> Error {
    let words = answer.message.split(|c: char| !c.is_ascii_alphanumeric());
    let code = words
        .into_iter()
        .find(|word| word.len() > 3 && word.starts_with("AKV"))
        .map_or_else(|| answer.telling_code(), str::to_owned);
    let remedy = match code.as_str() {
        "AKV10022" => "check environmentType: the token is for another cloud",
        "AKV10032" => "check tenantId: the vault belongs to another tenant",
        _ => "check tenantId and environmentType",
    };
    let message = answer.message.trim_start_matches(&format!("{code}: "));
    Error::Auth {
        message: message.to_owned(),
        code,
        remedy: remedy.to_owned(),
        fault: StoreFault::TokenNotAccepted,
    }
}

/// What a request that ended with `error`, if with any, means for all who ask this vault; `None`
/// where nobody asked it, because the sign-in failed.
pub(super) fn outcome(error: Option<&azure_core::Error>, request: &Request<'_>) -> Option<Outcome> {
    let Some(error) = error else {
        return Some(Outcome::Answered);
    };
    if entra::sign_in_failure(error).is_some() {
        return None;
    }
    Some(match (Answer::from_error(error), request.refusal(error)) {
        (Some(answer), _) if answer.status == 429 => Outcome::Throttled(answer.retry_after),
        (_, Some(refusal @ Error::Unavailable { .. })) => Outcome::Failed(refusal),
        _ => Outcome::Answered,
    })
}

/// How long to wait before trying again at once, after the `tries`-th try (from 1) ended with
/// `error`; `None` where the queue shall decide.
pub(super) fn pause(error: &azure_core::Error, tries: u32) -> Option<Duration> {
    if tries >= TRIES || entra::sign_in_failure(error).is_some() {
        return None;
    }
    let growing = FIRST_PAUSE * 4u32.pow(tries - 1);
    match (Answer::from_error(error), error.kind()) {
        (Some(answer), _) => match (answer.status, answer.retry_after) {
            (408 | 429 | 500 | 502..=504, Some(asked)) => (asked <= LONGEST_PAUSE).then_some(asked),
            (408 | 500 | 502..=504, None) => Some(growing),
            _ => None,
        },
        (None, ErrorKind::Connection | ErrorKind::Io) => {
            (ConnectionFailure::new(error) == ConnectionFailure::Closed).then_some(growing)
        }
        (None, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::provider::azure_key_vault::object::Object;
    use azure_core::http::headers::Headers;
    use azure_core::http::{RawResponse, StatusCode};

    use super::*;

    fn answered(
        status: u16,
        retry_after: Option<&'static str>,
        body: &'static str,
    ) -> azure_core::Error {
        let mut headers = Headers::new();
        if let Some(seconds) = retry_after {
            headers.insert("retry-after", seconds);
        }
        let status = StatusCode::from(status);
        let raw = RawResponse::from_bytes(status, headers, body.as_bytes().to_vec());
        ErrorKind::HttpResponse {
            status,
            error_code: None,
            raw_response: Some(Box::new(raw)),
        }
        .into_error()
    }

    fn refusal(status: u16, body: &'static str) -> Option<Error> {
        let object = Object::latest_secret("db").unwrap();
        let request = Request {
            host: "kv.vault.azure.net",
            operation: Operation::Get(&object),
            limit: Duration::from_secs(10),
        };
        request.refusal(&answered(status, None, body))
    }

    #[test]
    fn only_the_vaults_own_word_makes_a_secret_missing() {
        let missing = r#"{"error":{"code":"SecretNotFound","message":"A secret with (name/id) db was not found in this key vault."}}"#;
        assert!(refusal(404, missing).is_none());
        let no_key = r#"{"error":{"code":"KeyNotFound","message":"no"}}"#;
        assert!(refusal(404, no_key).is_none());
        for body in [
            "",
            "<html>Not Found</html>",
            r#"{"error":{"code":"NotFound"}}"#,
        ] {
            let error = refusal(404, body).unwrap();
            assert!(matches!(error, Error::Unavailable { .. }), "{error}");
        }
    }

    #[test]
    fn every_refusal_has_its_kind_code_and_remedy() {
        let cases = [
            (
                403,
                r#"{"error":{"code":"Forbidden","message":"Operation get is not allowed on a disabled secret.","innererror":{"code":"SecretDisabled"}}}"#,
                "access denied (SecretDisabled) to secret \"db\": Operation get is not allowed on a disabled secret; enable the secret, or this version of it, in the vault",
            ),
            (
                401,
                r#"{"error":{"code":"Unauthorized","message":"AKV10032: Invalid issuer."}}"#,
                "authentication failed (AKV10032): Invalid issuer; check tenantId: the vault belongs to another tenant",
            ),
            (
                400,
                r#"{"error":{"code":"BadParameter","message":"no"}}"#,
                "the vault refused secret \"db\" (BadParameter): no; check remoteRef.key and remoteRef.version",
            ),
            (
                403,
                r#"{"error":{"code":"Forbidden","message":"Public network access is disabled.","innererror":{"code":"ForbiddenByConnection"}}}"#,
                "access denied (ForbiddenByConnection) to secret \"db\": Public network access is disabled; reach the vault by an approved private endpoint (where the operator runs, the vault's name must resolve to it), or enable public network access",
            ),
            (
                503,
                r#"{"error":{"code":"ServiceUnavailable","message":"no"}}"#,
                "kv.vault.azure.net is unavailable: HTTP 503 (ServiceUnavailable); it is asked again by itself: if this lasts, see Azure's service health",
            ),
            (
                429,
                "{}",
                "throttled by kv.vault.azure.net; it is asked again after a pause: if this lasts, raise spec.refreshInterval of those who read from it",
            ),
            (
                403,
                "<html>",
                "kv.vault.azure.net is unavailable: HTTP 403, not from Key Vault; check for a proxy in between; else wait for the vault",
            ),
        ];
        for (status, body, want) in cases {
            assert_eq!(refusal(status, body).unwrap().to_string(), want);
        }
    }

    #[test]
    fn only_short_troubles_are_tried_again_at_once() {
        let pauses = [
            (503, None, 1, Some(200)),
            (503, None, 2, Some(800)),
            (503, None, 3, None),
            (503, Some("1"), 1, Some(1000)),
            (429, Some("30"), 1, None),
            (429, None, 1, None),
            (403, None, 1, None),
        ];
        for (status, after, tries, want) in pauses {
            let pause = pause(&answered(status, after, "{}"), tries);
            assert_eq!(pause, want.map(Duration::from_millis), "{status} {tries}");
        }
    }
}
