//! The documentation: README.md and docs/, and what holds them. `page` reads, `links` and `commands` judge, `book` makes
//! the book.

pub(crate) mod book;
mod commands;
mod links;
mod page;

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::files;
use page::Page;

/// Pages outside of docs/ that are held too.
const OUTSIDE: [&str; 3] = ["README.md", "CONTRIBUTING.md", "examples/README.md"];

/// What is wrong with the documentation, a line each; `path:line: rule: words`.
///
/// # Errors
/// A page cannot be read.
pub(crate) fn check(root: &Path) -> Result<Vec<String>> {
    let pages = pages(root)?;
    let mut wrong = links::check(root, &pages)?;
    wrong.extend(links::unlisted(&pages));
    wrong.extend(commands::check(root, &pages)?);
    Ok(wrong)
}

/// All pages, docs/ first, by path.
fn pages(root: &Path) -> Result<Vec<Page>> {
    let mut files = files::below(&root.join("docs"), "md")?;
    files.extend(OUTSIDE.map(|path| root.join(path)));
    files.iter().map(|file| read(root, file)).collect()
}

fn read(root: &Path, file: &Path) -> Result<Page> {
    let text = fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
    let path = file.strip_prefix(root).unwrap_or(file).to_string_lossy();
    Ok(Page::parse(&path, text))
}
