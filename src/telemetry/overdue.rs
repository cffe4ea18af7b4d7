//! How late the latest of the ExternalSecrets is. It grows with time alone, so whoever knows is asked
//! when metrics are read.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use prometheus::{GaugeVec, Opts};

use super::families::{Registry, register};

/// By how much the latest is late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overdue {
    /// Of those whose time has come and which wait for their turn, or are in work.
    pub waiting: Duration,
    /// Of those that failed since their time came.
    pub failing: Duration,
}

type Ask = Box<dyn Fn() -> Overdue + Send + Sync>;

/// The family.
#[derive(Clone)]
pub(super) struct OverdueMetrics {
    family: GaugeVec,
    of: Arc<OnceLock<Ask>>,
}

impl OverdueMetrics {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let options = Opts::new(
            "keyferry_externalsecret_oldest_overdue_seconds",
            "How long ago the time of the ExternalSecret came that is late most: one that waits for its \
             turn, or one that failed since",
        );
        let family = register(registry, GaugeVec::new(options, &["state"])?)?;
        let metrics = Self {
            family,
            of: Arc::default(),
        };
        metrics.refresh();
        Ok(metrics)
    }

    pub(super) fn ask(&self, of: impl Fn() -> Overdue + Send + Sync + 'static) {
        // the first counts
        let _ = self.of.set(Box::new(of));
    }

    pub(super) fn refresh(&self) {
        let overdue = self.of.get().map(|of| of()).unwrap_or_default();
        for (state, late) in [("waiting", overdue.waiting), ("failing", overdue.failing)] {
            let series = self.family.with_label_values(&[state]);
            series.set(late.as_secs_f64());
        }
    }
}

impl fmt::Debug for OverdueMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OverdueMetrics").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Metrics;
    use super::*;

    #[test]
    fn whoever_knows_is_asked_at_each_reading() {
        let metrics = Metrics::new().unwrap();
        let family = "keyferry_externalsecret_oldest_overdue_seconds";
        let zero = format!("{family}{{state=\"waiting\"}} 0\n");
        assert!(metrics.render().unwrap().contains(&zero));
        metrics.ask_overdue(|| Overdue {
            waiting: Duration::from_millis(1500),
            failing: Duration::from_secs(90),
        });
        let text = metrics.render().unwrap();
        for (state, late) in [("waiting", "1.5"), ("failing", "90")] {
            let line = format!("{family}{{state=\"{state}\"}} {late}\n");
            assert!(text.contains(&line), "{text}");
        }
    }
}
