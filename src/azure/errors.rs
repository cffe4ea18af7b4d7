//! What Azure's answers and broken connections mean, in words that stay the same from try to try:
//! no request ids, no times. Which answer of which service means what is decided by the callers
//! (`entra`, `provider::azure_key_vault::answer`).

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use azure_core::error::ErrorKind;
use azure_core::http::headers::{HeaderName, Headers};
use rustls::CertificateError;

use crate::provider::{Error, Outage};

/// The longest pause that a server may impose.
pub const MAX_PAUSE: Duration = Duration::from_mins(2);
/// Characters of a request's id, at most.
const LONGEST_ID: usize = 64;

/// The longest text taken over from an answer, in characters: a vault's denial names caller, action and
/// vault within it, and what is to be done still fits into an event behind it.
const MAX_MESSAGE: usize = 600;

/// An answer that is not a success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// `error.code`, such as `Forbidden`.
    pub code: Option<String>,
    /// The innermost `innererror.code`, such as `SecretDisabled`.
    pub inner_code: Option<String>,
    /// The server's words, cleaned; empty where there are none.
    pub message: String,
    /// The pause asked for, capped at [`MAX_PAUSE`].
    pub retry_after: Option<Duration>,
    /// The service's id of the request.
    pub request_id: Option<String>,
}

impl Answer {
    /// The answer within `error`, where the failure is one (and not a broken connection).
    pub fn from_error(error: &azure_core::Error) -> Option<Self> {
        let (status, headers, body) = raw_answer(error)?;
        let json: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        let error = &json["error"];
        let mut inner = &error["innererror"];
        while inner["innererror"].is_object() {
            inner = &inner["innererror"];
        }
        let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
        Some(Self {
            status,
            code: text(&error["code"]),
            inner_code: text(&inner["code"]),
            message: clean(error["message"].as_str().unwrap_or_default()),
            retry_after: retry_after(headers),
            request_id: request_id(headers),
        })
    }

    /// The most telling code.
    pub fn telling_code(&self) -> String {
        self.inner_code
            .clone()
            .or_else(|| self.code.clone())
            .unwrap_or_else(|| format!("HTTP {}", self.status))
    }
}

/// Status, headers and body of the answer within `error` or one of its sources.
pub(super) fn raw_answer(error: &azure_core::Error) -> Option<(u16, &Headers, &[u8])> {
    chain(error)
        .filter_map(|cause| cause.downcast_ref::<azure_core::Error>())
        .find_map(|cause| match cause.kind() {
            ErrorKind::HttpResponse {
                status,
                raw_response: Some(raw),
                ..
            } => Some((u16::from(*status), raw.headers(), raw.body().as_ref())),
            _ => None,
        })
}

/// The id of the request, where it is one that can be told.
fn request_id(headers: &Headers) -> Option<String> {
    let id = headers.get_optional_str(&"x-ms-request-id".into())?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    (id.len() <= LONGEST_ID && id.chars().all(is_plain)).then(|| id.to_owned())
}

/// The pause that the headers ask for, capped.
pub(super) fn retry_after(headers: &Headers) -> Option<Duration> {
    const HEADERS: [(&str, u64); 3] = [
        ("retry-after-ms", 1),
        ("x-ms-retry-after-ms", 1),
        ("retry-after", 1000),
    ];
    HEADERS.iter().find_map(|(name, unit)| {
        let value = headers.get_optional_str(&HeaderName::from_static(name))?;
        let count: u64 = value.trim().parse().ok()?;
        Some(Duration::from_millis(count.saturating_mul(*unit)).min(MAX_PAUSE))
    })
}

/// A server's words without what changes from try to try and without a full stop, on one line, at most [`MAX_MESSAGE`] characters.
pub(super) fn clean(text: &str) -> String {
    const VOLATILE: [&str; 5] = [
        "Trace ID:",
        "Correlation ID:",
        "Timestamp:",
        "RequestId:",
        "Request ID:",
    ];
    let end = VOLATILE
        .iter()
        .filter_map(|mark| text.find(mark))
        .min()
        .unwrap_or(text.len());
    let words: Vec<&str> = text[..end].split_whitespace().collect();
    let line = words.join(" ");
    let line = line.strip_suffix('.').unwrap_or(&line);
    match line.char_indices().nth(MAX_MESSAGE) {
        Some((cut, _)) => format!("{}…", &line[..cut]),
        None => line.to_owned(),
    }
}

