//! When an ExternalSecret is refreshed, and by what it shows that nothing changed.

mod decision;
mod fingerprint;

pub use decision::{Decision, LastSync, Reason, decide, next, own_phase};
pub use fingerprint::{SourceFingerprint, state};
