//! What a run of the golden cases came to: one line per difference, a count at the end.

use super::case::Case;
use crate::support::say;

/// The differences of one case, in words; none: it passed.
pub(crate) type Outcome = Vec<String>;

/// The result so far.
pub(crate) struct Report {
    passed: usize,
    pending: usize,
    failed: usize,
    complaints: Vec<String>,
}

impl Report {
    /// Starts with what is wrong before any case ran.
    pub(crate) fn new(complaints: Vec<String>) -> Self {
        Self {
            passed: 0,
            pending: 0,
            failed: 0,
            complaints,
        }
    }

    /// Counts pending cases that do not run.
    pub(crate) fn leave_out(&mut self, cases: usize) {
        self.pending += cases;
    }

    /// Notes a case that ran. A pending one that passes is as wrong as another that fails.
    pub(crate) fn note(&mut self, case: &Case, outcome: &Outcome, pending: bool) {
        let name = &case.name;
        let lines: Vec<String> = outcome
            .iter()
            .map(|line| format!("{name} {line}"))
            .collect();
        match (outcome.is_empty(), pending) {
            (true, false) => self.passed += 1,
            (true, true) => {
                self.passed += 1;
                self.complain(vec![format!(
                    "{name} passes now: remove it from pending.txt"
                )]);
            }
            (false, true) => {
                self.pending += 1;
                for line in lines {
                    say(&format!("pending: {line}"));
                }
            }
            (false, false) => {
                self.failed += 1;
                self.complain(lines);
            }
        }
    }

    /// Adds what makes the run bad.
    pub(crate) fn complain(&mut self, lines: Vec<String>) {
        for line in &lines {
            say(line);
        }
        self.complaints.extend(lines);
    }

    /// `golden: N passed, M pending, K failed`.
    pub(crate) fn summary(&self) -> String {
        format!(
            "golden: {} passed, {} pending, {} failed",
            self.passed, self.pending, self.failed
        )
    }

    /// Whether nothing is wrong.
    pub(crate) fn is_good(&self) -> bool {
        self.complaints.is_empty()
    }

    /// All that is wrong.
    pub(crate) fn lines(&self) -> &[String] {
        &self.complaints
    }
}
