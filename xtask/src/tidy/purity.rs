//! A file that calls itself pure is pure: the word "Pure" as a sentence of its head (`Pure.`,
//! `Pure: why`, `Pure; but`) holds it to values in, values out. In the head of a `mod.rs` it holds the
//! whole folder, except for files that say "Not pure" in theirs.
//!
//! Pure is what has no async, no clock, no client of a cluster, no I/O, no chance, and no static that
//! changes. Tests may do as they like. What pure code calls in another file is not followed.

use super::source::{Name, Source};
use super::violation::Violation;

const CLOCKS: [&str; 5] = ["Timestamp", "Zoned", "SystemTime", "Instant", "Utc"];
/// Crates that do nothing else than what pure code does not.
const IMPURE_CRATES: [&str; 11] = [
    "fastrand",
    "getrandom",
    "hyper",
    "hyper_util",
    "kube_client",
    "kube_runtime",
    "notify",
    "rand",
    "reqwest",
    "rustix",
    "tokio",
];
/// Modules of `std` for the world outside.
const IMPURE_STD: [&str; 4] = ["env", "fs", "process", "thread"];
/// Items that are the world outside.
const IMPURE_ITEMS: [[&str; 2]; 10] = [
    ["kube", "client"],
    ["kube", "runtime"],
    ["io", "stdin"],
    ["io", "stdout"],
    ["io", "stderr"],
    ["net", "TcpListener"],
    ["net", "TcpStream"],
    ["net", "ToSocketAddrs"],
    ["net", "UdpSocket"],
    ["Clock", "System"],
];

/// Judges the files that are pure by their own word or their folder's.
pub(super) fn check(sources: &[Source]) -> Vec<Violation> {
    let folders: Vec<&str> = sources
        .iter()
        .filter(|source| says(source, "Pure"))
        .map(reach_of)
        .collect();
    let is_below = |source: &Source, folder: &str| {
        source
            .path
            .strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with(['/', '.']))
    };
    let is_pure = |source: &&Source| {
        says(source, "Pure")
            || (!says(source, "Not pure") && folders.iter().any(|folder| is_below(source, folder)))
    };
    sources.iter().filter(is_pure).flat_map(purity).collect()
}

/// What a head speaks for, as the path's beginning: `x/mod.rs` for `x/`, `x.rs` for itself and `x/`.
fn reach_of(source: &Source) -> &str {
    if source.is_folder_head() {
        source.folder()
    } else {
        source.path.trim_end_matches(".rs")
    }
}

/// The head has these words as a sentence, or up to its first colon or semicolon.
fn says(source: &Source, words: &str) -> bool {
    let head = source.head.join(" ");
    let mut ends = head.match_indices(words);
    ends.any(|(at, _)| {
        let before = head[..at].trim_end();
        let is_begin = before.is_empty() || before.ends_with(['.', '!', '?']);
        is_begin && head[at + words.len()..].starts_with(['.', ':', ';'])
    })
}

fn purity(source: &Source) -> Vec<Violation> {
    let told = |line, message| Violation::new(source, line, "purity", message);
    let asyncs = source
        .asyncs
        .iter()
        .map(|&line| told(line, "a pure file is not async".to_owned()));
    let globals = source.globals.iter().map(|global| {
        let message = format!("a pure file has no static that changes: {}", global.name);
        told(global.line, message)
    });
    let impure = source
        .names
        .iter()
        .filter(|name| !name.is_test && is_impure(name));
    let named = impure.map(|name| {
        told(
            name.line,
            format!("a pure file does not name {}", name.segments.join("::")),
        )
    });
    asyncs.chain(globals).chain(named).collect()
}

