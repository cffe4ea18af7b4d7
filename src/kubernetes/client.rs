//! How the process reaches the API server: by one client for everything, behind the write guard, and by
//! one without it for the Lease.

use std::time::Duration;

use hyper_util::client::proxy::matcher::Matcher;
use kube::client::ClientBuilder;
use kube::{Client, Config};
use tower::limit::RateLimitLayer;
use tower::timeout::TimeoutLayer;
use tower::util::option_layer;

use super::requests::CountRequests;
use super::write_guard::WriteGuard;
use crate::telemetry::RequestMetrics;

/// How long an answer may take to begin. The API server gives up a request after 60 s itself
/// (`--request-timeout`): who is silent longer does not hear us. A watch's answer begins at once.
const SILENCE: Duration = Duration::from_secs(90);

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither a kubeconfig nor an in-cluster configuration could be read.
    #[error(
        "failed to find the cluster: set KUBECONFIG, or run in a pod with a mounted service account"
    )]
    Infer(#[from] kube::config::InferConfigError),
    /// The configuration was read and no client can be built from it.
    #[error("failed to build a client for {url}")]
    Build {
        /// The API server.
        url: String,
        /// What failed.
        source: kube::Error,
    },
}

/// How to connect: by `KUBECONFIG`, then in-cluster.
///
/// kube compares `NO_PROXY` with the proxy's host instead of the API server's, so `no_proxy` (the
/// variable's text) is applied here. Its built-in retries are off: they hold a worker for up to
/// five minutes; the queue's backoff does the same without.
pub async fn config(no_proxy: Option<&str>) -> Result<Config, Error> {
    let mut config = Config::infer().await?;
    if is_direct(&config.cluster_url, no_proxy) {
        config.proxy_url = None;
    }
    config.default_retry = false;
    config.connect_timeout = Some(Duration::from_secs(10));
    Ok(config)
}

/// A client that writes while `guard` permits it and asks no more than `pace`; what it asks is counted, and
/// fails where nothing is answered within 90 s.
pub fn connect(
    config: Config,
    guard: &WriteGuard,
    pace: Option<RateLimitLayer>,
    metrics: &RequestMetrics,
) -> Result<Client, Error> {
    connect_within(SILENCE, config, guard, pace, metrics)
}

fn connect_within(
    silence: Duration,
    config: Config,
    guard: &WriteGuard,
    pace: Option<RateLimitLayer>,
    metrics: &RequestMetrics,
) -> Result<Client, Error> {
    let url = config.cluster_url.to_string();
    let counts = CountRequests::new(metrics.clone(), &config.cluster_url);
    let builder = ClientBuilder::try_from((config, guard.clone()));
    let builder = builder.map_err(|source| Error::Build { url, source })?;
    let builder = builder.with_layer(&TimeoutLayer::new(silence));
    // the guard is outside: what it refuses is not asked. Requests wait for the pace before they come to it.
    let builder = builder.with_layer(&counts).with_layer(guard);
    Ok(builder.with_layer(&option_layer(pace)).build())
}

fn is_direct(server: &http::Uri, no_proxy: Option<&str>) -> bool {
    let Some(no_proxy) = no_proxy else {
        return false;
    };
    let everything_but = Matcher::builder()
        .all("http://proxy.invalid")
        .no(no_proxy)
        .build();
    everything_but.intercept(server).is_none()
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;
    use crate::telemetry::Metrics;

    #[tokio::test]
    async fn a_server_that_never_answers_is_given_up() {
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = silent.local_addr().unwrap();
        let config = Config::new(format!("http://{address}").parse().unwrap());
        let metrics = Metrics::new().unwrap();
        let (guard, limit) = (WriteGuard::open(), Duration::from_millis(50));
        let client = connect_within(limit, config, &guard, None, &metrics.requests).unwrap();
        let error = client.apiserver_version().await.unwrap_err().to_string();
        assert!(error.contains("timed out"), "{error}");
        let counted = metrics.render().unwrap();
        assert!(counted.contains("code=\"<error>\""), "{counted}");
    }

    #[test]
    fn the_api_servers_own_host_decides_about_the_proxy() {
        let direct =
            |server: &'static str, no_proxy| is_direct(&http::Uri::from_static(server), no_proxy);
        assert!(direct(
            "https://127.0.0.1:6443",
            Some("127.0.0.1,localhost,.svc")
        ));
        assert!(direct("https://10.0.0.1", Some("localhost,10.0.0.0/24")));
        assert!(direct("https://kubernetes.default.svc", Some(".svc")));
        assert!(!direct(
            "https://api.example.com:6443",
            Some("127.0.0.1,.svc")
        ));
        assert!(!direct("https://api.example.com:6443", None));
    }
}
