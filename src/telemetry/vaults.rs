//! What each vault lets through, and what was not asked of it. A vault's series live as long as somebody
//! holds them.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use prometheus::{IntCounterVec, IntGaugeVec};

use super::families::{Registry, counter, gauge};

/// Why requests to a vault are held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldBack {
    /// It asked for fewer.
    Throttled,
    /// It does not answer.
    Unanswered,
}

/// The families.
#[derive(Clone, Debug)]
pub struct VaultMetrics(Arc<Families>);

#[derive(Debug)]
struct Families {
    throttled: IntGaugeVec,
    breaker_open: IntGaugeVec,
    reads_saved: IntCounterVec,
    /// How many hold the series of each vault.
    holders: Mutex<HashMap<String, usize>>,
}

/// The series of one vault; dropping the last of a vault's removes them.
#[derive(Debug)]
pub struct VaultSeries {
    families: Arc<Families>,
    vault: String,
}

impl VaultMetrics {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let families = Families {
            throttled: gauge(
                registry,
                "keyferry_vault_throttled",
                "1 from when a vault asked for fewer requests until it answers again",
                &["vault"],
            )?,
            breaker_open: gauge(
                registry,
                "keyferry_vault_breaker_open",
                "1 from when a vault left five requests in a row unanswered until it answers again",
                &["vault"],
            )?,
            reads_saved: counter(
                registry,
                "keyferry_vault_reads_saved_total",
                "Reads that were not made because the vault's listing showed no change",
                &["vault"],
            )?,
            holders: Mutex::default(),
        };
        Ok(Self(Arc::new(families)))
    }

    /// The series of the vault at this host, at zero where nobody held them.
    pub fn vault(&self, host: &str) -> VaultSeries {
        *self.0.holders.lock().entry(host.to_owned()).or_default() += 1;
        let series = VaultSeries {
            families: Arc::clone(&self.0),
            vault: host.to_owned(),
        };
        self.0.reads_saved.with_label_values(&[host]).inc_by(0);
        series.let_through(None);
        series
    }

    /// One read of the vault at this host was not made. Counts where somebody holds the vault's series.
    pub fn read_saved(&self, host: &str) {
        if self.0.holders.lock().contains_key(host) {
            self.0.reads_saved.with_label_values(&[host]).inc();
        }
    }
}

impl VaultSeries {
    /// Requests pass, or are held back.
    pub fn let_through(&self, held_back: Option<HeldBack>) {
        let families = &self.families;
        for (family, why) in [
            (&families.throttled, HeldBack::Throttled),
            (&families.breaker_open, HeldBack::Unanswered),
        ] {
            let series = family.with_label_values(&[&self.vault]);
            series.set((held_back == Some(why)).into());
        }
    }
}

impl Drop for VaultSeries {
    fn drop(&mut self) {
        let mut holders = self.families.holders.lock();
        let left = holders.get(&self.vault).map_or(0, |count| count - 1);
        if left > 0 {
            holders.insert(self.vault.clone(), left);
            return;
        }
        holders.remove(&self.vault);
        // absent series are fine
        let _ = self.families.throttled.remove_label_values(&[&self.vault]);
        let _ = self
            .families
            .breaker_open
            .remove_label_values(&[&self.vault]);
        let _ = self
            .families
            .reads_saved
            .remove_label_values(&[&self.vault]);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Metrics;
    use super::*;

    fn lines(metrics: &Metrics) -> Vec<String> {
        let text = metrics.render().unwrap();
        let lines = text
            .lines()
            .filter(|line| line.starts_with("keyferry_vault_"));
        lines.map(str::to_owned).collect()
    }

    #[test]
    fn a_vaults_series_come_with_its_first_holder_and_go_with_its_last() {
        let metrics = Metrics::new().unwrap();
        metrics.vaults.read_saved("kv");
        assert!(lines(&metrics).is_empty());
        let first = metrics.vaults.vault("kv");
        first.let_through(Some(HeldBack::Throttled));
        metrics.vaults.read_saved("kv");
        assert_eq!(
            lines(&metrics),
            [
                r#"keyferry_vault_breaker_open{vault="kv"} 0"#,
                r#"keyferry_vault_reads_saved_total{vault="kv"} 1"#,
                r#"keyferry_vault_throttled{vault="kv"} 1"#,
            ]
        );
        let second = metrics.vaults.vault("kv");
        drop(first);
        second.let_through(Some(HeldBack::Unanswered));
        assert_eq!(
            lines(&metrics),
            [
                r#"keyferry_vault_breaker_open{vault="kv"} 1"#,
                r#"keyferry_vault_reads_saved_total{vault="kv"} 1"#,
                r#"keyferry_vault_throttled{vault="kv"} 0"#,
            ]
        );
        drop(second);
        assert!(lines(&metrics).is_empty());
    }
}
