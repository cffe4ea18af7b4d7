//! What the environment of a test run says. The only place that reads it.

use std::path::{Path, PathBuf};

/// The repository's root.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A variable that is set and not empty.
#[expect(
    clippy::disallowed_methods,
    reason = "a test run has no command line of its own"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The operator under test: the built one, or `KEYFERRY_OPERATOR`.
pub(crate) fn operator() -> PathBuf {
    variable("KEYFERRY_OPERATOR").map_or_else(
        || PathBuf::from(env!("CARGO_BIN_EXE_keyferry")),
        PathBuf::from,
    )
}
