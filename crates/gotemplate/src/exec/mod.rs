//! Executes a template: statements, scopes, output, limits. Knows the order in which things happen;
//! pipelines are in `pipeline`, loops in `range`, fields in `field`, calls in `call`.

mod call;
mod field;
mod pipeline;
mod range;

use std::fmt;

use crate::error::Error;
use crate::functions::CallError;
use crate::lex::{newlines, to_text};
use crate::node::{Branch, Call, Command, Node, Operand, Pipe, Tree};
use crate::printf;
use crate::template::Template;
use crate::value::Value;

/// Executes the template of the text's own name.
pub(crate) fn execute(template: &Template, root: &Value) -> Result<Vec<u8>, Error> {
    let Some(tree) = template.trees.get(template.name.as_bytes()) else {
        return Err(Error::parse(
            &template.name,
            0,
            "incomplete or empty template",
        ));
    };
    let mut state = State {
        template,
        tree,
        at: At::Start,
        variables: vec![("$", Held::plain(root.clone()))],
        out: Vec::new(),
        steps: 0,
        depth: 0,
    };
    state.walk(&Held::plain(root.clone()), &tree.root)?;
    Ok(state.out)
}

/// What is being executed, for the place and context of an error.
#[derive(Clone, Copy)]
enum At<'t> {
    Start,
    Action(usize, &'t Pipe),
    Template(&'t Call),
    Pipe(&'t Pipe),
    Command(&'t Command),
    Operand(&'t Operand),
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => Ok(()),
            Self::Action(_, pipe) => write!(f, "{{{{{pipe}}}}}"),
            Self::Template(call) => call.fmt(f),
            Self::Pipe(pipe) => pipe.fmt(f),
            Self::Command(command) => command.fmt(f),
            Self::Operand(operand) => operand.fmt(f),
        }
    }
}

/// A value with what Go's types still know of where it was: an element of a map or list of
/// `interface {}` is an interface until a pipeline ends. A nil of it is not a missing value, and errors
/// tell no other type.
#[derive(Clone)]
struct Held {
    value: Value,
    interface: bool,
}

impl Held {
    fn plain(value: Value) -> Self {
        Self {
            value,
            interface: false,
        }
    }
}

/// How a list of nodes ended.
enum Flow {
    Next,
    Break,
    Continue,
}

struct State<'t> {
    template: &'t Template,
    /// the template that is being executed, of those in the text
    tree: &'t Tree,
    at: At<'t>,
    variables: Vec<(&'t str, Held)>,
    out: Vec<u8>,
    steps: u64,
    depth: usize,
}

impl<'t> State<'t> {
    fn error(&self, message: impl Into<String>) -> Error {
        let pos = match self.at {
            At::Start => 0,
            At::Action(pos, _) => pos,
            At::Template(call) => call.pos,
            At::Pipe(pipe) => pipe.pos,
            At::Command(command) => command.pos,
            At::Operand(operand) => operand.pos,
        };
        let before = &self.template.text[..pos];
        let line_start = before
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        let executing = to_text(&self.tree.name);
        Error::parse(&self.template.name, 1 + newlines(before), message).at(
            &executing,
            pos - line_start,
            self.at.to_string(),
        )
    }

    /// An error whose message repeats a value.
    fn error_about(&self, before: &str, value: &Value, after: &str) -> Error {
        let shown = printf::shown(value);
        self.error(format!("{before}{shown}{after}"))
            .with_redacted(format!(
                "{before}a value of type {}{after}",
                value.type_name()
            ))
    }

    fn call_error(&self, name: &str, error: &CallError) -> Error {
        let error_text = |message: &str| format!("error calling {name}: {message}");
        self.error(error_text(error.message()))
            .with_redacted(error_text(error.redacted()))
    }

    fn step(&mut self) -> Result<(), Error> {
        self.charge(1)
    }

    fn charge(&mut self, steps: u64) -> Result<(), Error> {
        self.steps = self.steps.saturating_add(steps);
        if self.steps > self.template.limits.steps {
            let limit = self.template.limits.steps;
            return Err(self.error(format!("template takes more than {limit} steps")));
        }
        Ok(())
    }

    fn enter(&mut self) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > self.template.limits.depth {
            let limit = self.template.limits.depth;
            return Err(self.error(format!("exceeded maximum template depth ({limit})")));
        }
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if self.out.len() + bytes.len() > self.template.limits.output {
            let limit = self.template.limits.output;
            return Err(self.error(format!("template writes more than {limit} bytes")));
        }
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    fn walk(&mut self, dot: &Held, nodes: &'t [Node]) -> Result<Flow, Error> {
        for node in nodes {
            self.step()?;
            let flow = match node {
                Node::Text(text) => {
                    self.write(text)?;
                    Flow::Next
                }
                Node::Action { pos, pipe } => {
                    self.action(dot, *pos, pipe)?;
                    Flow::Next
                }
                Node::If(branch) => self.nested(|state| state.if_or_with(dot, branch, false))?,
                Node::With(branch) => self.nested(|state| state.if_or_with(dot, branch, true))?,
                Node::Range(branch) => self.nested(|state| state.range(dot, branch))?,
                Node::Template(call) => {
                    self.nested(|state| state.call_template(dot, call))?;
                    Flow::Next
                }
                Node::Break => Flow::Break,
                Node::Continue => Flow::Continue,
            };
            if !matches!(flow, Flow::Next) {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    /// Runs one level deeper; variables declared there do not outlive it.
    fn nested<T>(&mut self, run: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        self.enter()?;
        let variables = self.variables.len();
        let result = run(self)?;
        self.variables.truncate(variables);
        self.depth -= 1;
        Ok(result)
    }

    fn action(&mut self, dot: &Held, pos: usize, pipe: &'t Pipe) -> Result<(), Error> {
        self.at = At::Action(pos, pipe);
        let value = self.pipeline(dot, pipe)?;
        if !pipe.decl.is_empty() {
            return Ok(());
        }
        self.at = At::Action(pos, pipe);
        match &value {
            Value::Nil => self.write(b"<no value>"),
            Value::Str(bytes) => self.write(bytes),
            Value::Func(_) => {
                let type_name = value.type_name();
                Err(self.error(format!("can't print {} of type {type_name}", self.at)))
            }
            _ => {
                let text = printf::to_text(&value).map_err(|e| self.error(e.message()))?;
                self.write(&text)
            }
        }
    }

    fn if_or_with(&mut self, dot: &Held, branch: &'t Branch, with: bool) -> Result<Flow, Error> {
        let value = self.pipeline(dot, &branch.pipe)?;
        if value.truth() {
            let value = Held::plain(value);
            self.walk(if with { &value } else { dot }, &branch.body)
        } else if let Some(otherwise) = &branch.otherwise {
            self.walk(dot, otherwise)
        } else {
            Ok(Flow::Next)
        }
    }

    fn assign(&mut self, name: &str, value: Held) -> Result<(), Error> {
        match self
            .variables
            .iter_mut()
            .rev()
            .find(|(known, _)| *known == name)
        {
            Some(variable) => {
                variable.1 = value;
                Ok(())
            }
            None => Err(self.error(format!("undefined variable: {name}"))),
        }
    }

    fn call_template(&mut self, dot: &Held, call: &'t Call) -> Result<(), Error> {
        self.at = At::Template(call);
        let Some(tree) = self.template.trees.get(&call.name) else {
            let name = printf::quoted(&call.name);
            return Err(self.error(format!("template {name} not defined")));
        };
        let argument = match &call.pipe {
            Some(pipe) => self.pipeline(dot, pipe)?,
            None => Value::Nil,
        };
        let argument = Held::plain(argument);
        let variables = std::mem::replace(&mut self.variables, vec![("$", argument.clone())]);
        let outer = std::mem::replace(&mut self.tree, tree);
        self.walk(&argument, &tree.root)?;
        self.variables = variables;
        self.tree = outer;
        Ok(())
    }
}
