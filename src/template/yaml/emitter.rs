//! Writes a document as go-yaml v2 does: order of keys, styles, escapes. Knows the emitter's
//! events; does not know where the values come from.

use std::cmp::Ordering;

use libyaml_safer::{Emitter, Encoding, Event, MappingStyle, ScalarStyle, SequenceStyle};

use super::node::Node;
use super::{number, scalar};

/// The document without its final line break. `None` if the emitter refuses it.
pub(super) fn write(node: Node) -> Option<String> {
    let mut output = Vec::new();
    let open_ended = ends_in_line_break(&node);
    let mut emitter = Emitter::new();
    emitter.set_output_string(&mut output);
    emitter.set_unicode(true);
    let escapes = Escapes::for_document(&node)?;
    emit_document(&mut emitter, node, &escapes).ok()?;
    drop(emitter);
    let mut text = escapes.restore(&String::from_utf8(output).ok()?);
    if open_ended && text.ends_with("\n...\n") {
        text.truncate(text.len() - 4);
    }
    if text.ends_with('\n') {
        text.pop();
    }
    Some(text)
}

fn emit_document(
    emitter: &mut Emitter<'_>,
    node: Node,
    escapes: &Escapes,
) -> libyaml_safer::Result<()> {
    emitter.emit(Event::stream_start(Encoding::Utf8))?;
    emitter.emit(Event::document_start(None, &[], true))?;
    emit(emitter, node, escapes)?;
    emitter.emit(Event::document_end(true))?;
    emitter.emit(Event::stream_end())?;
    emitter.flush()
}

fn emit(emitter: &mut Emitter<'_>, node: Node, escapes: &Escapes) -> libyaml_safer::Result<()> {
    let plain = match node {
        Node::Null => "null".to_owned(),
        Node::Bool(b) => b.to_string(),
        Node::Int(n) => n.to_string(),
        Node::Uint(n) => n.to_string(),
        Node::Float(f) => number::yaml(number::shortest_64(f)),
        Node::Text(text) => return emit_text(emitter, &text, escapes),
        Node::List(items) => {
            let style = if items.is_empty() {
                SequenceStyle::Flow
            } else {
                SequenceStyle::Block
            };
            emitter.emit(Event::sequence_start(None, None, true, style))?;
            for item in items {
                emit(emitter, item, escapes)?;
            }
            return emitter.emit(Event::sequence_end());
        }
        Node::Map(entries) => {
            let style = if entries.is_empty() {
                MappingStyle::Flow
            } else {
                MappingStyle::Block
            };
            emitter.emit(Event::mapping_start(None, None, true, style))?;
            for (key, value) in sorted(entries.into_iter().collect()) {
                emit_text(emitter, &key, escapes)?;
                emit(emitter, value, escapes)?;
            }
            return emitter.emit(Event::mapping_end());
        }
    };
    emit_scalar(emitter, &plain, ScalarStyle::Plain)
}

fn emit_text(
    emitter: &mut Emitter<'_>,
    text: &str,
    escapes: &Escapes,
) -> libyaml_safer::Result<()> {
    if must_be_escaped(text) {
        return emit_scalar(emitter, &escapes.hide(text), ScalarStyle::DoubleQuoted);
    }
    let style = if text.contains('\n') {
        ScalarStyle::Literal
    } else if scalar::needs_quotes(text) {
        ScalarStyle::DoubleQuoted
    } else {
        ScalarStyle::Plain
    };
    emit_scalar(emitter, text, style)
}

fn emit_scalar(
    emitter: &mut Emitter<'_>,
    text: &str,
    style: ScalarStyle,
) -> libyaml_safer::Result<()> {
    emitter.emit(Event::scalar(None, None, text, true, true, style))
}

/// Whether a scalar ends in a line break. If it is the last, the emitter closes with `...`.
fn ends_in_line_break(node: &Node) -> bool {
    match node {
        Node::Text(text) => text.ends_with('\n'),
        Node::List(items) => items.iter().any(ends_in_line_break),
        Node::Map(entries) => entries
            .iter()
            .any(|(key, value)| key.ends_with('\n') || ends_in_line_break(value)),
        _ => false,
    }
}

/// Whether go-yaml escapes characters that the emitter would write as they are.
fn must_be_escaped(text: &str) -> bool {
    let is_separator = |c| matches!(c, '\u{2028}' | '\u{2029}');
    if text.contains(|c| matches!(c, '\u{85}' | '\u{feff}' | '\u{10000}'..)) {
        return true;
    }
    // separators are line breaks: in single quotes unless next to blanks. At the end go-yaml does
    // so too, but the emitter would add blanks
    let is_break = |c| c == '\n' || is_separator(c);
    let mut pairs = text.chars().zip(text.chars().skip(1));
    text.contains(is_separator)
        && (text.contains(|c: char| c.is_control() && c != '\n')
            || text.ends_with(is_separator)
            || pairs.any(|(a, b)| a == ' ' && is_break(b) || is_break(a) && b == ' '))
}

