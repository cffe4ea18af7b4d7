//! Holds gotemplate to Go's own text/template and sprig: `testbed/gotemplate` is built and asked. Without
//! Go these tests fail.
#![allow(clippy::unwrap_used)]

mod cases;
mod generate;
mod pairs;
#[path = "../support/mod.rs"]
mod support;

use std::path::PathBuf;

/// The program that speaks for Go.
fn oracle() -> PathBuf {
    testbed::assets::gotemplate(&testbed::assets::to_stderr).unwrap()
}
