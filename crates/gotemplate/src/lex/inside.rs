//! Tokens inside an action: words, numbers, strings. Knows their spelling, not their meaning.

use crate::lex::chars::{decode, is_alphanumeric, is_space, unicode_point};
use crate::lex::{Lexer, Token, TokenKind, has_right_trim_marker, newlines};

impl<'a> Lexer<'a> {
    pub(super) fn inside(&mut self) -> Token<'a> {
        if self.at_right_delim().is_some() {
            if self.paren_depth == 0 {
                return self.right_delim();
            }
            return self.error("unclosed left paren");
        }
        let Some((c, length)) = decode(self.rest()) else {
            return self.error("unclosed action");
        };
        if c.is_ascii() && is_space(self.rest()[0]) {
            return self.space();
        }
        self.pos += length;
        match c {
            '=' => self.token(TokenKind::Assign),
            ':' if self.accept(b"=") => self.token(TokenKind::Declare),
            ':' => self.error("expected :="),
            '|' => self.token(TokenKind::Pipe),
            '"' => self.quote(b'"', TokenKind::String, "unterminated quoted string"),
            '\'' => self.quote(
                b'\'',
                TokenKind::CharConstant,
                "unterminated character constant",
            ),
            '`' => self.raw_quote(),
            '$' if self.at_terminator() => self.token(TokenKind::Variable),
            '$' => self.field_or_variable(TokenKind::Variable),
            '.' if !self.rest().first().is_some_and(u8::is_ascii_digit)
                && !self.rest().is_empty() =>
            {
                self.field_or_variable(TokenKind::Field)
            }
            '.' | '+' | '-' | '0'..='9' => {
                self.pos -= length;
                self.number()
            }
            '(' => {
                self.paren_depth += 1;
                self.token(TokenKind::LeftParen)
            }
            ')' if self.paren_depth == 0 => self.error("unexpected right paren"),
            ')' => {
                self.paren_depth -= 1;
                self.token(TokenKind::RightParen)
            }
            c if is_alphanumeric(c) => self.identifier(),
            c if c.is_ascii_graphic() => self.token(TokenKind::Char),
            c => self.error(format!(
                "unrecognized character in action: {}",
                unicode_point(c)
            )),
        }
    }

    fn accept(&mut self, valid: &[u8]) -> bool {
        let found = self.rest().first().is_some_and(|byte| valid.contains(byte));
        self.pos += usize::from(found);
        found
    }

    fn accept_run(&mut self, valid: &[u8]) {
        while self.accept(valid) {}
    }

    fn skip_alphanumeric(&mut self) {
        while let Some((c, length)) = decode(self.rest())
            && is_alphanumeric(c)
        {
            self.pos += length;
        }
    }

    fn space(&mut self) -> Token<'a> {
        let run = self
            .rest()
            .iter()
            .take_while(|byte| is_space(**byte))
            .count();
        // the last of the spaces may belong to a trim marker
        let last = &self.rest()[run - 1..];
        let mut taken = run;
        if has_right_trim_marker(last) && last[2..].starts_with(&self.delims.right) {
            if run == 1 {
                return self.right_delim();
            }
            taken -= 1;
        }
        self.line += newlines(&self.rest()[..taken]);
        self.pos += taken;
        self.token(TokenKind::Space)
    }

    /// Whether what follows may follow a word.
    fn at_terminator(&self) -> bool {
        match self.rest().first() {
            None | Some(b'.' | b',' | b'|' | b':' | b')' | b'(') => true,
            Some(byte) => is_space(*byte) || self.rest().starts_with(&self.delims.right),
        }
    }

    fn bad_character(&mut self) -> Token<'a> {
        let c = decode(self.rest()).map_or('\u{FFFD}', |(c, _)| c);
        self.error(format!("bad character {}", unicode_point(c)))
    }

    fn field_or_variable(&mut self, kind: TokenKind) -> Token<'a> {
        if self.at_terminator() {
            return self.token(TokenKind::Dot);
        }
        self.skip_alphanumeric();
        if !self.at_terminator() {
            return self.bad_character();
        }
        self.token(kind)
    }

    fn identifier(&mut self) -> Token<'a> {
        self.skip_alphanumeric();
        if !self.at_terminator() {
            return self.bad_character();
        }
        let word = &self.input[self.start..self.pos];
        let kind = match TokenKind::keyword(word) {
            Some(TokenKind::Break) if !self.break_ok => TokenKind::Identifier,
            Some(TokenKind::Continue) if !self.continue_ok => TokenKind::Identifier,
            Some(keyword) => keyword,
            None if matches!(word, b"true" | b"false") => TokenKind::Bool,
            None => TokenKind::Identifier,
        };
        self.token(kind)
    }

    fn quote(&mut self, end: u8, kind: TokenKind, unterminated: &str) -> Token<'a> {
        loop {
            match self.rest() {
                [b'\\', escaped, ..] if *escaped != b'\n' => self.pos += 2,
                [byte, ..] if *byte == end => {
                    self.pos += 1;
                    return self.token(kind);
                }
                [b'\n' | b'\\', ..] | [] => return self.error(unterminated),
                _ => self.pos += 1,
            }
        }
    }

    fn raw_quote(&mut self) -> Token<'a> {
        let Some(length) = self.rest().iter().position(|byte| *byte == b'`') else {
            return self.error("unterminated raw quoted string");
        };
        self.line += newlines(&self.rest()[..length]);
        self.pos += length + 1;
        self.token(TokenKind::RawString)
    }

    fn number(&mut self) -> Token<'a> {
        if !self.scan_number() {
            return self.bad_number();
        }
        if matches!(self.rest(), [b'+' | b'-', ..]) {
            // a complex constant such as 1+2i
            if !self.scan_number() || self.input[self.pos - 1] != b'i' {
                return self.bad_number();
            }
            return self.token(TokenKind::Complex);
        }
        self.token(TokenKind::Number)
    }

    fn bad_number(&mut self) -> Token<'a> {
        let text = crate::printf::quoted(&self.input[self.start..self.pos]);
        self.error(format!("bad number syntax: {text}"))
    }

    fn scan_number(&mut self) -> bool {
        self.accept(b"+-");
        let mut digits: &[u8] = b"0123456789_";
        if self.accept(b"0") {
            if self.accept(b"xX") {
                digits = b"0123456789abcdefABCDEF_";
            } else if self.accept(b"oO") {
                digits = b"01234567_";
            } else if self.accept(b"bB") {
                digits = b"01_";
            }
        }
        self.accept_run(digits);
        if self.accept(b".") {
            self.accept_run(digits);
        }
        let exponent: &[u8] = match digits.len() {
            11 => b"eE",
            23 => b"pP",
            _ => b"",
        };
        if self.accept(exponent) {
            self.accept(b"+-");
            self.accept_run(b"0123456789_");
        }
        self.accept(b"i");
        match decode(self.rest()) {
            Some((c, length)) if is_alphanumeric(c) => {
                self.pos += length;
                false
            }
            _ => true,
        }
    }
}
