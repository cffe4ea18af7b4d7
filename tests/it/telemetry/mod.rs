//! What a running operator tells of itself: metrics and log lines.

#![expect(
    clippy::unwrap_used,
    reason = "clippy's exception for tests does not reach their helpers"
)]

mod corner;
mod dashboard;
mod exposition;
mod flags;
mod log;
mod objects;
mod requests;
mod secure;
mod vaults;
