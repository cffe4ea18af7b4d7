//! Bounds the time of a reconcile and catches a panic: one bad object harms only itself.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt as _;

use crate::telemetry::WorkMetrics;

/// No reconcile holds a worker longer.
pub const LIMIT: Duration = Duration::from_mins(2);

/// Why a reconcile was cut off.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Out of time.
    #[error("gave up after {} s; the next try starts afresh", LIMIT.as_secs())]
    TimedOut,
    /// A defect of this program, contained.
    #[error("internal error: {0}; please report it")]
    Panicked(String),
}

impl Error {
    /// The first word of the condition's message.
    pub fn category(&self) -> &'static str {
        match self {
            Self::TimedOut => "TimedOut",
            Self::Panicked(_) => "InternalError",
        }
    }
}

/// Runs `work`, a reconcile of `controller`.
pub async fn contain<T, E: From<Error>>(
    work: impl Future<Output = Result<T, E>>,
    controller: &str,
    metrics: &WorkMetrics,
) -> Result<T, E> {
    match tokio::time::timeout(LIMIT, AssertUnwindSafe(work).catch_unwind()).await {
        Ok(Ok(result)) => result,
        Ok(Err(panic)) => {
            metrics.panicked(controller);
            let text = panic.downcast_ref::<&str>().map(ToString::to_string);
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
            Err(Error::Panicked(text.unwrap_or_else(|| "panic".to_owned())).into())
        }
        Err(_elapsed) => {
            metrics.timed_out(controller);
            Err(Error::TimedOut.into())
        }
    }
}