/// Why no answer came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectionFailure {
    /// The name does not resolve.
    Dns,
    /// Nobody listens there.
    Refused,
    /// The certificate or the handshake.
    Tls(&'static str),
    /// The proxy answered the tunnel request with a failure; why, it does not say.
    Tunnel,
    /// The proxy itself cannot be reached.
    NoProxy,
    /// The proxy wants to know who asks.
    ProxyUser,
    /// No connection in time.
    ConnectTimeout,
    /// No answer in time.
    Timeout,
    /// The connection broke before the answer was complete.
    Closed,
    /// Not a message of the protocol, or nothing that can be told apart.
    Other,
}

impl ConnectionFailure {
    /// Reads the source chain.
    pub fn new(error: &azure_core::Error) -> Self {
        let mut found = Self::Other;
        for cause in chain(error) {
            if let Some(request) = cause.downcast_ref::<reqwest::Error>() {
                match (request.is_timeout(), request.is_connect()) {
                    (true, true) => return Self::ConnectTimeout,
                    (true, false) => return Self::Timeout,
                    (false, _) => found = Self::Closed,
                }
            }
            if let Some(told) = Self::told_by(cause) {
                return told;
            }
        }
        found
    }

    fn told_by(cause: &(dyn StdError + 'static)) -> Option<Self> {
        if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
            return Some(Self::Tls(tls_words(tls)));
        }
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            // `source` of an io::Error skips the error it wraps
            let wrapped = io.get_ref().map(|inner| inner as &(dyn StdError + 'static));
            if let Some(told) = wrapped.and_then(Self::told_by) {
                return Some(told);
            }
            return match io.kind() {
                io::ErrorKind::ConnectionRefused => Some(Self::Refused),
                io::ErrorKind::ConnectionReset
                | io::ErrorKind::BrokenPipe
                | io::ErrorKind::UnexpectedEof => Some(Self::Closed),
                _ => None,
            };
        }
        let text = cause.to_string();
        if text.starts_with("dns error") {
            return Some(Self::Dns);
        }
        let tunnel = text.strip_prefix("tunnel error: ")?;
        Some(match tunnel {
            "failed to create underlying connection" => Self::NoProxy,
            "proxy authorization required" => Self::ProxyUser,
            _ => Self::Tunnel,
        })
    }

    fn outage(&self) -> Outage {
        match self {
            Self::Dns => Outage::NameUnknown,
            Self::Refused | Self::Closed => Outage::ConnectionFailed,
            Self::Tls(_) => Outage::TlsFailed,
            Self::Tunnel | Self::NoProxy | Self::ProxyUser => Outage::ProxyFailed,
            Self::ConnectTimeout | Self::Timeout => Outage::TimedOut,
            Self::Other => Outage::BadAnswer,
        }
    }

    /// The error that a user sees: `host` did not answer because of this; `limit` is the longest
    /// wait that was in force, `hint` what to look at where the name or the host is wrong.
    pub fn into_error(self, host: &str, limit: Duration, hint: &str) -> Error {
        let seconds = limit.as_secs_f32();
        let network = "check the network path (firewall, private endpoint, proxy)";
        let through = format!("{hint}, and what the proxy allows");
        let outage = self.outage();
        let (message, remedy) = match self {
            Self::Dns => ("the host name does not resolve".to_owned(), hint),
            Self::Refused => ("connection refused".to_owned(), network),
            Self::Tls(words) => (
                format!("TLS failed: {words}"),
                "check for a proxy that inspects TLS, and give its CA in SSL_CERT_FILE",
            ),
            Self::Tunnel => (
                "the proxy could not reach it (no such name, refused, or not allowed)".to_owned(),
                through.as_str(),
            ),
            Self::NoProxy => (
                "the proxy cannot be reached".to_owned(),
                "check HTTPS_PROXY in the operator's environment, and name hosts that need no proxy in NO_PROXY",
            ),
            Self::ProxyUser => (
                "the proxy wants a user name and a password".to_owned(),
                "put them into HTTPS_PROXY in the operator's environment (http://USER:PASSWORD@HOST:PORT)",
            ),
            Self::ConnectTimeout => ("no connection in time".to_owned(), network),
            Self::Timeout => (format!("no answer within {seconds} s"), network),
            Self::Closed => ("the connection broke before an answer".to_owned(), network),
            Self::Other => (
                "the answer cannot be understood".to_owned(),
                "check for a proxy in between",
            ),
        };
        Error::Unavailable {
            outage,
            host: host.to_owned(),
            message,
            remedy: remedy.to_owned(),
            after: None,
        }
    }
}

/// Words of our own: those of rustls hold times.
fn tls_words(error: &rustls::Error) -> &'static str {
    let rustls::Error::InvalidCertificate(reason) = error else {
        return "the handshake failed";
    };
    match reason {
        CertificateError::UnknownIssuer => "the certificate's issuer is not trusted",
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the certificate has expired"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the certificate is not valid yet"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the certificate is for another host"
        }
        CertificateError::Revoked => "the certificate is revoked",
        _ => "the certificate is not acceptable",
    }
}

