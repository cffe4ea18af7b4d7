//! `cargo xtask tidy --graph`: what the rules about imports see, as text for a reader. Judges nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::circles::{Circle, circles};
use super::graph::Graph;
use super::layers::Layers;
use super::source::Source;

/// The files below a folder and the arrows between them.
pub(super) struct Picture<'a> {
    sources: &'a [Source],
    files: Vec<&'a Source>,
    arrows: Vec<Arrow>,
    circles: Vec<Circle>,
}

struct Arrow {
    from: usize,
    to: usize,
    line: usize,
    is_upward: bool,
}

impl<'a> Picture<'a> {
    pub(super) fn of(sources: &'a [Source], graph: &Graph, layers: &Layers, folder: &str) -> Self {
        let is_inside = |source: &Source| {
            let rest = source.path.strip_prefix(folder);
            !source.is_test && rest.is_some_and(|rest| rest.starts_with('/'))
        };
        let arrows = graph.arrows.iter().map(|(&(from, to), &line)| Arrow {
            from,
            to,
            line,
            is_upward: layers.is_upward(&sources[from], &sources[to]),
        });
        let arrows: Vec<Arrow> = arrows
            .filter(|arrow| is_inside(&sources[arrow.from]) && is_inside(&sources[arrow.to]))
            .collect();
        Self {
            sources,
            files: sources.iter().filter(|source| is_inside(source)).collect(),
            circles: circles(arrows.iter().map(|arrow| (arrow.from, arrow.to))),
            arrows,
        }
    }

    fn folders(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut folders: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for file in &self.files {
            let (files, lines) = folders.entry(file.folder()).or_default();
            *files += 1;
            *lines += file.lines;
        }
        writeln!(f, "folders (files and lines without test files)")?;
        for (folder, (files, lines)) in folders {
            writeln!(f, "  {folder}: {files} files, {lines} lines")?;
        }
        Ok(())
    }

    fn between(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut between: BTreeMap<(&str, &str), (usize, usize)> = BTreeMap::new();
        for arrow in &self.arrows {
            let ends = (
                self.sources[arrow.from].folder(),
                self.sources[arrow.to].folder(),
            );
            let (all, upward) = between.entry(ends).or_default();
            *all += 1;
            *upward += usize::from(arrow.is_upward);
        }
        writeln!(
            f,
            "\narrows between folders (from a file to a file that it names)"
        )?;
        for ((from, to), (all, upward)) in between.into_iter().filter(|((from, to), _)| from != to)
        {
            let up = if upward > 0 {
                format!(", {upward} upward")
            } else {
                String::new()
            };
            writeln!(f, "  {from} -> {to}: {all}{up}")?;
        }
        Ok(())
    }

    fn upward(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nupward arrows (against a table of layers)")?;
        let upward: Vec<&Arrow> = self.arrows.iter().filter(|arrow| arrow.is_upward).collect();
        for arrow in &upward {
            let (from, to) = (&self.sources[arrow.from].path, &self.sources[arrow.to].path);
            writeln!(f, "  {from}:{} -> {to}", arrow.line)?;
        }
        if upward.is_empty() {
            writeln!(f, "  none")?;
        }
        Ok(())
    }

