//! From tokens to the syntax tree: texts, actions and definitions. Knows the grammar of blocks;
//! pipelines are in `pipeline`, control structures in `control`.

mod control;
mod number;
mod pipeline;
mod unquote;

use std::collections::HashMap;

use crate::error::Error;
use crate::functions::Functions;
use crate::lex::{Delims, Lexer, Token, TokenKind};
use crate::node::{Node, Tree};

pub(crate) use number::{parse_float, parse_int};

/// The templates of a text by name.
pub(crate) type Trees = HashMap<Vec<u8>, Tree>;

/// Parses a text and everything it defines.
pub(crate) fn parse(
    name: &str,
    text: &[u8],
    functions: &Functions,
    delims: &Delims,
) -> Result<Trees, Error> {
    let break_ok = functions.get("break").is_none();
    let continue_ok = functions.get("continue").is_none();
    let lexer = Lexer::new(text, delims, break_ok, continue_ok);
    let mut parser = Parser {
        name,
        functions,
        lexer,
        state: State::default(),
        trees: Trees::new(),
        nesting: 0,
    };
    let root = parser.top_level()?;
    parser.add(Tree {
        name: name.as_bytes().to_vec(),
        root,
    })?;
    Ok(parser.trees)
}

/// What stands between the delimiters of an action or outside of them.
enum Item {
    Node(Node),
    Else,
    End,
}

struct Parser<'a> {
    name: &'a str,
    functions: &'a Functions,
    lexer: Lexer<'a>,
    state: State<'a>,
    trees: Trees,
    /// control structures, definitions and parentheses that are open
    nesting: usize,
}

/// What is kept per template. A definition inside a text starts afresh.
struct State<'a> {
    /// three tokens of lookahead; the first is the one read last
    tokens: [Token<'a>; 3],
    peeked: usize,
    variables: Vec<String>,
    range_depth: usize,
    /// the line of the action that is being parsed, or 0
    action_line: usize,
}

impl Default for State<'_> {
    fn default() -> Self {
        let none = || Token {
            kind: TokenKind::Eof,
            pos: 0,
            value: Vec::new().into(),
            line: 0,
        };
        Self {
            tokens: [none(), none(), none()],
            peeked: 0,
            variables: vec!["$".to_owned()],
            range_depth: 0,
            action_line: 0,
        }
    }
}

