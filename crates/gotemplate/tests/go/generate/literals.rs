//! Constants: texts, numbers and the little languages that functions read (formats, expressions,
//! layouts, versions, URLs).

use std::fmt::Write as _;

use super::Random;
use super::tables::{
    CONSTRAINTS, DATES, DURATIONS, FLOATS, INTS, JSONS, KEYS, LAYOUTS, REGEXES, REPLACEMENTS,
    TEXTS, URLS, VERSIONS, ZONES,
};

pub(super) fn text_value(random: &mut Random) -> Vec<u8> {
    let mut text = random.pick(TEXTS).to_vec();
    if random.one_in(4) {
        let more = *random.pick(TEXTS);
        text.extend_from_slice(more);
    }
    text
}

pub(super) fn int_value(random: &mut Random) -> i64 {
    if random.one_in(3) {
        i64::try_from(random.below(200)).unwrap() - 50
    } else {
        *random.pick(INTS)
    }
}

pub(super) fn float_value(random: &mut Random) -> f64 {
    *random.pick(FLOATS)
}

/// A Go string constant, interpreted or raw.
pub(super) fn quoted(random: &mut Random, bytes: &[u8]) -> String {
    let raw = std::str::from_utf8(bytes)
        .ok()
        .filter(|text| !text.contains(['`', '\0']));
    if let Some(raw) = raw
        && random.one_in(4)
    {
        return format!("`{raw}`");
    }
    let mut out = String::from("\"");
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                c if c.is_control() => write!(out, "\\x{:02x}", u32::from(c) & 0x7F).unwrap(),
                c if !c.is_ascii() && random.one_in(3) => {
                    write!(out, "\\U{:08x}", u32::from(c)).unwrap();
                }
                c => out.push(c),
            }
        }
        for byte in chunk.invalid() {
            write!(out, "\\x{byte:02x}").unwrap();
        }
    }
    out.push('"');
    out
}

pub(super) fn text(random: &mut Random) -> String {
    let text = text_value(random);
    quoted(random, &text)
}

pub(super) fn int(random: &mut Random) -> String {
    let value = int_value(random);
    match random.below(12) {
        0 if value >= 0 => format!("{value:#x}"),
        1 if value >= 0 => format!("{value:#o}"),
        2 if value >= 0 => format!("{value:#b}"),
        3 => (random.word(&[
            "'a'", "'é'", "'\\n'", "'\\x41'", "'日'", "1_000", "0b1", "017", "'ab'", "1i", "0x1p4",
            "+5",
        ]))
        .to_owned(),
        _ => value.to_string(),
    }
}

/// A number that is safe as a count: nothing becomes huge.
pub(super) fn small(random: &mut Random) -> String {
    match random.below(8) {
        0 => "-1".to_owned(),
        1 => (i64::try_from(random.below(40)).unwrap() - 20).to_string(),
        _ => random.below(12).to_string(),
    }
}

pub(super) fn float(random: &mut Random) -> String {
    let value = float_value(random);
    if value.is_finite() {
        format!("{value:?}")
    } else {
        random
            .word(&["1e309", ".5", "5.", "1e", "0x1.8p1", "1_0.5", "1.5e+3"])
            .to_owned()
    }
}

/// A constant out of a table whose items are written as in Go source.
fn source(random: &mut Random, items: &[&'static str]) -> String {
    let item = random.word(items);
    if item.contains('"') || item.contains('\t') {
        return quoted(random, item.as_bytes());
    }
    format!("\"{item}\"")
}

/// The constant of a little language, by the letter that `functions` gives it.
pub(super) fn special(random: &mut Random, letter: char) -> String {
    let items = match letter {
        'r' => REGEXES,
        'R' => REPLACEMENTS,
        'L' => LAYOUTS,
        'T' => DATES,
        'z' => ZONES,
        'e' => DURATIONS,
        'v' => VERSIONS,
        'c' => CONSTRAINTS,
        'u' => URLS,
        'j' => JSONS,
        'k' => KEYS,
        'K' => &[
            "string",
            "int",
            "int64",
            "float64",
            "bool",
            "map",
            "slice",
            "[]string",
            "map[string]interface {}",
            "invalid",
            "",
            "*semver.Version",
            "time.Time",
            "struct",
        ],
        _ => return format(random),
    };
    source(random, items)
}

/// A format for printf. `%p` shows addresses.
fn format(random: &mut Random) -> String {
    let mut out = String::from("\"");
    for _ in 0..=random.below(3) {
        if random.one_in(3) {
            out.push_str(random.word(&["x=", " ", "é", "%%", "|", "\\n", "[", "\\\\"]));
        }
        out.push('%');
        for _ in 0..random.below(3) {
            out.push_str(random.word(&["+", "-", "#", "0", " "]));
        }
        if random.one_in(14) {
            out.push_str(random.word(&["[1]", "[2]", "[3]", "[0]", "[", "[x]", "[1]*", "[-1]"]));
        }
        match random.below(8) {
            0 | 1 => write!(out, "{}", random.below(14)).unwrap(),
            2 if random.one_in(3) => out.push('*'),
            _ => {}
        }
        match random.below(8) {
            0 | 1 => write!(out, ".{}", random.below(9)).unwrap(),
            2 if random.one_in(3) => out.push_str(random.word(&[".", ".*", ".[1]*"])),
            _ => {}
        }
        out.push_str(random.word(&[
            "v", "v", "d", "s", "s", "q", "x", "X", "T", "t", "b", "c", "o", "O", "U", "e", "E",
            "f", "F", "g", "G", "w", "z", "!", "é", "",
        ]));
    }
    out.push('"');
    out
}
