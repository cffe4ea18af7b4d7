//! What was asked for and consumed up to a moment, and between two moments. Knows where it is
//! counted: the API server's audit log, azfake's journal, /proc.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use anyhow::Result;
use testbed::{AuditEvent, Usage};

use super::stage::Stage;

const WRITES: [&str; 4] = ["create", "update", "patch", "delete"];

/// Totals.
pub(super) struct Figures {
    at: Instant,
    requests: BTreeMap<String, usize>,
    operator: Usage,
    server: Usage,
}

impl Figures {
    /// Up to now.
    pub(super) fn now(stage: &Stage) -> Result<Self> {
        let [operator, server] = stage.usage()?;
        let counters = stage.azure().counters();
        let mut requests = BTreeMap::new();
        for (whose, operations) in [("vault", counters.ops), ("Entra", counters.entra)] {
            for (operation, number) in operations {
                requests.insert(format!("{whose}: {operation}"), usize::try_from(number)?);
            }
        }
        for event in stage.asked()? {
            *requests.entry(name(&event)).or_default() += 1;
        }
        Ok(Self {
            at: Instant::now(),
            requests,
            operator,
            server,
        })
    }

    /// What came about since `before`.
    pub(super) fn since(&self, before: &Self) -> Used {
        let grown = self.requests.iter().map(|(name, number)| {
            let earlier = before.requests.get(name).copied().unwrap_or_default();
            (name.clone(), number.saturating_sub(earlier))
        });
        Used {
            took: self.at.duration_since(before.at),
            requests: grown.filter(|(_, number)| *number > 0).collect(),
            cpu: self.operator.cpu.saturating_sub(before.operator.cpu),
            server_cpu: self.server.cpu.saturating_sub(before.server.cpu),
            resident: self.operator.resident,
            peak_resident: self.operator.peak_resident,
        }
    }
}

/// `API server: write secrets`, `API server: get secrets`, …
fn name(event: &AuditEvent) -> String {
    let verb = event.verb.as_str();
    let verb = if WRITES.contains(&verb) {
        "write"
    } else {
        verb
    };
    match event.subresource.as_str() {
        "" => format!("API server: {verb} {}", event.resource),
        subresource => format!("API server: {verb} {}/{subresource}", event.resource),
    }
}

/// What a span of time took.
pub(super) struct Used {
    took: Duration,
    requests: BTreeMap<String, usize>,
    cpu: Duration,
    server_cpu: Duration,
    resident: u64,
    peak_resident: u64,
}

impl Used {
    /// Requests of one name.
    pub(super) fn of(&self, name: &str) -> usize {
        self.requests.get(name).copied().unwrap_or_default()
    }

    /// Requests of all names that begin so.
    pub(super) fn of_all(&self, start: &str) -> usize {
        let those = self
            .requests
            .iter()
            .filter(|(name, _)| name.starts_with(start));
        those.map(|(_, count)| count).sum()
    }

    /// Its length in seconds.
    pub(super) fn seconds(&self) -> u64 {
        self.took.as_secs()
    }

    /// CPU of the operator, in percent of a core.
    pub(super) fn cpu_share(&self) -> f64 {
        100.0 * self.cpu.as_secs_f64() / self.took.as_secs_f64()
    }

    /// Resident memory of the operator in MiB: at the end, and its peak.
    pub(super) fn resident_mib(&self) -> [u64; 2] {
        [self.resident, self.peak_resident].map(|bytes| bytes >> 20)
    }
}

/// Shown even where there are none of them.
const ALWAYS: [&str; 4] = [
    "API server: write secrets",
    "API server: write externalsecrets/status",
    "API server: write events",
    "Entra: token",
];
/// A refresh looks at its target once.
const READS: &str = "API server: get secrets";

impl fmt::Display for Used {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut requests = self.requests.clone();
        for name in ALWAYS {
            requests.entry(name.to_owned()).or_default();
        }
        let refreshes = requests.get(READS).copied().unwrap_or_default();
        let each = |total: f64| total / as_float(refreshes.max(1));
        writeln!(f, "| what | total | per refresh |\n| --- | ---: | ---: |")?;
        for (name, &total) in &requests {
            writeln!(f, "| {name} | {total} | {:.2} |", each(as_float(total)))?;
        }
        for (who, cpu) in [("operator", self.cpu), ("kube-apiserver", self.server_cpu)] {
            let seconds = cpu.as_secs_f64();
            let share = 100.0 * seconds / self.took.as_secs_f64();
            let each = each(seconds * 1000.0);
            writeln!(
                f,
                "| CPU of {who} | {seconds:.2} s ({share:.1} % of a core) | {each:.2} ms |"
            )?;
        }
        let [now, peak] = self.resident_mib();
        writeln!(
            f,
            "| resident memory of the operator | {now} MiB (peak {peak} MiB) | |"
        )
    }
}

/// Exact below 2^53.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub(super) fn as_float(number: usize) -> f64 {
    number as f64
}
