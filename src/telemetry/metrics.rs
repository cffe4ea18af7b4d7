//! Metric families under ESO's names (ESO's page "Metrics"), so that
//! dashboards and alerts keep working. Durations are gauges in nanoseconds, as ESO's are.

use std::collections::BTreeMap;

use k8s_openapi::jiff::Timestamp;
use prometheus::process_collector::ProcessCollector;
use prometheus::{IntCounterVec, IntGaugeVec, TextEncoder};

use crate::api::kinds::{CLUSTER_SECRET_STORE, EXTERNAL_SECRET, SECRET_STORE};

use super::families::{Family, Registry, counter, gauge};
use super::objects::{ObjectMetrics, ObjectOptions};
use super::overdue::{Overdue, OverdueMetrics};
use super::requests::RequestMetrics;
use super::syncs::SyncMetrics;
use super::vaults::VaultMetrics;
use super::work::WorkMetrics;

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
    syncs: SyncMetrics,
    provider_calls: IntCounterVec,
    leader: IntGaugeVec,
}

impl Metrics {
    /// Registers all families in a registry of their own, with a series per object.
    pub fn new() -> Result<Self, prometheus::Error> {
        Self::with_objects(ObjectOptions::default())
    }

    /// Registers all families in a registry of their own.
    pub fn with_objects(objects: ObjectOptions) -> Result<Self, prometheus::Error> {
        let registry = Registry::default();
        registry.register(Box::new(ProcessCollector::for_self()))?;
        let stores = ObjectOptions {
            per_object: true,
            ..objects
        };
        let external_secret = ObjectMetrics::new(&registry, EXTERNAL_SECRET.controller, objects)?;
        let syncs = SyncMetrics::new(&registry, external_secret.labels.clone())?;
        Ok(Self {
            external_secret,
            secret_store: ObjectMetrics::new(&registry, SECRET_STORE.controller, stores)?,
            cluster_secret_store: ObjectMetrics::new(
                &registry,
                CLUSTER_SECRET_STORE.controller,
                stores,
            )?,
            syncs,
            provider_calls: counter(
                &registry,
                "externalsecret_provider_api_calls_count",
                "Calls to the provider's API",
                &["provider", "call", "status"],
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
        self.syncs.called(namespace, name);
    }

    /// One reconcile of ExternalSecret `namespace/name` failed.
    pub fn sync_failed(&self, namespace: &str, name: &str) {
        self.syncs.failed(namespace, name);
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
        self.syncs.set_expiry(namespace, name, at);
    }

    /// What labels an ExternalSecret has: its series bear some of them, where that is asked for.
    pub fn describe_external_secret(
        &self,
        namespace: &str,
        name: &str,
        labels: &BTreeMap<String, String>,
    ) {
        if self.external_secret.labels.is_news(namespace, name, labels) {
            self.syncs.remove(namespace, name);
            self.external_secret.describe(namespace, name, labels);
        }
    }

    /// Drops the series of an ExternalSecret that is gone.
    pub fn forget_external_secret(&self, namespace: &str, name: &str) {
        self.syncs.remove(namespace, name);
        self.external_secret.remove(namespace, name);
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
        self.work.refresh();
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
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
        metrics.forget_external_secret("netbox", "db");
        let text = metrics.render().unwrap();
        assert!(!text.contains("netbox"), "{text}");
    }
}
