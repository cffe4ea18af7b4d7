//! docs/metrics.md, from the registry of the metrics.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use keyferry::telemetry::{Family, Metrics};

use super::{NOTE, cell};

const HEAD: &str = "# Metrics

What `/metrics` on `--metrics-addr` (port 8080) tells, as plain HTTP in Prometheus' text format. Families of External Secrets Operator and of
controller-runtime have their names and labels, so that dashboards and alerts made for them go on working; what is Keyferry's own begins with `keyferry_`.
A family has no series before there is something to count. The labels `name` and `namespace` are the object's, so a ServiceMonitor needs `honorLabels`
(the chart's default). [alerts.md](alerts.md) has the alerts.

| family | type | labels | unit | |
| --- | --- | --- | --- | --- |
";

/// The page.
///
/// # Errors
/// Two families have one name.
pub(super) fn page() -> Result<String> {
    let metrics = Metrics::new().context("register the metrics")?;
    let mut page = format!("{NOTE}{HEAD}");
    for family in metrics.families() {
        let labels = family.labels.iter().map(|label| format!("`{label}`"));
        // writing into a String cannot fail
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} | {} |",
            family.name,
            family.kind,
            labels.collect::<Vec<_>>().join(", "),
            unit(&family),
            cell(&format!("{}.", family.help.trim_end_matches('.')))
        );
    }
    Ok(page)
}

/// By the naming rules of Prometheus, and of ESO where it has others.
fn unit(family: &Family) -> &'static str {
    let name = family.name.strip_suffix("_total").unwrap_or(&family.name);
    match name {
        name if name.ends_with("_timestamp_seconds") || name.ends_with("_start_time_seconds") => {
            "seconds since 1970"
        }
        name if name.ends_with("_seconds") => "seconds",
        name if name.ends_with("_bytes") => "bytes",
        // ESO's gauges
        name if name.ends_with("_reconcile_duration") => "nanoseconds",
        name if name.ends_with("_condition") || name.ends_with("_status") => "1 or 0",
        _ => "number",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_families_with_labels_and_units() {
        let page = page().unwrap();
        for line in [
            "| `externalsecret_reconcile_duration` | gauge | `name`, `namespace` | nanoseconds | Last reconcile in nanoseconds. |",
            "| `workqueue_depth` | gauge | `name`, `controller`, `priority` | number | Objects that wait for their turn. |",
        ] {
            assert!(page.lines().any(|it| it == line), "{line}\n{page}");
        }
    }
}
