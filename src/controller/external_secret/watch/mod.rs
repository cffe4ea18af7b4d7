//! Who is reconciled because something changed: ExternalSecrets and their targets.

mod objects;
mod target_kinds;
mod targets;

pub use objects::ObjectWatch;
pub use target_kinds::run as target_kinds;
pub use targets::TargetWatch;
