//! `bench templates`: gotemplate beside Go's own engine, on the same templates in one run.

use std::fs::File;
use std::io::{Write as _, stdout};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::cargo;

/// The templates and their data.
const CASES: &str = "crates/templatebench/templates.json";

/// What an engine said of a template.
#[derive(Deserialize)]
struct Measured {
    name: String,
    ns: f64,
    output: String,
}

/// Measures and prints a table.
///
/// # Errors
/// Something does not build or run, or the engines disagree on an output.
pub(super) fn run() -> Result<()> {
    let oracle = testbed::assets::gotemplate(&testbed::assets::to_stderr)?;
    let go: Vec<Measured> = said(Command::new(oracle).arg("bench"))?;
    let ours: Vec<Measured> = said(&mut our_program())?;
    let [before, after]: [u64; 2] = said(our_program().args(["--", "hostile"]))?;
    let mut table = String::from(
        "| template | Go, µs | gotemplate, µs | ours / Go |\n| --- | ---: | ---: | ---: |\n",
    );
    ensure!(go.len() == ours.len(), "not the same templates");
    for (go, ours) in go.iter().zip(&ours) {
        ensure!(go.output == ours.output, "{}: the outputs differ", go.name);
        let ratio = ours.ns / go.ns;
        let (go_us, our_us) = (go.ns / 1e3, ours.ns / 1e3);
        let name = &go.name;
        table.extend([format!(
            "| {name} | {go_us:.1} | {our_us:.1} | {ratio:.2} |\n"
        )]);
    }
    table.extend([format!(
        "\nPeak memory: {before} KiB, after a template that wants 900 TB {after} KiB.\n"
    )]);
    stdout()
        .write_all(table.as_bytes())
        .context("write the table")
}

/// Our side, optimised.
fn our_program() -> Command {
    let mut command = cargo::command();
    command.args(["run", "--release", "--quiet", "--package=templatebench"]);
    command
}

fn said<T: DeserializeOwned>(command: &mut Command) -> Result<T> {
    let cases = File::open(cargo::root().join(CASES)).with_context(|| format!("open {CASES}"))?;
    let output = command
        .current_dir(cargo::root())
        .stdin(cases)
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("start {command:?}"))?;
    ensure!(output.status.success(), "{command:?} failed");
    serde_json::from_slice(&output.stdout).context("read what was measured")
}
