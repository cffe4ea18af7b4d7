//! The Helm chart on a real API server: what is admitted, what is installed, upgraded and left behind,
//! what the operator can do with the rights that it brings. What needs no cluster is checked by
//! `cargo xtask chart`.

#![expect(
    clippy::unwrap_used,
    reason = "clippy's exception for tests does not reach their helpers"
)]

mod esos_values;
mod helm;
mod howto;
mod howto_pages;
mod install;
mod metrics_access;
mod rendered;
mod rights;
mod scoped;
mod takeover;
mod told;
