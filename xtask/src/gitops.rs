//! `cargo xtask gitops`: builds the program that speaks for Argo CD and Flux and runs the tests that ask it,
//! which `cargo xtask test` leaves out because of that build.

use std::process::ExitCode;

use anyhow::{Context as _, Result};

use crate::test;

/// The tests about GitOps, with the program and without.
const FILTER: &str = "gitops::";

/// Runs the tests; how it ends is as with `cargo xtask test`.
///
/// # Errors
/// The program cannot be built.
pub(crate) fn run() -> Result<ExitCode> {
    testbed::assets::gitops(&testbed::assets::to_stderr)
        .context("build Argo CD's and Flux's code")?;
    Ok(test::run(&test::Args::only(FILTER)))
}
