//! Pipelines, commands and constants. Knows how a value goes from stage to stage and which type a
//! constant takes; fields and calls are elsewhere.

use crate::error::Error;
use crate::exec::{At, Held, State};
use crate::node::{Command, Number, Operand, OperandKind, Pipe};
use crate::value::Value;

impl<'t> State<'t> {
    pub(super) fn pipeline(&mut self, dot: &Held, pipe: &'t Pipe) -> Result<Value, Error> {
        self.step()?;
        self.enter()?;
        self.at = At::Pipe(pipe);
        let mut value = None;
        for command in &pipe.commands {
            value = Some(self.command(dot, command, value)?);
        }
        let value = value.unwrap_or(Value::Nil);
        for name in &pipe.decl {
            let value = Held::plain(value.clone());
            if pipe.is_assign {
                self.assign(name, value)?;
            } else {
                self.variables.push((name, value));
            }
        }
        self.depth -= 1;
        Ok(value)
    }

    /// One stage. The last argument is what the stage before it has given.
    fn command(
        &mut self,
        dot: &Held,
        command: &'t Command,
        last: Option<Value>,
    ) -> Result<Value, Error> {
        self.step()?;
        let Some((first, args)) = command.args.split_first() else {
            return Ok(Value::Nil);
        };
        match &first.kind {
            OperandKind::Identifier(name) => {
                self.at = At::Operand(first);
                self.call_function(dot, name, At::Command(command), args, last)
            }
            OperandKind::Field(_) | OperandKind::Chain { .. } | OperandKind::Variable { .. } => {
                Ok(self.operand(dot, first, args, last)?.value)
            }
            OperandKind::Pipe(pipe) => {
                self.not_a_function(first, args, last.as_ref())?;
                self.pipeline(dot, pipe)
            }
            _ => {
                self.at = At::Operand(first);
                self.not_a_function(first, args, last.as_ref())?;
                match &first.kind {
                    OperandKind::Bool(value) => Ok(Value::Bool(*value)),
                    OperandKind::Dot => Ok(dot.value.clone()),
                    OperandKind::Number(number) => self.constant(number),
                    OperandKind::String { value, .. } => Ok(Value::bytes(value)),
                    _ => Err(self.error("nil is not a command")),
                }
            }
        }
    }

    pub(super) fn not_a_function(
        &self,
        operand: &Operand,
        args: &[Operand],
        last: Option<&Value>,
    ) -> Result<(), Error> {
        if args.is_empty() && last.is_none() {
            return Ok(());
        }
        Err(self.error(format!("can't give argument to non-function {operand}")))
    }

    /// A number where nothing demands a type: its spelling decides.
    pub(super) fn constant(&self, number: &Number) -> Result<Value, Error> {
        let text = &number.text;
        let hex_int = text.len() > 2
            && text.starts_with("0x") | text.starts_with("0X")
            && !text.contains(['p', 'P']);
        let character = text.starts_with('\'');
        if let Some((re, im)) = number.complex {
            return Ok(Value::Complex(re, im));
        }
        if let Some(float) = number.float
            && !hex_int
            && !character
            && text.contains(['.', 'e', 'E', 'p', 'P'])
        {
            return Ok(Value::Float(float));
        }
        match number.int {
            Some(int) => Ok(Value::Int(int)),
            None => Err(self.error(format!("{text} overflows int"))),
        }
    }

    pub(super) fn variable(&self, name: &str) -> Result<Held, Error> {
        match self
            .variables
            .iter()
            .rev()
            .find(|(known, _)| *known == name)
        {
            Some((_, value)) => Ok(value.clone()),
            None => Err(self.error(format!("undefined variable: {name}"))),
        }
    }
}