impl<'a> Parser<'a> {
    fn next(&mut self) -> Token<'a> {
        if self.state.peeked > 0 {
            self.state.peeked -= 1;
        } else {
            self.state.tokens[0] = self.lexer.next_token();
        }
        self.state.tokens[self.state.peeked].clone()
    }

    fn backup(&mut self) {
        self.state.peeked += 1;
    }

    fn backup2(&mut self, token: Token<'a>) {
        self.state.tokens[1] = token;
        self.state.peeked = 2;
    }

    fn backup3(&mut self, second: Token<'a>, first: Token<'a>) {
        self.state.tokens[1] = first;
        self.state.tokens[2] = second;
        self.state.peeked = 3;
    }

    fn peek(&mut self) -> Token<'a> {
        if self.state.peeked == 0 {
            self.state.tokens[0] = self.lexer.next_token();
            self.state.peeked = 1;
        }
        self.state.tokens[self.state.peeked - 1].clone()
    }

    fn next_non_space(&mut self) -> Token<'a> {
        loop {
            let token = self.next();
            if token.kind != TokenKind::Space {
                return token;
            }
        }
    }

    fn peek_non_space(&mut self) -> Token<'a> {
        let token = self.next_non_space();
        self.backup();
        token
    }

    fn error(&self, message: impl Into<String>) -> Error {
        Error::parse(self.name, self.state.tokens[0].line, message)
    }

    fn unexpected(&self, token: &Token<'_>, context: &str) -> Error {
        if token.kind != TokenKind::Error {
            return self.error(format!("unexpected {token} in {context}"));
        }
        let mut message = token.to_string();
        let started = self.state.action_line;
        if started != 0 && started != token.line {
            let action = if message.ends_with(" action") {
                ""
            } else {
                " in action"
            };
            message = format!("{message}{action} started at {}:{started}", self.name);
        }
        self.error(message)
    }

    fn expect(&mut self, kind: TokenKind, context: &str) -> Result<Token<'a>, Error> {
        let token = self.next_non_space();
        if token.kind == kind {
            Ok(token)
        } else {
            Err(self.unexpected(&token, context))
        }
    }

    fn enter(&mut self) -> Result<(), Error> {
        self.nesting += 1;
        if self.nesting > crate::limits::MAX_NESTING {
            return Err(self.error("max expression depth exceeded"));
        }
        Ok(())
    }

    fn leave(&mut self) {
        self.nesting -= 1;
    }

    fn top_level(&mut self) -> Result<Vec<Node>, Error> {
        let mut root = Vec::new();
        while self.peek().kind != TokenKind::Eof {
            if self.peek().kind == TokenKind::LeftDelim {
                let delim = self.next();
                if self.next_non_space().kind == TokenKind::Define {
                    self.definition()?;
                    continue;
                }
                self.backup2(delim);
            }
            match self.text_or_action()? {
                Item::Node(node) => root.push(node),
                Item::Else => return Err(self.error("unexpected {{else}}")),
                Item::End => return Err(self.error("unexpected {{end}}")),
            }
        }
        Ok(root)
    }

    /// `{{define "name"}} … {{end}}`, after the keyword.
    fn definition(&mut self) -> Result<(), Error> {
        const CONTEXT: &str = "define clause";
        let outer = std::mem::take(&mut self.state);
        let token = self.next_non_space();
        let name = self.template_name(&token, CONTEXT)?;
        self.expect(TokenKind::RightDelim, CONTEXT)?;
        let root = self.body(CONTEXT)?;
        self.add(Tree { name, root })?;
        self.state = outer;
        Ok(())
    }

    /// The body of a definition up to its end.
    fn body(&mut self, context: &str) -> Result<Vec<Node>, Error> {
        match self.item_list()? {
            (root, Item::End) => Ok(root),
            _ => Err(self.error(format!("unexpected {{{{else}}}} in {context}"))),
        }
    }

    /// Adds a template; what is blank neither replaces nor collides.
    fn add(&mut self, tree: Tree) -> Result<(), Error> {
        match self.trees.get(&tree.name) {
            Some(old) if !old.is_empty() => {
                if !tree.is_empty() {
                    let name = crate::printf::quoted(&tree.name);
                    let message = format!("template: multiple definition of template {name}");
                    return Err(self.error(message));
                }
            }
            _ => {
                self.trees.insert(tree.name.clone(), tree);
            }
        }
        Ok(())
    }

    /// Nodes up to an else or end.
    fn item_list(&mut self) -> Result<(Vec<Node>, Item), Error> {
        let mut nodes = Vec::new();
        while self.peek_non_space().kind != TokenKind::Eof {
            match self.text_or_action()? {
                Item::Node(node) => nodes.push(node),
                end => return Ok((nodes, end)),
            }
        }
        Err(self.error("unexpected EOF"))
    }

    fn text_or_action(&mut self) -> Result<Item, Error> {
        let token = self.next_non_space();
        match token.kind {
            TokenKind::Text => Ok(Item::Node(Node::Text(token.value.into_owned()))),
            TokenKind::LeftDelim => {
                self.state.action_line = token.line;
                let item = self.action();
                if item.is_ok() {
                    self.state.action_line = 0;
                }
                item
            }
            _ => Err(self.unexpected(&token, "input")),
        }
    }

    /// The string that names a template.
    fn template_name(&mut self, token: &Token<'_>, context: &str) -> Result<Vec<u8>, Error> {
        match token.kind {
            TokenKind::String | TokenKind::RawString => self.unquote(&token.value),
            _ => Err(self.unexpected(token, context)),
        }
    }

    fn unquote(&self, quoted: &[u8]) -> Result<Vec<u8>, Error> {
        unquote::unquote(quoted).ok_or_else(|| self.error("invalid syntax"))
    }
}
