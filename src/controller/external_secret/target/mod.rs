//! The target: how it is, how it should be, and the writes between.
//!
//! | layer | module | knows |
//! | --- | --- | --- |
//! | 0 | [`outcome`], [`build`] | what came of a write; the Secret as it should be |
//! | 1 | [`plan`], [`snapshot`], [`recheck`] | what is to be done; targets in sync; whether their owner exists |
//! | 2 | [`size`], [`apply`] | how large a Secret may be; the writes |
//! | 3 | [`manifest`] | targets that are not Secrets |
//! | 4 | [`error`] | why a target is not in sync |
//! | 5 | [`observe`], [`prepare`] | the target as it is, and its plan |
//! | 6 | [`write`] | all of that in order |

mod apply;
mod build;
mod error;
mod manifest;
mod observe;
mod outcome;
mod plan;
mod prepare;
mod recheck;
mod size;
mod snapshot;
mod write;

pub use apply::Error as ApplyError;
pub use error::Error;
pub use manifest::delete_owned as delete_owned_manifest;
pub use observe::{Target, target as observe};
pub use outcome::{Verdict, Written};
pub use plan::{Error as PlanError, TargetPlan, is_controlled_by_uid};
pub use prepare::prepare;
pub use write::write;
