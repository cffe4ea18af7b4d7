//! No circles of files: files that import each other have no order in which they could be read.
//!
//! The graphs are small (hundreds of files), so a circle is found by who reaches whom.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::graph::Graph;
use super::source::Source;
use super::violation::Violation;

/// The crates that may have no circle, by their folder; others are to follow.
const REFUSED_IN: [&str; 1] = ["src"];

/// Things that reach each other.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Circle {
    pub(super) members: BTreeSet<usize>,
    /// A shortest way around; its first is also its end.
    pub(super) way: Vec<usize>,
}

/// All circles, in the order of their first member.
pub(super) fn circles(arrows: impl IntoIterator<Item = (usize, usize)>) -> Vec<Circle> {
    let mut next: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for (from, to) in arrows {
        next.entry(from).or_default().insert(to);
    }
    let mut circles: Vec<Circle> = Vec::new();
    let reached: BTreeMap<usize, BTreeMap<usize, usize>> = next
        .keys()
        .map(|&from| (from, reach(&next, from)))
        .collect();
    for (from, mine) in &reached {
        let is_known = circles.iter().any(|circle| circle.members.contains(from));
        if is_known || !mine.contains_key(from) {
            continue;
        }
        let is_back = |to: &&usize| {
            reached
                .get(to)
                .is_some_and(|theirs| theirs.contains_key(from))
        };
        let members: BTreeSet<usize> = mine.keys().filter(is_back).copied().collect();
        let ways = members.iter().map(|member| way(*member, &reached[member]));
        let way = ways.min_by_key(Vec::len).unwrap_or_default();
        circles.push(Circle { members, way });
    }
    circles
}

/// What can be reached, breadth first, each with the one before it.
fn reach(next: &BTreeMap<usize, BTreeSet<usize>>, from: usize) -> BTreeMap<usize, usize> {
    let mut before = BTreeMap::new();
    let mut queue = VecDeque::from([from]);
    while let Some(at) = queue.pop_front() {
        for &to in next.get(&at).into_iter().flatten() {
            before.entry(to).or_insert_with(|| {
                queue.push_back(to);
                at
            });
        }
    }
    before
}

/// The way from a member back to itself.
fn way(member: usize, before: &BTreeMap<usize, usize>) -> Vec<usize> {
    let mut way = vec![member];
    let mut at = before[&member];
    while at != member {
        way.push(at);
        at = before[&at];
    }
    way[1..].reverse();
    way
}

/// Judges the files of a crate. Only crates in [`REFUSED_IN`] are free of circles so far.
pub(super) fn check(sources: &[Source], graph: &Graph) -> Vec<Violation> {
    if !REFUSED_IN.contains(&graph.root.as_str()) {
        return Vec::new();
    }
    let told = |circle: Circle| {
        let (first, second) = (circle.way[0], circle.way[1]);
        let round = circle.way.iter().chain([&first]);
        let round: Vec<&str> = round.map(|&file| sources[file].path.as_str()).collect();
        let others = match circle.members.len() {
            all if all == circle.way.len() => String::new(),
            all => format!(" (so do {all} files in all; `cargo xtask tidy --graph` names them)"),
        };
        let message = format!(
            "files import each other in a circle: {}{others}",
            round.join(" -> ")
        );
        Violation::new(
            &sources[first],
            graph.arrows[&(first, second)],
            "circles",
            message,
        )
    };
    let circles = circles(graph.arrows.keys().copied());
    circles.into_iter().map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::reader::parse;
    use crate::tidy::resolve::Modules;

    #[test]
    fn members_reach_each_other_and_the_way_is_short() {
        let found = circles([
            (1, 2),
            (2, 3),
            (3, 1),
            (3, 2),
            (3, 4),
            (4, 5),
            (6, 7),
            (7, 6),
        ]);
        let expected = [
            Circle {
                members: [1, 2, 3].into(),
                way: vec![2, 3],
            },
            Circle {
                members: [6, 7].into(),
                way: vec![6, 7],
            },
        ];
        assert_eq!(found, expected);
        assert_eq!(circles([(1, 2), (1, 3), (2, 4), (3, 4)]), []);
    }

    #[test]
    fn files_in_a_circle_are_a_violation() {
        let files = [
            ("src/a.rs", "\nuse crate::b::B;\npub struct A;"),
            ("src/b.rs", "use crate::c::C;\npub struct B;"),
            ("src/c.rs", "pub struct C;\nfn f() { crate::a::A; }"),
        ];
        let read = |(path, text): &(&str, &str)| parse(path, text).unwrap();
        let check = |files: &[(&str, &str)]| {
            let root = [("src/lib.rs", "")];
            let sources: Vec<Source> = root.iter().chain(files).map(read).collect();
            let graph = Graph::of(&sources, &Modules::of(&sources, "src"), "src");
            let violations = check(&sources, &graph);
            violations
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            check(&files),
            [
                "src/a.rs:2: circles: files import each other in a circle: src/a.rs -> src/b.rs -> src/c.rs -> src/a.rs"
            ]
        );
        assert_eq!(check(&files[..2]), [""; 0]);
        let mut more = files.to_vec();
        more.push(("src/d.rs", "use crate::a::A; pub struct D;"));
        more[0].1 = "use crate::{b::B, d::D};\npub struct A;";
        let told = check(&more);
        assert!(
            told[0].contains("src/a.rs -> src/d.rs -> src/a.rs (so do 4 files"),
            "{told:?}"
        );
    }
}
