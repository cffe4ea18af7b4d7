//! Metric families under ESO's names (spec: external-secrets.md 6, operations.md 3.1), so that
//! dashboards and alerts keep working. Durations are gauges in nanoseconds, as ESO's are.

use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use prometheus::core::Collector;
use prometheus::{GaugeVec, IntCounterVec, IntGaugeVec, Opts, TextEncoder};

use super::families::{Family, Registry};
use super::overdue::{Overdue, OverdueMetrics};
use super::requests::RequestMetrics;
use super::vaults::VaultMetrics;
use super::work::WorkMetrics;

const OBJECT: [&str; 2] = ["name", "namespace"];
const CONDITION: [&str; 4] = ["name", "namespace", "condition", "status"];

/// Every family of this process.
#[derive(Clone)]
pub struct Metrics {
    registry: Registry,
    /// `externalsecret_*`
    pub external_secret: ObjectMetrics,
    /// `secretstore_*`
    pub secret_store: ObjectMetrics,
    /// `clustersecretstore_*`
    pub cluster_secret_store: ObjectMetrics,
    /// Queues and workers.
    pub work: WorkMetrics,
    /// Requests to the API server.
    pub requests: RequestMetrics,
    /// `keyferry_vault_*`
    pub vaults: VaultMetrics,
    overdue: OverdueMetrics,
    sync_calls: IntCounterVec,
    sync_errors: IntCounterVec,
    provider_calls: IntCounterVec,
    expiry: IntGaugeVec,
    leader: IntGaugeVec,
}

/// The two families that each kind has.
#[derive(Clone)]
pub struct ObjectMetrics {
    condition: GaugeVec,
    duration: GaugeVec,
}

impl Metrics {
    /// Registers all families in a registry of their own.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::default();
        Ok(Self {
            external_secret: ObjectMetrics::new(&registry, "externalsecret")?,
            secret_store: ObjectMetrics::new(&registry, "secretstore")?,
            cluster_secret_store: ObjectMetrics::new(&registry, "clustersecretstore")?,
            sync_calls: counter(
                &registry,
                "externalsecret_sync_calls_total",
                "Reconciles of an ExternalSecret, skips included",
                &OBJECT,
            )?,
            sync_errors: counter(
                &registry,
                "externalsecret_sync_calls_error",
                "Failed reconciles of an ExternalSecret",
                &OBJECT,
            )?,
            provider_calls: counter(
                &registry,
                "externalsecret_provider_api_calls_count",
                "Calls to the provider's API",
                &["provider", "call", "status"],
            )?,
            expiry: gauge(
                &registry,
                "keyferry_externalsecret_expiry_timestamp_seconds",
                "When the first object of the vault that an ExternalSecret reads ends, in seconds since 1970",
                &OBJECT,
            )?,
            leader: gauge(
                &registry,
                "leader_election_master_status",
                "1 for the leader",
                &["name"],
            )?,
            work: WorkMetrics::new(&registry)?,
            requests: RequestMetrics::new(&registry)?,
            vaults: VaultMetrics::new(&registry)?,
            overdue: OverdueMetrics::new(&registry)?,
            registry,
        })
    }

    /// One reconcile of ExternalSecret `namespace/name` began.
    pub fn sync_called(&self, namespace: &str, name: &str) {
        self.sync_calls.with_label_values(&[name, namespace]).inc();
    }

    /// One reconcile of ExternalSecret `namespace/name` failed.
    pub fn sync_failed(&self, namespace: &str, name: &str) {
        self.sync_errors.with_label_values(&[name, namespace]).inc();
    }

    /// One call to a provider's API ended.
    pub fn provider_called(&self, provider: &str, call: &str, succeeded: bool) {
        let status = if succeeded { "success" } else { "error" };
        self.provider_calls
            .with_label_values(&[provider, call, status])
            .inc();
    }

    /// When the first object that ExternalSecret `namespace/name` reads ends; `None`: none does.
    pub fn set_expiry(&self, namespace: &str, name: &str, at: Option<Timestamp>) {
        let labels = [name, namespace];
        match at {
            Some(at) => self.expiry.with_label_values(&labels).set(at.as_second()),
            None => drop(self.expiry.remove_label_values(&labels)),
        }
    }

    /// Whether this process holds the Lease `name`.
    pub fn set_leader(&self, name: &str, leads: bool) {
        self.leader.with_label_values(&[name]).set(leads.into());
    }

    /// Every family, also those without a series yet.
    pub fn families(&self) -> Vec<Family> {
        self.registry.families()
    }

    /// Whom to ask, whenever metrics are read, how late ExternalSecrets are. The first counts.
    pub fn ask_overdue(&self, of: impl Fn() -> Overdue + Send + Sync + 'static) {
        self.overdue.ask(of);
    }

    /// The text exposition format.
    pub fn render(&self) -> Result<String, prometheus::Error> {
        self.overdue.refresh();
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}

