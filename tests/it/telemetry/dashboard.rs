//! The dashboard that ESO ships shows data in every panel, with one ExternalSecret in sync and one that
//! fails. A selector has data where a series of /metrics fits it; what Prometheus computes of the series is
//! Prometheus'.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;
use serde::Deserialize;

use super::corner::Corner;
use super::exposition::{Exposition, Sample};
use crate::support::run;

/// The metrics Service of a release named as ESO's is: a `ServiceMonitor` makes a label of it.
const SERVICE: &str = "external-secrets-metrics";

#[derive(Debug, Deserialize)]
struct Dashboard {
    panel: Vec<Panel>,
}

#[derive(Debug, Deserialize)]
struct Panel {
    row: String,
    title: String,
    expr: String,
    /// Why it has nothing to show.
    absent: Option<String>,
}

/// What an expression reads: a family, and what its labels must be.
#[derive(Debug)]
struct Selector {
    family: String,
    matchers: Vec<(String, Regex)>,
}

impl Selector {
    fn fits(&self, sample: &Sample) -> bool {
        let value = |label: &str| match label {
            "service" => SERVICE,
            other => sample.labels.get(other).map_or("", String::as_str),
        };
        sample.name == self.family
            && self
                .matchers
                .iter()
                .all(|(label, wanted)| wanted.is_match(value(label)))
    }
}

/// The selectors of an expression of this dashboard, which has `=` and `=~` only and a range or labels on
/// each.
fn selectors(expr: &str, controllers: &str) -> Vec<Selector> {
    let expr = expr.replace("$controller", controllers);
    let selector = Regex::new(r"([a-z][a-z0-9_]*)(?:\{([^}]*)\}|\[)").unwrap();
    let matcher = Regex::new(r#"([a-z_]+)(=~?)"([^"]*)""#).unwrap();
    let found = selector.captures_iter(&expr).map(|found| {
        let labels = found.get(2).map_or("", |labels| labels.as_str());
        let matchers = matcher.captures_iter(labels).map(|it| {
            let wanted = match &it[2] {
                // a panel is repeated for each controller
                "=" if it[3] != *controllers => regex::escape(&it[3]),
                _ => it[3].to_owned(),
            };
            let wanted = Regex::new(&format!("^(?:{wanted})$")).unwrap();
            (it[1].to_owned(), wanted)
        });
        Selector {
            family: found[1].to_owned(),
            matchers: matchers.collect(),
        }
    });
    found.collect()
}

/// The dashboard's variable of this name, all of it.
fn controllers(metrics: &Exposition) -> String {
    let workers = metrics.series("controller_runtime_active_workers", &[]);
    let names: BTreeSet<_> = workers
        .iter()
        .map(|sample| sample.labels["controller"].as_str())
        .collect();
    assert_eq!(names.len(), 3, "{names:?}");
    Vec::from_iter(names).join("|")
}

#[test]
fn every_panel_of_esos_dashboard_has_data() {
    let dashboard: Dashboard = toml::from_str(include_str!("eso-dashboard.toml")).unwrap();
    run(async {
        let corner = Corner::new("dashboard", &[]).await;
        corner.good_and_bad().await;
        let metrics = corner.metrics().await;
        let controllers = controllers(&metrics);
        let mut shown = BTreeMap::new();
        for panel in &dashboard.panel {
            let title = format!("{}: {}", panel.row, panel.title);
            let selectors = selectors(&panel.expr, &controllers);
            assert!(!selectors.is_empty(), "{title}");
            let without: Vec<_> = selectors
                .iter()
                .filter(|selector| !metrics.samples.iter().any(|sample| selector.fits(sample)))
                .collect();
            // an exception that is none is noticed too
            assert_eq!(
                without.is_empty(),
                panel.absent.is_none(),
                "{title}: no series for {without:?}"
            );
            *shown.entry(panel.absent.is_some()).or_insert(0) += 1;
        }
        assert_eq!(shown, BTreeMap::from([(false, 17), (true, 8)]));
        let failing = [("condition", "Ready"), ("status", "False")];
        let failing = metrics.series("externalsecret_status_condition", &failing);
        let failing = failing.iter().filter(|sample| sample.value > 0.0);
        let names: Vec<_> = failing
            .map(|sample| sample.labels["name"].as_str())
            .collect();
        assert_eq!(names, ["bad"]);
    });
}

#[test]
fn selectors_are_found_in_expressions() {
    let expr =
        r#"sum(increase(a_total{x=~"a.*",controller="$controller"}[1m])) by (le) / b_count[5m]"#;
    let found = selectors(expr, "p|q");
    assert_eq!(found.len(), 2, "{found:?}");
    let sample = |name: &str, x: &str, controller: &str| Sample {
        name: name.to_owned(),
        labels: BTreeMap::from([
            ("x".to_owned(), x.to_owned()),
            ("controller".to_owned(), controller.to_owned()),
        ]),
        value: 0.0,
    };
    assert!(found[0].fits(&sample("a_total", "abc", "q")));
    assert!(!found[0].fits(&sample("a_total", "ba", "q")));
    assert!(!found[0].fits(&sample("a_total", "a", "r")));
    assert!(found[1].fits(&sample("b_count", "", "")));
}
