//! What the person who watches sees: headings, steps with the time since the start, commands and
//! their output, checks. Whatever passes through here is redacted.

use std::cell::{Cell, RefCell};
use std::io::Write as _;
use std::time::Instant;

use super::sensitive::Sensitive;

/// The terminal, and what of the run was verified on it.
pub(super) struct Screen<'a> {
    start: Instant,
    sensitive: &'a Sensitive,
    failed: RefCell<Vec<String>>,
    passed: Cell<usize>,
}

impl<'a> Screen<'a> {
    pub(super) fn new(start: Instant, sensitive: &'a Sensitive) -> Self {
        Self {
            start,
            sensitive,
            failed: RefCell::default(),
            passed: Cell::new(0),
        }
    }

    /// The values that are not shown.
    pub(super) fn sensitive(&self) -> &Sensitive {
        self.sensitive
    }

    /// A part of the scenario.
    pub(super) fn part(&self, title: &str) {
        say(&format!("\n== {}", self.sensitive.redact(title)));
    }

    /// Something that is about to be done.
    pub(super) fn step(&self, text: &str) {
        step(self.start, &self.sensitive.redact(text));
    }

    /// A command as a user types it.
    pub(super) fn command(&self, line: &str) {
        self.step(&format!("$ {line}"));
    }

    /// What a command said, or what there is to know.
    pub(super) fn output(&self, text: &str) {
        for line in self.sensitive.redact(text).lines() {
            say(&format!("            {line}"));
        }
    }

    /// Says whether something holds. A failed check fails the run, at its end.
    pub(super) fn check(&self, holds: bool, text: &str) -> bool {
        let text = self.sensitive.redact(text);
        say(&format!(
            "            [{}] {text}",
            if holds { "ok" } else { "FAILED" }
        ));
        if holds {
            self.passed.set(self.passed.get() + 1);
        } else {
            self.failed.borrow_mut().push(text);
        }
        holds
    }

    /// How many checks held.
    pub(super) fn passed(&self) -> usize {
        self.passed.get()
    }

    /// The checks that did not hold.
    pub(super) fn failed(&self) -> Vec<String> {
        self.failed.borrow().clone()
    }
}

/// A step with its time since `start`.
pub(super) fn step(start: Instant, text: &str) {
    say(&format!("[{:6.1} s] {text}", start.elapsed().as_secs_f64()));
}

/// A line on standard output.
pub(super) fn say(line: &str) {
    // a closed pipe takes nobody's evidence away
    let _ = writeln!(std::io::stdout(), "{line}");
}
