//! Who depends on what: stores, sources of templates and targets by name, and the consumers that are
//! reconciled again when one of them changes. Knows no watch and no reconcile.
//!
//! | layer | module | knows |
//! | --- | --- | --- |
//! | 0 | [`names`] | what can be depended on |
//! | 1 | [`graph`] | who depends on it |
//! | 2 | [`consumers`] | whom to tell |

mod consumers;
mod graph;
mod names;

pub use consumers::{Change, Consumers, Subscriber};
pub use graph::{Consumer, References};
pub use names::{Dependency, StoreKey, Target, TemplateSource};