/// Escape sequences that the emitter must count but not see: for its time each of their ASCII
/// characters is one of a private block that the document does not use.
struct Escapes {
    block: u32,
}

impl Escapes {
    /// `None` if the document uses all blocks.
    fn for_document(node: &Node) -> Option<Self> {
        let mut free: Vec<u32> = (0xE0..=0xF8).map(|high| high << 8).collect();
        drop_used(node, &mut free);
        free.first().map(|block| Self { block: *block })
    }

    fn hide(&self, text: &str) -> String {
        // go-yaml takes all characters after a byte order mark for one
        let all = text.starts_with('\u{feff}');
        let mut hidden = String::with_capacity(text.len());
        for c in text.chars() {
            match escape(c, all) {
                Some(sequence) => hidden.extend(
                    sequence
                        .bytes()
                        .filter_map(|b| char::from_u32(self.block + u32::from(b))),
                ),
                None => hidden.push(c),
            }
        }
        hidden
    }

    fn restore(&self, text: &str) -> String {
        let restore = |c: char| match u32::from(c).checked_sub(self.block) {
            Some(offset @ 0..=0x7f) => char::from_u32(offset).unwrap_or(c),
            _ => c,
        };
        text.chars().map(restore).collect()
    }
}

fn escape(c: char, all: bool) -> Option<String> {
    Some(match c {
        '\u{85}' => "\\N".to_owned(),
        '\u{2028}' => "\\L".to_owned(),
        '\u{2029}' => "\\P".to_owned(),
        '\u{feff}' => "\\uFEFF".to_owned(),
        '\u{10000}'.. => format!("\\U{:08X}", u32::from(c)),
        '"' | '\\' => return None,
        ' '..='\u{ff}' if all => format!("\\x{:02X}", u32::from(c)),
        '\u{100}'.. if all => format!("\\u{:04X}", u32::from(c)),
        _ => return None,
    })
}

fn drop_used(node: &Node, free: &mut Vec<u32>) {
    match node {
        Node::Text(text) => drop_used_by(text, free),
        Node::List(items) => items.iter().for_each(|item| drop_used(item, free)),
        Node::Map(entries) => {
            for (key, value) in entries {
                drop_used_by(key, free);
                drop_used(value, free);
            }
        }
        _ => {}
    }
}

fn drop_used_by(text: &str, free: &mut Vec<u32>) {
    for c in text
        .chars()
        .filter(|c| ('\u{e000}'..='\u{f8ff}').contains(c))
    {
        free.retain(|block| block >> 8 != u32::from(c) >> 8);
    }
}

/// Merge sort: the order is not transitive for all sets of keys (`10` before `1a` before `2` before
/// `10`), and the sort of the standard library may panic then.
fn sorted(mut entries: Vec<(String, Node)>) -> Vec<(String, Node)> {
    if entries.len() < 2 {
        return entries;
    }
    let right = sorted(entries.split_off(entries.len() / 2)).into_iter();
    let left = sorted(entries).into_iter();
    let (mut left, mut right) = (left.peekable(), right.peekable());
    let mut merged = Vec::with_capacity(left.len() + right.len());
    loop {
        let next = match (left.peek(), right.peek()) {
            (Some(a), Some(b)) if compare(&b.0, &a.0) == Ordering::Less => right.next(),
            (Some(_), _) => left.next(),
            (None, _) => right.next(),
        };
        match next {
            Some(entry) => merged.push(entry),
            None => return merged,
        }
    }
}

/// The order of keys: by the first character that differs, where letters follow all else, runs of
/// digits count as numbers.
fn compare(a: &str, b: &str) -> Ordering {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let Some(at) = a.iter().zip(&b).position(|(x, y)| x != y) else {
        return a.len().cmp(&b.len());
    };
    let (x, y) = (a[at], b[at]);
    match (x.is_alphabetic(), y.is_alphabetic()) {
        (true, true) => return x.cmp(&y),
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    // 10 and 100: the zeros after a common digit count
    let common = a[..at].iter().rev().take_while(|c| c.is_numeric());
    let start = i64::from((x == '0' || y == '0') && common.into_iter().any(|c| *c != '0'));
    run(&a[at..], start)
        .cmp(&run(&b[at..], start))
        .then(x.cmp(&y))
}

/// Value and length of the digits at the beginning.
fn run(chars: &[char], start: i64) -> (i64, usize) {
    let digits = chars.iter().take_while(|c| c.is_numeric());
    digits.fold((start, 0), |(value, len), c| {
        let digit = i64::from(u32::from(*c)) - i64::from(u32::from('0'));
        (value.wrapping_mul(10).wrapping_add(digit), len + 1)
    })
}
