//! One identity's tokens: one fetch at a time for all who wait, early renewal, and failures
//! remembered for seconds, so that 500 objects with a wrong secret ask once. Does not know how
//! tokens are made.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use azure_core::credentials::AccessToken;
use azure_core::error::ErrorKind;
use azure_core::time::OffsetDateTime;
use parking_lot::Mutex;

use super::auth::SignIn;
use super::entra::{self, Carried, SignInFailure};
use crate::provider::{Error, Retry};

/// Tokens are renewed when less than this is left of them.
const RENEW_BEFORE: Duration = Duration::from_mins(5);

/// A token that a vault rejects is given up only when it is older than this: a vault that rejects
/// every token must not cause a sign-in per request.
const MIN_AGE_TO_GIVE_UP: Duration = Duration::from_mins(1);

/// How long failures to sign in are remembered: `first`, then twice as long with each further one,
/// up to the limit of its kind.
#[derive(Clone, Copy, Debug)]
pub struct FailureMemory {
    /// After the first failure.
    pub first: Duration,
    /// At most, where the service refused the identity.
    pub refused: Duration,
    /// At most, where the service did not answer.
    pub unreachable: Duration,
}

impl Default for FailureMemory {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(2),
            refused: Duration::from_secs(30),
            unreachable: Duration::from_secs(5),
        }
    }
}

impl FailureMemory {
    /// How long the `count`-th failure in a row (from 1) is remembered.
    fn span(&self, error: &Error, count: u32) -> Duration {
        if let Retry::After(asked) = error.retry() {
            return asked;
        }
        let limit = match error {
            Error::Unavailable { .. } | Error::Throttled { .. } => self.unreachable,
            _ => self.refused,
        };
        let doublings = count.saturating_sub(1).min(16);
        self.first.saturating_mul(1 << doublings).min(limit)
    }
}

type Outcome = Result<AccessToken, Arc<SignInFailure>>;

/// What is known about one scope's token.
#[derive(Default)]
struct TokenState {
    token: Option<Kept>,
    failure: Option<Failure>,
    /// Fetches that ended, to tell whether one ended while waiting.
    fetches: u64,
}

struct Kept {
    token: AccessToken,
    since: Instant,
}

struct Failure {
    cause: Arc<SignInFailure>,
    until: Instant,
    count: u32,
}

/// What to do now.
enum Next {
    /// Known without asking.
    Known(Outcome),
    /// Ask; meanwhile `fallback` would still do.
    Fetch { fallback: Option<AccessToken> },
}

impl TokenState {
    fn next(&self, now: Instant, time: OffsetDateTime) -> Next {
        let left = |kept: &Kept| kept.token.expires_on - time;
        let valid = self.token.as_ref().filter(|kept| left(kept).is_positive());
        if let Some(kept) = valid.filter(|kept| left(kept) > RENEW_BEFORE) {
            return Next::Known(Ok(kept.token.clone()));
        }
        let fallback = valid.map(|kept| kept.token.clone());
        match (&self.failure, fallback) {
            (Some(failure), fallback) if now < failure.until => {
                Next::Known(fallback.ok_or_else(|| Arc::clone(&failure.cause)))
            }
            (_, fallback) => Next::Fetch { fallback },
        }
    }

    fn record(&mut self, outcome: &Outcome, memory: &FailureMemory, now: Instant) {
        self.fetches += 1;
        match outcome {
            Ok(token) => {
                self.failure = None;
                self.token = Some(Kept {
                    token: token.clone(),
                    since: now,
                });
            }
            Err(cause) => {
                let count = self.failure.as_ref().map_or(1, |last| last.count + 1);
                self.failure = Some(Failure {
                    cause: Arc::clone(cause),
                    until: now + memory.span(&cause.to_error(), count),
                    count,
                });
            }
        }
    }

