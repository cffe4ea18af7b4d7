//! Operands and their fields: maps, methods, missing keys. Knows what `.a.b` is; arguments are
//! evaluated in `call`.

use crate::error::Error;
use crate::exec::{At, State};
use crate::node::{Operand, OperandKind};
use crate::printf::quoted;
use crate::template::MissingKey;
use crate::value::{Elem, Map, Value};

/// A value in the middle of a chain of fields.
struct Receiver {
    value: Value,
    /// a nil that a map of `interface {}` holds, not a missing value
    held_nil: bool,
}

impl<'t> State<'t> {
    /// A field, variable, chain or function with its arguments.
    pub(super) fn operand(
        &mut self,
        dot: &Value,
        operand: &'t Operand,
        args: &'t [Operand],
        last: Option<Value>,
    ) -> Result<Value, Error> {
        self.at = At::Operand(operand);
        match &operand.kind {
            OperandKind::Field(fields) => {
                self.fields(dot, dot.clone(), operand, fields, args, last)
            }
            OperandKind::Variable { name, fields } => {
                let value = self.variable(name)?;
                if fields.is_empty() {
                    self.not_a_function(operand, args, last.as_ref())?;
                    return Ok(value);
                }
                self.fields(dot, value, operand, fields, args, last)
            }
            OperandKind::Chain { base, fields } => {
                if matches!(base.kind, OperandKind::Nil) {
                    let message = format!("indirection through explicit nil in {operand}");
                    return Err(self.error(message));
                }
                let value = match &base.kind {
                    OperandKind::Pipe(pipe) => self.pipeline(dot, pipe)?,
                    _ => self.operand(dot, base, &[], None)?,
                };
                self.fields(dot, value, operand, fields, args, last)
            }
            OperandKind::Identifier(name) => {
                self.call_function(dot, name, At::Operand(operand), args, last)
            }
            OperandKind::Pipe(pipe) => self.pipeline(dot, pipe),
            _ => Err(self.error(format!("can't evaluate command {operand}"))),
        }
    }

    /// Follows the fields; only the last one may be given arguments.
    fn fields(
        &mut self,
        dot: &Value,
        value: Value,
        operand: &'t Operand,
        fields: &'t [String],
        args: &'t [Operand],
        last: Option<Value>,
    ) -> Result<Value, Error> {
        let mut receiver = Receiver {
            value,
            held_nil: false,
        };
        let Some((final_field, inner)) = fields.split_last() else {
            return Ok(receiver.value);
        };
        for field in inner {
            receiver = self.field(dot, &receiver, operand, field, &[], None)?;
        }
        Ok(self
            .field(dot, &receiver, operand, final_field, args, last)?
            .value)
    }

    fn field(
        &mut self,
        dot: &Value,
        receiver: &Receiver,
        operand: &'t Operand,
        name: &'t str,
        args: &'t [Operand],
        last: Option<Value>,
    ) -> Result<Receiver, Error> {
        let plain = |value| Receiver {
            value,
            held_nil: false,
        };
        let has_args = !args.is_empty() || last.is_some();
        match &receiver.value {
            Value::Nil if receiver.held_nil => {
                Err(self.error(format!("nil pointer evaluating interface {{}}.{name}")))
            }
            Value::Nil if self.template.missing_key == MissingKey::Error => {
                let name = quoted(name.as_bytes());
                Err(self.error(format!("nil data; no entry for key {name}")))
            }
            Value::Nil => Ok(plain(Value::Nil)),
            Value::Map(_) if has_args => {
                Err(self.error(format!("{name} is not a method but has arguments")))
            }
            Value::Map(map) => self.entry(map, name),
            Value::Object(object) => {
                if let Some(params) = object.method(name) {
                    let args = self.arguments(dot, name, params, false, args, last)?;
                    let result = object.call(name, &args);
                    self.at = At::Operand(operand);
                    return result
                        .map(plain)
                        .map_err(|error| self.call_error(name, &error));
                }
                match object.field(name) {
                    Some(_) if has_args => Err(self.error(format!(
                        "{name} has arguments but cannot be invoked as function"
                    ))),
                    Some(value) => Ok(plain(value)),
                    None => Err(self.no_field(name, &receiver.value)),
                }
            }
            value => Err(self.no_field(name, value)),
        }
    }

    fn entry(&self, map: &Map, name: &str) -> Result<Receiver, Error> {
        let is_any = map.elem() == Elem::Any;
        if let Some(value) = map.get(name.as_bytes()) {
            let held_nil = is_any && matches!(value, Value::Nil);
            return Ok(Receiver { value, held_nil });
        }
        match self.template.missing_key {
            MissingKey::Default => Ok(Receiver {
                value: Value::Nil,
                held_nil: false,
            }),
            MissingKey::Zero => Ok(Receiver {
                value: map.elem().zero(),
                held_nil: is_any,
            }),
            MissingKey::Error => {
                let name = quoted(name.as_bytes());
                Err(self.error(format!("map has no entry for key {name}")))
            }
        }
    }

    fn no_field(&self, name: &str, value: &Value) -> Error {
        self.error(format!(
            "can't evaluate field {name} in type {}",
            value.type_name()
        ))
    }
}
