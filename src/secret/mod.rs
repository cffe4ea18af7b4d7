//! What happens to secret bytes between a provider and a target. Pure: no I/O, no clock.
//!
//! | layer | module | knows |
//! | --- | --- | --- |
//! | 0 | [`data_hash`], [`go_json`], [`pattern`], [`value`] | hashes, Go's JSON and patterns, bytes that cannot be printed |
//! | 1 | [`decoding`], [`keys`], [`members`], [`property`], [`rewrite`] | what is made of values and of their keys |

mod data_hash;
pub mod decoding;
#[cfg(test)]
mod go_cases;
pub mod go_json;
pub mod keys;
mod members;
pub mod pattern;
#[cfg(test)]
mod properties;
pub mod property;
pub mod rewrite;
mod value;

pub use data_hash::{data_hash, metadata_hash, text_hash, value_hash};
pub use members::{NotAnObject, members};
#[cfg(test)]
pub(crate) use value::data;
pub use value::{SecretData, SecretValue};
