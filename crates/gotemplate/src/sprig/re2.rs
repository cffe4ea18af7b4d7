//! Go's regular expressions for the `regex` crate. Knows the syntax of RE2, what of it the crate
//! writes otherwise, and Go's complaints; matching is the crate's.

use std::fmt::Write;

use regex::{Regex, RegexBuilder};

use crate::lex::to_text;

/// Bytes of a compiled expression of a template, and of the tables of any search.
pub(super) const MAX_SIZE: usize = 4 << 20;

/// The characters that stand for stray bytes, which to Go are U+FFFD.
pub(super) const STRAY_RANGE: &str = r"\x{10FE80}-\x{10FEFF}";

/// The most that Go lets an expression be repeated.
const MAX_REPEAT: u32 = 1000;

/// Parentheses inside each other.
const MAX_DEPTH: usize = 100;

/// A compiled expression and the names of its groups.
#[derive(Debug)]
pub(super) struct Pattern {
    pub(super) regex: Regex,
    names: Vec<Option<String>>,
}

impl Pattern {
    /// The indexes of groups with this number or name. Numbers do not begin with a zero.
    pub(super) fn groups(&self, name: &str) -> Vec<usize> {
        let digits = name.bytes().all(|byte| byte.is_ascii_digit());
        if digits && (name == "0" || !name.starts_with('0')) {
            return name.parse().into_iter().collect();
        }
        let names = self.names.iter().enumerate();
        names
            .filter(|(_, known)| known.as_deref() == Some(name))
            .map(|(index, _)| index)
            .collect()
    }
}

/// Compiles an expression in Go's syntax to at most `max_size` bytes, or says what Go has against it.
pub(super) fn compile(source: &[u8], max_size: usize) -> Result<Pattern, String> {
    let source = std::str::from_utf8(source).map_err(|error| {
        let rest = &source[error.valid_up_to()..];
        format!("invalid UTF-8: `{}`", to_text(rest))
    })?;
    let mut translator = Translator {
        source,
        pos: 0,
        out: String::with_capacity(source.len() + 16),
        names: vec![None],
        depth: 0,
        last: Last::Nothing,
    };
    translator.expression()?;
    let regex = RegexBuilder::new(&translator.out)
        .size_limit(max_size)
        .dfa_size_limit(MAX_SIZE)
        .nest_limit(250)
        .build();
    match regex {
        Ok(regex) => Ok(Pattern {
            regex,
            names: translator.names,
        }),
        Err(regex::Error::CompiledTooBig(_)) => Err(format!("expression too large: `{source}`")),
        Err(_) => Err(format!("invalid character class range: `{source}`")),
    }
}

/// What a repetition would repeat.
#[derive(Clone, Copy)]
enum Last {
    Nothing,
    Atom,
    /// a repetition, and where it is written
    Repetition(usize),
}

pub(super) struct Translator<'s> {
    pub(super) source: &'s str,
    pub(super) pos: usize,
    pub(super) out: String,
    names: Vec<Option<String>>,
    depth: usize,
    last: Last,
}

