//! Metrics (ESO's names) and logging. Knows no kind and no provider.

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
