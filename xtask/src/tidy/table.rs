//! The table of layers at the head of a module: how it is read, and whether it names the modules
//! that are declared. What may name what is in `layers`.

use super::source::Source;
use super::violation::Violation;

/// How the table begins.
const HEADER: &str = "| layer | module |";

/// The order of the modules in a module, lowest layer first.
pub(super) struct Table {
    /// Where it was read.
    pub(super) path: String,
    pub(super) root: String,
    pub(super) module: Vec<String>,
    /// The layers, each with its entries as paths below the module.
    pub(super) layers: Vec<Vec<Vec<String>>>,
}

/// An entry of a table: its layer and its place in it.
pub(super) type Entry = (usize, usize);

impl Table {
    /// The table of a file, if it has one.
    pub(super) fn of(source: &Source) -> Option<Self> {
        let mut rows = source.head.iter();
        rows.find(|line| line.starts_with(HEADER))?;
        let rows = rows.take_while(|line| line.starts_with('|'));
        let layers = rows.map(|row| entries(row)).filter(|row| !row.is_empty());
        Some(Self {
            path: source.path.clone(),
            root: source.root.clone(),
            module: source.module.clone(),
            layers: layers.collect(),
        })
    }

    /// The longest entry that a module lies in.
    pub(super) fn entry(&self, module: &[String]) -> Option<Entry> {
        let inside = module.strip_prefix(self.module.as_slice())?;
        let entries = self.layers.iter().enumerate().flat_map(|(layer, entries)| {
            let numbered = entries.iter().enumerate();
            numbered.map(move |(place, entry)| ((layer, place), entry))
        });
        entries
            .filter(|(_, entry)| inside.starts_with(entry))
            .max_by_key(|(_, entry)| entry.len())
            .map(|(at, _)| at)
    }

    /// An entry as it is written.
    pub(super) fn text(&self, (layer, place): Entry) -> String {
        self.layers[layer][place].join("::")
    }

    /// What is declared and not in the table, and the reverse.
    pub(super) fn disagreements(&self, source: &Source) -> Vec<Violation> {
        let at = |line, message| Violation::new(source, line, "layers", message);
        let declared = declared(source);
        let entries: Vec<&Vec<String>> = self.layers.iter().flatten().collect();
        let unlisted = declared.iter().filter(|(name, _)| {
            let alone = [(*name).to_owned()];
            !entries.iter().any(|entry| **entry == alone)
        });
        let mut violations: Vec<Violation> = unlisted
            .map(|(name, line)| at(*line, format!("`{name}` is not in the table of layers")))
            .collect();
        let absent = entries
            .iter()
            .filter(|entry| !declared.iter().any(|(name, _)| *name == entry[0]));
        violations.extend(absent.map(|entry| {
            at(
                1,
                format!("`{}` is in the table and not declared", entry[0]),
            )
        }));
        violations
    }
}

/// The modules with files of their own, tests left out.
fn declared(source: &Source) -> Vec<(&str, usize)> {
    let depth = source.module.len() + 1;
    let children = source.children.iter();
    children
        .filter(|child| !child.is_test && !child.is_inline && child.module.len() == depth)
        .filter_map(|child| Some((child.module.last()?.as_str(), child.line)))
        .collect()
}

/// The links of a row: ``[`name`]``.
fn entries(row: &str) -> Vec<Vec<String>> {
    let links = row
        .split("[`")
        .skip(1)
        .filter_map(|rest| rest.split_once("`]"));
    links
        .map(|(name, _)| name.split("::").map(str::to_owned).collect())
        .collect()
}
