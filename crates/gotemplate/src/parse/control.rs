//! Control structures: if, with, range, define, template, block, break, continue. Knows where each
//! may stand; does not know what a pipeline is made of.

use crate::error::Error;
use crate::lex::TokenKind;
use crate::node::{Branch, Call, Node, Tree};
use crate::parse::{Item, Parser};

impl Parser<'_> {
    /// What follows a left delimiter.
    pub(super) fn action(&mut self) -> Result<Item, Error> {
        let token = self.next_non_space();
        let node = match token.kind {
            TokenKind::Block => self.block()?,
            TokenKind::Break => self.jump("{{break}}", Node::Break)?,
            TokenKind::Continue => self.jump("{{continue}}", Node::Continue)?,
            TokenKind::Else => return self.otherwise(),
            TokenKind::End => {
                self.expect(TokenKind::RightDelim, "end")?;
                return Ok(Item::End);
            }
            TokenKind::If => Node::If(self.branch("if")?),
            TokenKind::Range => Node::Range(self.branch("range")?),
            TokenKind::Template => self.template()?,
            TokenKind::With => Node::With(self.branch("with")?),
            _ => {
                self.backup();
                let pos = self.peek().pos;
                Node::Action {
                    pos,
                    pipe: self.pipeline("command", TokenKind::RightDelim)?,
                }
            }
        };
        Ok(Item::Node(node))
    }

    fn jump(&mut self, name: &str, node: Node) -> Result<Node, Error> {
        self.expect(TokenKind::RightDelim, name)?;
        if self.state.range_depth == 0 {
            return Err(self.error(format!("{name} outside {{{{range}}}}")));
        }
        Ok(node)
    }

    /// An else; in an "else if" or "else with" the second word is left for the caller.
    fn otherwise(&mut self) -> Result<Item, Error> {
        if !matches!(self.peek_non_space().kind, TokenKind::If | TokenKind::With) {
            self.expect(TokenKind::RightDelim, "else")?;
        }
        Ok(Item::Else)
    }

    fn branch(&mut self, context: &str) -> Result<Branch, Error> {
        self.enter()?;
        let variables = self.state.variables.len();
        let pipe = self.pipeline(context, TokenKind::RightDelim)?;
        let in_range = usize::from(context == "range");
        self.state.range_depth += in_range;
        let (body, end) = self.item_list()?;
        self.state.range_depth -= in_range;
        let otherwise = match end {
            Item::Else => Some(self.else_list(context)?),
            _ => None,
        };
        self.state.variables.truncate(variables);
        self.leave();
        Ok(Branch {
            pipe,
            body,
            otherwise,
        })
    }

    fn else_list(&mut self, context: &str) -> Result<Vec<Node>, Error> {
        match (context, self.peek().kind) {
            ("if", TokenKind::If) => {
                self.next();
                Ok(vec![Node::If(self.branch("if")?)])
            }
            ("with", TokenKind::With) => {
                self.next();
                Ok(vec![Node::With(self.branch("with")?)])
            }
            _ => match self.item_list()? {
                (nodes, Item::End) => Ok(nodes),
                _ => Err(self.error("expected end; found {{else}}")),
            },
        }
    }

    fn template(&mut self) -> Result<Node, Error> {
        const CONTEXT: &str = "template clause";
        let token = self.next_non_space();
        let name = self.template_name(&token, CONTEXT)?;
        let mut pipe = None;
        if self.next_non_space().kind != TokenKind::RightDelim {
            self.backup();
            pipe = Some(self.pipeline(CONTEXT, TokenKind::RightDelim)?);
        }
        Ok(Node::Template(Call {
            pos: token.pos,
            name,
            pipe,
        }))
    }

    /// `{{block "name" pipe}} … {{end}}`: a definition and its call.
    fn block(&mut self) -> Result<Node, Error> {
        const CONTEXT: &str = "block clause";
        self.enter()?;
        let token = self.next_non_space();
        let name = self.template_name(&token, CONTEXT)?;
        let pipe = Some(self.pipeline(CONTEXT, TokenKind::RightDelim)?);
        let outer = std::mem::take(&mut self.state);
        let (root, end) = self.item_list()?;
        if !matches!(end, Item::End) {
            // Go tells the line where the block begins
            self.state = outer;
            return Err(self.error(format!("unexpected {{{{else}}}} in {CONTEXT}")));
        }
        self.add(Tree {
            name: name.clone(),
            root,
        })?;
        self.state = outer;
        self.leave();
        Ok(Node::Template(Call {
            pos: token.pos,
            name,
            pipe,
        }))
    }
}
