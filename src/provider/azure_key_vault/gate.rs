//! What one vault is asked at most, by everybody together: below its documented limit, not while it
//! asks for a pause, and by one probe at a time while it does not answer (Azure Key Vault, "Throttling guidance"). Knows no request.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::provider::Error;
use crate::telemetry::{HeldBack, VaultSeries};

/// Requests per second in the long run; a vault allows 400.
const RATE: f64 = 300.0;
/// Requests at once; a vault allows 4,000 in ten seconds.
const BURST: f64 = 1_000.0;
/// The pause after a 429 that names none: this, doubling with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// No pause is longer, whatever the vault says: then it is probed.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// So many requests in a row without an answer close the gate.
const FAILURES: u32 = 5;
/// No longer is a vault left alone that does not answer.
const LONGEST_OUTAGE: Duration = Duration::from_secs(5);
/// Those who are turned away come back one after the other.
const SPACING: Duration = Duration::from_millis(5);
/// No longer than this after the gate opens: one listing may serve them all.
const LONGEST_SPREAD: Duration = Duration::from_secs(5);

/// What a request came to, as far as the gate is concerned.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    /// The vault answered, whatever it said.
    Answered,
    /// It asks for fewer requests, maybe for a pause.
    Throttled(Option<Duration>),
    /// It did not answer.
    Failed(Error),
}

/// Whether a request may be sent.
#[derive(Debug)]
enum Verdict {
    Go {
        /// To see whether a closed gate may open.
        is_probe: bool,
    },
    /// In a moment.
    Wait(Duration),
    /// Not now.
    Refuse(Error),
}

/// The gate of one vault host.
#[derive(Debug)]
pub(super) struct Gate {
    host: String,
    series: VaultSeries,
    state: Mutex<GateState>,
}

#[derive(Debug)]
struct GateState {
    tokens: f64,
    filled: Instant,
    closed: Option<Closed>,
    /// Requests in a row that were throttled or not answered.
    failures: u32,
    is_probing: bool,
}

#[derive(Debug)]
struct Closed {
    until: Instant,
    /// Requests turned away since it closed.
    turned_away: u32,
    /// Why the vault is left alone; `None`: it throttles.
    outage: Option<Error>,
}

/// The right to send one request. Dropped without an outcome it counts for nothing.
#[must_use]
pub(super) struct Permit<'a> {
    gate: &'a Gate,
    is_probe: bool,
}

impl Gate {
    /// Open, with a full bucket; `series` tell of it.
    pub(super) fn new(host: String, series: VaultSeries) -> Self {
        Self {
            host,
            series,
            state: Mutex::new(GateState {
                tokens: BURST,
                filled: Instant::now(),
                closed: None,
                failures: 0,
                is_probing: false,
            }),
        }
    }

    /// Waits for a place in the stream of requests.
    ///
    /// # Errors
    /// The vault is left alone for longer than a worker should wait; when it may be asked again.
    pub(super) async fn permit(&self) -> Result<Permit<'_>, Error> {
        loop {
            let verdict = self.state.lock().ask(&self.host, Instant::now());
            match verdict {
                Verdict::Go { is_probe } => {
                    return Ok(Permit {
                        gate: self,
                        is_probe,
                    });
                }
                Verdict::Wait(pause) => tokio::time::sleep(pause).await,
                Verdict::Refuse(error) => return Err(error),
            }
        }
    }
}

impl Permit<'_> {
    /// The request ended.
    pub(super) fn ended(self, outcome: Outcome) {
        let is_probe = self.is_probe;
        let mut state = self.gate.state.lock();
        state.ended(outcome, is_probe, Instant::now());
        self.gate.series.let_through(state.held_back());
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.is_probe {
            self.gate.state.lock().is_probing = false;
        }
    }
}

impl GateState {
    fn ask(&mut self, host: &str, now: Instant) -> Verdict {
        if let Some(closed) = &mut self.closed {
            if now >= closed.until && !self.is_probing {
                self.is_probing = true;
                // who comes during the probe need not wait behind all who came before
                closed.turned_away = 0;
                return Verdict::Go { is_probe: true };
            }
            let left = closed.until.saturating_duration_since(now).max(FIRST_PAUSE);
            let spread = SPACING
                .saturating_mul(closed.turned_away)
                .min(LONGEST_SPREAD);
            closed.turned_away = closed.turned_away.saturating_add(1);
            return Verdict::Refuse(closed.error(host, left + spread));
        }
        let earned = now.saturating_duration_since(self.filled).as_secs_f64() * RATE;
        self.tokens = (self.tokens + earned).min(BURST);
        self.filled = now;
        if self.tokens < 1.0 {
            return Verdict::Wait(Duration::from_secs_f64((1.0 - self.tokens) / RATE));
        }
        self.tokens -= 1.0;
        Verdict::Go { is_probe: false }
    }

    /// Why requests do not pass.
    fn held_back(&self) -> Option<HeldBack> {
        let closed = self.closed.as_ref()?;
        Some(match closed.outage {
            None => HeldBack::Throttled,
            Some(_) => HeldBack::Unanswered,
        })
    }

    fn ended(&mut self, outcome: Outcome, is_probe: bool, now: Instant) {
        let (pause, outage) = match outcome {
            Outcome::Answered => {
                // what was sent before the gate closed opens it no earlier
                if is_probe || self.closed.is_none() {
                    self.closed = None;
                    self.failures = 0;
                }
                return;
            }
            Outcome::Throttled(asked) => {
                self.failures = self.failures.saturating_add(1);
                (
                    asked.unwrap_or(doubled(self.failures)).min(LONGEST_PAUSE),
                    None,
                )
            }
            Outcome::Failed(error) => {
                self.failures = self.failures.saturating_add(1);
                if self.failures < FAILURES {
                    return;
                }
                (
                    doubled(self.failures - FAILURES + 1).min(LONGEST_OUTAGE),
                    Some(error),
                )
            }
        };
        let until = now + pause;
        let is_longer = self
            .closed
            .as_ref()
            .is_none_or(|closed| closed.until < until);
        if is_longer {
            self.closed = Some(Closed {
                until,
                turned_away: 0,
                outage,
            });
        }
    }
}

