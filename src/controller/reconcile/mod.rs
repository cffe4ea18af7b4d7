//! What reconciles of every kind do alike: keep what is known of an object, contain a reconcile, put
//! failures into words, keep conditions and write the status. Knows no kind.
//!
//! | layer | module | knows |
//! | --- | --- | --- |
//! | 0 | [`failure`], [`conditions`], [`versions`] | words of failures, conditions, resource versions |
//! | 1 | [`ledger`], [`own_writes`], [`contain`], [`status`] | failures in a row, our last writes, time and panics, the status |

pub mod conditions;
pub mod contain;
pub mod failure;
pub mod ledger;
pub mod own_writes;
pub mod status;
pub mod versions;
