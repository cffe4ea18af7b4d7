//! How long something takes to arrive, measured many times.

use std::time::Duration;

/// Measured times.
#[derive(Debug, Default)]
pub(super) struct Latencies(Vec<Duration>);

impl Latencies {
    /// One more.
    pub(super) fn add(&mut self, took: Duration) {
        self.0.push(took);
    }

    /// How many.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// The time that a share of them, from 0 to 100 percent, is not above.
    pub(super) fn percentile(&self, percent: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100);
        let index = rank.clamp(1, sorted.len().max(1)) - 1;
        sorted.get(index).copied().unwrap_or_default()
    }

    /// `12.3 s (median 4.5 s, of 20)`: the 99th percentile first.
    pub(super) fn shown(&self) -> String {
        format!(
            "{:.1} s (median {:.1} s, of {})",
            self.percentile(99).as_secs_f64(),
            self.percentile(50).as_secs_f64(),
            self.count()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_measured_values() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.percentile(99), Duration::ZERO);
        for seconds in (1..=20).rev() {
            latencies.add(Duration::from_secs(seconds));
        }
        assert_eq!(latencies.percentile(50), Duration::from_secs(10));
        assert_eq!(latencies.percentile(99), Duration::from_secs(20));
        assert_eq!(latencies.shown(), "20.0 s (median 10.0 s, of 20)");
    }
}
