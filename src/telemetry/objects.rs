//! The families that each kind has, a series per object or their sum, and the labels by which objects
//! are told apart (ESO's page "Metrics").

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::families::Registry;
use super::series::Series;

/// `app.kubernetes.io/NAME` of an object becomes `app_kubernetes_io_NAME` of its series.
const EXTENDED: [(&str, &str); 6] = [
    ("app.kubernetes.io/name", "app_kubernetes_io_name"),
    ("app.kubernetes.io/instance", "app_kubernetes_io_instance"),
    ("app.kubernetes.io/version", "app_kubernetes_io_version"),
    ("app.kubernetes.io/component", "app_kubernetes_io_component"),
    ("app.kubernetes.io/part-of", "app_kubernetes_io_part_of"),
    (
        "app.kubernetes.io/managed-by",
        "app_kubernetes_io_managed_by",
    ),
];

/// What of objects is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectOptions {
    /// `--metrics-per-object`: ExternalSecrets have series of their own; else there are sums.
    pub per_object: bool,
    /// `--enable-extended-metric-labels`: series bear the recommended labels of their objects.
    pub extended_labels: bool,
}

impl Default for ObjectOptions {
    fn default() -> Self {
        Self {
            per_object: true,
            extended_labels: false,
        }
    }
}

/// Namespace and name.
pub(super) type Object = (String, String);

/// Label names and values of one kind's series. Cloning it gives another hold of the same.
#[derive(Clone, Debug)]
pub(super) struct Labels {
    options: ObjectOptions,
    extended: Arc<Mutex<HashMap<Object, [String; EXTENDED.len()]>>>,
}

impl Labels {
    pub(super) fn new(options: ObjectOptions) -> Self {
        Self {
            options,
            extended: Arc::default(),
        }
    }

    /// Whether there are sums only.
    pub(super) fn are_sums(&self) -> bool {
        !self.options.per_object
    }

    pub(super) fn names<'a>(&self, more: &[&'a str]) -> Vec<&'a str> {
        let mut names = vec!["name", "namespace"];
        names.extend(more);
        if self.options.extended_labels {
            names.extend(EXTENDED.map(|(_, label)| label));
        }
        names
    }

    /// Sums have no name: an empty label is none.
    pub(super) fn values(&self, namespace: &str, name: &str, more: &[&str]) -> Vec<String> {
        let (namespace, name) = if self.are_sums() {
            ("", "")
        } else {
            (namespace, name)
        };
        let mut values = vec![name.to_owned(), namespace.to_owned()];
        values.extend(more.iter().map(|&value| value.to_owned()));
        if self.options.extended_labels {
            let key = (namespace.to_owned(), name.to_owned());
            values.extend(self.extended.lock().get(&key).cloned().unwrap_or_default());
        }
        values
    }

    /// Whether `labels` of an object differ from what its series bear, where they bear any.
    pub(super) fn is_news(
        &self,
        namespace: &str,
        name: &str,
        labels: &BTreeMap<String, String>,
    ) -> bool {
        self.options.extended_labels
            && !self.are_sums()
            && self.extended.lock().get(&key(namespace, name)) != Some(&extended(labels))
    }

    pub(super) fn note(&self, namespace: &str, name: &str, labels: &BTreeMap<String, String>) {
        self.extended
            .lock()
            .insert(key(namespace, name), extended(labels));
    }

    pub(super) fn forget(&self, namespace: &str, name: &str) {
        self.extended.lock().remove(&key(namespace, name));
    }
}

pub(super) fn key(namespace: &str, name: &str) -> Object {
    (namespace.to_owned(), name.to_owned())
}

fn extended(labels: &BTreeMap<String, String>) -> [String; EXTENDED.len()] {
    EXTENDED.map(|(label, _)| labels.get(label).cloned().unwrap_or_default())
}

