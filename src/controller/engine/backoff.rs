//! Pauses before another try: of a reconcile that failed, and of a watch that failed. Knows neither.

use std::time::{Duration, Instant};

use kube::runtime::utils::Backoff;

/// The pause after a first failure.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(7);
/// What was missing (the API server, the kind, a right) is found again within this time.
const LONGEST: Duration = Duration::from_secs(15);
/// A watch that did not fail for so long works.
const FORGIVEN: Duration = Duration::from_mins(2);

/// The pause after the `failures`-th failure in a row: 1 s doubling to 7 min, as ESO's rate limiter
/// has it.
pub fn backoff(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    (FIRST_PAUSE * 2_u32.pow(doublings)).min(LONGEST_PAUSE)
}

/// Pauses of 1 s, doubling to 15 s. Unlike kube's they grow while a list fails again and again:
/// kube announces each list before it asks for it, and takes that for a success.
#[derive(Debug, Default)]
pub struct WatchBackoff {
    failures: u32,
    last: Option<Instant>,
}

impl WatchBackoff {
    fn after_failure(&mut self, now: Instant) -> Duration {
        if self
            .last
            .is_some_and(|last| now.duration_since(last) > FORGIVEN)
        {
            self.failures = 0;
        }
        self.last = Some(now);
        self.failures = self.failures.saturating_add(1);
        backoff(self.failures).min(LONGEST)
    }
}

impl Iterator for WatchBackoff {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        Some(self.after_failure(Instant::now()))
    }
}

impl Backoff for WatchBackoff {
    /// Time alone forgives.
    fn reset(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_whatever_kube_takes_for_a_success_and_shrink_with_time() {
        let mut pauses = WatchBackoff::default();
        let mut now = Instant::now();
        let seconds: Vec<u64> = (0..6)
            .map(|_| {
                let pause = pauses.after_failure(now);
                pauses.reset();
                now += pause;
                pause.as_secs()
            })
            .collect();
        assert_eq!(seconds, [1, 2, 4, 8, 15, 15]);
        now += FORGIVEN;
        assert_eq!(pauses.after_failure(now).as_secs(), 1);
    }

    #[test]
    fn pauses_double_up_to_seven_minutes() {
        let pauses: Vec<u64> = (1..=11).map(|n| backoff(n).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 420, 420]);
        assert_eq!(backoff(u32::MAX), LONGEST_PAUSE);
    }
}
