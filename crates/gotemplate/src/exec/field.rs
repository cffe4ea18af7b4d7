//! Operands and their fields: maps, methods, missing keys. Knows what `.a.b` is; arguments are
//! evaluated in `call`.

use crate::error::Error;
use crate::exec::{At, Held, State};
use crate::functions::Type;
use crate::node::{Operand, OperandKind};
use crate::printf::quoted;
use crate::template::MissingKey;
use crate::value::{Elem, Map, Value};

impl<'t> State<'t> {
    /// A field, variable, chain or function with its arguments.
    pub(super) fn operand(
        &mut self,
        dot: &Held,
        operand: &'t Operand,
        args: &'t [Operand],
        last: Option<Value>,
    ) -> Result<Held, Error> {
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
                    OperandKind::Pipe(pipe) => Held::plain(self.pipeline(dot, pipe)?),
                    _ => self.operand(dot, base, &[], None)?,
                };
                self.fields(dot, value, operand, fields, args, last)
            }
            OperandKind::Identifier(name) => self
                .call_function(dot, name, At::Operand(operand), args, last)
                .map(Held::plain),
            OperandKind::Pipe(pipe) => self.pipeline(dot, pipe).map(Held::plain),
            _ => Err(self.error(format!("can't evaluate command {operand}"))),
        }
    }

    /// Follows the fields; only the last one may be given arguments.
    fn fields(
        &mut self,
        dot: &Held,
        mut receiver: Held,
        operand: &'t Operand,
        fields: &'t [String],
        args: &'t [Operand],
        last: Option<Value>,
    ) -> Result<Held, Error> {
        let Some((final_field, inner)) = fields.split_last() else {
            return Ok(receiver);
        };
        for field in inner {
            receiver = self.field(dot, &receiver, operand, field, &[], None)?;
        }
        self.field(dot, &receiver, operand, final_field, args, last)
    }

    fn field(
        &mut self,
        dot: &Held,
        receiver: &Held,
        operand: &'t Operand,
        name: &'t str,
        args: &'t [Operand],
        last: Option<Value>,
    ) -> Result<Held, Error> {
        let has_args = !args.is_empty() || last.is_some();
        match &receiver.value {
            Value::Nil if receiver.interface => {
                Err(self.error(format!("nil pointer evaluating interface {{}}.{name}")))
            }
            Value::Nil if self.template.missing_key == MissingKey::Error => {
                let name = quoted(name.as_bytes());
                Err(self.error(format!("nil data; no entry for key {name}")))
            }
            Value::Nil => Ok(Held::plain(Value::Nil)),
            Value::Map(_) if has_args => {
                Err(self.error(format!("{name} is not a method but has arguments")))
            }
            Value::Map(map) => self.entry(map, name),
            Value::Object(object) => {
                if let Some(params) = object.method(name) {
                    let args = self.arguments(dot, name, params, false, args, last)?;
                    return object.call(name, &args).map(Held::plain).map_err(|error| {
                        self.at = At::Operand(operand);
                        self.call_error(name, &error)
                    });
                }
                match object.field(name) {
                    Some(_) if has_args => Err(self.error(format!(
                        "{name} has arguments but cannot be invoked as function"
                    ))),
                    Some(value) => Ok(Held::plain(value)),
                    None => Err(self.no_field(name, receiver)),
                }
            }
            _ => Err(self.no_field(name, receiver)),
        }
    }

    fn entry(&self, map: &Map, name: &str) -> Result<Held, Error> {
        let interface = map.elem() == Elem::Any;
        if let Some(value) = map.get(name.as_bytes()) {
            return Ok(Held { value, interface });
        }
        match self.template.missing_key {
            MissingKey::Default => Ok(Held::plain(Value::Nil)),
            MissingKey::Zero => Ok(Held {
                value: map.elem().zero(),
                interface,
            }),
            MissingKey::Error => {
                let name = quoted(name.as_bytes());
                Err(self.error(format!("map has no entry for key {name}")))
            }
        }
    }

    fn no_field(&self, name: &str, receiver: &Held) -> Error {
        let found = if receiver.interface {
            Type::Any.name().into()
        } else {
            receiver.value.type_name()
        };
        self.error(format!("can't evaluate field {name} in type {found}"))
    }
}
