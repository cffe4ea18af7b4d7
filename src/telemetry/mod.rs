//! Metrics (ESO's names) and logging. Knows no kind and no provider.

mod families;
mod logging;
mod metrics;
mod overdue;
mod requests;
mod vaults;
mod work;

pub use families::Family;
pub use logging::{Format, LevelError, Levels, init as init_logging};
pub use metrics::{Metrics, ObjectMetrics};
pub use overdue::Overdue;
pub use requests::RequestMetrics;
pub use vaults::{HeldBack, VaultMetrics, VaultSeries};
pub use work::{ControllerMetrics, WorkMetrics, WorkResult};
