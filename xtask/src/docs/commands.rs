//! Commands of the pages: a block of shell commands is run by a test, or it says what it needs that no test has.
//!
//! A test gets the blocks of a page by `pages::commands("docs/PAGE.md")` (tests/it/support/pages.rs), which returns
//! all of them but the marked ones. So a page whose unmarked blocks nobody runs is one that no test names like this.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::page::Page;
use crate::files;

const SHELLS: [&str; 4] = ["sh", "bash", "shell", "console"];
/// What a block may need instead of being run.
const MARKS: [&str; 4] = [
    // an Azure subscription
    "needs-azure",
    // nodes that run pods, or other programs of a real cluster
    "needs-cluster",
    // a registry of images
    "needs-registry",
    // a checkout to build from, and minutes
    "from-checkout",
];
const TESTS: &str = "tests/it";

/// Blocks with a mark that there is not, and unmarked ones that no test runs.
pub(super) fn check(root: &Path, pages: &[Page]) -> Result<Vec<String>> {
    let mut tests = String::new();
    for file in files::below(&root.join(TESTS), "rs")? {
        let text = fs::read_to_string(&file);
        tests += &text.with_context(|| format!("read {}", file.display()))?;
    }
    Ok(judged(pages, &tests))
}

fn judged(pages: &[Page], tests: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for page in pages {
        let is_run = tests.contains(&format!("commands(\"{}\")", page.path));
        for block in &page.blocks {
            let mut words = block.info.split_whitespace();
            if !words.next().is_some_and(|word| SHELLS.contains(&word)) {
                continue;
            }
            let told = |what: String| format!("{}:{}: commands: {what}", page.path, block.line);
            match words.next() {
                Some(mark) if MARKS.contains(&mark) => {}
                Some(mark) => wrong.push(told(format!("{mark} is none of {MARKS:?}"))),
                None if is_run => {}
                None => wrong.push(told(format!(
                    "no test runs this block; run pages::commands(\"{}\") in one, or mark it with one of {MARKS:?}",
                    page.path
                ))),
            }
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_run_or_marked() {
        let page = |path: &str, text: &str| Page::parse(path, text.to_owned());
        let pages = [
            page("docs/run.md", "```sh\nkubectl get es\n```\n"),
            page(
                "docs/not.md",
                "```yaml\na: 1\n```\n```sh needs-azure\naz login\n```\n```sh\nls\n```\n```console by-hand\n$ ls\n```\n",
            ),
        ];
        let wrong = judged(&pages, "for line in pages::commands(\"docs/run.md\") {");
        let places = wrong.iter().map(|it| it.split(": ").next().unwrap());
        assert_eq!(
            places.collect::<Vec<_>>(),
            ["docs/not.md:7", "docs/not.md:10"]
        );
    }
}
