//! What Git knows about the checkout.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::cargo;

/// The files that Git tracks or would add, relative to the root.
///
/// # Errors
/// This is no checkout, or there is no Git.
pub(crate) fn files() -> Result<Vec<String>> {
    let list = run(&[
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ])?;
    Ok(list.split_terminator('\0').map(ToOwned::to_owned).collect())
}

/// The commit that is checked out, and its time in seconds since 1970.
///
/// # Errors
/// As for [`files`].
pub(crate) fn head() -> Result<(String, String)> {
    let line = run(&["log", "-1", "--format=%H %ct"])?;
    let (commit, time) = line.trim().split_once(' ').context("git log says little")?;
    Ok((commit.to_owned(), time.to_owned()))
}

fn run(arguments: &[&str]) -> Result<String> {
    let mut command = Command::new("git");
    command.args(arguments).current_dir(cargo::root());
    let output = command.output().context("run git, which must be on PATH")?;
    ensure!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).context("git does not speak UTF-8")
}