/// The two families that each kind has.
#[derive(Clone, Debug)]
pub struct ObjectMetrics {
    condition: Series,
    duration: Series,
    pub(super) labels: Labels,
    /// Which objects are ready, where they are summed up.
    ready: Arc<Mutex<HashMap<Object, bool>>>,
}

impl ObjectMetrics {
    pub(super) fn new(
        registry: &Registry,
        kind: &str,
        options: ObjectOptions,
    ) -> Result<Self, prometheus::Error> {
        let labels = Labels::new(options);
        let gauge = |suffix: &str, help: &str, more: &[&str]| {
            let name = format!("{kind}_{suffix}");
            Series::gauge(registry, &name, help, &labels.names(more))
        };
        let metrics = Self {
            condition: gauge(
                "status_condition",
                "1 for the present status",
                &["condition", "status"],
            )?,
            duration: gauge("reconcile_duration", "Last reconcile in nanoseconds", &[])?,
            labels,
            ready: Arc::default(),
        };
        if metrics.labels.are_sums() {
            for status in ["True", "False"] {
                let values = metrics.labels.values("", "", &["Ready", status]);
                metrics.condition.set(&values, 0.0);
            }
        }
        Ok(metrics)
    }

    /// What labels an object has: its series bear some of them, where that is asked for.
    pub fn describe(&self, namespace: &str, name: &str, labels: &BTreeMap<String, String>) {
        if self.labels.is_news(namespace, name, labels) {
            self.remove(namespace, name);
            self.labels.note(namespace, name, labels);
        }
    }

    /// Sets the Ready series of one object; `namespace` is empty for cluster-scoped kinds.
    pub fn set_ready(&self, namespace: &str, name: &str, is_ready: bool) {
        if self.labels.are_sums() {
            self.count_ready(namespace, name, Some(is_ready));
        } else {
            self.set_condition("Ready", namespace, name, is_ready);
        }
    }

    /// Sets the Reachable series of a store.
    pub fn set_reachable(&self, namespace: &str, name: &str, is_reachable: bool) {
        self.set_condition("Reachable", namespace, name, is_reachable);
    }

    fn set_condition(&self, condition: &str, namespace: &str, name: &str, is_true: bool) {
        for (status, holds) in [("True", is_true), ("False", !is_true)] {
            let values = self.labels.values(namespace, name, &[condition, status]);
            self.condition.set(&values, f64::from(u8::from(holds)));
        }
    }

    /// An object counts as ready, as not ready, or (`None`) no longer.
    fn count_ready(&self, namespace: &str, name: &str, is_ready: Option<bool>) {
        let mut ready = self.ready.lock();
        let key = key(namespace, name);
        let before = match is_ready {
            Some(is_ready) => ready.insert(key, is_ready),
            None => ready.remove(&key),
        };
        for (status, counted) in [("True", true), ("False", false)] {
            let count = |is_ready: Option<bool>| f64::from(u8::from(is_ready == Some(counted)));
            let values = self.labels.values(namespace, name, &["Ready", status]);
            self.condition.add(&values, count(is_ready) - count(before));
        }
    }

