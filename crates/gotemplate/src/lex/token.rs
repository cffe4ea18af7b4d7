//! Tokens of a template and how Go prints them in error messages. Knows nothing of their order.

use std::borrow::Cow;
use std::fmt;

use crate::lex::to_text;
use crate::printf::quoted;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    Error,
    Bool,
    Char,
    CharConstant,
    Complex,
    Assign,
    Declare,
    Eof,
    Field,
    Identifier,
    LeftDelim,
    LeftParen,
    Number,
    Pipe,
    RawString,
    RightDelim,
    RightParen,
    Space,
    String,
    Text,
    Variable,
    // keywords
    Block,
    Break,
    Continue,
    Dot,
    Define,
    Else,
    End,
    If,
    Nil,
    Range,
    Template,
    With,
}

impl TokenKind {
    pub(crate) fn keyword(word: &[u8]) -> Option<Self> {
        Some(match word {
            b"block" => Self::Block,
            b"break" => Self::Break,
            b"continue" => Self::Continue,
            b"define" => Self::Define,
            b"else" => Self::Else,
            b"end" => Self::End,
            b"if" => Self::If,
            b"nil" => Self::Nil,
            b"range" => Self::Range,
            b"template" => Self::Template,
            b"with" => Self::With,
            _ => return None,
        })
    }

    fn is_keyword(self) -> bool {
        use TokenKind::{
            Block, Break, Continue, Define, Dot, Else, End, If, Nil, Range, Template, With,
        };
        matches!(
            self,
            Block
                | Break
                | Continue
                | Define
                | Dot
                | Else
                | End
                | If
                | Nil
                | Range
                | Template
                | With
        )
    }
}

/// One token. An error is a token whose value is the message.
#[derive(Clone, Debug)]
pub(crate) struct Token<'a> {
    pub(crate) kind: TokenKind,
    /// byte offset in the text
    pub(crate) pos: usize,
    pub(crate) value: Cow<'a, [u8]>,
    /// line on which the token begins, from 1
    pub(crate) line: usize,
}

impl Token<'_> {
    pub(crate) fn text(&self) -> String {
        to_text(&self.value).into_owned()
    }
}

impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = to_text(&self.value);
        match self.kind {
            TokenKind::Eof => f.write_str("EOF"),
            TokenKind::Error => f.write_str(&text),
            kind if kind.is_keyword() => write!(f, "<{text}>"),
            _ if self.value.len() > 10 => {
                let head: String = text.chars().take(10).collect();
                write!(f, "{}...", quoted(head.as_bytes()))
            }
            _ => f.write_str(&quoted(&self.value)),
        }
    }
}
