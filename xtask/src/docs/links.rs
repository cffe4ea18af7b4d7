//! Links of the pages: what they name exists, and every page can be found. Other hosts are not asked.

use std::collections::HashMap;
use std::path::{Component, Path};

use anyhow::Result;

use super::page::{Link, Page};

const SUMMARY: &str = "docs/SUMMARY.md";
const DECISIONS: &str = "docs/decisions/";
/// What a decision is written from.
pub(super) const TEMPLATE: &str = "docs/decisions/0000-template.md";

/// Where a link of a page points, below the root, and to which of its anchors.
pub(super) struct Target {
    /// None for another host.
    pub(super) path: Option<String>,
    anchor: Option<String>,
}

impl Target {
    /// Reads a link of the page with this path.
    pub(super) fn of(page: &str, link: &Link) -> Self {
        let (path, anchor) = match link.target.split_once('#') {
            Some((path, anchor)) => (path, Some(anchor.to_owned())),
            None => (link.target.as_str(), None),
        };
        let is_elsewhere = path.contains("://") || path.starts_with("mailto:");
        let path = (!is_elsewhere).then(|| match path {
            "" => page.to_owned(),
            path => resolved(page, path),
        });
        Self { path, anchor }
    }
}

/// `docs/a.md` and `../b/c.md` → `b/c.md`; one that leaves the repository keeps its `..`.
fn resolved(page: &str, link: &str) -> String {
    let folder = Path::new(page).parent().unwrap_or(Path::new(""));
    let mut parts: Vec<String> = Vec::new();
    for part in folder.join(link).components() {
        match part {
            Component::ParentDir if parts.last().is_some_and(|last| last != "..") => {
                parts.pop();
            }
            Component::CurDir => {}
            part => parts.push(part.as_os_str().to_string_lossy().into_owned()),
        }
    }
    parts.join("/")
}

/// Links that name no file or folder of the repository, or no heading of the page.
pub(super) fn check(root: &Path, pages: &[Page]) -> Result<Vec<String>> {
    let mut others = HashMap::new();
    let mut broken = Vec::new();
    for page in pages {
        for link in &page.links {
            let target = Target::of(&page.path, link);
            let Some(path) = target.path else { continue };
            let is_there = !path.starts_with("..") && root.join(&path).exists();
            let is_right = match target.anchor {
                Some(anchor) if is_there => {
                    let known = pages.iter().find(|page| page.path == path);
                    let page = match known {
                        Some(page) => page,
                        None => others
                            .entry(path.clone())
                            .or_insert(super::read(root, &root.join(&path))?),
                    };
                    page.anchors.contains(&anchor)
                }
                _ => is_there,
            };
            if !is_right {
                let line = page.line(link.source.start);
                broken.push(format!(
                    "{}:{line}: link: {} does not exist",
                    page.path, link.target
                ));
            }
        }
    }
    Ok(broken)
}

/// Pages of docs/ that the summary does not list, and decisions that their index does not.
pub(super) fn unlisted(pages: &[Page]) -> Vec<String> {
    let listed = |index: &str, path: &str| {
        let index = pages.iter().find(|page| page.path == index);
        index.is_some_and(|index| {
            let mut targets = index.links.iter().map(|link| Target::of(&index.path, link));
            targets.any(|target| target.path.as_deref() == Some(path))
        })
    };
    let index = format!("{DECISIONS}README.md");
    let mut missing = Vec::new();
    for page in pages {
        let path = page.path.as_str();
        if !path.starts_with("docs/") || [SUMMARY, TEMPLATE].contains(&path) {
            continue;
        }
        if !listed(SUMMARY, path) {
            missing.push(format!("{path}:1: link: {SUMMARY} does not list it"));
        }
        if path.starts_with(DECISIONS) && path != index && !listed(&index, path) {
            missing.push(format!("{path}:1: link: {index} does not list it"));
        }
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_nothing_is_broken_and_one_to_a_heading_is_not() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("docs")).unwrap();
        std::fs::write(root.path().join("docs/b.md"), "# One two\n").unwrap();
        let text = "[a](b.md) [b](b.md#one-two) [c](#here) [d](https://x.example/y#z)\n# Here\n\n\
             [e](c.md) [f](b.md#three) [g](../../x)\n";
        std::fs::write(root.path().join("docs/a.md"), text).unwrap();
        let page = Page::parse("docs/a.md", text.to_owned());
        let broken = check(root.path(), &[page]).unwrap();
        let names = broken.iter().map(|it| it.split(' ').nth(2).unwrap());
        let names: Vec<&str> = names.collect();
        assert_eq!(names, ["c.md", "b.md#three", "../../x"]);
        assert!(broken[0].starts_with("docs/a.md:4: link: "), "{broken:?}");
    }

    #[test]
    fn a_page_that_the_summary_does_not_list_is_told() {
        let page = |path: &str, text: &str| Page::parse(path, text.to_owned());
        let pages = [
            page("docs/SUMMARY.md", "- [a](a.md)\n"),
            page("docs/a.md", "# A\n"),
            page("docs/b.md", "# B\n"),
            page("README.md", "# C\n"),
        ];
        assert_eq!(
            unlisted(&pages),
            ["docs/b.md:1: link: docs/SUMMARY.md does not list it"]
        );
    }
}
