//! What the stores have: whether it changed, its values, and what becomes of them.
//!
//! | layer | module | knows |
//! | --- | --- | --- |
//! | 0 | [`entry_error`] | which entry of the spec failed |
//! | 1 | [`read_error`] | why it could not be read |
//! | 2 | [`failures`], [`check`] | every entry that failed; whether there is anything to read |
//! | 3 | [`collect`] | values |
//! | 4 | [`shape`] | the data of the target |

mod check;
mod collect;
mod entry_error;
mod failures;
mod read_error;
mod shape;

use crate::controller::reconcile::failure::ReconcileError;
use crate::controller::store::StoreAccess;
use crate::provider::{Retry, Revision};
use crate::template;

use super::spec::SyncSpec;

pub use check::{Due, template_versions};
pub use collect::Moment;
pub use failures::{Failures, with_known_requests};
pub use shape::Shaped;

/// Why the data of the target is not known.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A value could not be read.
    #[error(transparent)]
    Read(#[from] Failures),
    /// A value cannot be used.
    #[error(transparent)]
    Shape(#[from] shape::ShapeError),
}

impl ReconcileError for Error {
    fn category(&self) -> &'static str {
        match self {
            Self::Read(failures) => failures.category(),
            Self::Shape(_) => "InvalidValue",
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Read(failures) => failures.retry(),
            Self::Shape(_) => Retry::Backoff,
        }
    }
}

/// The data of the target, and the states of the objects that it came from.
///
/// # Errors
/// An entry of the spec cannot be read, or its value not be used.
pub async fn fetch(
    spec: &SyncSpec,
    from: &dyn StoreAccess,
    moment: Moment,
) -> Result<(Shaped, Vec<Revision>), Error> {
    let (fetched, revisions) = collect::collect(spec, from, moment).await?;
    Ok((shape::shape(spec, fetched, &template::rename)?, revisions))
}
