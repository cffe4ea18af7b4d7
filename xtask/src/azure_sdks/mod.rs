//! `cargo xtask azure-sdks`: the suites of `testbed/azure-sdk`, each against an azfake of its own, which
//! the SDKs reach as any program does. Starts them and counts; what is checked is in the suites.

mod report;

use std::env;
use std::ffi::OsString;
use std::io::{Write as _, stdout};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use azfake::{AzFake, Options};
use testbed::assets;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use crate::cargo;
use report::Report;

/// Arguments of `azure-sdks`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only these checks; their names stand in testbed/azure-sdk/checks.txt.
    checks: Vec<String>,
}

/// Several times what a busy machine takes.
const WITHIN: Duration = Duration::from_mins(5);

/// A suite that can be started.
struct Suite {
    name: &'static str,
    program: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(&'static str, OsString)>,
    directory: PathBuf,
}

/// Builds what is missing and runs both suites; the last line is `N passed, M failed`.
///
/// # Errors
/// A suite cannot be built, or one of the wanted checks fails or does not run.
pub(crate) fn run(args: &Args) -> Result<()> {
    let folder = cargo::root().join("testbed/azure-sdk");
    let listed = folder.join("checks.txt");
    let listed =
        std::fs::read_to_string(&listed).with_context(|| format!("read {}", listed.display()))?;
    let listed: Vec<&str> = listed.lines().collect();
    for name in &args.checks {
        ensure!(
            listed.contains(&name.as_str()),
            "checks.txt names no check {name}"
        );
    }
    let is_wanted =
        |name: &&str| args.checks.is_empty() || args.checks.iter().any(|check| check == name);
    let wanted: Vec<&str> = listed.into_iter().filter(is_wanted).collect();
    ensure!(!wanted.is_empty(), "checks.txt names no check");
    let suites = [go(&folder, &args.checks)?, python(&folder, &args.checks)?];
    let runtime = tokio::runtime::Runtime::new()?;
    let (mut passed, mut failures) = (0, 0);
    for suite in &suites {
        let (report, succeeded) = runtime.block_on(play(suite))?;
        let problems = report.problems(&wanted, succeeded);
        for problem in &problems {
            writeln!(stdout(), "{}: {problem}", suite.name)?;
        }
        let good = report.passed(&wanted);
        writeln!(
            stdout(),
            "{}: {good} of {} checks passed",
            suite.name,
            wanted.len()
        )?;
        passed += good;
        failures += problems.len();
    }
    writeln!(stdout(), "\n{passed} passed, {failures} failed")?;
    ensure!(
        failures == 0,
        "azfake and the SDKs disagree, or a check did not run; see above"
    );
    Ok(())
}

fn go(folder: &Path, checks: &[String]) -> Result<Suite> {
    let program = assets::azure_sdk_go(&assets::to_stderr).context("build the Go suite")?;
    let mut arguments = vec!["-test.v".into()];
    if !checks.is_empty() {
        let names: Vec<_> = checks.iter().map(|check| report::in_go(check)).collect();
        arguments.push(format!("-test.run=^({})$", names.join("|")).into());
    }
    Ok(Suite {
        name: "go",
        program,
        arguments,
        environment: Vec::new(),
        directory: folder.join("go"),
    })
}

fn python(folder: &Path, checks: &[String]) -> Result<Suite> {
    let python =
        assets::azure_sdk_python(&assets::to_stderr).context("prepare the Python suite")?;
    let (mut arguments, environment) = python.command("run.py".as_ref());
    arguments.extend(checks.iter().map(|check| format!("test_{check}").into()));
    Ok(Suite {
        name: "python",
        program: python.program,
        arguments,
        environment,
        directory: folder.join("python"),
    })
}

/// Runs a suite to its end, shows what it says, and tells whether it succeeded. It knows azfake by its environment alone.
async fn play(suite: &Suite) -> Result<(Report, bool)> {
    writeln!(stdout(), "\n=== {}", suite.name)?;
    let azure = AzFake::start(Options {
        fixtures: Some(cargo::root().join("tests/golden/fixtures")),
        real_clock: true,
        ..Options::default()
    });
    let azure = azure.await.context("start azfake")?;
    let directory = tempfile::tempdir().context("make a temporary directory")?;
    let ca = directory.path().join("ca.pem");
    std::fs::write(&ca, azure.ca_pem()).context("write azfake's CA")?;
    let mut child = Command::new(&suite.program)
        .args(&suite.arguments)
        .current_dir(&suite.directory)
        .env_clear()
        .envs(
            ["PATH", "HOME", "TMPDIR"]
                .iter()
                .filter_map(|&name| Some((name, env::var_os(name)?))),
        )
        .envs(azure.environment(&ca))
        .env("REQUESTS_CA_BUNDLE", &ca)
        .env("AZFAKE_CONTROL", azure.control_url())
        .envs(
            suite
                .environment
                .iter()
                .map(|(name, value)| (name, value.as_os_str())),
        )
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("start {}", suite.program.display()))?;
    let output = child.stdout.take().context("the suite has no output")?;
    let mut report = Report::default();
    let listen = async {
        let mut lines = BufReader::new(output).lines();
        while let Some(line) = lines
            .next_line()
            .await
            .context("read what the suite says")?
        {
            writeln!(stdout(), "{line}")?;
            report.note(&line);
        }
        child.wait().await.context("wait for the suite")
    };
    let Ok(status) = timeout(WITHIN, listen).await else {
        bail!("the {} suite took more than {WITHIN:?}", suite.name);
    };
    let succeeded = status?.success();
    Ok((report, succeeded))
}