    /// Notes how long the last reconcile took. There is no sum of that.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a gauge is a double; ESO's is too"
    )]
    pub fn set_duration(&self, namespace: &str, name: &str, took: Duration) {
        if !self.labels.are_sums() {
            let values = self.labels.values(namespace, name, &[]);
            self.duration.set(&values, took.as_nanos() as f64);
        }
    }

    /// Drops the series of an object that is gone.
    pub fn remove(&self, namespace: &str, name: &str) {
        if self.labels.are_sums() {
            self.count_ready(namespace, name, None);
            return;
        }
        for status in ["True", "False"] {
            for condition in ["Ready", "Reachable"] {
                // absent series are fine: the object may never have had a status
                let values = self.labels.values(namespace, name, &[condition, status]);
                self.condition.remove(&values);
            }
        }
        let values = self.labels.values(namespace, name, &[]);
        self.duration.remove(&values);
        self.labels.forget(namespace, name);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Metrics;
    use super::*;

    fn told(options: ObjectOptions, of: impl Fn(&Metrics)) -> Vec<String> {
        let metrics = Metrics::with_objects(options).unwrap();
        of(&metrics);
        let text = metrics.render().unwrap();
        let lines = text.lines().filter(|line| {
            [
                "externalsecret_",
                "secretstore_",
                "keyferry_externalsecret_expiry",
            ]
            .iter()
            .any(|start| line.starts_with(start))
        });
        lines.map(str::to_owned).collect()
    }

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = |(label, value): &(&str, &str)| ((*label).to_owned(), (*value).to_owned());
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn extended_labels_are_those_of_the_object_and_change_with_them() {
        let options = ObjectOptions {
            extended_labels: true,
            ..ObjectOptions::default()
        };
        let lines = told(options, |metrics| {
            metrics.sync_called("n", "plain");
            let first = labels(&[("app.kubernetes.io/name", "shop"), ("name", "odd")]);
            metrics.describe_external_secret("n", "db", &first);
            metrics.sync_called("n", "db");
            let then = labels(&[("app.kubernetes.io/part-of", "shop")]);
            metrics.describe_external_secret("n", "db", &then);
            metrics.sync_called("n", "db");
            metrics.sync_called("n", "db");
            metrics.secret_store.describe("n", "kv", &first);
            let took = Duration::from_nanos(5);
            metrics.secret_store.set_duration("n", "kv", took);
        });
        let line = |family: &str, set: &str, object: &str, value: &str| {
            let labels: Vec<_> = [
                "component",
                "instance",
                "managed_by",
                "name",
                "part_of",
                "version",
            ]
            .map(|label| {
                let value = if label == set { "shop" } else { "" };
                format!("app_kubernetes_io_{label}=\"{value}\"")
            })
            .to_vec();
            let labels = labels.join(",");
            format!("{family}{{{labels},name=\"{object}\",namespace=\"n\"}} {value}")
        };
        assert_eq!(
            lines,
            [
                line("externalsecret_sync_calls_total", "", "plain", "1"),
                line("externalsecret_sync_calls_total", "part_of", "db", "2"),
                line("secretstore_reconcile_duration", "name", "kv", "5"),
            ]
        );
    }

    #[test]
    fn sums_count_objects_and_name_none() {
        let options = ObjectOptions {
            per_object: false,
            ..ObjectOptions::default()
        };
        let lines = told(options, |metrics| {
            for (name, is_ready, end) in [("a", true, 300), ("b", true, 200), ("c", false, 400)] {
                metrics.sync_called("n", name);
                metrics.external_secret.set_ready("n", name, is_ready);
                let end = k8s_openapi::jiff::Timestamp::from_second(end).unwrap();
                metrics.set_expiry("n", name, Some(end));
                metrics
                    .external_secret
                    .set_duration("n", name, Duration::from_secs(1));
            }
            metrics.sync_failed("n", "c");
            metrics.external_secret.set_ready("n", "a", false);
            metrics.forget_external_secret("n", "b");
            metrics.secret_store.set_ready("n", "kv", true);
        });
        assert_eq!(
            lines,
            [
                r#"externalsecret_status_condition{condition="Ready",name="",namespace="",status="False"} 2"#,
                r#"externalsecret_status_condition{condition="Ready",name="",namespace="",status="True"} 0"#,
                r#"externalsecret_sync_calls_error{name="",namespace=""} 1"#,
                r#"externalsecret_sync_calls_total{name="",namespace=""} 3"#,
                r#"keyferry_externalsecret_expiry_timestamp_seconds{name="",namespace=""} 300"#,
                r#"secretstore_status_condition{condition="Ready",name="kv",namespace="n",status="False"} 0"#,
                r#"secretstore_status_condition{condition="Ready",name="kv",namespace="n",status="True"} 1"#,
            ]
        );
    }
}
