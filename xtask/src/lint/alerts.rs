//! The chart's alerts as Prometheus sees them: promtool checks the rules that Helm renders and runs the unit tests
//! beside the chart's own. Knows no alert.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use testbed::assets::{self, Linters};

use crate::chart::helm::{self, Helm, Release, run as run_tool};

/// The unit tests, below the chart.
const TESTS: &str = "tests/alerts.yaml";

/// Checks and tests the alerts and says how many there are.
///
/// # Errors
/// promtool refuses the rules, a test fails, or an alert lacks a test.
pub(super) fn check(found: &Linters) -> Result<String> {
    let helm = assets::helm(&assets::to_stderr)?;
    let rendered = Helm::third(&helm).template(
        Release::KEYFERRY,
        &[
            "--show-only=templates/prometheusrule.yaml",
            "--set=prometheusRule.enabled=true,prometheusRule.renderMode=alwaysRender",
        ],
    )?;
    let rule: Value = serde_saphyr::from_str(&rendered).context("read the PrometheusRule")?;
    let tests = helm::read(TESTS)?;
    let alerts = names(&rule["spec"])?;
    let without = untested(&alerts, &serde_saphyr::from_str(&tests)?);
    ensure!(without.is_empty(), "{TESTS}: {}", without.join("; "));
    // promtool finds the rules beside the tests that name them
    let folder = tempfile::tempdir().context("make a directory")?;
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (rules, tests_path) = (path("rules.yaml"), path("tests.yaml"));
    fs::write(&rules, rule["spec"].to_string()).context("write the rules")?;
    fs::write(&tests_path, &tests).context("write the tests")?;
    run_tool(
        &found.promtool,
        &["check", "rules", "--lint=all", "--lint-fatal", &rules],
    )?;
    run_tool(&found.promtool, &["test", "rules", &tests_path])?;
    Ok(format!("{} alerts, each tested", alerts.len()))
}

/// The alerts of a `PrometheusRule`'s spec.
fn names(spec: &Value) -> Result<Vec<String>> {
    let groups = spec["groups"].as_array().context("no groups of rules")?;
    let rules = groups.iter().filter_map(|group| group["rules"].as_array());
    let names = rules.flatten().filter_map(|rule| rule["alert"].as_str());
    let names: Vec<String> = names.map(ToOwned::to_owned).collect();
    ensure!(!names.is_empty(), "no alerts");
    Ok(names)
}

/// What is missing: a test in which the alert fires, and one in which it keeps still.
fn untested(alerts: &[String], tests: &Value) -> Vec<String> {
    let mut missing = Vec::new();
    for alert in alerts {
        let seen: Vec<bool> = expectations(tests, alert).collect();
        for (fires, what) in [(true, "fires"), (false, "keeps still")] {
            if !seen.contains(&fires) {
                missing.push(format!("no test in which {alert} {what}"));
            }
        }
    }
    missing
}

/// For each look at the alert whether it is expected to be there.
fn expectations(tests: &Value, alert: &str) -> impl Iterator<Item = bool> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let label = format!("alertname=\"{alert}\"");
    list(&tests["tests"]).into_iter().flat_map(move |test| {
        let expressions = list(&test["promql_expr_test"]).into_iter();
        let expressions = expressions
            .filter(|look| {
                look["expr"]
                    .as_str()
                    .is_some_and(|text| text.contains(&label))
            })
            .map(|look| !list(&look["exp_samples"]).is_empty());
        let rules = list(&test["alert_rule_test"]).into_iter();
        let rules = rules
            .filter(|look| look["alertname"] == alert)
            .map(|look| !list(&look["exp_alerts"]).is_empty());
        expressions.chain(rules).collect::<Vec<_>>()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_alert_needs_a_test_of_either_kind() {
        let alerts = ["A".to_owned()];
        let fires = json!({"alertname": "A", "exp_alerts": [{}]});
        let still =
            json!({"expr": "ALERTS{alertname=\"A\",alertstate=\"firing\"}", "exp_samples": []});
        let of = |rules: &[&Value], expressions: &[&Value]| {
            untested(
                &alerts,
                &json!({"tests": [{"alert_rule_test": rules, "promql_expr_test": expressions}]}),
            )
        };
        assert!(of(&[&fires], &[&still]).is_empty());
        assert_eq!(of(&[&fires], &[]), ["no test in which A keeps still"]);
        assert_eq!(of(&[], &[&still]), ["no test in which A fires"]);
        let other = json!({"expr": "ALERTS{alertname=\"AB\"}", "exp_samples": [{}]});
        assert_eq!(of(&[], &[&other]).len(), 2);
    }
}
