//! `cargo xtask test`: builds the binaries that tests need, runs every test of the workspace, and
//! ends with one line that sums up all test binaries. Knows the words of the test harness, no test.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{ExitCode, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::{cargo, chart};

/// Arguments of `test`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only tests whose names contain one of these; flags of the test harness are taken too.
    #[arg(last = true)]
    filters: Vec<String>,
}

impl Args {
    /// The tests whose names contain this.
    pub(crate) fn only(filter: &str) -> Self {
        Self {
            filters: vec![filter.to_owned()],
        }
    }
}

/// Not run unless a filter names them: `cargo xtask gitops` builds what they need.
const LEFT_OUT: &str = "--skip=gitops::tools::";

/// Runs the tests; the last line is `N passed, M failed`. It fails if a test does, if something does
/// not build, or if no test has such a name.
pub(crate) fn run(args: &Args) -> ExitCode {
    let (summary, verdict) = match play(args) {
        Ok((summary, succeeded)) => {
            let verdict = summary.verdict(succeeded);
            (summary, verdict)
        }
        Err(error) => (
            Summary {
                failed: 1,
                ..Summary::default()
            },
            Err(error),
        ),
    };
    let failures = summary.failures(verdict.is_ok());
    if let Err(error) = &verdict {
        say(&format!("\nerror: {error:#}"));
    }
    say(&format!("\n{} passed, {failures} failed", summary.passed));
    if verdict.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// What was counted, and whether cargo was content.
fn play(args: &Args) -> Result<(Summary, bool)> {
    testbed::assets::kubernetes(&testbed::assets::to_stderr).context("build the control plane")?;
    testbed::assets::gotemplate(&testbed::assets::to_stderr).context("build Go's templates")?;
    if args.filters.is_empty() {
        chart::run().context("check the chart")?;
    } else {
        testbed::assets::helm(&testbed::assets::to_stderr).context("build Helm")?;
    }
    let mut command = cargo::command();
    command
        .args(["test", "--workspace", "--no-fail-fast", "--"])
        .args(&args.filters);
    if args.filters.is_empty() {
        command.arg(LEFT_OUT);
    }
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .context("start cargo test")?;
    let output = child.stdout.take().context("cargo test has no output")?;
    let mut summary = Summary::default();
    let mut screen = std::io::stdout();
    for line in BufReader::new(output).split(b'\n') {
        let mut line = line.context("read what cargo test says")?;
        summary.note(&String::from_utf8_lossy(&line));
        line.push(b'\n');
        // the count is worth having even if nobody reads along
        let _ = screen.write_all(&line);
    }
    let succeeded = child.wait().context("wait for cargo test")?.success();
    Ok((summary, succeeded))
}

fn say(line: &str) {
    // the exit code tells it too
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// What the test binaries said so far.
#[derive(Debug, Default, PartialEq, Eq)]
struct Summary {
    passed: usize,
    failed: usize,
    /// Binaries that began and did not tell how it ended: they crashed.
    unfinished: usize,
}

impl Summary {
    fn note(&mut self, line: &str) {
        if is_start(line) {
            self.unfinished += 1;
        } else if let Some((passed, failed)) = result(line) {
            self.passed += passed;
            self.failed += failed;
            self.unfinished = self.unfinished.saturating_sub(1);
        }
    }

    /// Failed tests; at least one if cargo failed, whatever the reason.
    fn failures(&self, succeeded: bool) -> usize {
        (self.failed + self.unfinished).max(usize::from(!succeeded))
    }

    fn verdict(&self, succeeded: bool) -> Result<()> {
        ensure!(
            self.unfinished == 0,
            "{} test binaries ended without a result",
            self.unfinished
        );
        ensure!(
            self.failed == 0,
            "tests failed; the word FAILED above names them"
        );
        ensure!(
            succeeded,
            "cargo test failed before or between tests; counted as one failure"
        );
        ensure!(self.passed > 0, "no test ran; does the filter name one?");
        Ok(())
    }
}

/// `running 3 tests`
fn is_start(line: &str) -> bool {
    let rest = line.strip_prefix("running ");
    rest.and_then(|rest| rest.split_once(' '))
        .is_some_and(|(number, word)| {
            number.parse::<usize>().is_ok() && matches!(word.trim_end(), "test" | "tests")
        })
}

/// `test result: ok. 3 passed; 0 failed; …`, as passed and failed. The line may stand behind what
/// a test printed without a line break.
fn result(line: &str) -> Option<(usize, usize)> {
    let (_, counts) = line.split_once("test result: ")?.1.split_once(". ")?;
    let mut counts = counts.split("; ");
    let mut number = |word| counts.next()?.strip_suffix(word)?.trim().parse().ok();
    Some((number("passed")?, number("failed")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: &str = "
running 2 tests
test a ... ok
test b ... FAILED
test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s

running 1 test
golden: 3 passedtest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
running 5 cases
";

    fn summary(text: &str) -> Summary {
        let mut summary = Summary::default();
        text.lines().for_each(|line| summary.note(line));
        summary
    }

    #[test]
    fn all_binaries_are_summed_up() {
        let all = summary(RUN);
        assert_eq!(
            all,
            Summary {
                passed: 2,
                failed: 1,
                unfinished: 0
            }
        );
        assert_eq!(all.failures(false), 1);
        assert!(
            all.verdict(false)
                .unwrap_err()
                .to_string()
                .starts_with("tests failed")
        );
    }

    #[test]
    fn a_crash_is_a_failure() {
        let crashed = summary("running 7 tests\ntest a ... ok\n");
        assert_eq!(crashed.failures(false), 1);
        assert!(crashed.verdict(false).is_err());
    }

    #[test]
    fn a_build_error_is_a_failure_and_a_filter_without_match_an_error() {
        assert_eq!(Summary::default().failures(false), 1);
        assert!(Summary::default().verdict(false).is_err());
        assert_eq!(Summary::default().failures(true), 0);
        assert!(Summary::default().verdict(true).is_err());
        let good = summary("running 1 test\ntest result: ok. 1 passed; 0 failed; 0 ignored");
        assert_eq!(good.failures(true), 0);
        assert!(good.verdict(true).is_ok());
    }
}
