//! The end: SIGTERM or SIGINT.

use futures::FutureExt as _;
use tokio::signal::unix::{SignalKind, signal};

use crate::lifecycle::Stop;

/// Ends at the first SIGTERM or SIGINT.
///
/// # Errors
/// The signal handlers cannot be installed.
pub(crate) fn on_signal() -> std::io::Result<Stop> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stopped = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
    };
    Ok(stopped.boxed().shared())
}
