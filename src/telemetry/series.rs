//! A family with a series per object, kept small: its own name, help and label names stand once, and a series is
//! its label values and a number. (A series of the prometheus crate's own vectors takes some 800 bytes, of which a
//! cluster of 10,000 objects would have 50,000.)

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use prometheus::core::{Collector, Desc};
use prometheus::proto::{Counter, Gauge, LabelPair, Metric, MetricFamily, MetricType};

use super::families::Registry;

/// Stands between label values, none of which has it: they are names of objects, and words of ours.
const BETWEEN: char = '\0';

/// The family; a clone is another hold of the same.
#[derive(Clone, Debug)]
pub(super) struct Series(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    kind: SeriesKind,
    description: Desc,
    values: Mutex<HashMap<Box<str>, f64>>,
}

#[derive(Clone, Copy, Debug)]
enum SeriesKind {
    Counter,
    Gauge,
}

impl Series {
    /// A family of numbers that go up and down.
    pub(super) fn gauge(
        registry: &Registry,
        name: &str,
        help: &str,
        labels: &[&str],
    ) -> Result<Self, prometheus::Error> {
        Self::register(registry, SeriesKind::Gauge, name, help, labels)
    }

    /// A family of numbers that only grow.
    pub(super) fn counter(
        registry: &Registry,
        name: &str,
        help: &str,
        labels: &[&str],
    ) -> Result<Self, prometheus::Error> {
        Self::register(registry, SeriesKind::Counter, name, help, labels)
    }

    fn register(
        registry: &Registry,
        kind: SeriesKind,
        name: &str,
        help: &str,
        labels: &[&str],
    ) -> Result<Self, prometheus::Error> {
        let labels = labels.iter().map(|&label| label.to_owned()).collect();
        let description = Desc::new(name.to_owned(), help.to_owned(), labels, HashMap::new())?;
        let series = Self(Arc::new(Inner {
            kind,
            description,
            values: Mutex::default(),
        }));
        registry.register(Box::new(series.clone()))?;
        Ok(series)
    }

    /// Sets the series with these label values.
    pub(super) fn set(&self, labels: &[String], value: f64) {
        self.0.values.lock().insert(key(labels), value);
    }

    /// Adds to it; one that there was not began at zero.
    pub(super) fn add(&self, labels: &[String], value: f64) {
        *self.0.values.lock().entry(key(labels)).or_default() += value;
    }

    /// Drops it, where there is one.
    pub(super) fn remove(&self, labels: &[String]) {
        self.0.values.lock().remove(&key(labels));
    }

    fn metric(&self, key: &str, value: f64) -> Metric {
        let names = &self.0.description.variable_labels;
        let pairs = names.iter().zip(key.split(BETWEEN)).map(|(name, value)| {
            let mut pair = LabelPair::default();
            pair.set_name(name.clone());
            pair.set_value(value.to_owned());
            pair
        });
        let mut pairs: Vec<LabelPair> = pairs.collect();
        pairs.sort();
        let mut metric = Metric::from_label(pairs);
        match self.0.kind {
            SeriesKind::Counter => {
                let mut counter = Counter::default();
                counter.set_value(value);
                metric.set_counter(counter);
            }
            SeriesKind::Gauge => {
                let mut gauge = Gauge::default();
                gauge.set_value(value);
                metric.set_gauge(gauge);
            }
        }
        metric
    }
}

fn key(labels: &[String]) -> Box<str> {
    let mut key = String::with_capacity(labels.iter().map(|label| label.len() + 1).sum());
    for (index, label) in labels.iter().enumerate() {
        if index > 0 {
            key.push(BETWEEN);
        }
        key.push_str(label);
    }
    key.into_boxed_str()
}

impl Collector for Series {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.0.description]
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let mut family = MetricFamily::default();
        family.set_name(self.0.description.fq_name.clone());
        family.set_help(self.0.description.help.clone());
        family.set_field_type(match self.0.kind {
            SeriesKind::Counter => MetricType::COUNTER,
            SeriesKind::Gauge => MetricType::GAUGE,
        });
        let values = self.0.values.lock();
        let metrics = values.iter().map(|(key, value)| self.metric(key, *value));
        family.set_metric(metrics.collect());
        vec![family]
    }
}

#[cfg(test)]
mod tests {
    use prometheus::TextEncoder;

    use super::*;

    fn shown(registry: &Registry) -> String {
        TextEncoder::new()
            .encode_to_string(&registry.gather())
            .unwrap()
    }

    #[test]
    fn series_are_told_as_prometheus_tells_them() {
        let registry = Registry::default();
        let labels = ["name", "namespace"];
        let calls = Series::counter(&registry, "calls_total", "Calls", &labels).unwrap();
        let app = ["app".to_owned(), "team".to_owned()];
        calls.add(&app, 1.0);
        calls.add(&app, 1.0);
        calls.add(&[String::new(), String::new()], 5.0);
        let text = "# HELP calls_total Calls\n# TYPE calls_total counter\n\
                    calls_total{name=\"\",namespace=\"\"} 5\n\
                    calls_total{name=\"app\",namespace=\"team\"} 2\n";
        assert_eq!(shown(&registry), text);
        let gauge = Series::gauge(&registry, "took", "Length", &["name"]).unwrap();
        gauge.set(&["a\"b".to_owned()], 0.5);
        assert!(shown(&registry).contains("# TYPE took gauge\ntook{name=\"a\\\"b\"} 0.5\n"));
        calls.remove(&app);
        gauge.remove(&["a\"b".to_owned()]);
        gauge.remove(&["other".to_owned()]);
        let left = shown(&registry);
        assert!(!left.contains("app") && !left.contains("took"), "{left}");
    }

    #[test]
    fn a_name_is_registered_once() {
        let registry = Registry::default();
        Series::gauge(&registry, "took", "Length", &["name"]).unwrap();
        Series::gauge(&registry, "took", "Length", &["name"]).unwrap_err();
        Series::gauge(&registry, "other", "Length", &["not a label"]).unwrap_err();
    }
}
