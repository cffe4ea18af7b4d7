//! Wire types of the `external-secrets.io` kinds: serde, schemars, kube derive. No logic beyond accessors.
//!
//! Two rules hold throughout, because the operator reads objects of any age and one odd object must harm only itself:
//!
//! - **Decoding is forgiving.** Every enumeration is an open one ([`meta::open_enum`]): the schema lists ESO's values, the
//!   Rust type keeps any other text in `Unknown`. Unknown fields are ignored. A store's `spec.provider` is kept as it came
//!   and decoded on demand ([`secret_store::StoreProvider::backend`]).
//! - **A field mirrors the schema's default.** What the CRD defaults (never inside a list item) is a plain field with the
//!   same serde default; everything else is an `Option` with an accessor that gives ESO's meaning of absence.
//!
//! Doc comments of fields are what `kubectl explain` prints, so they speak to the user.
//!
//! | layer | module | knows |
//! | --- | --- | --- |
//! | 0 | [`schema`] | pieces of schema |
//! | 1 | [`duration`], [`meta`] | durations; what all kinds share |
//! | 2 | [`azure_kv`], [`fake`], [`kinds`] | provider blocks; the table of kinds |
//! | 3 | [`secret_store`] | both kinds of store |
//! | 4 | [`external_secret`] | ExternalSecret |
//! | 5 | [`crds`] | the definitions |

#![expect(
    clippy::doc_markdown,
    reason = "field docs are printed by kubectl explain, where backticks are noise"
)]

pub mod azure_kv;
pub mod crds;
pub mod duration;
pub mod external_secret;
pub mod fake;
pub mod kinds;
pub mod meta;
mod schema;
pub mod secret_store;

#[cfg(test)]
mod tests;
