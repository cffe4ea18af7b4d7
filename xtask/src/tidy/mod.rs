//! `cargo xtask tidy`: the house rules that neither rustc nor clippy hold.
//!
//! - Imports run down: a table `| layer | module | knows |` at the head of src/lib.rs or of a folder's
//!   `mod.rs` is the order of its modules (`layers`), and a few modules have walls around them (`walls`).
//! - No files import each other in a circle (`circles`).
//! - A file or folder whose head says "Pure." is (`purity`).
//! - Every file has a head; files and functions have a size (`rules`).
//!
//! `source` and `reader` turn a file into facts, `resolve` and `graph` say which file names which; those
//! above judge them, `print` shows them. The documentation is held by `docs`.

mod circles;
mod graph;
mod layers;
mod print;
mod purity;
mod reader;
mod resolve;
mod rules;
mod source;
mod syntax;
mod table;
mod tokens;
mod violation;
mod walls;

use std::collections::BTreeSet;
use std::fs;
use std::io::{Write as _, stdout};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::{docs, files};
use graph::Graph;
use layers::Layers;
use print::Picture;
use resolve::Modules;
use source::Source;
use violation::Violation;

/// The folders with Rust sources.
const FOLDERS: [&str; 4] = ["src", "crates", "tests", "xtask"];

/// Checks what the compiler does not.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Print which folders and files of src/ (or of this folder) name which, and check nothing.
    #[arg(long, value_name = "FOLDER", num_args = 0..=1, default_missing_value = "src")]
    graph: Option<String>,
    /// Another checkout to read.
    #[arg(long, value_name = "FOLDER")]
    root: Option<PathBuf>,
}

/// Checks every Rust file of the repository and prints what breaks a rule, or prints their graph.
///
/// # Errors
/// Something breaks a rule, or a file cannot be read or parsed.
pub(crate) fn run(args: &Args) -> Result<()> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let root = args.root.as_deref().or(own);
    let root = root.context("xtask has a parent folder")?;
    let sources = read(root)?;
    if let Some(folder) = &args.graph {
        return print(&sources, folder.trim_end_matches('/'));
    }
    let violations = check(&sources);
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
            sources.len()
        );
    }
    writeln!(stdout(), "tidy: {} files in order", sources.len())?;
    Ok(())
}

fn print(sources: &[Source], folder: &str) -> Result<()> {
    let within = |source: &&Source| Path::new(&source.path).starts_with(folder);
    let root = sources.iter().find(within).map(|source| &source.root);
    let root = root.with_context(|| format!("{folder} has no Rust file"))?;
    let graph = Graph::of(sources, &Modules::of(sources, root), root);
    let (layers, _) = Layers::of(sources);
    write!(
        stdout(),
        "{}",
        Picture::of(sources, &graph, &layers, folder)
    )?;
    Ok(())
}

fn read(root: &Path) -> Result<Vec<Source>> {
    let mut files = Vec::new();
    for folder in FOLDERS {
        files.extend(files::below(&root.join(folder), "rs")?);
    }
    files.sort();
    let mut texts = Vec::new();
    for file in &files {
        let text = fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
        let path = file.strip_prefix(root)?.to_string_lossy().into_owned();
        texts.push((path, text));
    }
    parse(&texts)
}

/// Parses the files. One that is declared under `#[cfg(test)]` is test code, whatever its name.
fn parse(texts: &[(String, String)]) -> Result<Vec<Source>> {
    let parsed = texts.iter().map(|(path, text)| reader::parse(path, text));
    let mut sources: Vec<Source> = parsed.collect::<Result<_>>()?;
    let marked: BTreeSet<(String, Vec<String>)> = sources
        .iter()
        .flat_map(|source| {
            let children = source.children.iter().filter(|child| child.is_test);
            children.map(|child| (source.root.clone(), child.module.clone()))
        })
        .collect();
    for (source, (path, text)) in sources.iter_mut().zip(texts) {
        let is_below = |(root, module): &(String, Vec<String>)| {
            source.root == *root && !root.is_empty() && source.module.starts_with(module)
        };
        if !source.is_test && marked.iter().any(is_below) {
            *source = reader::parse_as(path, text, true)?;
        }
    }
    Ok(sources)
}

fn check(sources: &[Source]) -> Vec<Violation> {
    let mut violations: Vec<Violation> = sources.iter().flat_map(rules::check).collect();
    violations.extend(sources.iter().flat_map(walls::check));
    violations.extend(purity::check(sources));
    let (layers, tables) = Layers::of(sources);
    violations.extend(tables);
    let roots: BTreeSet<&str> = sources.iter().map(|source| source.root.as_str()).collect();
    for root in roots.into_iter().filter(|root| !root.is_empty()) {
        let modules = Modules::of(sources, root);
        violations.extend(layers.check(sources, root, &modules));
        violations.extend(circles::check(sources, &Graph::of(sources, &modules, root)));
    }
    violations.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_declared_under_test_is_test_code() {
        let files = [
            ("src/lib.rs", "//! .\n#[cfg(test)]\nmod cases;\nmod other;"),
            ("src/cases.rs", "//! ."),
            ("src/cases/deep.rs", "//! ."),
            ("src/other.rs", "//! ."),
            ("crates/a/src/cases.rs", "//! ."),
        ];
        let texts = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
        let sources = parse(&texts).unwrap();
        let marked = sources.iter().filter(|source| source.is_test);
        let marked: Vec<&str> = marked.map(|source| source.path.as_str()).collect();
        assert_eq!(marked, ["src/cases.rs", "src/cases/deep.rs"]);
    }

    #[test]
    fn every_rule_is_asked() {
        let long = format!(
            "//! Pure.\nuse std::fs;\nfn f() {{\n{}}}\n",
            "    g();\n".repeat(61)
        );
        let texts = [
            ("src/b.rs", "//! .\nuse crate::c::C;\npub struct B;"),
            ("src/c.rs", "//! .\nuse crate::b::B;\npub struct C;"),
            ("src/azure.rs", "//! .\nuse kube::Client;"),
            ("src/lib.rs", "//! .\nmod azure;"),
            ("src/long.rs", &long),
        ];
        let texts = texts.map(|(path, text)| (path.to_owned(), text.to_owned()));
        let violations = check(&parse(&texts).unwrap());
        let places: Vec<String> = violations
            .iter()
            .map(|it| format!("{}:{}: {}", it.path, it.line, it.rule))
            .collect();
        assert_eq!(
            places,
            [
                "src/azure.rs:2: layers",
                "src/b.rs:2: circles",
                "src/lib.rs:1: layers",
                "src/long.rs:2: purity",
                "src/long.rs:3: size"
            ]
        );
    }
}
