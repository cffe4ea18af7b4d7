//! The wall clock as a value, so that decisions take `now` and tests choose it.

use std::sync::Arc;

use k8s_openapi::jiff::Timestamp;
use parking_lot::Mutex;

/// Where `now` comes from.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// A clock that stands until it is set.
    Fixed(Arc<Mutex<Timestamp>>),
}

impl Clock {
    /// A standing clock.
    pub fn fixed(at: Timestamp) -> Self {
        Self::Fixed(Arc::new(Mutex::new(at)))
    }

    /// The present instant.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Fixed(at) => *at.lock(),
        }
    }
}
