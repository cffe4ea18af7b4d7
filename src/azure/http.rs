//! The one HTTP client of the process: proxies, trust roots, limits. Every request to Azure goes
//! through it; it knows nothing of identities or vaults (docs/decisions/0001-crates.md).

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use azure_core::error::{Error, ErrorKind, Result};
use azure_core::http::headers::USER_AGENT;
use azure_core::http::{
    AsyncRawResponse, ClientOptions, HttpClient, Request, RetryOptions, Transport,
};
use futures::{StreamExt as _, future};

const PRODUCT: &str = concat!("keyferry/", env!("CARGO_PKG_VERSION"));

/// A page of 25 names is some 10 KiB and a value at most 25 KiB; what is larger is not Azure's.
const MAX_BODY_BYTES: usize = 4 << 20;

/// Where requests go through and how long they may take. Filled from flags and environment in one
/// place (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`, `SSL_CERT_FILE`); nothing is read from the
/// environment here, except that the platform's certificate search honours its own variables.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// Proxy for https URLs; a value without scheme means http.
    pub https_proxy: Option<String>,
    /// Proxy for http URLs (the instance metadata service).
    pub http_proxy: Option<String>,
    /// Hosts that are asked directly: comma-separated names, domains, addresses or networks.
    pub no_proxy: Option<String>,
    /// PEM file whose certificates replace the system's trust roots.
    pub ca_file: Option<PathBuf>,
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// Longest wait for a whole answer, connection included.
    pub request_timeout: Duration,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            https_proxy: None,
            http_proxy: None,
            no_proxy: None,
            ca_file: None,
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(10),
        }
    }
}

/// Why the client could not be built. All of these are for whoever runs the operator.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The file named by `SSL_CERT_FILE` cannot be read.
    #[error("cannot read the CA certificates in {}", path.display())]
    ReadCa {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file holds no certificate.
    #[error("no PEM certificate in {}", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// The file holds something that is not a certificate.
    #[error("cannot parse the CA certificates in {}", path.display())]
    ParseCa {
        /// The file.
        path: PathBuf,
        /// What the parser said.
        source: reqwest::Error,
    },
    /// A proxy setting is not a URL.
    #[error("{variable} is not a proxy URL")]
    Proxy {
        /// The variable that holds it.
        variable: &'static str,
        /// What the parser said.
        source: reqwest::Error,
    },
    /// TLS cannot be set up, most often because the system has no trust roots.
    #[error(
        "cannot set up TLS; install CA certificates in the image or name a PEM file in SSL_CERT_FILE"
    )]
    Tls(#[source] reqwest::Error),
}

/// The shared client. Cheap to clone; all clones use the same connections.
#[derive(Clone, Debug)]
pub struct Http {
    transport: Transport,
    request_timeout: Duration,
}

impl Http {
    /// Builds the client. Contacts nobody.
    pub fn new(settings: &HttpSettings) -> std::result::Result<Self, BuildError> {
        // Fails where a provider is installed already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.request_timeout)
            .tcp_keepalive(Duration::from_secs(30))
            .http2_keep_alive_interval(Duration::from_secs(30))
            .http2_keep_alive_timeout(settings.request_timeout)
            .pool_idle_timeout(Duration::from_secs(90));
        for proxy in proxies(settings)? {
            builder = builder.proxy(proxy);
        }
        if let Some(path) = &settings.ca_file {
            builder = builder.tls_certs_only(read_roots(path)?);
        }
        let client = builder.build().map_err(BuildError::Tls)?;
        Ok(Self {
            transport: Transport::new(Arc::new(Bounded(client))),
            request_timeout: settings.request_timeout,
        })
    }

    /// Options for a client of the SDK: this transport, and no retries of its own (the SDK obeys
    /// Retry-After without a limit).
    pub(super) fn client_options(&self) -> ClientOptions {
        ClientOptions {
            transport: Some(self.transport.clone()),
            retry: RetryOptions::none(),
            ..ClientOptions::default()
        }
    }

    /// Longest wait for one answer.
    pub fn request_timeout(&self) -> Duration {
        self.request_timeout
    }
}

