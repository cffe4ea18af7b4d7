//! `cargo xtask lint`: the linters of what is not Rust and no chart: Dockerfile, shell scripts, GitHub workflows,
//! alerts. Runs them all, then tells what they found; what else must agree with the Dockerfile is in `dockerfile`.

mod alerts;
pub(crate) mod dockerfile;

use std::fs;
use std::io::{Write as _, stdout};

use anyhow::{Result, bail, ensure};
use testbed::assets::{self, Linters};

use crate::chart::helm::run as run_tool;
use crate::{cargo, git};

/// Runs every linter and prints a line for each.
///
/// # Errors
/// A linter cannot be had, or one of them finds something.
pub(crate) fn run() -> Result<()> {
    let found = assets::linters(&assets::to_stderr)?;
    let outcomes = [
        ("Dockerfile", dockerfile::check(&found)),
        ("shell scripts", scripts(&found)),
        ("GitHub workflows", workflows(&found)),
        ("alerts", alerts::check(&found)),
    ];
    let mut failed = Vec::new();
    for (what, outcome) in outcomes {
        match outcome {
            Ok(looked_at) => writeln!(stdout(), "lint: {what}: nothing found ({looked_at})")?,
            Err(error) => {
                writeln!(stdout(), "lint: {what}: {error:#}")?;
                failed.push(what);
            }
        }
    }
    if !failed.is_empty() {
        bail!("findings in: {}; see above", failed.join(", "));
    }
    Ok(())
}

/// shellcheck on every file that says that a shell runs it.
fn scripts(found: &Linters) -> Result<String> {
    let mut scripts = Vec::new();
    for file in git::files()? {
        // what is listed and deleted, a link, or no text is no script
        let text = fs::read_to_string(cargo::root().join(&file)).unwrap_or_default();
        let first = text.lines().next().unwrap_or_default();
        if first.starts_with("#!") && first.ends_with("sh") {
            scripts.push(file);
        }
    }
    ensure!(!scripts.is_empty(), "there is no script to check");
    let names: Vec<&str> = scripts.iter().map(String::as_str).collect();
    run_tool(&found.shellcheck, &names)?;
    Ok(names.join(", "))
}

/// actionlint, which hands the workflows' scripts to shellcheck.
fn workflows(found: &Linters) -> Result<String> {
    let files = git::files()?.into_iter();
    let workflows: Vec<_> = files
        .filter(|file| file.starts_with(".github/workflows/"))
        .collect();
    ensure!(!workflows.is_empty(), "there is no workflow to check");
    let shellcheck = format!("-shellcheck={}", found.shellcheck.display());
    let mut arguments = vec!["-no-color", "-pyflakes=", &shellcheck];
    arguments.extend(workflows.iter().map(String::as_str));
    run_tool(&found.actionlint, &arguments)?;
    Ok(workflows.join(", "))
}
