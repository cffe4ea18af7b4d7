//! From template text to tokens: delimiters, trim markers and comments. Knows where actions begin
//! and end and counts lines; what is inside an action is in `inside`.

mod chars;
mod inside;
mod token;

use std::borrow::Cow;

pub(crate) use chars::{
    decode, decode_last, is_alphanumeric, is_letter, is_lower, is_number, is_print, is_punctuation,
    is_upper, to_text, unicode_point,
};
pub(crate) use token::{Token, TokenKind};

use chars::is_space;

/// The strings around actions.
#[derive(Clone, Debug)]
pub(crate) struct Delims {
    pub(crate) left: Vec<u8>,
    pub(crate) right: Vec<u8>,
}

/// A trim marker and the white space that belongs to it.
const TRIM_MARKER: usize = 2;

/// Reads tokens one by one. Ends with an end-of-file token, or an error token.
pub(crate) struct Lexer<'a> {
    input: &'a [u8],
    delims: &'a Delims,
    /// whether the words break and continue are keywords
    break_ok: bool,
    continue_ok: bool,
    start: usize,
    pos: usize,
    line: usize,
    start_line: usize,
    inside_action: bool,
    paren_depth: usize,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(
        input: &'a [u8],
        delims: &'a Delims,
        break_ok: bool,
        continue_ok: bool,
    ) -> Self {
        Self {
            input,
            delims,
            break_ok,
            continue_ok,
            start: 0,
            pos: 0,
            line: 1,
            start_line: 1,
            inside_action: false,
            paren_depth: 0,
        }
    }

    pub(crate) fn next_token(&mut self) -> Token<'a> {
        loop {
            let token = if self.inside_action {
                Some(self.inside())
            } else {
                self.outside()
            };
            if let Some(token) = token {
                return token;
            }
        }
    }

    fn rest(&self) -> &'a [u8] {
        &self.input[self.pos..]
    }

    fn token(&mut self, kind: TokenKind) -> Token<'a> {
        let value = Cow::Borrowed(&self.input[self.start..self.pos]);
        let token = Token {
            kind,
            pos: self.start,
            value,
            line: self.start_line,
        };
        self.start = self.pos;
        self.start_line = self.line;
        token
    }

    fn ignore(&mut self) {
        self.line += newlines(&self.input[self.start..self.pos]);
        self.start = self.pos;
        self.start_line = self.line;
    }

    /// An error token; whoever asks for more gets the end of the file.
    fn error(&mut self, message: impl Into<String>) -> Token<'a> {
        let value = Cow::Owned(message.into().into_bytes());
        let token = Token {
            kind: TokenKind::Error,
            pos: self.start,
            value,
            line: self.start_line,
        };
        self.input = b"";
        self.start = 0;
        self.pos = 0;
        self.inside_action = false;
        token
    }

    /// Text up to the next action, or the action's beginning; `None` if there was nothing to tell.
    fn outside(&mut self) -> Option<Token<'a>> {
        let Some(offset) = find(self.rest(), &self.delims.left) else {
            self.pos = self.input.len();
            if self.pos > self.start {
                self.line += newlines(&self.input[self.start..self.pos]);
                return Some(self.token(TokenKind::Text));
            }
            return Some(self.token(TokenKind::Eof));
        };
        if offset == 0 {
            return self.left_delim();
        }
        self.pos += offset;
        let mut trimmed = 0;
        if has_left_trim_marker(&self.rest()[self.delims.left.len()..]) {
            trimmed = right_trim_length(&self.input[self.start..self.pos]);
        }
        self.pos -= trimmed;
        self.line += newlines(&self.input[self.start..self.pos]);
        let text = self.token(TokenKind::Text);
        self.pos += trimmed;
        self.ignore();
        (!text.value.is_empty()).then_some(text)
    }

    fn left_delim(&mut self) -> Option<Token<'a>> {
        self.pos += self.delims.left.len();
        let marker = if has_left_trim_marker(self.rest()) {
            TRIM_MARKER
        } else {
            0
        };
        if self.rest()[marker..].starts_with(b"/*") {
            self.pos += marker;
            self.ignore();
            return self.comment();
        }
        let token = self.token(TokenKind::LeftDelim);
        self.inside_action = true;
        self.pos += marker;
        self.ignore();
        self.paren_depth = 0;
        Some(token)
    }

    fn comment(&mut self) -> Option<Token<'a>> {
        self.pos += 2;
        let Some(end) = find(self.rest(), b"*/") else {
            return Some(self.error("unclosed comment"));
        };
        self.pos += end + 2;
        let Some(trim) = self.at_right_delim() else {
            return Some(self.error("comment ends before closing delimiter"));
        };
        if trim {
            self.pos += TRIM_MARKER;
        }
        self.pos += self.delims.right.len();
        if trim {
            self.pos += left_trim_length(self.rest());
        }
        self.ignore();
        None
    }

    /// Whether a right delimiter follows; if so, whether with a trim marker.
    fn at_right_delim(&self) -> Option<bool> {
        let rest = self.rest();
        if has_right_trim_marker(rest) && rest[TRIM_MARKER..].starts_with(&self.delims.right) {
            return Some(true);
        }
        rest.starts_with(&self.delims.right).then_some(false)
    }

    fn right_delim(&mut self) -> Token<'a> {
        let trim = self.at_right_delim() == Some(true);
        if trim {
            self.pos += TRIM_MARKER;
            self.ignore();
        }
        self.pos += self.delims.right.len();
        let token = self.token(TokenKind::RightDelim);
        if trim {
            self.pos += left_trim_length(self.rest());
            self.ignore();
        }
        self.inside_action = false;
        token
    }
}

pub(crate) fn newlines(text: &[u8]) -> usize {
    text.split(|byte| *byte == b'\n').count() - 1
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

fn has_left_trim_marker(text: &[u8]) -> bool {
    matches!(text, [b'-', space, ..] if is_space(*space))
}

fn has_right_trim_marker(text: &[u8]) -> bool {
    matches!(text, [space, b'-', ..] if is_space(*space))
}

fn right_trim_length(text: &[u8]) -> usize {
    text.iter()
        .rev()
        .take_while(|byte| is_space(**byte))
        .count()
}

fn left_trim_length(text: &[u8]) -> usize {
    text.iter().take_while(|byte| is_space(**byte)).count()
}
