//! `cargo xtask tidy`: the house rules that neither rustc nor clippy hold.
//!
//! `source` turns a file into facts, `layers` and `rules` judge them. What the rules mean is told
//! in docs/architecture.md. The documentation is held by `docs`.

mod layers;
mod rules;
mod source;

use std::fmt;
use std::fs;
use std::io::{Write as _, stdout};
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::{docs, files};
use layers::Layers;
use source::Source;

/// The folders with Rust sources.
const FOLDERS: [&str; 4] = ["src", "crates", "tests", "xtask"];

/// A rule broken at a place.
#[derive(Debug, PartialEq, Eq)]
struct Violation {
    path: String,
    line: usize,
    rule: &'static str,
    message: String,
}

impl Violation {
    fn new(source: &Source, line: usize, rule: &'static str, message: String) -> Self {
        Self {
            path: source.path.clone(),
            line,
            rule,
            message,
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}: {}: {}",
            self.path, self.line, self.rule, self.message
        )
    }
}

/// Checks every Rust file of the repository and prints what breaks a rule.
///
/// # Errors
/// Something breaks a rule, or a file cannot be read or parsed.
pub(crate) fn run() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("xtask has a parent folder")?;
    let mut files = Vec::new();
    for folder in FOLDERS {
        files.extend(files::below(&root.join(folder), "rs")?);
    }
    files.sort();
    let lib = fs::read_to_string(root.join("src/lib.rs")).context("read src/lib.rs")?;
    let (layers, mut violations) = Layers::parse(&lib)?;
    for file in &files {
        let text = fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
        let path = file.strip_prefix(root)?.to_string_lossy().into_owned();
        let source = Source::parse(&path, &text)?;
        violations.extend(rules::check(&source));
        violations.extend(layers.check(&source));
    }
    for violation in &violations {
        writeln!(stdout(), "{violation}")?;
    }
    let documentation = docs::check(root)?;
    for violation in &documentation {
        writeln!(stdout(), "{violation}")?;
    }
    if !(violations.is_empty() && documentation.is_empty()) {
        bail!(
            "violations: {}, in {} files read and the documentation",
            violations.len() + documentation.len(),
            files.len()
        );
    }
    writeln!(stdout(), "tidy: {} files in order", files.len())?;
    Ok(())
}
