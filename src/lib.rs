//! Keyferry keeps Kubernetes Secrets in step with Azure Key Vault.
//!
//! The modules below stand in reading order, and that order is the dependency rule: a module
//! imports only what is declared above it. `cargo xtask tidy` holds it; docs/architecture.md
//! explains it.
//!
//! | layer | module | knows |
//! | --- | --- | --- |
//! | 0 | [`api`] | the wire types of the `external-secrets.io` kinds |
//! | 1 | [`secret`], [`clock`], [`pki`], [`template`], [`telemetry`] | bytes, time, keys and certificates, templates, metrics; pure |
//! | 2 | [`credentials`], [`provider`] | the ports |
//! | 3 | [`azure`], [`provider::azure_key_vault`], [`kubernetes`] | the adapters: Azure never sees the cluster |
//! | 4 | [`controller`] | what is done when, and what is told about it |
//! | 5 | [`runtime`], [`cli`] | the process |

pub mod api;
pub mod azure;
pub mod cli;
pub mod clock;
pub mod controller;
pub mod credentials;
pub mod kubernetes;
pub mod pki;
pub mod provider;
pub mod runtime;
pub mod secret;
pub mod telemetry;
pub mod template;