impl Closed {
    fn error(&self, host: &str, pause: Duration) -> Error {
        match self.outage.clone() {
            Some(Error::Unavailable {
                host,
                outage,
                message,
                remedy,
                ..
            }) => Error::Unavailable {
                host,
                outage,
                message,
                remedy,
                after: Some(pause),
            },
            _ => Error::Throttled {
                host: host.to_owned(),
                after: Some(pause),
            },
        }
    }
}

fn doubled(times: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << times.saturating_sub(1).min(16))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::Outage;
    use crate::telemetry::Metrics;

    fn at(start: Instant, millis: u64) -> Instant {
        start + Duration::from_millis(millis)
    }

    fn gate() -> Gate {
        let series = Metrics::new().unwrap().vaults.vault("kv");
        Gate::new("kv".to_owned(), series)
    }

    fn state(now: Instant) -> GateState {
        GateState {
            filled: now,
            ..gate().state.into_inner()
        }
    }

    fn refusal(state: &mut GateState, now: Instant) -> Error {
        match state.ask("kv", now) {
            Verdict::Refuse(error) => error,
            other => panic!("{other:?}"),
        }
    }

    fn is_go(state: &mut GateState, now: Instant) -> bool {
        matches!(state.ask("kv", now), Verdict::Go { .. })
    }

    fn outage() -> Outcome {
        Outcome::Failed(Error::Unavailable {
            host: "kv".to_owned(),
            outage: Outage::ConnectionFailed,
            message: "connection refused".to_owned(),
            remedy: "look".to_owned(),
            after: None,
        })
    }

    #[test]
    fn a_burst_is_followed_by_the_steady_rate() {
        let start = Instant::now();
        let mut state = state(start);
        for _ in 0..1_000 {
            assert!(is_go(&mut state, start));
        }
        assert!(matches!(state.ask("kv", start), Verdict::Wait(pause) if pause.as_millis() <= 4));
        // a second earns what the rate gives, and no more
        let passed = (0..1_000)
            .filter(|_| is_go(&mut state, at(start, 1_000)))
            .count();
        assert_eq!(passed, 300);
    }

    #[test]
    fn a_pause_holds_for_all_and_ends_with_one_probe() {
        let start = Instant::now();
        let mut state = state(start);
        assert!(is_go(&mut state, start));
        state.ended(
            Outcome::Throttled(Some(Duration::from_secs(20))),
            false,
            start,
        );
        // one that was on its way comes back well
        state.ended(Outcome::Answered, false, at(start, 10));
        let pauses: Vec<_> = (0..3)
            .map(|_| match refusal(&mut state, at(start, 5_000)) {
                Error::Throttled { after, .. } => after.unwrap().as_millis(),
                other => panic!("{other}"),
            })
            .collect();
        // they come back one after the other
        assert_eq!(pauses, [15_000, 15_005, 15_010]);
        assert!(is_go(&mut state, at(start, 20_000)));
        match refusal(&mut state, at(start, 20_001)) {
            Error::Throttled { after, .. } => assert_eq!(after, Some(FIRST_PAUSE)),
            other => panic!("{other}"),
        }
        state.ended(Outcome::Answered, true, at(start, 20_100));
        assert!(is_go(&mut state, at(start, 20_101)));
    }

    #[test]
    fn no_pause_is_longer_than_a_minute() {
        let start = Instant::now();
        let mut state = state(start);
        state.ended(
            Outcome::Throttled(Some(Duration::from_hours(1))),
            false,
            start,
        );
        refusal(&mut state, at(start, 59_999));
        assert!(is_go(&mut state, at(start, 60_000)));
        // and those without a length double
        let mut state = self::state(start);
        for pause in [1_000, 2_000, 4_000] {
            state.closed = None;
            state.ended(Outcome::Throttled(None), true, start);
            state.is_probing = false;
            refusal(&mut state, at(start, pause - 1));
            assert!(is_go(&mut state, at(start, pause)), "{pause}");
        }
    }

    #[test]
    fn a_vault_that_does_not_answer_is_probed_and_the_cause_is_told() {
        let start = Instant::now();
        let mut state = state(start);
        for _ in 0..FAILURES {
            assert!(is_go(&mut state, start));
            state.ended(outage(), false, start);
        }
        let error = refusal(&mut state, start).to_string();
        assert!(error.contains("connection refused"), "{error}");
        assert!(is_go(&mut state, at(start, 1_000)));
        refusal(&mut state, at(start, 1_000));
        state.is_probing = false;
        state.ended(outage(), true, at(start, 1_000));
        refusal(&mut state, at(start, 2_999));
        assert!(is_go(&mut state, at(start, 3_000)));
        state.ended(Outcome::Answered, true, at(start, 3_001));
        assert!(is_go(&mut state, at(start, 3_001)));
    }

    #[tokio::test]
    async fn a_probe_that_was_given_up_makes_room_for_the_next() {
        let gate = gate();
        gate.permit()
            .await
            .unwrap()
            .ended(Outcome::Throttled(Some(Duration::ZERO)));
        let probe = gate.permit().await.unwrap();
        assert!(gate.permit().await.is_err());
        drop(probe);
        assert!(gate.permit().await.is_ok());
    }
}