fn is_impure(name: &Name) -> bool {
    let segments: Vec<&str> = name.segments.iter().map(String::as_str).collect();
    let reads_clock = matches!(segments.as_slice(), [.., owner, "now"] if CLOCKS.contains(owner));
    let is_client = segments[0] == "kube"
        && segments
            .iter()
            .any(|segment| matches!(*segment, "Client" | "Api"));
    let is_path = segments.len() > 1;
    let is_crate = is_path && IMPURE_CRATES.contains(&segments[0]);
    let is_std = is_path && segments[0] == "std" && IMPURE_STD.contains(&segments[1]);
    let is_item = segments
        .windows(2)
        .any(|pair| IMPURE_ITEMS.iter().any(|item| pair == item));
    reads_clock || is_client || is_crate || is_std || is_item
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::reader::parse;

    fn check(files: &[(&str, &str)]) -> Vec<(usize, &'static str)> {
        let read = |(path, text): &(&str, &str)| parse(path, text).unwrap();
        let sources: Vec<Source> = files.iter().map(read).collect();
        let violations = super::check(&sources);
        violations.iter().map(|it| (it.line, it.rule)).collect()
    }

    const IMPURE: &str = "\nuse kube::{Api, ResourceExt};\nasync fn f() {\n    g().await;\n    jiff::Timestamp::now();\n}\n";

    #[test]
    fn a_file_that_says_so_is_pure() {
        let all = [(3, "purity"), (4, "purity"), (2, "purity"), (5, "purity")];
        for head in [
            "//! Pure.",
            "//! What is to be done (spec 2.6). Pure; whoever applies it.",
            "//! Says it (spec: x.md 3.6). Pure: values in.",
        ] {
            let text = format!("{head}{IMPURE}");
            assert_eq!(check(&[("crates/a/src/x.rs", &text)]), all, "{head}");
        }
        for head in [
            "//! .",
            "//! Pure functions.",
            "//! Not pure.",
            "//! Says \"Pure.\"",
            "//! x\n\n// Pure.",
        ] {
            let text = format!("{head}{IMPURE}");
            assert_eq!(check(&[("src/x.rs", &text)]), [], "{head}");
        }
        let wrapped = format!("//! First (spec:\n//! 1.2).\n//! Pure.{IMPURE}");
        assert_eq!(check(&[("src/x.rs", &wrapped)]).len(), 4);
    }

    #[test]
    fn a_folder_that_says_so_is_pure() {
        let text = format!("//! .{IMPURE}");
        for (head, path, count) in [
            ("src/a/mod.rs", "src/a/b/c.rs", 4),
            ("src/a.rs", "src/a/b.rs", 4),
            ("src/a/mod.rs", "src/ab.rs", 0),
            ("src/a/d.rs", "src/a/b.rs", 0),
        ] {
            let files = [(head, "//! Pure."), (path, text.as_str())];
            assert_eq!(check(&files).len(), count, "{head} {path}");
        }
        let exempt = text.replace("//! .", "//! Reads the clock. Not pure.");
        assert_eq!(
            check(&[("src/a/mod.rs", "//! Pure."), ("src/a/b.rs", &exempt)]),
            []
        );
    }

    #[test]
    fn the_world_outside_is_impure() {
        for line in [
            "use std::fs;",
            "fn f() { std::net::TcpStream::connect(a) }",
            "use tokio::sync::watch;",
            "fn f() { std::io::stdout() }",
            "fn f(c: Clock) { Clock::System }",
            "use reqwest::Url;",
            "fn f() { m!(std::env::var(x)) }",
            "static mut A: u8 = 1;",
            "static A: LazyLock<Mutex<u8>> = x;",
            "static A: AtomicU8 = x;",
        ] {
            let text = format!("//! Pure.\n{line}");
            assert_eq!(check(&[("src/x.rs", &text)]), [(2, "purity")], "{line}");
        }
        for line in [
            "use kube::ResourceExt;",
            "use std::io::Write;",
            "use std::net::Ipv4Addr;",
            "static A: LazyLock<Regex> = x;",
            "fn f(now: SystemTime) {}",
        ] {
            let text = format!("//! Pure.\n{line}");
            assert_eq!(check(&[("src/x.rs", &text)]), [], "{line}");
        }
    }

    #[test]
    fn its_tests_may_do_as_they_like() {
        let text = "//! Pure.\n#[cfg(test)]\nmod tests {\n    static A: Mutex<u8> = x;\n    async fn f() { Instant::now(); g().await }\n}\n";
        assert_eq!(check(&[("src/value.rs", text)]), []);
        let text = "//! Pure.\nasync fn f() { Instant::now(); }\n";
        assert_eq!(check(&[("src/value_tests.rs", text)]), []);
    }
}
