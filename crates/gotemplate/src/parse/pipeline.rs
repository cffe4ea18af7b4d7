//! Pipelines: declarations, commands, operands. Knows their grammar and which variables and
//! functions exist; does not know what they do.

use crate::error::Error;
use crate::lex::{TokenKind, to_text};
use crate::node::{Command, Operand, OperandKind, Pipe};
use crate::parse::{Parser, number};
use crate::printf::quoted;

impl Parser<'_> {
    /// A pipeline up to the token that ends it.
    pub(super) fn pipeline(&mut self, context: &str, end: TokenKind) -> Result<Pipe, Error> {
        let pos = self.peek_non_space().pos;
        let mut pipe = Pipe {
            pos,
            decl: Vec::new(),
            is_assign: false,
            commands: Vec::new(),
        };
        while self.declaration(&mut pipe, context)? {}
        loop {
            let token = self.next_non_space();
            match token.kind {
                kind if kind == end => break,
                TokenKind::Bool
                | TokenKind::CharConstant
                | TokenKind::Complex
                | TokenKind::Dot
                | TokenKind::Field
                | TokenKind::Identifier
                | TokenKind::Number
                | TokenKind::Nil
                | TokenKind::RawString
                | TokenKind::String
                | TokenKind::Variable
                | TokenKind::LeftParen => {
                    self.backup();
                    let command = self.command()?;
                    pipe.commands.push(command);
                }
                _ => return Err(self.unexpected(&token, context)),
            }
        }
        self.check(&pipe, context)?;
        Ok(pipe)
    }

    /// Takes `$x :=`, `$x =` or `$x,` if it stands here. Whether another may follow.
    fn declaration(&mut self, pipe: &mut Pipe, context: &str) -> Result<bool, Error> {
        let variable = self.peek_non_space();
        if variable.kind != TokenKind::Variable {
            return Ok(false);
        }
        self.next();
        // "$x foo" makes $x an argument; what follows it may have to be put back
        let adjacent = self.peek();
        let next = self.peek_non_space();
        let name = variable.text();
        match next.kind {
            TokenKind::Assign | TokenKind::Declare => {
                pipe.is_assign = next.kind == TokenKind::Assign;
                self.next_non_space();
                pipe.decl.push(name.clone());
                self.state.variables.push(name);
                Ok(false)
            }
            TokenKind::Char if *next.value == *b"," => {
                self.next_non_space();
                pipe.decl.push(name.clone());
                self.state.variables.push(name);
                if context != "range" || pipe.decl.len() >= 2 {
                    return Err(self.error(format!("too many declarations in {context}")));
                }
                match self.peek_non_space().kind {
                    TokenKind::Variable | TokenKind::RightDelim | TokenKind::RightParen => Ok(true),
                    _ => Err(self.error("range can only initialize variables")),
                }
            }
            _ if adjacent.kind == TokenKind::Space => {
                self.backup3(variable, adjacent);
                Ok(false)
            }
            _ => {
                self.backup2(variable);
                Ok(false)
            }
        }
    }

    fn check(&self, pipe: &Pipe, context: &str) -> Result<(), Error> {
        if pipe.commands.is_empty() {
            return Err(self.error(format!("missing value for {context}")));
        }
        for (i, command) in pipe.commands.iter().enumerate().skip(1) {
            let literal = matches!(
                command.args.first().map(|operand| &operand.kind),
                Some(
                    OperandKind::Bool(_)
                        | OperandKind::Dot
                        | OperandKind::Nil
                        | OperandKind::Number(_)
                        | OperandKind::String { .. }
                )
            );
            if literal {
                let message = format!("non executable command in pipeline stage {}", i + 1);
                return Err(self.error(message));
            }
        }
        Ok(())
    }

    /// Operands up to a pipe, which is taken, or the pipeline's end, which is not.
    fn command(&mut self) -> Result<Command, Error> {
        let pos = self.peek_non_space().pos;
        let mut args = Vec::new();
        loop {
            self.peek_non_space();
            if let Some(operand) = self.operand()? {
                args.push(operand);
            }
            let token = self.next();
            match token.kind {
                TokenKind::Space => {}
                TokenKind::RightDelim | TokenKind::RightParen => {
                    self.backup();
                    break;
                }
                TokenKind::Pipe => break,
                _ => return Err(self.unexpected(&token, "operand")),
            }
        }
        if args.is_empty() {
            return Err(self.error("empty command"));
        }
        Ok(Command { pos, args })
    }

    /// A term with the fields that follow it.
    fn operand(&mut self) -> Result<Option<Operand>, Error> {
        let Some(term) = self.term()? else {
            return Ok(None);
        };
        let pos = self.peek().pos;
        let mut chain = Vec::new();
        while self.peek().kind == TokenKind::Field {
            let field = self.next();
            chain.push(to_text(&field.value[1..]).into_owned());
        }
        if chain.is_empty() {
            return Ok(Some(term));
        }
        let kind = match term.kind {
            OperandKind::Field(mut fields) => {
                fields.append(&mut chain);
                OperandKind::Field(fields)
            }
            OperandKind::Variable { name, mut fields } => {
                fields.append(&mut chain);
                OperandKind::Variable { name, fields }
            }
            OperandKind::Bool(_)
            | OperandKind::String { .. }
            | OperandKind::Number(_)
            | OperandKind::Nil
            | OperandKind::Dot => {
                let term = quoted(term.to_string().as_bytes());
                return Err(self.error(format!("unexpected . after term {term}")));
            }
            _ => OperandKind::Chain {
                base: Box::new(term),
                fields: chain,
            },
        };
        Ok(Some(Operand { pos, kind }))
    }

    fn term(&mut self) -> Result<Option<Operand>, Error> {
        let token = self.next_non_space();
        let kind = match token.kind {
            TokenKind::Identifier => self.function_name(token.text())?,
            TokenKind::Dot => OperandKind::Dot,
            TokenKind::Nil => OperandKind::Nil,
            TokenKind::Variable => self.variable(token.text())?,
            TokenKind::Field => OperandKind::Field(vec![token.text().split_off(1)]),
            TokenKind::Bool => OperandKind::Bool(*token.value == *b"true"),
            TokenKind::CharConstant | TokenKind::Complex | TokenKind::Number => {
                let number = number::parse_number(&token.value, token.kind);
                OperandKind::Number(number.map_err(|message| self.error(message))?)
            }
            TokenKind::LeftParen => {
                self.enter()?;
                let pipe = self.pipeline("parenthesized pipeline", TokenKind::RightParen)?;
                self.leave();
                return Ok(Some(Operand {
                    pos: pipe.pos,
                    kind: OperandKind::Pipe(pipe),
                }));
            }
            TokenKind::String | TokenKind::RawString => {
                let value = self.unquote(&token.value)?;
                OperandKind::String {
                    quoted: token.text(),
                    value,
                }
            }
            _ => {
                self.backup();
                return Ok(None);
            }
        };
        Ok(Some(Operand {
            pos: token.pos,
            kind,
        }))
    }

    fn function_name(&self, name: String) -> Result<OperandKind, Error> {
        if self.functions.get(&name).is_none() {
            let name = quoted(name.as_bytes());
            return Err(self.error(format!("function {name} not defined")));
        }
        Ok(OperandKind::Identifier(name))
    }

    fn variable(&self, name: String) -> Result<OperandKind, Error> {
        if !self.state.variables.contains(&name) {
            let name = quoted(name.as_bytes());
            return Err(self.error(format!("undefined variable {name}")));
        }
        Ok(OperandKind::Variable {
            name,
            fields: Vec::new(),
        })
    }
}
