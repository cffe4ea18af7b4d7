//! Keyferry keeps Kubernetes Secrets in sync with Azure Key Vault.
//!
//! The table has the modules in the order of their layers, lowest first, and that order is the dependency
//! rule: a module imports only what is in the table before it. `cargo xtask tidy` enforces it;
//! docs/architecture.md explains it.
//!
//! | layer | module | knows |
//! | --- | --- | --- |
//! | 0 | [`api`] | the wire types of the `external-secrets.io` kinds |
//! | 1 | [`secret`], [`clock`], [`pki`], [`template`], [`telemetry`] | bytes, time, keys and certificates, templates, metrics; pure |
//! | 1 | [`lifecycle`] | the stop, how the work ended, readiness; pure |
//! | 2 | [`credentials`], [`provider`] | the ports |
//! | 3 | [`azure`], [`provider::azure_key_vault`], [`kubernetes`] | the adapters: Azure never sees the cluster |
//! | 4 | [`controller`] | what is done when, and what is reported about it |
//! | 5 | [`runtime`], [`cli`] | the process |
//! | 5 | [`fuzzing`] | what the fuzz targets reach by no other way |

pub mod api;
pub mod azure;
pub mod cli;
pub mod clock;
pub mod controller;
pub mod credentials;
#[doc(hidden)]
pub mod fuzzing;
pub mod kubernetes;
pub mod lifecycle;
pub mod pki;
pub mod provider;
pub(crate) mod runtime;
pub mod secret;
pub mod telemetry;
pub mod template;
