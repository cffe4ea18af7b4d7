//! A Rust file as the facts that the rules ask for: which paths it names, what it defines, what is
//! async, how long its functions are. `reader` finds the facts; no rule is known here.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// What is known of a file.
pub(super) struct Source {
    /// Relative to the repository's root.
    pub(super) path: String,
    /// The folder of its crate: `src`, `crates/testbed/src`. Empty if the file is not in one.
    pub(super) root: String,
    /// The module that the file is, from the crate's root: `["provider", "error"]`.
    pub(super) module: Vec<String>,
    /// The whole file is test code.
    pub(super) is_test: bool,
    /// How many lines it has.
    pub(super) lines: usize,
    /// Its leading `//!` lines, without these marks.
    pub(super) head: Vec<String>,
    /// Paths that it names, in `use`, code, attributes and macro arguments.
    pub(super) names: Vec<Name>,
    /// What is in scope, by module: the file's own and the inline ones.
    pub(super) scopes: BTreeMap<Vec<String>, Scope>,
    /// The modules that it declares.
    pub(super) children: Vec<Child>,
    /// Where something is async or awaited outside tests.
    pub(super) asyncs: Vec<usize>,
    /// Statics outside tests that can change.
    pub(super) globals: Vec<Global>,
    /// Its functions.
    pub(super) functions: Vec<Function>,
    /// Array literals and `vec!` in test code, outermost ones: tables of cases.
    pub(super) tables: Vec<RangeInclusive<usize>>,
}

/// A path, with `self` and `super` resolved: it begins with `crate`, with a name in scope, or with a
/// name from outside.
pub(super) struct Name {
    pub(super) segments: Vec<String>,
    /// The module it is named in.
    pub(super) scope: Vec<String>,
    pub(super) line: usize,
    pub(super) is_test: bool,
    pub(super) by: By,
}

/// How a path is named.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Code,
    Import,
    /// `use` with a visibility: importers see through it.
    Export,
    /// `use path::*`, with or without a visibility.
    Glob {
        is_export: bool,
    },
}

/// What the paths of a module can begin with, apart from its child modules.
#[derive(Default)]
pub(super) struct Scope {
    pub(super) items: BTreeSet<String>,
    pub(super) imports: Vec<Import>,
}

/// A name brought by `use`; without the name, all names of the target.
pub(super) struct Import {
    pub(super) name: Option<String>,
    pub(super) target: Vec<String>,
}

/// `mod name;` or `mod name { }`.
pub(super) struct Child {
    pub(super) module: Vec<String>,
    pub(super) line: usize,
    pub(super) is_test: bool,
    pub(super) is_inline: bool,
}

/// A `static` that can change.
pub(super) struct Global {
    pub(super) name: String,
    pub(super) line: usize,
}

/// A function with a body.
pub(super) struct Function {
    pub(super) name: String,
    /// Where its name is.
    pub(super) line: usize,
    /// Between its braces, as clippy counts too.
    pub(super) lines: RangeInclusive<usize>,
}

impl Source {
    /// A file of which nothing is known but its place, its head and its length.
    pub(super) fn new(path: &str, text: &str, is_test: bool) -> Self {
        let (root, module) = place_of(path).unwrap_or_default();
        let head = text.lines().map_while(|line| line.strip_prefix("//!"));
        Self {
            path: path.to_owned(),
            root,
            module,
            is_test,
            lines: text.lines().count(),
            head: head.map(|line| line.trim().to_owned()).collect(),
            names: Vec::new(),
            scopes: BTreeMap::new(),
            children: Vec::new(),
            asyncs: Vec::new(),
            globals: Vec::new(),
            functions: Vec::new(),
            tables: Vec::new(),
        }
    }

    /// The folder it is in.
    pub(super) fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// Others are declared in it by its folder: `mod.rs`, or the root of a crate.
    pub(super) fn is_folder_head(&self) -> bool {
        let file = self.path.rsplit('/').next();
        file.is_some_and(|file| matches!(file, "mod.rs" | "lib.rs" | "main.rs"))
    }

    /// Lines in a range, a table of test cases counting as one.
    pub(super) fn length(&self, range: &RangeInclusive<usize>) -> usize {
        let inside = self
            .tables
            .iter()
            .filter(|table| range.contains(table.start()) && range.contains(table.end()));
        let spared: usize = inside.map(|table| table.end() - table.start()).sum();
        (range.end() + 1).saturating_sub(range.start() + spared)
    }
}

/// `src/provider/error.rs` → `src` and `["provider", "error"]`; nothing for what is not a module of
/// a crate.
fn place_of(path: &str) -> Option<(String, Vec<String>)> {
    let parts: Vec<&str> = path.strip_suffix(".rs")?.split('/').collect();
    let root = match parts.as_slice() {
        ["src", ..] => 1,
        ["xtask", "src", ..] => 2,
        ["crates", _, "src", ..] => 3,
        _ => return None,
    };
    let mut module: Vec<String> = parts[root..].iter().map(|&part| part.to_owned()).collect();
    module.pop_if(|last| matches!(last.as_str(), "mod" | "lib" | "main"));
    Some((parts[..root].join("/"), module))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_module_of_a_crate() {
        let place = |path| {
            let (root, module) = place_of(path)?;
            Some(format!("{root}: {}", module.join("::")))
        };
        assert_eq!(
            place("src/provider/error.rs").unwrap(),
            "src: provider::error"
        );
        assert_eq!(place("src/lib.rs").unwrap(), "src: ");
        assert_eq!(place("crates/a/src/b/mod.rs").unwrap(), "crates/a/src: b");
        assert_eq!(place("crates/a/tests/b.rs"), None);
    }
}