/// An error and its sources, outermost first.
pub(super) fn chain<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |cause| (*cause).source())
}

#[cfg(test)]
mod tests {
    use azure_core::http::{RawResponse, StatusCode};

    use super::*;

    fn answered(
        status: StatusCode,
        headers: &[(&'static str, &'static str)],
        body: &'static str,
    ) -> azure_core::Error {
        let mut map = Headers::new();
        for (name, value) in headers {
            map.insert(*name, *value);
        }
        let raw = RawResponse::from_bytes(status, map, body.as_bytes().to_vec());
        let kind = ErrorKind::HttpResponse {
            status,
            error_code: None,
            raw_response: Some(Box::new(raw)),
        };
        // the SDK wraps: the answer must be found below the surface
        azure_core::Error::with_error(ErrorKind::Other, kind.into_error(), "outer")
    }

    #[test]
    fn the_innermost_code_and_a_capped_pause_are_read() {
        let error = answered(
            StatusCode::Forbidden,
            &[("retry-after", "9999")],
            r#"{"error":{"code":"Forbidden","message":"Operation get is not\r\nallowed","innererror":{"code":"A","innererror":{"code":"SecretDisabled"}}}}"#,
        );
        let answer = Answer::from_error(&error).unwrap();
        assert_eq!(
            answer,
            Answer {
                status: 403,
                code: Some("Forbidden".to_owned()),
                inner_code: Some("SecretDisabled".to_owned()),
                message: "Operation get is not allowed".to_owned(),
                retry_after: Some(MAX_PAUSE),
                request_id: None,
            }
        );
        assert_eq!(answer.telling_code(), "SecretDisabled");
    }

    #[test]
    fn an_answer_that_is_not_json_still_has_its_status() {
        let error = answered(
            StatusCode::BadGateway,
            &[("retry-after-ms", "1500")],
            "<html>",
        );
        let answer = Answer::from_error(&error).unwrap();
        assert_eq!(answer.telling_code(), "HTTP 502");
        assert_eq!(answer.retry_after, Some(Duration::from_millis(1500)));
    }

    #[test]
    fn texts_lose_what_changes_from_try_to_try() {
        assert_eq!(
            clean("AADSTS7000215: Invalid client secret.\r\nTrace ID: 1 Timestamp: 2"),
            "AADSTS7000215: Invalid client secret"
        );
        let long = clean(&"é".repeat(1000));
        assert_eq!(long.chars().count(), MAX_MESSAGE + 1);
    }

    #[test]
    fn causes_are_read_from_the_source_chain() {
        let of = |inner: Box<dyn StdError + Send + Sync>| {
            ConnectionFailure::new(&azure_core::Error::with_error(ErrorKind::Io, inner, "x"))
        };
        let expired = rustls::Error::InvalidCertificate(CertificateError::Expired);
        let tls = io::Error::new(io::ErrorKind::InvalidData, expired);
        assert_eq!(
            of(Box::new(tls)),
            ConnectionFailure::Tls("the certificate has expired")
        );
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        assert_eq!(of(Box::new(refused)), ConnectionFailure::Refused);
        assert_eq!(of("dns error".into()), ConnectionFailure::Dns);
        assert_eq!(
            of("tunnel error: unsuccessful".into()),
            ConnectionFailure::Tunnel
        );
        let no_proxy = "tunnel error: failed to create underlying connection";
        assert_eq!(of(no_proxy.into()), ConnectionFailure::NoProxy);
        let who = "tunnel error: proxy authorization required";
        assert_eq!(of(who.into()), ConnectionFailure::ProxyUser);
        assert_eq!(of("anything".into()), ConnectionFailure::Other);
    }
}