impl ObjectMetrics {
    fn new(registry: &Registry, kind: &str) -> Result<Self, prometheus::Error> {
        let gauge = |suffix: &str, help: &str, labels: &[&str]| {
            register(
                registry,
                GaugeVec::new(Opts::new(format!("{kind}_{suffix}"), help), labels)?,
            )
        };
        Ok(Self {
            condition: gauge("status_condition", "1 for the present status", &CONDITION)?,
            duration: gauge(
                "reconcile_duration",
                "Last reconcile in nanoseconds",
                &OBJECT,
            )?,
        })
    }

    /// Sets the Ready series of one object; `namespace` is empty for cluster-scoped kinds.
    pub fn set_ready(&self, namespace: &str, name: &str, is_ready: bool) {
        self.set_condition("Ready", namespace, name, is_ready);
    }

    /// Sets the Reachable series of a store.
    pub fn set_reachable(&self, namespace: &str, name: &str, is_reachable: bool) {
        self.set_condition("Reachable", namespace, name, is_reachable);
    }

    fn set_condition(&self, condition: &str, namespace: &str, name: &str, is_true: bool) {
        for (status, holds) in [("True", is_true), ("False", !is_true)] {
            let labels = [name, namespace, condition, status];
            let series = self.condition.with_label_values(&labels);
            series.set(f64::from(u8::from(holds)));
        }
    }

    /// Notes how long the last reconcile took.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a gauge is a double; ESO's is too"
    )]
    pub fn set_duration(&self, namespace: &str, name: &str, took: Duration) {
        self.duration
            .with_label_values(&[name, namespace])
            .set(took.as_nanos() as f64);
    }

    /// Drops the series of an object that is gone.
    pub fn remove(&self, namespace: &str, name: &str) {
        for status in ["True", "False"] {
            for condition in ["Ready", "Reachable"] {
                // absent series are fine: the object may never have had a status
                let labels = [name, namespace, condition, status];
                let _ = self.condition.remove_label_values(&labels);
            }
        }
        let _ = self.duration.remove_label_values(&[name, namespace]);
    }
}

pub(super) fn gauge(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> Result<IntGaugeVec, prometheus::Error> {
    register(registry, IntGaugeVec::new(Opts::new(name, help), labels)?)
}

pub(super) fn counter(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> Result<IntCounterVec, prometheus::Error> {
    register(registry, IntCounterVec::new(Opts::new(name, help), labels)?)
}

pub(super) fn register<C: Collector + Clone + 'static>(
    registry: &Registry,
    collector: C,
) -> Result<C, prometheus::Error> {
    registry.register(Box::new(collector.clone()))?;
    Ok(collector)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_labels_are_esos() {
        let metrics = Metrics::new().unwrap();
        metrics.sync_called("netbox", "db");
        metrics.sync_failed("netbox", "db");
        metrics.provider_called("Azure/KeyVault", "GetSecret", false);
        metrics.external_secret.set_ready("netbox", "db", true);
        metrics.set_leader("external-secrets-controller", true);
        let text = metrics.render().unwrap();
        for line in [
            r#"leader_election_master_status{name="external-secrets-controller"} 1"#,
            r#"externalsecret_sync_calls_total{name="db",namespace="netbox"} 1"#,
            r#"externalsecret_sync_calls_error{name="db",namespace="netbox"} 1"#,
            r#"externalsecret_provider_api_calls_count{call="GetSecret",provider="Azure/KeyVault",status="error"} 1"#,
            r#"externalsecret_status_condition{condition="Ready",name="db",namespace="netbox",status="True"} 1"#,
            r#"externalsecret_status_condition{condition="Ready",name="db",namespace="netbox",status="False"} 0"#,
        ] {
            assert!(
                text.lines().any(|have| have == line),
                "{line} is not in:\n{text}"
            );
        }
        metrics.external_secret.remove("netbox", "db");
        assert!(
            !metrics
                .render()
                .unwrap()
                .contains("externalsecret_status_condition{")
        );
    }
}
