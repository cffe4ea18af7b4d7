//! camelcase, snakecase and kebabcase. Knows what a word is when letter case, digits and connectors
//! tell words apart.

use crate::lex::{decode, is_letter, is_number, is_punctuation, is_upper, to_text};
use crate::sprig::text::{to_lower, to_upper};

fn is_connector(c: char) -> bool {
    c == '-' || c == '_' || c.is_whitespace()
}

/// Words run together, each with a capital. Leading connectors stay, of several the last goes.
pub(super) fn pascal(text: &[u8]) -> Vec<u8> {
    let text = to_text(text);
    let mut chars = text.chars();
    let mut out = String::with_capacity(text.len());
    let Some(mut current) = chars.by_ref().find(|c| {
        let connector = is_connector(*c);
        if connector {
            out.push(*c);
        }
        !connector
    }) else {
        return doubled_last(out);
    };
    // a run of capitals at the beginning of a word is lowered
    let mut in_capitals = is_upper(current);
    current = to_upper(current);
    for mut next in chars {
        let previous = current;
        match (is_connector(previous), is_connector(next)) {
            (true, true) => out.push(previous),
            (true, false) => {
                in_capitals = is_upper(next);
                next = to_upper(next);
            }
            (false, _) => {
                if in_capitals && is_upper(next) {
                    next = to_lower(next);
                } else {
                    in_capitals = false;
                }
                out.push(previous);
            }
        }
        current = next;
    }
    out.push(current);
    out.into_bytes()
}

/// Upstream writes the last connector twice where there is nothing else.
fn doubled_last(mut out: String) -> Vec<u8> {
    if let Some(last) = out.chars().next_back() {
        out.push(last);
    }
    out.into_bytes()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// the end of the text, or no character to the end of it
    End,
    Number,
    Upper,
    Letters,
    Connector,
    Punctuation,
    Other,
}

#[derive(Clone, Copy)]
struct Word<'a> {
    kind: Kind,
    text: &'a [u8],
}

/// Letters of scripts that have words.
fn is_alphabet(c: char) -> bool {
    let ideograph =
        matches!(c, '\u{4E00}'..='\u{9FCC}' | '\u{3400}'..='\u{4D85}' | '\u{20000}'..='\u{2B81D}');
    is_letter(c) && !ideograph
}

/// Letters but those in upper case.
fn is_small_letter(c: char) -> bool {
    is_alphabet(c) && !is_upper(c)
}

fn is_other(c: char) -> bool {
    !is_connector(c) && !is_alphabet(c) && !is_number(c) && !is_punctuation(c)
}

/// The first character and how far it reaches: bytes before it that belong to no character go
/// with it. Where there is none, the bytes go with the character before.
fn next_char(text: &[u8], previous: char) -> (char, usize) {
    let mut size = 0;
    while let Some((c, length)) = decode(&text[size..]) {
        size += length;
        if c != char::REPLACEMENT_CHARACTER {
            return (c, size);
        }
    }
    (previous, size)
}

/// How far the characters go that belong together; `start` is behind `first`, which is one of them.
fn run(text: &[u8], start: usize, first: char, belongs: fn(char) -> bool) -> usize {
    let (mut end, mut previous) = (start, first);
    while end < text.len() {
        let (c, size) = next_char(&text[end..], previous);
        if !belongs(c) {
            break;
        }
        end += size;
        previous = c;
    }
    end
}

/// The first word of the text and what follows it.
fn next_word(text: &[u8]) -> (Word<'_>, &[u8]) {
    let (first, start) = next_char(text, char::REPLACEMENT_CHARACTER);
    let (kind, length) = if first == char::REPLACEMENT_CHARACTER {
        (Kind::End, start)
    } else if is_connector(first) {
        (Kind::Connector, run(text, start, first, is_connector))
    } else if is_punctuation(first) {
        (Kind::Punctuation, run(text, start, first, is_punctuation))
    } else if is_upper(first) {
        (Kind::Upper, upper_word(text, start, first))
    } else if is_alphabet(first) {
        (Kind::Letters, run(text, start, first, is_small_letter))
    } else if is_number(first) {
        (Kind::Number, run(text, start, first, is_number))
    } else {
        (Kind::Other, run(text, start, first, is_other))
    };
    let (word, rest) = text.split_at(length);
    (Word { kind, text: word }, rest)
}

/// The length of a word that begins with a capital: `HTTP` of `HTTPServer`, `Server` of itself.
fn upper_word(text: &[u8], start: usize, first: char) -> usize {
    let (mut end, mut last, mut count) = (start, 0, 1);
    let mut previous = first;
    while end < text.len() {
        let (c, size) = next_char(&text[end..], previous);
        previous = c;
        if is_upper(c) {
            count += 1;
            last = size;
            end += size;
        } else if count == 1 && is_alphabet(c) {
            return run(text, end + size, c, is_small_letter);
        } else {
            // the last capital begins the next word
            return if count > 1 && is_alphabet(c) {
                end - last
            } else {
                end
            };
        }
    }
    end
}

/// Words in lower case with connectors between them.
pub(super) fn lower_words(text: &[u8], connector: char) -> Vec<u8> {
    let mut words = Words {
        out: Vec::with_capacity(text.len()),
        connector,
    };
    let (mut word, mut rest) = next_word(text);
    while !rest.is_empty() {
        if word.kind != Kind::Connector {
            words.push(word);
        }
        let previous = word;
        (word, rest) = next_word(rest);
        (word, rest) = match previous.kind {
            Kind::Number => words.after_number(word, rest),
            Kind::Connector => {
                words.push(previous);
                (word, rest)
            }
            Kind::Punctuation => (word, rest),
            _ => words.after_word(word, rest),
        };
    }
    words.push(word);
    words.out
}

struct Words {
    out: Vec<u8>,
    connector: char,
}

impl Words {
    fn push(&mut self, word: Word<'_>) {
        if !matches!(word.kind, Kind::Upper | Kind::Connector) {
            self.out.extend_from_slice(word.text);
            return;
        }
        for c in to_text(word.text).chars() {
            self.put(match c {
                c if is_connector(c) => self.connector,
                c if is_upper(c) => to_lower(c),
                c => c,
            });
        }
    }

    fn put(&mut self, c: char) {
        self.out
            .extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }

    /// A connector, unless the next word has one or begins with punctuation.
    fn connect(&mut self, next: Word<'_>) {
        if !matches!(next.kind, Kind::Connector | Kind::Punctuation) {
            self.put(self.connector);
        }
    }

    /// Letters and digits after a number belong to it: `3rd`.
    fn after_number<'a>(&mut self, mut word: Word<'a>, mut rest: &'a [u8]) -> (Word<'a>, &'a [u8]) {
        while matches!(word.kind, Kind::Letters | Kind::Number) {
            self.push(word);
            (word, rest) = next_word(rest);
        }
        if word.kind != Kind::End {
            self.connect(word);
        }
        (word, rest)
    }

    /// A number after a word belongs to it, unless small letters follow the number.
    fn after_word<'a>(&mut self, word: Word<'a>, rest: &'a [u8]) -> (Word<'a>, &'a [u8]) {
        if word.kind != Kind::Number {
            self.connect(word);
            return (word, rest);
        }
        if rest.is_empty() {
            return (word, rest);
        }
        let (next, after) = next_word(rest);
        if next.kind == Kind::Letters {
            self.put(self.connector);
            self.push(word);
            return self.after_number(next, after);
        }
        self.push(word);
        self.connect(next);
        (next, after)
    }
}
