//! What the tests share: a bed of real parts, the operator as a process, a client that speaks plain
//! JSON, and bounded waiting.

pub(crate) mod bed;
pub(crate) mod cluster;
pub(crate) mod manifests;
pub(crate) mod marked;
pub(crate) mod operator;
pub(crate) mod pages;
pub(crate) mod scene;
pub(crate) mod settings;
pub(crate) mod shell;
mod tests;
pub(crate) mod wait;

use std::future::Future;
use std::io::Write as _;
use std::sync::LazyLock;

/// One runtime for the test process: clients and servers that tests share live as long as it.
static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
    let built = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    built.expect("threads and an event queue can be had on a machine that runs tests")
});

/// Runs a test's future to its end.
pub(crate) fn run<F: Future>(test: F) -> F::Output {
    RUNTIME.block_on(test)
}

/// Tells something at once, past the capture of test output.
pub(crate) fn say(line: &str) {
    // progress is worth no failure
    drop(writeln!(std::io::stderr(), "{line}"));
}