fn proxies(settings: &HttpSettings) -> std::result::Result<Vec<reqwest::Proxy>, BuildError> {
    let direct = || {
        let hosts = settings.no_proxy.as_deref()?;
        reqwest::NoProxy::from_string(hosts)
    };
    let given = |value: &Option<String>| value.clone().filter(|url| !url.trim().is_empty());
    let mut proxies = Vec::new();
    if let Some(url) = given(&settings.https_proxy) {
        let proxy = reqwest::Proxy::https(url.trim()).map_err(|source| BuildError::Proxy {
            variable: "HTTPS_PROXY",
            source: source.without_url(),
        })?;
        proxies.push(proxy.no_proxy(direct()));
    }
    if let Some(url) = given(&settings.http_proxy) {
        let proxy = reqwest::Proxy::http(url.trim()).map_err(|source| BuildError::Proxy {
            variable: "HTTP_PROXY",
            source: source.without_url(),
        })?;
        proxies.push(proxy.no_proxy(direct()));
    }
    Ok(proxies)
}

fn read_roots(path: &PathBuf) -> std::result::Result<Vec<reqwest::Certificate>, BuildError> {
    let pem = std::fs::read(path).map_err(|source| BuildError::ReadCa {
        path: path.clone(),
        source,
    })?;
    let roots =
        reqwest::Certificate::from_pem_bundle(&pem).map_err(|source| BuildError::ParseCa {
            path: path.clone(),
            source,
        })?;
    if roots.is_empty() {
        return Err(BuildError::NoCertificate { path: path.clone() });
    }
    Ok(roots)
}

/// Names the product first in the user agent and refuses bodies without end.
#[derive(Debug)]
struct Bounded(reqwest::Client);

#[async_trait]
impl HttpClient for Bounded {
    async fn execute_request(&self, request: &Request) -> Result<AsyncRawResponse> {
        let mut request = request.clone();
        let agent = request
            .headers()
            .get_optional_str(&USER_AGENT)
            .map_or_else(|| PRODUCT.to_owned(), |sdk| format!("{PRODUCT} {sdk}"));
        request.insert_header(USER_AGENT, agent);
        let response = HttpClient::execute_request(&self.0, &request).await?;
        let (status, headers, body) = response.deconstruct();
        let mut left = MAX_BODY_BYTES;
        let bounded = body.map(move |chunk| {
            let chunk = chunk?;
            left = left.checked_sub(chunk.len()).ok_or_else(too_large)?;
            Ok(chunk)
        });
        // one error ends the stream
        let bounded = bounded.scan(false, |has_failed, chunk| {
            let item = (!*has_failed).then(|| {
                *has_failed = chunk.is_err();
                chunk
            });
            future::ready(item)
        });
        Ok(AsyncRawResponse::new(status, headers, Box::pin(bounded)))
    }
}

fn too_large() -> Error {
    Error::with_message(
        ErrorKind::DataConversion,
        format!("an answer of more than {MAX_BODY_BYTES} bytes"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(settings: &HttpSettings) -> std::result::Result<Http, BuildError> {
        Http::new(settings)
    }

    #[test]
    fn a_proxy_may_lack_its_scheme() {
        let http = build(&HttpSettings {
            https_proxy: Some("proxy.corp.example:3128".to_owned()),
            http_proxy: Some(String::new()),
            no_proxy: Some("localhost,10.0.0.0/8,.svc".to_owned()),
            ..HttpSettings::default()
        });
        assert!(http.is_ok(), "{http:?}");
    }

    #[test]
    fn settings_that_cannot_work_are_errors_that_name_them() {
        let dir = tempfile::tempdir().unwrap();
        let empty = dir.path().join("empty.pem");
        std::fs::write(&empty, "nothing here").unwrap();
        let with_ca = |path: PathBuf| HttpSettings {
            ca_file: Some(path),
            ..HttpSettings::default()
        };
        let cases = [
            (with_ca(dir.path().join("absent.pem")), "cannot read"),
            (with_ca(empty), "no PEM certificate"),
            (
                HttpSettings {
                    https_proxy: Some("http://[".to_owned()),
                    ..HttpSettings::default()
                },
                "HTTPS_PROXY",
            ),
        ];
        for (settings, want) in cases {
            let error = build(&settings).unwrap_err().to_string();
            assert!(error.contains(want), "{error}");
        }
    }
}
