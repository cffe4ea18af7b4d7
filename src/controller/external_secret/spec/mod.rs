//! What an ExternalSecret asks for: from the wire type to values that later phases trust.
//!
//! | layer | module | knows |
//! | --- | --- | --- |
//! | 0 | [`cron`], [`policy`], [`remote`] | schedules; what the policies make of a refresh; references of the port |
//! | 1 | [`windows`] | when periodic refreshes may happen |
//! | 2 | [`sync_spec`] | what is to be kept in sync |
//! | 3 | [`validate`] | whether the wire type can be synced |
//! | 4 | [`references`] | stores, template sources and target by name |

mod cron;
mod policy;
mod references;
mod remote;
mod sync_spec;
mod validate;
mod windows;

pub use cron::Schedule;
pub use policy::{Act, Creation, Deletion, act};
pub use references::{references, templates};
#[cfg(test)]
pub use sync_spec::TargetSpec;
pub use sync_spec::{DataEntry, DataFromEntry, DataFromQuery, RefreshRule, SyncSpec};
pub use validate::{Error, validate};
#[cfg(test)]
pub use windows::Windows;
