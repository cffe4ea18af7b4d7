//! What a suite said: the lines of `go test -v`, held against the list of checks. Knows no suite.

use std::collections::BTreeSet;

/// The outcome of a suite; checks go by their name in snake case, without the word `test`.
#[derive(Debug, Default)]
pub(super) struct Report {
    passed: BTreeSet<String>,
    failed: BTreeSet<String>,
}

impl Report {
    /// Takes a line. A skipped check counts as failed.
    pub(super) fn note(&mut self, line: &str) {
        if let Some(name) = name(line, "--- PASS: ") {
            self.passed.insert(name);
        } else if let Some(name) = name(line, "--- FAIL: ").or_else(|| name(line, "--- SKIP: ")) {
            self.failed.insert(name);
        }
    }

    /// How many of the wanted checks passed.
    pub(super) fn passed(&self, wanted: &[&str]) -> usize {
        let good = |name: &&&str| self.passed.contains(**name) && !self.failed.contains(**name);
        wanted.iter().filter(good).count()
    }

    /// What is not as it should be, one line each; `succeeded` is what the suite said by its exit.
    pub(super) fn problems(&self, wanted: &[&str], succeeded: bool) -> Vec<String> {
        let failed = self.failed.iter().map(|name| format!("failed: {name}"));
        let ran = |name: &str| self.passed.contains(name) || self.failed.contains(name);
        let missing = wanted.iter().filter(|name| !ran(name));
        let missing = missing.map(|name| format!("did not run: {name}"));
        let unlisted = self.passed.iter();
        let unlisted = unlisted.filter(|name| !wanted.contains(&name.as_str()));
        let unlisted = unlisted.map(|name| format!("not in checks.txt: {name}"));
        let mut problems: Vec<_> = failed.chain(missing).chain(unlisted).collect();
        if problems.is_empty() && !succeeded {
            problems.push("the suite ended with an error".to_owned());
        }
        problems
    }
}

/// The name of a check's test in Go.
pub(super) fn in_go(check: &str) -> String {
    let capital = |word: &str| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_ascii_uppercase() + rest
    };
    check
        .split('_')
        .fold("Test".to_owned(), |name, word| name + &capital(word))
}

/// The check of a line such as `--- PASS: TestAKeyIsRead (0.01s)`.
fn name(line: &str, verdict: &str) -> Option<String> {
    let name = line.strip_prefix(verdict)?.split(' ').next()?;
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake.strip_prefix("test_").map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WANTED: [&str; 2] = ["a_key_is_read", "retried"];
    const GOOD: [&str; 2] = ["--- PASS: test_a_key_is_read", "--- PASS: test_retried"];

    fn report(lines: &[&str]) -> Report {
        let mut report = Report::default();
        for line in lines {
            report.note(line);
        }
        report
    }

    #[test]
    fn both_suites_are_understood() {
        let go = [
            "=== RUN   TestRetried",
            "--- PASS: TestRetried (1.01s)",
            "--- PASS: TestAKeyIsRead (0.00s)",
            "PASS",
        ];
        for lines in [go.as_slice(), &GOOD] {
            let report = report(lines);
            assert_eq!(report.passed(&WANTED), 2);
            assert!(report.problems(&WANTED, true).is_empty(), "{report:?}");
        }
    }

    #[test]
    fn a_check_has_a_name_in_go() {
        let line = format!("--- PASS: {} (0.00s)", in_go("a_key_is_read"));
        assert_eq!(line, "--- PASS: TestAKeyIsRead (0.00s)");
        assert_eq!(name(&line, "--- PASS: ").as_deref(), Some("a_key_is_read"));
    }

    #[test]
    fn what_failed_was_skipped_or_did_not_run_is_told() {
        let skipped = report(&["--- SKIP: test_retried"]);
        assert_eq!(skipped.passed(&WANTED), 0);
        assert_eq!(
            skipped.problems(&WANTED, true),
            ["failed: retried", "did not run: a_key_is_read"]
        );
        let other = report(&[
            "--- PASS: test_other",
            "--- PASS: test_retried",
            "--- FAIL: test_a_key_is_read",
        ]);
        assert_eq!(other.passed(&WANTED), 1);
        assert_eq!(
            other.problems(&WANTED, false),
            ["failed: a_key_is_read", "not in checks.txt: other"]
        );
        assert_eq!(report(&[]).problems(&WANTED, true).len(), 2);
    }

    #[test]
    fn a_suite_that_ends_badly_is_a_problem() {
        let ended_badly = report(&GOOD).problems(&WANTED, false);
        assert_eq!(ended_badly, ["the suite ended with an error"]);
    }
}