    /// What the last fetch ended with, whether or not it is still remembered.
    fn latest(&self, time: OffsetDateTime) -> Option<Outcome> {
        let valid = self
            .token
            .as_ref()
            .filter(|kept| kept.token.expires_on > time);
        match (valid, &self.failure) {
            (Some(kept), _) => Some(Ok(kept.token.clone())),
            (None, Some(failure)) => Some(Err(Arc::clone(&failure.cause))),
            (None, None) => None,
        }
    }
}

#[derive(Default)]
struct Slot {
    state: Mutex<TokenState>,
    flight: tokio::sync::Mutex<()>,
}

/// One identity's tokens, shared by every client that acts as it.
pub struct Credential {
    sign_in: Box<dyn SignIn>,
    memory: FailureMemory,
    limit: Duration,
    slots: Mutex<HashMap<String, Arc<Slot>>>,
}

impl Credential {
    pub(super) fn new(sign_in: Box<dyn SignIn>, memory: FailureMemory, limit: Duration) -> Self {
        Self {
            sign_in,
            memory,
            limit,
            slots: Mutex::default(),
        }
    }

    /// Gives up tokens that a vault rejected, unless they are too young for that to help. Says
    /// whether any was given up, that is, whether trying again makes sense.
    pub fn give_up_tokens(&self) -> bool {
        let slots: Vec<Arc<Slot>> = self.slots.lock().values().cloned().collect();
        let given_up = slots.iter().filter(|slot| {
            let mut state = slot.state.lock();
            let is_old = |kept: &Kept| kept.since.elapsed() >= MIN_AGE_TO_GIVE_UP;
            state.token.take_if(|kept| is_old(kept)).is_some()
        });
        given_up.count() > 0
    }

    /// Makes sure of a token for `scope`.
    ///
    /// # Errors
    /// The sign-in failed, now or so lately that it is remembered.
    pub async fn check(&self, scope: &str) -> Result<(), Error> {
        let outcome = self.outcome(scope).await;
        outcome.map(drop).map_err(|cause| cause.to_error())
    }

    /// A token for `scope`.
    ///
    /// # Errors
    /// The sign-in failed, now or so lately that it is remembered; [`entra::sign_in_failure`] finds it in the
    /// error.
    pub(super) async fn token(&self, scope: &str) -> azure_core::Result<AccessToken> {
        self.outcome(scope).await.map_err(|cause| {
            azure_core::Error::with_error(ErrorKind::Credential, Carried(cause), "cannot sign in")
        })
    }

    async fn outcome(&self, scope: &str) -> Outcome {
        let slot = Arc::clone(self.slots.lock().entry(scope.to_owned()).or_default());
        let (seen, next) = {
            let state = slot.state.lock();
            let next = state.next(Instant::now(), OffsetDateTime::now_utc());
            (state.fetches, next)
        };
        let _flight = match next {
            Next::Known(outcome) => return outcome,
            Next::Fetch {
                fallback: Some(token),
            } => match slot.flight.try_lock() {
                Ok(guard) => guard,
                Err(_) => return Ok(token),
            },
            Next::Fetch { fallback: None } => slot.flight.lock().await,
        };
        {
            let state = slot.state.lock();
            if state.fetches != seen {
                // somebody fetched meanwhile: its outcome is ours, good or bad
                if let Some(outcome) = state.latest(OffsetDateTime::now_utc()) {
                    return outcome;
                }
            }
        }
        let outcome = self.fetch(scope).await;
        let mut state = slot.state.lock();
        state.record(&outcome, &self.memory, Instant::now());
        // a renewal that failed leaves a token that still serves
        outcome.or_else(|cause| {
            let latest = state.latest(OffsetDateTime::now_utc());
            latest.unwrap_or(Err(cause))
        })
    }

    async fn fetch(&self, scope: &str) -> Outcome {
        let fetched = self.sign_in.token(scope).await;
        fetched.map_err(|source| {
            let sign_in = entra::SignIn {
                host: self.sign_in.host().to_owned(),
                limit: self.limit,
            };
            Arc::new(SignInFailure::new(sign_in, source))
        })
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("host", &self.sign_in.host())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
