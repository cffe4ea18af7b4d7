//! Requests to the API server, by client-go's name and labels (client-go's metrics).

use prometheus::IntCounterVec;

use super::families::{Registry, counter};

/// The family.
#[derive(Clone, Debug)]
pub struct RequestMetrics(IntCounterVec);

impl RequestMetrics {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let family = counter(
            registry,
            "rest_client_requests_total",
            "Requests to the API server by status code (<error>: no answer), method and host",
            &["code", "method", "host"],
        );
        family.map(Self)
    }

    /// A request was answered with this status code; `None`: it was not.
    pub fn answered(&self, code: Option<u16>, method: &str, host: &str) {
        let code = code.map_or_else(|| "<error>".to_owned(), |code| code.to_string());
        self.0.with_label_values(&[&code, method, host]).inc();
    }
}
