//! camelcase, snakecase and kebabcase. Knows what a word is when letter case, digits and connectors
//! tell words apart.

use crate::sprig::text::{to_lower, to_upper};

fn is_connector(c: char) -> bool {
    c == '-' || c == '_' || c.is_whitespace()
}

/// Words run together, each with a capital. Leading connectors stay, of several the last goes.
pub(super) fn pascal(text: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(text);
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
    let mut in_capitals = current.is_uppercase();
    current = to_upper(current);
    for mut next in chars {
        let previous = current;
        match (is_connector(previous), is_connector(next)) {
            (true, true) => out.push(previous),
            (true, false) => {
                in_capitals = next.is_uppercase();
                next = to_upper(next);
            }
            (false, _) => {
                if in_capitals && next.is_uppercase() {
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
    /// the end of the text
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
    text: &'a str,
}

fn is_punctuation(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_punctuation()
            && !matches!(c, '$' | '+' | '<' | '=' | '>' | '^' | '`' | '|' | '~');
    }
    matches!(c, '¡' | '§' | '«' | '¶' | '·' | '»' | '¿' | '‐'..='‧' | '‰'..='⁃' | '、'..='〃' | '〈'..='】')
}

/// Letters but those in upper case.
fn is_small_letter(c: char) -> bool {
    c.is_alphabetic() && !c.is_uppercase()
}

/// The first word of the text and what follows it.
fn next_word(text: &str) -> (Word<'_>, &str) {
    let Some(first) = text.chars().next() else {
        return (
            Word {
                kind: Kind::End,
                text,
            },
            text,
        );
    };
    let run = |belongs: fn(char) -> bool| text.find(|c| !belongs(c)).unwrap_or(text.len());
    let (kind, length) = if is_connector(first) {
        (Kind::Connector, run(is_connector))
    } else if is_punctuation(first) {
        (Kind::Punctuation, run(is_punctuation))
    } else if first.is_uppercase() {
        (Kind::Upper, upper_word(text))
    } else if first.is_alphabetic() {
        (Kind::Letters, run(is_small_letter))
    } else if first.is_numeric() {
        (Kind::Number, run(char::is_numeric))
    } else {
        (
            Kind::Other,
            run(|c| {
                !is_connector(c) && !c.is_alphabetic() && !c.is_numeric() && !is_punctuation(c)
            }),
        )
    };
    (
        Word {
            kind,
            text: &text[..length],
        },
        &text[length..],
    )
}

/// The length of a word that begins with a capital: `HTTP` of `HTTPServer`, `Server` of itself.
fn upper_word(text: &str) -> usize {
    let capitals = text.find(|c: char| !c.is_uppercase()).unwrap_or(text.len());
    let rest = &text[capitals..];
    let count = text[..capitals].chars().count();
    let letter_follows = rest.chars().next().is_some_and(char::is_alphabetic);
    if count == 1 {
        return capitals + rest.find(|c| !is_small_letter(c)).unwrap_or(rest.len());
    }
    if letter_follows {
        let last = text[..capitals]
            .chars()
            .next_back()
            .map_or(0, char::len_utf8);
        return capitals - last;
    }
    capitals
}

/// Words in lower case with connectors between them.
pub(super) fn lower_words(text: &[u8], connector: char) -> Vec<u8> {
    let text = String::from_utf8_lossy(text);
    let mut words = Words {
        out: String::with_capacity(text.len()),
        connector,
    };
    let (mut word, mut rest) = next_word(&text);
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
    words.out.into_bytes()
}

struct Words {
    out: String,
    connector: char,
}

impl Words {
    fn push(&mut self, word: Word<'_>) {
        if !matches!(word.kind, Kind::Upper | Kind::Connector) {
            self.out.push_str(word.text);
            return;
        }
        for c in word.text.chars() {
            if is_connector(c) {
                self.out.push(self.connector);
            } else {
                self.out
                    .push(if c.is_uppercase() { to_lower(c) } else { c });
            }
        }
    }

    /// A connector, unless the next word has one or begins with punctuation.
    fn connect(&mut self, next: Word<'_>) {
        if !matches!(next.kind, Kind::Connector | Kind::Punctuation) {
            self.out.push(self.connector);
        }
    }

    /// Letters and digits after a number belong to it: `3rd`.
    fn after_number<'a>(&mut self, mut word: Word<'a>, mut rest: &'a str) -> (Word<'a>, &'a str) {
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
    fn after_word<'a>(&mut self, word: Word<'a>, rest: &'a str) -> (Word<'a>, &'a str) {
        if word.kind != Kind::Number {
            self.connect(word);
            return (word, rest);
        }
        if rest.is_empty() {
            return (word, rest);
        }
        let (next, after) = next_word(rest);
        if next.kind == Kind::Letters {
            self.out.push(self.connector);
            self.push(word);
            return self.after_number(next, after);
        }
        self.push(word);
        self.connect(next);
        (next, after)
    }
}
