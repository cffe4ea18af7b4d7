//! Inside a folder, imports run down: the table at the head of its `mod.rs` (of src/lib.rs for the
//! whole crate) is the order of its modules, and a module names nothing above its own layer.
//!
//! The modules of one layer may name each other as long as that makes no circle. The `mod.rs` itself
//! is above them all: it may name every one, and none may name what it defines, though all may
//! use what it re-exports from below them. Test code is free inside a folder, not between the
//! modules of src/lib.rs. (An adapter is above its port, so an entry may be a path: `provider` is
//! named by `azure`, which is named by `provider::azure_key_vault`.)

use std::collections::BTreeMap;

use super::circles::circles;
use super::resolve::{Modules, Target};
use super::source::{By, Name, Source};
use super::table::{Entry, Table};
use super::violation::Violation;

const ROOT: &str = "src";
/// A folder of more modules needs a table.
const MODULES_WITHOUT_ORDER: usize = 8;
/// Folders that need a table, however small.
const ORDERED: [&str; 4] = [
    ROOT,
    "src/controller",
    "src/controller/external_secret",
    "src/controller/store",
];

/// The tables of all folders.
pub(super) struct Layers(Vec<Table>);

/// The arrows inside a layer, each with the file and line that draws it.
type Level<'a> = BTreeMap<(usize, usize), (&'a Source, usize)>;

impl Layers {
    /// Reads the tables; that one is missing or disagrees with what is declared is a violation.
    pub(super) fn of(sources: &[Source]) -> (Self, Vec<Violation>) {
        let mut tables = Vec::new();
        let mut violations = Vec::new();
        for source in sources {
            if let Some(table) = Table::of(source) {
                violations.extend(table.disagreements(source));
                tables.push(table);
            } else {
                violations.extend(missing(source));
            }
        }
        (Self(tables), violations)
    }

    /// Judges what the files of a crate name.
    pub(super) fn check(
        &self,
        sources: &[Source],
        root: &str,
        modules: &Modules<'_>,
    ) -> Vec<Violation> {
        let tables = self.0.iter().filter(|table| table.root == root);
        tables
            .flat_map(|table| check(table, sources, modules))
            .collect()
    }

    /// Whether an arrow between two modules of a crate runs up.
    pub(super) fn is_upward(&self, from: &Source, to: &Source) -> bool {
        let tables = self.0.iter().filter(|table| table.root == from.root);
        tables
            .filter_map(|table| Some((table, table.entry(&from.module)?)))
            .any(|(table, (mine, _))| match table.entry(&to.module) {
                Some((theirs, _)) => theirs > mine,
                None => to.module == table.module,
            })
    }
}

fn check(table: &Table, sources: &[Source], modules: &Modules<'_>) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut levels: BTreeMap<usize, Level<'_>> = BTreeMap::new();
    for source in sources.iter().filter(|source| source.root == table.root) {
        for name in &source.names {
            match judge(table, source, name, modules.target(name)) {
                Some(Found::Upward(message)) => {
                    violations.push(Violation::new(source, name.line, "layers", message));
                }
                Some(Found::Level(layer, arrow)) => {
                    let level = levels.entry(layer).or_default();
                    level.entry(arrow).or_insert((source, name.line));
                }
                None => {}
            }
        }
    }
    violations.dedup();
    let rounds = levels.iter();
    violations.extend(rounds.flat_map(|(layer, level)| round(table, *layer, level)));
    violations
}

enum Found {
    Upward(String),
    /// From one entry of a layer to another.
    Level(usize, (usize, usize)),
}

fn judge(table: &Table, source: &Source, name: &Name, target: Option<Target<'_>>) -> Option<Found> {
    // a word stands for a path that was judged where it was imported
    let is_word = name.by == By::Code && name.segments.len() == 1;
    if is_word || (name.is_test && !table.module.is_empty()) {
        return None;
    }
    let mine = table.entry(&source.module)?;
    let full = name.segments.join("::");
    let written = name.segments.strip_prefix(["crate".to_owned()].as_slice());
    let defined = target.map(|target| target.module);
    let candidates = written.into_iter().chain(defined);
    let entries = candidates.filter_map(|module| table.entry(module));
    let theirs: Option<Entry> = entries.max_by_key(|(layer, _)| *layer);
    match (theirs, target) {
        (Some(theirs), _) if theirs.0 > mine.0 => {
            let (own, their) = (table.text(mine), table.text(theirs));
            let message = format!("`{own}` is below `{their}` and names {full}");
            Some(Found::Upward(message))
        }
        (Some(theirs), _) if theirs.0 == mine.0 && theirs != mine && !name.is_test => {
            Some(Found::Level(mine.0, (mine.1, theirs.1)))
        }
        (None, Some(target)) if is_in_head(table, name, target) => {
            let (own, head) = (table.text(mine), &table.path);
            let message = format!("`{own}` is below {head} and names {full}, defined there");
            Some(Found::Upward(message))
        }
        _ => None,
    }
}