impl<'s> Translator<'s> {
    pub(super) fn rest(&self) -> &'s str {
        &self.source[self.pos..]
    }

    fn expression(&mut self) -> Result<(), String> {
        while let Some(c) = self.rest().chars().next() {
            match c {
                '(' => self.open()?,
                ')' if self.depth == 0 => return Err(format!("unexpected ): `{}`", self.source)),
                '|' => self.copy(c, Last::Nothing, 0),
                '*' | '+' | '?' => self.repetition(1)?,
                '{' => match repeat_length(self.rest()) {
                    Some(length) => self.repetition(length)?,
                    None => self.literal(c),
                },
                ')' | '^' | '$' | '.' => self.copy(c, Last::Atom, 0),
                '[' => {
                    self.class()?;
                    self.last = Last::Atom;
                }
                '\\' => self.escape()?,
                c => self.literal(c),
            }
            if c == ')' {
                self.depth -= 1;
            }
        }
        if self.depth > 0 {
            return Err(format!("missing closing ): `{}`", self.source));
        }
        Ok(())
    }

    fn copy(&mut self, c: char, last: Last, extra: usize) {
        let length = c.len_utf8() + extra;
        self.out.push_str(&self.source[self.pos..self.pos + length]);
        self.pos += length;
        self.last = last;
    }

    fn literal(&mut self, c: char) {
        self.pos += c.len_utf8();
        self.push_literal(c);
    }

    fn push_literal(&mut self, c: char) {
        if c == char::REPLACEMENT_CHARACTER {
            let _ = write!(self.out, "[{c}{STRAY_RANGE}]");
        } else {
            self.out
                .push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
        }
        self.last = Last::Atom;
    }

    fn open(&mut self) -> Result<(), String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(format!("expression nests too deeply: `{}`", self.source));
        }
        let rest = self.rest();
        if !rest.starts_with("(?") {
            self.names.push(None);
            self.copy('(', Last::Nothing, 0);
            return Ok(());
        }
        if rest.starts_with("(?P<") || rest.starts_with("(?<") {
            return self.named_group();
        }
        self.flags()
    }

    fn named_group(&mut self) -> Result<(), String> {
        let rest = self.rest();
        let start = if rest.starts_with("(?P<") { 4 } else { 3 };
        let Some(end) = rest.find('>') else {
            return Err(format!("invalid named capture: `{rest}`"));
        };
        let name = rest.get(start..end).unwrap_or_default();
        let valid = |c: char| c == '_' || c.is_ascii_alphanumeric();
        if name.is_empty() || !name.chars().all(valid) {
            return Err(format!("invalid named capture: `{}`", &rest[..=end]));
        }
        self.names.push(Some(name.to_owned()));
        self.pos += end + 1;
        self.out.push('(');
        self.last = Last::Nothing;
        Ok(())
    }

    /// `(?i)` and `(?i:`
    fn flags(&mut self) -> Result<(), String> {
        let rest = self.rest();
        let end = rest[2..].find(|c| !matches!(c, 'i' | 'm' | 's' | 'U' | '-'));
        let flags = &rest[2..2 + end.unwrap_or(rest.len() - 2)];
        let close = rest[2 + flags.len()..].chars().next();
        let negated = flags.matches('-').count();
        let well_formed = negated <= 1 && !flags.ends_with('-');
        match close {
            Some(')') if well_formed => {
                self.depth -= 1;
                if !flags.is_empty() {
                    let _ = write!(self.out, "(?{flags})");
                }
                self.pos += flags.len() + 3;
            }
            Some(':') if well_formed => {
                let _ = write!(self.out, "(?{flags}:");
                self.pos += flags.len() + 3;
            }
            close => {
                let wrong = &rest[..2 + flags.len() + close.map_or(0, char::len_utf8)];
                return Err(format!("invalid or unsupported Perl syntax: `{wrong}`"));
            }
        }
        self.last = Last::Nothing;
        Ok(())
    }

    /// An operator of this length, with the question mark that may follow.
    fn repetition(&mut self, length: usize) -> Result<(), String> {
        let operator = &self.rest()[..length];
        if operator.starts_with('{') {
            check_repeat(operator)?;
        }
        let lazy = usize::from(self.rest()[length..].starts_with('?'));
        match self.last {
            Last::Nothing => {
                let operator = &self.rest()[..length + lazy];
                return Err(format!(
                    "missing argument to repetition operator: `{operator}`"
                ));
            }
            Last::Repetition(start) => {
                let nested = &self.source[start..self.pos + length + lazy];
                return Err(format!("invalid nested repetition operator: `{nested}`"));
            }
            Last::Atom => {}
        }
        let start = self.pos;
        self.out.push_str(&self.rest()[..length + lazy]);
        self.pos += length + lazy;
        self.last = Last::Repetition(start);
        Ok(())
    }

    fn escape(&mut self) -> Result<(), String> {
        let rest = self.rest();
        let Some(c) = rest[1..].chars().next() else {
            return Err("trailing backslash at end of expression: ``".to_owned());
        };
        match c {
            'A' | 'z' => self.copy('\\', Last::Atom, 1),
            'b' | 'B' => {
                let _ = write!(self.out, "(?-u:\\{c})");
                self.pos += 2;
            }
            'Q' => {
                let text = &rest[2..];
                let end = text.find("\\E");
                for c in text[..end.unwrap_or(text.len())].chars() {
                    self.push_literal(c);
                }
                self.pos = end.map_or(self.source.len(), |end| self.pos + 2 + end + 2);
                return Ok(());
            }
            _ => {
                if let Some(class) = self.class_escape()? {
                    let _ = write!(self.out, "[{class}]");
                } else {
                    let c = self.char_escape()?;
                    self.push_literal(c);
                }
            }
        }
        self.last = Last::Atom;
        Ok(())
    }

    /// A class such as `\d` or `\p{Greek}`, in the crate's words.
    pub(super) fn class_escape(&mut self) -> Result<Option<String>, String> {
        let rest = self.rest();
        let class = match rest[1..].chars().next() {
            Some('d') => "0-9",
            Some('D') => "^0-9",
            Some('s') => r"\t\n\x0c\r\x20",
            Some('S') => r"^\t\n\x0c\r\x20",
            Some('w') => "0-9A-Za-z_",
            Some('W') => "^0-9A-Za-z_",
            Some(p @ ('p' | 'P')) => return self.property(p == 'P').map(Some),
            _ => return Ok(None),
        };
        self.pos += 2;
        Ok(Some(class.to_owned()))
    }

    fn property(&mut self, negated: bool) -> Result<String, String> {
        let rest = self.rest();
        let length = match rest[2..].chars().next() {
            Some('{') => match rest.find('}') {
                Some(end) => end + 1,
                None => return Err(format!("invalid character class range: `{rest}`")),
            },
            Some(c) => 2 + c.len_utf8(),
            None => return Err(format!("invalid character class range: `{rest}`")),
        };
        let name = rest[2..length].trim_matches(['{', '}']);
        let (negated, name) = match name.strip_prefix('^') {
            Some(name) => (!negated, name),
            None => (negated, name),
        };
        let class = format!("\\{}{{{name}}}", if negated { 'P' } else { 'p' });
        if name == "Any" && !negated {
            self.pos += length;
            return Ok(r"\x{0}-\x{10FFFF}".to_owned());
        }
        let known = name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !known || regex_syntax::parse(&class).is_err() {
            return Err(format!(
                "invalid character class range: `{}`",
                &rest[..length]
            ));
        }
        self.pos += length;
        Ok(class)
    }

    /// A character such as `\n`, `\x41`, `\101` or `\*`.
    pub(super) fn char_escape(&mut self) -> Result<char, String> {
        let rest = self.rest();
        let mut chars = rest[1..].chars();
        let Some(first) = chars.next() else {
            return Err("trailing backslash at end of expression: ``".to_owned());
        };
        let bad = |length: usize| {
            format!(
                "invalid escape sequence: `{}`",
                rest.get(..length).unwrap_or(rest)
            )
        };
        let digits = |from: usize, radix: u32| {
            rest[from..]
                .chars()
                .take_while(|c| c.is_digit(radix))
                .count()
        };
        let (point, length) = match first {
            'a' => (7, 2),
            'f' => (12, 2),
            't' => (9, 2),
            'n' => (10, 2),
            'r' => (13, 2),
            'v' => (11, 2),
            '0'..='7' if first == '0' || digits(2, 8) > 0 => {
                let end = 2 + digits(2, 8).min(2);
                (
                    u32::from_str_radix(&rest[1..end], 8).map_err(|_| bad(2))?,
                    end,
                )
            }
            'x' if rest[2..].starts_with('{') => {
                let end = 3 + digits(3, 16);
                if !rest[end..].starts_with('}') || end == 3 {
                    return Err(bad(end + 1));
                }
                let point = u32::from_str_radix(&rest[3..end], 16).ok();
                let point = point.filter(|point| *point <= 0x10_FFFF);
                (point.ok_or_else(|| bad(end))?, end + 1)
            }
            'x' if digits(2, 16) >= 2 => {
                (u32::from_str_radix(&rest[2..4], 16).map_err(|_| bad(2))?, 4)
            }
            'x' => return Err(bad(rest.len().min(4))),
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => (u32::from(c), 2),
            c => return Err(bad(1 + c.len_utf8())),
        };
        let c = char::from_u32(point).ok_or_else(|| bad(length))?;
        self.pos += length;
        Ok(c)
    }
}

/// The length of `{n}`, `{n,}` or `{n,m}`; another brace is literal.
fn repeat_length(text: &str) -> Option<usize> {
    let end = text.find('}')?;
    let (min, max) = text[1..end].split_once(',').unwrap_or((&text[1..end], ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let number = |text: &str| digits(text) && (text == "0" || !text.starts_with('0'));
    (!min.is_empty() && number(min) && number(max)).then_some(end + 1)
}

fn check_repeat(operator: &str) -> Result<(), String> {
    let inner = operator.trim_matches(['{', '}']);
    let (min, max) = inner.split_once(',').unwrap_or((inner, inner));
    let number = |text: &str| text.parse::<u32>().unwrap_or(u32::MAX);
    let max = if max.is_empty() {
        number(min)
    } else {
        number(max)
    };
    if number(min) > MAX_REPEAT || max > MAX_REPEAT || number(min) > max {
        return Err(format!("invalid repeat count: `{operator}`"));
    }
    Ok(())
}
