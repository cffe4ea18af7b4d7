//! `/metrics` on one address, `/healthz` and `/readyz` on another, as ESO has them. Who may read, and by
//! which TLS, is known to `access` and `tls`.

use std::net::SocketAddr;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Router, middleware};
use kube::Client;
use tokio::net::TcpListener;
use tower::limit::ConcurrencyLimitLayer;

use super::access::{self, MetricsAuthorizer};
use super::tls::{Certificate, TlsListener};
use crate::lifecycle::Readiness;
use crate::telemetry::Metrics;

/// Requests at a time about which the API server is asked, at most.
const REVIEWS: usize = 4;

/// Why an admin server does not run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The address is not one.
    #[error("{flag} {text:?} is not an address; write HOST:PORT, :PORT, or 0 for none")]
    Address {
        /// The flag.
        flag: &'static str,
        /// What it says.
        text: String,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {flag} {address}")]
    Listen {
        /// The flag.
        flag: &'static str,
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}

/// Reads Go's notation of an address to listen on: `:8080` is every interface, `0` is none.
pub(crate) fn address(flag: &'static str, text: &str) -> Result<Option<SocketAddr>, Error> {
    if text == "0" {
        return Ok(None);
    }
    let full = match text.strip_prefix(':') {
        Some(port) => format!("0.0.0.0:{port}"),
        None => text.replace("localhost:", "127.0.0.1:"),
    };
    let parsed = full.parse();
    parsed.map(Some).map_err(|_| Error::Address {
        flag,
        text: text.to_owned(),
    })
}

/// A server that was bound and runs once polled.
pub(crate) struct Server {
    listener: TcpListener,
    certificate: Option<Certificate>,
    router: Router,
}

/// What keeps strangers from a server.
#[derive(Default)]
pub(crate) struct MetricsSecurity {
    /// It speaks TLS, and shows this.
    pub certificate: Option<Certificate>,
    /// It asks this API server who may read.
    pub reviews: Option<Client>,
}

impl Server {
    /// `/metrics`, behind `security`.
    pub(crate) async fn metrics(
        address: SocketAddr,
        metrics: Metrics,
        security: MetricsSecurity,
    ) -> Result<Self, Error> {
        let mut router = Router::new()
            .route("/metrics", get(exposition))
            .with_state(metrics);
        if let Some(client) = security.reviews {
            router = router
                .layer(middleware::from_fn_with_state(
                    MetricsAuthorizer::new(client),
                    access::check,
                ))
                .layer(ConcurrencyLimitLayer::new(REVIEWS));
        }
        let mut server = Self::bind("--metrics-addr", address, router).await?;
        server.certificate = security.certificate;
        Ok(server)
    }

    /// `/healthz` (the process runs) and `/readyz` (leader or standby with filled caches, or why not).
    pub(crate) async fn health(address: SocketAddr, readiness: Readiness) -> Result<Self, Error> {
        let router = Router::new()
            .route("/healthz", get(|| async { "ok" }))
            .route("/readyz", get(ready))
            .with_state(readiness);
        Self::bind("--live-addr", address, router).await
    }

    async fn bind(flag: &'static str, address: SocketAddr, router: Router) -> Result<Self, Error> {
        let listener = TcpListener::bind(address).await;
        let listener = listener.map_err(|source| Error::Listen {
            flag,
            address,
            source,
        })?;
        Ok(Self {
            listener,
            certificate: None,
            router,
        })
    }

    /// Answers for as long as it is polled: the probes are asked to the very end.
    pub(crate) async fn run(self) -> std::io::Result<()> {
        match self.certificate {
            None => axum::serve(self.listener, self.router).await,
            Some(certificate) => {
                let listener = TlsListener::new(self.listener, certificate);
                axum::serve(listener, self.router).await
            }
        }
    }
}

async fn exposition(State(metrics): State<Metrics>) -> Result<String, StatusCode> {
    metrics.render().map_err(|error| {
        tracing::error!(%error, "metrics cannot be rendered");
        StatusCode::INTERNAL_SERVER_ERROR
    })
}

async fn ready(State(readiness): State<Readiness>) -> (StatusCode, String) {
    match readiness.problem() {
        None => (StatusCode::OK, readiness.role().to_owned()),
        Some(problem) => (StatusCode::SERVICE_UNAVAILABLE, problem),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_as_in_go() {
        let parse = |text| address("--metrics-addr", text);
        assert_eq!(parse(":8080").unwrap().unwrap().to_string(), "0.0.0.0:8080");
        assert_eq!(
            parse("127.0.0.1:1").unwrap().unwrap().to_string(),
            "127.0.0.1:1"
        );
        assert_eq!(
            parse("localhost:1").unwrap().unwrap().to_string(),
            "127.0.0.1:1"
        );
        assert_eq!(parse("[::1]:1").unwrap().unwrap().to_string(), "[::1]:1");
        assert!(parse("0").unwrap().is_none());
        assert_eq!(
            parse("8080").unwrap_err().to_string(),
            r#"--metrics-addr "8080" is not an address; write HOST:PORT, :PORT, or 0 for none"#
        );
    }
}
