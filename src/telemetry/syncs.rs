//! What only ExternalSecrets have: reconciles, failures, and the end of what they read (ESO's page "Metrics"). A series per object, or sums.

use std::collections::HashMap;
use std::sync::Arc;

use k8s_openapi::jiff::Timestamp;
use parking_lot::Mutex;

use super::families::Registry;
use super::objects::{Labels, Object, key};
use super::series::Series;

/// The families.
#[derive(Clone, Debug)]
pub(super) struct SyncMetrics {
    calls: Series,
    errors: Series,
    expiry: Series,
    labels: Labels,
    /// The end of each, where they are summed up.
    ends: Arc<Mutex<HashMap<Object, i64>>>,
}

impl SyncMetrics {
    pub(super) fn new(registry: &Registry, labels: Labels) -> Result<Self, prometheus::Error> {
        let names = labels.names(&[]);
        let metrics = Self {
            calls: Series::counter(
                registry,
                "externalsecret_sync_calls_total",
                "Reconciles of an ExternalSecret, skips included",
                &names,
            )?,
            errors: Series::counter(
                registry,
                "externalsecret_sync_calls_error",
                "Failed reconciles of an ExternalSecret",
                &names,
            )?,
            expiry: Series::gauge(
                registry,
                "keyferry_externalsecret_expiry_timestamp_seconds",
                "When the first object of the vault that an ExternalSecret reads ends, in seconds since 1970",
                &names,
            )?,
            labels,
            ends: Arc::default(),
        };
        Ok(metrics)
    }

    pub(super) fn called(&self, namespace: &str, name: &str) {
        let values = self.labels.values(namespace, name, &[]);
        self.calls.add(&values, 1.0);
    }

    pub(super) fn failed(&self, namespace: &str, name: &str) {
        let values = self.labels.values(namespace, name, &[]);
        self.errors.add(&values, 1.0);
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "seconds since 1970 are far below 2^53"
    )]
    pub(super) fn set_expiry(&self, namespace: &str, name: &str, at: Option<Timestamp>) {
        let values = self.labels.values(namespace, name, &[]);
        let mut at = at.map(Timestamp::as_second);
        if self.labels.are_sums() {
            let mut ends = self.ends.lock();
            match at {
                Some(at) => ends.insert(key(namespace, name), at),
                None => ends.remove(&key(namespace, name)),
            };
            // the first end of all
            at = ends.values().min().copied();
        }
        match at {
            Some(at) => self.expiry.set(&values, at as f64),
            None => self.expiry.remove(&values),
        }
    }

    /// Drops the series of an object that is gone; sums stay.
    pub(super) fn remove(&self, namespace: &str, name: &str) {
        self.set_expiry(namespace, name, None);
        if !self.labels.are_sums() {
            let values = self.labels.values(namespace, name, &[]);
            // absent series are fine: it may never have failed
            self.calls.remove(&values);
            self.errors.remove(&values);
        }
    }
}
