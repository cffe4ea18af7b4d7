//! Metrics under ESO's names, and logging. Knows the names of kinds and of calls, not the kinds themselves.
//!
//! | layer | module | knows |
//! | --- | --- | --- |
//! | 0 | [`families`], [`logging`] | registered families; log lines |
//! | 1 | [`series`], [`in_work`], [`overdue`], [`requests`], [`vaults`] | series of objects; reconciles, refreshes, requests and vaults |
//! | 2 | [`objects`], [`work`] | the series of one kind; queues and workers |
//! | 3 | [`syncs`] | syncs of ExternalSecrets |
//! | 4 | [`metrics`] | every family |

mod families;
mod in_work;
mod logging;
mod metrics;
mod objects;
mod overdue;
mod requests;
mod series;
mod syncs;
mod vaults;
mod work;

pub use families::Family;
pub use in_work::Work;
pub use logging::{Format, LevelError, Levels, init as init_logging};
pub use metrics::Metrics;
pub use objects::{ObjectMetrics, ObjectOptions};
pub use overdue::Overdue;
pub use requests::RequestMetrics;
pub use vaults::{HeldBack, VaultMetrics, VaultSeries};
pub use work::{ControllerMetrics, WorkMetrics, WorkResult};