    fn circles(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\ncircles (files that import each other, with the arrows between them)"
        )?;
        for circle in &self.circles {
            let members = &circle.members;
            let is_inside =
                |arrow: &&Arrow| members.contains(&arrow.from) && members.contains(&arrow.to);
            let inside: Vec<&Arrow> = self.arrows.iter().filter(is_inside).collect();
            let path = |&file: &usize| self.sources[file].path.as_str();
            let folders = members.iter().map(|&file| self.sources[file].folder());
            let folders: BTreeSet<&str> = folders.collect();
            let (files, folders, arrows) = (members.len(), folders.len(), inside.len());
            writeln!(f, "  files: {files}, folders: {folders}, arrows: {arrows}")?;
            let way = circle.way.iter().chain([&circle.way[0]]).map(path);
            writeln!(f, "    shortest: {}", way.collect::<Vec<_>>().join(" -> "))?;
            for file in members {
                writeln!(f, "    {}", path(file))?;
                for arrow in inside.iter().filter(|arrow| arrow.from == *file) {
                    writeln!(f, "      line {} -> {}", arrow.line, path(&arrow.to))?;
                }
            }
        }
        if self.circles.is_empty() {
            writeln!(f, "  none")?;
        }
        Ok(())
    }

    fn totals(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sizes = self.circles.iter().map(|circle| circle.members.len());
        let lines: usize = self.files.iter().map(|file| file.lines).sum();
        let upward = self.arrows.iter().filter(|arrow| arrow.is_upward);
        writeln!(
            f,
            "\ntotals\n  files: {}\n  lines: {lines}\n  arrows: {}\n  upward arrows: {}\n  circles: {}\n  files in the largest circle: {}",
            self.files.len(),
            self.arrows.len(),
            upward.count(),
            self.circles.len(),
            sizes.max().unwrap_or_default()
        )
    }
}

impl fmt::Display for Picture<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.folders(f)?;
        self.between(f)?;
        self.upward(f)?;
        self.circles(f)?;
        self.totals(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::reader::parse;
    use crate::tidy::resolve::Modules;

    const FILES: [(&str, &str); 6] = [
        (
            "src/lib.rs",
            "//! | layer | module | knows |\n//! | 0 | [`a`] | |\n//! | 1 | [`b`] | |\nmod a; mod b;",
        ),
        ("src/a.rs", "use crate::b::B;\npub struct A;"),
        ("src/b/mod.rs", "mod c; mod d; pub use c::B;"),
        (
            "src/b/c.rs",
            "use super::d::D; use crate::a::A; pub struct B;",
        ),
        ("src/b/d.rs", "use super::c::B; pub struct D;"),
        ("src/b/tests.rs", "use super::c::B;"),
    ];

    fn print(folder: &str) -> String {
        let read = |(path, text): &(&str, &str)| parse(path, text).unwrap();
        let sources: Vec<Source> = FILES.iter().map(read).collect();
        let graph = Graph::of(&sources, &Modules::of(&sources, "src"), "src");
        let (layers, _) = Layers::of(&sources);
        Picture::of(&sources, &graph, &layers, folder).to_string()
    }

    #[test]
    fn the_picture_has_folders_arrows_circles_and_totals() {
        let expected = "\
folders (files and lines without test files)
  src: 2 files, 6 lines
  src/b: 3 files, 3 lines

arrows between folders (from a file to a file that it names)
  src -> src/b: 1, 1 upward
  src/b -> src: 1

upward arrows (against a table of layers)
  src/a.rs:1 -> src/b/c.rs

circles (files that import each other, with the arrows between them)
  files: 3, folders: 2, arrows: 4
    shortest: src/a.rs -> src/b/c.rs -> src/a.rs
    src/a.rs
      line 1 -> src/b/c.rs
    src/b/c.rs
      line 1 -> src/a.rs
      line 1 -> src/b/d.rs
    src/b/d.rs
      line 1 -> src/b/c.rs

totals
  files: 5
  lines: 9
  arrows: 4
  upward arrows: 1
  circles: 1
  files in the largest circle: 3
";
        assert_eq!(print("src"), expected);
    }

    #[test]
    fn a_folder_limits_the_picture() {
        let picture = print("src/b");
        assert!(
            picture.contains("shortest: src/b/c.rs -> src/b/d.rs -> src/b/c.rs"),
            "{picture}"
        );
        assert!(picture.ends_with("files: 3\n  lines: 3\n  arrows: 2\n  upward arrows: 0\n  circles: 1\n  files in the largest circle: 2\n"), "{picture}");
    }
}
