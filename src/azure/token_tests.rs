//! Tests of `token`: what is known when, and how many fetches 50 callers cause.

use std::sync::atomic::{AtomicUsize, Ordering};

use azure_core::time::Duration as Span;
use futures::future::join_all;

use async_trait::async_trait;

use super::*;

const SCOPE: &str = "https://vault.azure.net/.default";

fn token(left: Span) -> AccessToken {
    AccessToken::new("t0k3n".to_owned(), OffsetDateTime::now_utc() + left)
}

fn refused() -> Outcome {
    let source = azure_core::Error::with_message(ErrorKind::Credential, "bad tenant");
    let sign_in = entra::SignIn {
        host: "login.microsoftonline.com".to_owned(),
        limit: Duration::from_secs(1),
    };
    Err(Arc::new(SignInFailure::new(sign_in, source)))
}

fn next(state: &TokenState, after: Duration) -> &'static str {
    match state.next(Instant::now() + after, OffsetDateTime::now_utc()) {
        Next::Known(Ok(_)) => "token",
        Next::Known(Err(_)) => "failure",
        Next::Fetch { fallback: None } => "fetch",
        Next::Fetch { fallback: Some(_) } => "renew",
    }
}

fn after(outcomes: &[Outcome]) -> TokenState {
    let mut state = TokenState::default();
    for outcome in outcomes {
        state.record(outcome, &FailureMemory::default(), Instant::now());
    }
    state
}

#[test]
fn a_token_serves_until_shortly_before_its_end() {
    assert_eq!(next(&after(&[]), Duration::ZERO), "fetch");
    assert_eq!(
        next(&after(&[Ok(token(Span::hours(1)))]), Duration::ZERO),
        "token"
    );
    assert_eq!(
        next(&after(&[Ok(token(Span::minutes(4)))]), Duration::ZERO),
        "renew"
    );
    assert_eq!(
        next(&after(&[Ok(token(Span::minutes(-1)))]), Duration::ZERO),
        "fetch"
    );
}

#[test]
fn failures_are_remembered_longer_each_time_and_never_long() {
    let once = after(&[refused()]);
    assert_eq!(next(&once, Duration::from_millis(1900)), "failure");
    assert_eq!(next(&once, Duration::from_millis(2100)), "fetch");
    let often = after(&[
        refused(),
        refused(),
        refused(),
        refused(),
        refused(),
        refused(),
    ]);
    assert_eq!(next(&often, Duration::from_secs(29)), "failure");
    assert_eq!(next(&often, Duration::from_secs(31)), "fetch");
}

#[test]
fn a_failed_renewal_leaves_the_token_that_still_serves() {
    let state = after(&[Ok(token(Span::minutes(4))), refused()]);
    assert_eq!(next(&state, Duration::ZERO), "token");
    assert!(matches!(
        state.latest(OffsetDateTime::now_utc()),
        Some(Ok(_))
    ));
}

#[test]
fn the_pause_that_the_service_asked_for_is_kept() {
    let memory = FailureMemory::default();
    let throttled = Error::Throttled {
        host: "login.microsoftonline.com".to_owned(),
        after: Some(Duration::from_secs(17)),
    };
    assert_eq!(memory.span(&throttled, 1), Duration::from_secs(17));
}

struct Counting {
    calls: Arc<AtomicUsize>,
    works: bool,
}

#[async_trait]
impl SignIn for Counting {
    async fn token(&self, _: &str) -> Result<AccessToken, entra::Failure> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        if self.works {
            Ok(token(Span::hours(1)))
        } else {
            Err(azure_core::Error::with_message(ErrorKind::Credential, "no").into())
        }
    }

    fn host(&self) -> &'static str {
        "login.microsoftonline.com"
    }
}

/// 50 callers at once, no memory of failures: how many fetches, how many successes.
async fn crowd(works: bool) -> (usize, usize) {
    let calls = Arc::new(AtomicUsize::new(0));
    let sign_in = Counting {
        calls: Arc::clone(&calls),
        works,
    };
    let forgetful = FailureMemory {
        first: Duration::ZERO,
        ..FailureMemory::default()
    };
    let credential = Credential::new(Box::new(sign_in), forgetful, Duration::from_secs(1));
    let outcomes = join_all((0..50).map(|_| credential.token(SCOPE))).await;
    let successes = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    (calls.load(Ordering::SeqCst), successes)
}

#[tokio::test]
async fn fifty_callers_cause_one_fetch_that_succeeds_or_fails_for_all() {
    assert_eq!(crowd(true).await, (1, 50));
    assert_eq!(crowd(false).await, (1, 0));
}

#[tokio::test]
async fn a_young_token_is_not_given_up() {
    let sign_in = Counting {
        calls: Arc::default(),
        works: true,
    };
    let credential = Credential::new(
        Box::new(sign_in),
        FailureMemory::default(),
        Duration::from_secs(1),
    );
    credential.token(SCOPE).await.unwrap();
    assert!(!credential.give_up_tokens());
    let shown = format!("{credential:?}");
    assert!(!shown.contains("t0k3n"), "{shown}");
}
