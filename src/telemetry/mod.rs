//! Metrics (ESO's names) and logging. Knows no kind and no provider.

mod families;
mod logging;
mod metrics;
mod work;

pub use families::Family;
pub use logging::{Format, LevelError, Levels, init as init_logging};
pub use metrics::{Metrics, ObjectMetrics};
pub use work::{ControllerMetrics, WorkMetrics, WorkResult};
