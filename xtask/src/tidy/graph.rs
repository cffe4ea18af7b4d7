//! The files of a crate and which of them name which, outside tests. Judges nothing.

use std::collections::BTreeMap;

use super::resolve::{Modules, Target};
use super::source::{By, Name, Source};

/// Arrows between files, each as its place among the sources.
pub(super) struct Graph {
    /// The folder of the crate.
    pub(super) root: String,
    /// From, to, and the first line that names it.
    pub(super) arrows: BTreeMap<(usize, usize), usize>,
}

impl Graph {
    /// The arrows of one crate.
    pub(super) fn of(sources: &[Source], modules: &Modules<'_>, root: &str) -> Self {
        let mut arrows = BTreeMap::new();
        for (from, source) in sources.iter().enumerate() {
            if source.is_test || source.root != root {
                continue;
            }
            for name in &source.names {
                let target = modules.target(name);
                let to = target.filter(|target| is_arrow(source, name, target));
                if let Some(to) = to.filter(|to| to.file != from) {
                    let line = arrows.entry((from, to.file)).or_insert(name.line);
                    *line = name.line.min(*line);
                }
            }
        }
        Self {
            root: root.to_owned(),
            arrows,
        }
    }
}

/// A module alone is only a way to what is in it. And who re-exports a module below his own needs
/// nothing from it: whoever imports the name does.
fn is_arrow(source: &Source, name: &Name, target: &Target<'_>) -> bool {
    let (is_glob, is_export) = match name.by {
        By::Glob { is_export } => (true, is_export),
        By::Export => (false, true),
        By::Code | By::Import => (false, false),
    };
    let is_below = target.module.starts_with(&source.module);
    let is_way = target.is_module && !is_glob;
    let is_passed_on = is_export && is_below;
    !(name.is_test || is_way || is_passed_on)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::reader::parse;

    /// The arrows of a crate, as `from -> to`.
    fn arrows(files: &[(&str, &str)]) -> Vec<String> {
        let read = |(path, text): &(&str, &str)| parse(path, text).unwrap();
        let root = [("src/lib.rs", "")];
        let sources: Vec<Source> = root.iter().chain(files).map(read).collect();
        let graph = Graph::of(&sources, &Modules::of(&sources, "src"), "src");
        let text = |&(from, to): &(usize, usize)| {
            let short = |at: usize| sources[at].path.trim_start_matches("src/").to_owned();
            format!("{} -> {}", short(from), short(to))
        };
        graph.arrows.keys().map(text).collect()
    }

    #[test]
    fn a_name_leads_to_the_file_that_defines_it() {
        let files = [
            (
                "src/a.rs",
                "use crate::b::{Error, other};\nfn f() { other::g() }",
            ),
            (
                "src/b/mod.rs",
                "mod error; mod other;\npub use error::Error;",
            ),
            ("src/b/error.rs", "pub enum Error {}"),
            (
                "src/b/other.rs",
                "use super::Error as E;\nuse std::fmt::Error;\npub fn g() -> E {}",
            ),
        ];
        assert_eq!(
            arrows(&files),
            [
                "a.rs -> b/error.rs",
                "a.rs -> b/other.rs",
                "b/other.rs -> b/error.rs"
            ]
        );
    }

    #[test]
    fn a_module_that_uses_what_it_re_exports_has_an_arrow() {
        let files = |code: &'static str| {
            [
                ("src/a/mod.rs", code),
                ("src/a/b.rs", "pub struct B; pub fn b() {}"),
            ]
        };
        let declares = "mod b; pub(crate) use b::{B, b}; pub use b::*;";
        assert_eq!(arrows(&files(declares)), [""; 0]);
        for code in [
            "mod b; pub use b::B; fn f(b: B) {}",
            "mod b; pub use b::*; fn f(b: B) {}",
            "mod b; pub use b::b; fn f() { select!(x = b() => {}) }",
            "mod b; fn f() { b::b() }",
            "mod b; use b::B;",
        ] {
            assert_eq!(arrows(&files(code)), ["a/mod.rs -> a/b.rs"], "{code}");
        }
    }

    #[test]
    fn what_is_re_exported_from_elsewhere_is_an_arrow() {
        let files = [
            ("src/a.rs", "pub use crate::b::B;"),
            ("src/b.rs", "pub struct B;"),
        ];
        assert_eq!(arrows(&files), ["a.rs -> b.rs"]);
    }

    #[test]
    fn globs_lead_to_the_module_and_to_what_it_re_exports() {
        let files = [
            ("src/a/mod.rs", "mod b; mod c; pub use c::C;"),
            ("src/a/b.rs", "use super::*;\nfn f() -> C {}"),
            ("src/a/c.rs", "pub struct C;"),
        ];
        assert_eq!(arrows(&files), ["a/b.rs -> a/mod.rs", "a/b.rs -> a/c.rs"]);
    }

    #[test]
    fn self_is_not_the_function_beside_its_module() {
        let files = [
            ("src/a/mod.rs", "mod plan; fn plan() {}"),
            (
                "src/a/plan.rs",
                "impl P { fn f(&self) { self.x; m!(self.y) } }",
            ),
        ];
        assert_eq!(arrows(&files), [""; 0]);
    }

    #[test]
    fn what_a_macro_defines_is_in_the_module_named() {
        let files = [
            ("src/a.rs", "use crate::b::Made;"),
            ("src/b.rs", "make! { Made }"),
        ];
        assert_eq!(arrows(&files), ["a.rs -> b.rs"]);
    }

    #[test]
    fn tests_and_inline_modules_draw_no_arrow() {
        let files = [
            (
                "src/a.rs",
                "mod inner { use super::A; }\nstruct A;\n#[cfg(test)]\nmod tests { use crate::b::B; }",
            ),
            ("src/b.rs", "pub struct B;"),
            ("src/a_tests.rs", "use crate::b::B;"),
        ];
        assert_eq!(arrows(&files), [""; 0]);
    }

    #[test]
    fn names_that_import_each_other_end() {
        let files = [
            ("src/a.rs", "pub use crate::b::X; use kube;"),
            ("src/b.rs", "pub use crate::a::X;"),
        ];
        assert_eq!(arrows(&files), ["a.rs -> b.rs", "b.rs -> a.rs"]);
    }
}
