//! `cargo xtask book`: docs/ as a book of HTML pages by mdBook, which is built once into a cache outside the checkout.
//!
//! The book stands alone: a link that leaves it becomes its text. A folder's README.md is its index.md. Broken links end the build, those of the sources
//! and those of what was rendered.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::io::{Write as _, stdout};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use super::links::{TEMPLATE, Target};
use super::page::Page;
use crate::{cargo, files};

const VERSION: &str = "0.5.4";
const CONFIG: &str = "book.toml";
const README: &str = "README.md";
/// What mdBook calls it, and links to.
const INDEX: &str = "index.md";

/// Arguments of `book`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where the pages go; target/book of the checkout if absent. What is there is replaced.
    #[arg(long)]
    output: Option<PathBuf>,
}

/// Makes the book and says where it is.
///
/// # Errors
/// A link is broken, or mdBook cannot be built or does not succeed.
pub(crate) fn run(args: &Args) -> Result<()> {
    let root = cargo::root();
    let pages = super::pages(root)?;
    told(&super::links::check(root, &pages)?)?;
    told(&super::links::unlisted(&pages))?;
    let source = tempfile::tempdir().context("make a folder for the sources")?;
    fs::copy(root.join(CONFIG), source.path().join(CONFIG)).context("copy book.toml")?;
    for page in &pages {
        if page.path.starts_with("docs/") {
            let file = source.path().join(page.path.replace(README, INDEX));
            fs::create_dir_all(file.parent().context("a page stands in a folder")?)?;
            fs::write(&file, alone(page)).with_context(|| format!("write {}", file.display()))?;
        }
    }
    let output = match &args.output {
        Some(folder) => std::path::absolute(folder)?,
        None => root.join("target/book"),
    };
    let mut build = Command::new(mdbook()?);
    build.arg("build").arg(source.path()).arg("--dest-dir");
    let status = build.arg(&output).status().context("start mdbook")?;
    ensure!(status.success(), "mdbook: {status}");
    let rendered = Rendered::read(&output)?;
    told(&rendered.broken())?;
    writeln!(
        stdout(),
        "book: {} pages in {}",
        rendered.0.len(),
        output.display()
    )?;
    Ok(())
}

fn told(broken: &[String]) -> Result<()> {
    ensure!(broken.is_empty(), "broken links:\n{}", broken.join("\n"));
    Ok(())
}

/// The page as it is in the book.
fn alone(page: &Page) -> String {
    let mut text = page.text.clone();
    // from the last to the first: what was found before stays where it is
    for link in page.links.iter().rev() {
        let Some(path) = Target::of(&page.path, link).path else {
            continue;
        };
        let there = if path.starts_with("docs/") && path != TEMPLATE {
            page.text[link.source.clone()].replace(README, INDEX)
        } else {
            page.text[link.label.clone()].to_owned()
        };
        text.replace_range(link.source.clone(), &there);
    }
    text
}

/// The mdBook of the cache, which is built where it is missing.
fn mdbook() -> Result<PathBuf> {
    let cache = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cache")));
    let cache = cache.context("no place for mdBook: set HOME")?;
    let folder = cache.join(format!("keyferry-book/mdbook-{VERSION}"));
    let program = folder.join("bin/mdbook");
    if program.exists() {
        return Ok(program);
    }
    writeln!(
        stdout(),
        "building mdBook {VERSION} into {}",
        folder.display()
    )?;
    let mut install = cargo::command();
    install.args(["install", "--quiet", "--locked", "--no-default-features"]);
    install.arg("--root").arg(&folder);
    install.arg(format!("mdbook@{VERSION}"));
    // its build products are no concern of this checkout's
    let status = install.env_remove("CARGO_TARGET_DIR").status();
    if !status.context("start cargo install")?.success() {
        bail!("mdBook {VERSION} does not build");
    }
    Ok(program)
}

/// The HTML pages by their path in the book.
struct Rendered(BTreeMap<PathBuf, String>);

impl Rendered {
    fn read(folder: &Path) -> Result<Self> {
        let mut pages = BTreeMap::new();
        for file in files::below(folder, "html")? {
            let text = fs::read_to_string(&file)?;
            pages.insert(file.strip_prefix(folder)?.to_owned(), text);
        }
        Ok(Self(pages))
    }

    /// Links to pages or ids that the book does not have.
    fn broken(&self) -> Vec<String> {
        let mut broken = BTreeSet::new();
        for (path, html) in &self.0 {
            for link in attributes(html, "href") {
                let (page, id) = link.split_once('#').unwrap_or((link, ""));
                let is_page =
                    page.is_empty() || Path::new(page).extension().is_some_and(|it| it == "html");
                if page.contains("://") || !is_page {
                    continue;
                }
                let target = match page {
                    "" => path.clone(),
                    page => normal(&path.with_file_name(page)),
                };
                let found = self.0.get(&target);
                let has_id = |html: &String| attributes(html, "id").any(|it| it == id);
                if !found.is_some_and(|html| id.is_empty() || has_id(html)) {
                    broken.insert(format!("{}: {link} in the book", path.display()));
                }
            }
        }
        broken.into_iter().collect()
    }
}

/// The values of an attribute, as mdBook writes it.
fn attributes<'a>(html: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let opening = format!(" {name}=\"");
    let rests: Vec<&str> = html.split(opening.as_str()).skip(1).collect();
    rests.into_iter().filter_map(|rest| rest.split('"').next())
}

/// Without `..` in the middle.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => {
                normal.pop();
            }
            part => normal.push(part),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_that_leave_the_book_become_their_text() {
        let text = "[README](../README.md#what) and [`b`](b.md), [c](../crds), [d](https://d.example), [e](x/README.md)\n";
        let page = Page::parse("docs/a.md", text.to_owned());
        assert_eq!(
            alone(&page),
            "README and [`b`](b.md), c, [d](https://d.example), [e](x/index.md)\n"
        );
    }

    #[test]
    fn a_rendered_link_to_nothing_is_broken() {
        let html = "<h1 id=\"a\">A</h1> <a href=\"#a\"></a> <a href=\"x/b.html#b\"></a> <a href=\"c.html\"></a>";
        let other = "<h1 id=\"b\">B</h1> <a href=\"../a.html#z\"></a> <link href=\"../s.css\">";
        let pages = [("a.html", html), ("x/b.html", other)];
        let pages = pages.map(|(path, html)| (PathBuf::from(path), html.to_owned()));
        assert_eq!(
            Rendered(pages.into()).broken(),
            [
                "a.html: c.html in the book",
                "x/b.html: ../a.html#z in the book"
            ]
        );
    }
}
