//! The registry of metrics, which remembers what it holds: Prometheus' own tells nothing of a family before it has a
//! series. docs/metrics.md is made of it.

use std::sync::Arc;

use parking_lot::Mutex;
use prometheus::core::Collector;
use prometheus::proto::{MetricFamily, MetricType};
use prometheus::{IntCounterVec, IntGaugeVec, Opts};

/// A metric family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    /// Its name.
    pub name: String,
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// What it tells.
    pub help: String,
    /// Names of its labels, in their order.
    pub labels: Vec<String>,
}

/// A registry of Prometheus' and the families in it.
#[derive(Clone, Default)]
pub(super) struct Registry {
    inner: prometheus::Registry,
    families: Arc<Mutex<Vec<Family>>>,
}

impl Registry {
    /// Registers a collector.
    pub(super) fn register(&self, collector: Box<dyn Collector>) -> Result<(), prometheus::Error> {
        let kinds: Vec<&str> = collector.collect().iter().map(kind).collect();
        let described = collector.desc().into_iter().zip(kinds);
        let described: Vec<Family> = described
            .map(|(description, kind)| Family {
                name: description.fq_name.clone(),
                kind,
                help: description.help.clone(),
                labels: description.variable_labels.clone(),
            })
            .collect();
        self.inner.register(collector)?;
        let mut families = self.families.lock();
        families.extend(described);
        Ok(())
    }

    /// All series.
    pub(super) fn gather(&self) -> Vec<MetricFamily> {
        self.inner.gather()
    }

    /// All families, by name.
    pub(super) fn families(&self) -> Vec<Family> {
        let families = self.families.lock();
        let mut families = families.clone();
        families.sort_by(|one, other| one.name.cmp(&other.name));
        families
    }
}

fn kind(family: &MetricFamily) -> &'static str {
    match family.get_field_type() {
        MetricType::COUNTER => "counter",
        MetricType::GAUGE => "gauge",
        MetricType::HISTOGRAM => "histogram",
        MetricType::SUMMARY => "summary",
        MetricType::UNTYPED => "untyped",
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
    use super::super::Metrics;

    #[test]
    fn a_family_without_a_series_is_known() {
        let metrics = Metrics::new().unwrap();
        let families = metrics.families();
        let name = "externalsecret_provider_api_calls_count";
        assert!(!metrics.render().unwrap().contains(name));
        let found = families.iter().find(|family| family.name == name).unwrap();
        assert_eq!(found.kind, "counter");
        assert_eq!(found.labels, ["provider", "call", "status"]);
    }
}