/// The file with the table defines it itself.
fn is_in_head(table: &Table, name: &Name, target: Target<'_>) -> bool {
    let is_glob = matches!(name.by, By::Glob { .. });
    !name.is_test && target.module == table.module && (is_glob || !target.is_module)
}

fn round(table: &Table, layer: usize, level: &Level<'_>) -> Vec<Violation> {
    let circles = circles(level.keys().copied());
    let told = circles.into_iter().map(|circle| {
        let (source, line) = level[&(circle.way[0], circle.way[1])];
        let round = circle.way.iter().chain([&circle.way[0]]);
        let round: Vec<String> = round.map(|&place| table.text((layer, place))).collect();
        let message = format!(
            "modules of one layer of {} name each other in a circle: {}",
            table.path,
            round.join(" -> ")
        );
        Violation::new(source, line, "layers", message)
    });
    told.collect()
}

fn missing(source: &Source) -> Option<Violation> {
    let children = source.children.iter();
    let modules = children.filter(|child| !child.is_test && !child.is_inline);
    let is_large = source.root == ROOT && modules.count() > MODULES_WITHOUT_ORDER;
    let is_ordered = source.is_folder_head() && ORDERED.contains(&source.folder());
    let is_binary = source.path == "src/main.rs";
    (!is_binary && (is_large || is_ordered)).then(|| {
        let message =
            "the head has no table `| layer | module | knows |` of the modules of this folder";
        Violation::new(source, 1, "layers", message.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::reader::parse;

    const LIB: &str = "//! Head.\n//!\n//! | layer | module | knows |\n//! | --- | --- | --- |\n//! | 0 | [`api`] | |\n\
        //! | 1 | [`provider`] | |\n//! | 2 | [`azure`], [`provider::azure_key_vault`], [`provider::fake`] | |\n\
        //! | 3 | [`controller`], [`cli`] | |\npub mod api;\npub mod azure;\npub mod cli;\npub mod controller;\npub mod provider;\n";
    const FOLDER: &str = "//! Head.\n//!\n//! | layer | module | knows |\n//! | --- | --- | --- |\n//! | 0 | [`low`], [`flat`] | |\n\
        //! | 1 | [`high`] | |\npub use high::High;\nmod flat;\nmod high;\nmod low;\n#[cfg(test)]\nmod tests;\nfn own() {}\n";
    const HIGH: &str = "//! .\npub(crate) struct High;\n";

    /// Files beside src/lib.rs and src/controller.
    fn check(files: &[(&str, &str)]) -> Vec<String> {
        let given = [
            ("src/lib.rs", LIB),
            ("src/controller/mod.rs", FOLDER),
            ("src/controller/high.rs", HIGH),
        ];
        let read = |(path, text): &(&str, &str)| parse(path, text).unwrap();
        let sources: Vec<Source> = given.iter().chain(files).map(read).collect();
        let (layers, mut violations) = Layers::of(&sources);
        violations.extend(layers.check(&sources, "src", &Modules::of(&sources, "src")));
        violations.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn names_go_downwards_between_the_modules_of_a_crate() {
        for (path, text) in [
            (
                "src/controller/low.rs",
                "use crate::{api::A, provider::Error};",
            ),
            (
                "src/provider/azure_key_vault/get.rs",
                "use crate::azure::Http;",
            ),
            ("src/azure/mod.rs", "use crate::provider::Error;"),
        ] {
            assert_eq!(check(&[(path, text)]), [""; 0], "{path}");
        }
        assert_eq!(
            check(&[("src/provider/mod.rs", "//! .\nuse crate::azure::Http;")]),
            [
                "src/provider/mod.rs:2: layers: `provider` is below `azure` and names crate::azure::Http"
            ]
        );
        for text in [
            "fn f() { log!(crate::controller::X); }",
            "#[cfg(test)] use crate::controller::X;",
        ] {
            assert_eq!(check(&[("src/api/mod.rs", text)]).len(), 1, "{text}");
        }
    }

    #[test]
    fn names_go_downwards_inside_a_folder() {
        let low = |text| check(&[("src/controller/low.rs", text)]);
        let told = |name| {
            format!("src/controller/low.rs:1: layers: `low` is below `high` and names {name}")
        };
        assert_eq!(
            low("use super::high::High;"),
            [told("crate::controller::high::High")]
        );
        assert_eq!(
            low("use crate::controller::high;"),
            [told("crate::controller::high")]
        );
        assert_eq!(
            low("fn f() { super::high::g() }"),
            [told("crate::controller::high::g")]
        );
        assert_eq!(
            low("use super::High;"),
            [told("crate::controller::High")],
            "through a re-export"
        );
        assert_eq!(
            check(&[("src/controller/high.rs", "use super::low::Low;")]),
            [""; 0]
        );
        let deep = (
            "src/controller/low/deep.rs",
            "use super::super::high::High;",
        );
        assert_eq!(check(&[deep]).len(), 1);
        assert_eq!(
            low("#[cfg(test)]\nmod tests { use super::super::high::High; }"),
            [""; 0]
        );
    }

    #[test]
    fn the_folder_itself_stands_above() {
        let low = |text| check(&[("src/controller/low.rs", text)]);
        assert_eq!(
            low("use super::own;"),
            [
                "src/controller/low.rs:1: layers: `low` is below src/controller/mod.rs and names crate::controller::own, defined there"
            ]
        );
        assert_eq!(low("use super::*;").len(), 1);
        assert_eq!(
            check(&[("src/controller/tests.rs", "use super::own;")]),
            [""; 0]
        );
    }

    #[test]
    fn modules_of_a_layer_make_no_circle() {
        let files = [
            (
                "src/controller/low/a.rs",
                "use crate::controller::flat::d::D;",
            ),
            ("src/controller/low/b.rs", "pub struct B;"),
            (
                "src/controller/flat/c.rs",
                "use crate::controller::low::b::B;",
            ),
            ("src/controller/flat/d.rs", "pub struct D;"),
        ];
        assert_eq!(check(&files[..2]), [""; 0]);
        assert_eq!(
            check(&files),
            [
                "src/controller/low/a.rs:1: layers: modules of one layer of src/controller/mod.rs name each other in a circle: low -> flat -> low"
            ]
        );
    }

    #[test]
    fn table_and_declarations_agree() {
        let messages = |path: &str, text: &str| {
            let (_, violations) = Layers::of(&[parse(path, text).unwrap()]);
            let messages = violations.into_iter().map(|violation| violation.message);
            messages.collect::<Vec<_>>()
        };
        let expected = [
            "`other` is not in the table of layers",
            "`api` is in the table and not declared",
        ];
        let other = LIB.replace("pub mod api;", "pub mod other;");
        assert_eq!(messages("src/lib.rs", &other), expected);
        let other = FOLDER.replace("mod high;", "mod higher;");
        let expected = [
            "`higher` is not in the table of layers",
            "`high` is in the table and not declared",
        ];
        assert_eq!(messages("src/x/mod.rs", &other), expected);
    }

    #[test]
    fn a_large_folder_and_a_listed_one_have_a_table() {
        let missing = |path: &str, text: &str| Layers::of(&[parse(path, text).unwrap()]).1.len();
        let modules = |count: usize| "mod m;".repeat(count);
        assert_eq!(missing("src/x/mod.rs", &modules(8)), 0);
        assert_eq!(
            missing("src/x/mod.rs", &(modules(8) + "#[cfg(test)] mod tests;")),
            0
        );
        assert_eq!(missing("src/x/mod.rs", &modules(9)), 1);
        assert_eq!(missing("crates/x/src/lib.rs", &modules(9)), 0);
        assert_eq!(missing("src/controller/mod.rs", "mod a;"), 1);
        assert_eq!(missing("src/controller/a.rs", ""), 0);
        assert_eq!(missing("src/lib.rs", ""), 1);
        assert_eq!(missing("src/main.rs", ""), 0);
    }
}
