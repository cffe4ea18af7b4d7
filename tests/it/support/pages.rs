//! Pages of the documentation, as the tests that hold them read them: their commands, manifests and what a command
//! is said to print. Runs nothing.
//!
//! Commands of a block marked `sh needs-...` or `sh from-checkout` are left out; `cargo xtask tidy` looks that the others
//! are asked for here by a test.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy's exception for tests does not reach their helpers"
)]

use std::path::Path;

use super::settings::repository;

/// The unmarked blocks of shell commands of `docs/PAGE.md`, in their order.
pub(crate) fn commands(path: &str) -> Vec<String> {
    let found = blocks(path, "sh");
    assert!(!found.is_empty(), "{path} has no commands to run");
    found
}

/// The blocks of a page with exactly this behind their opening fence.
pub(crate) fn blocks(path: &str, info: &str) -> Vec<String> {
    let page = std::fs::read_to_string(repository().join(path));
    let page = page.unwrap_or_else(|error| panic!("{path}: {error}"));
    let opening = format!("```{info}");
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("```") {
            let block: String = lines
                .by_ref()
                .take_while(|line| !line.starts_with("```"))
                .flat_map(|line| [line, "\n"])
                .collect();
            if line == opening {
                blocks.push(block);
            }
        }
    }
    blocks
}

/// Every page below docs/, by its path from the root.
pub(crate) fn all() -> Vec<String> {
    let mut folders = vec!["docs".to_owned()];
    let mut pages = Vec::new();
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(repository().join(&folder)).unwrap();
        for entry in entries.map(Result::unwrap) {
            let path = format!("{folder}/{}", entry.file_name().display());
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else {
                pages.push(path);
            }
        }
    }
    pages.retain(|path| Path::new(path).extension().is_some_and(|it| it == "md"));
    pages.sort();
    pages
}
