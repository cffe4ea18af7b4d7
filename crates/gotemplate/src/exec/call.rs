//! Calls: number and types of arguments, constants that adapt, the functions that are not plain
//! closures. Knows Go's rules of assignment; does not know what a function does.

use crate::builtins::index::length;
use crate::error::Error;
use crate::exec::{At, Held, State};
use crate::functions::{Body, CallError, Function, Type};
use crate::lex::to_text;
use crate::node::{Operand, OperandKind};
use crate::printf::quoted;
use crate::value::Value;

impl<'t> State<'t> {
    /// Calls the function of this name; `call` is what an error is about.
    pub(super) fn call_function(
        &mut self,
        dot: &Held,
        name: &str,
        call: At<'t>,
        args: &'t [Operand],
        last: Option<Value>,
    ) -> Result<Value, Error> {
        let template = self.template;
        let Some(function) = template.functions.get(name) else {
            let name = quoted(name.as_bytes());
            return Err(self.error(format!("{name} is not a defined function")));
        };
        let result = match &function.body {
            Body::And => return self.short_circuit(dot, function, name, args, last, false),
            Body::Or => return self.short_circuit(dot, function, name, args, last, true),
            Body::Call => {
                let callee = match (args.first(), &last) {
                    (Some(arg), _) => arg.to_string(),
                    (None, Some(Value::Str(text))) => to_text(text).into_owned(),
                    (None, last) => {
                        let last = last.as_ref().unwrap_or(&Value::Nil);
                        format!("<{} Value>", last.type_name())
                    }
                };
                let args =
                    self.arguments(dot, name, &function.params, function.variadic, args, last)?;
                call_value(&callee, &args)
            }
            Body::Len => self.length(dot, name, function, args, last)?,
            Body::Closure(closure) => {
                let args =
                    self.arguments(dot, name, &function.params, function.variadic, args, last)?;
                self.charge(function.cost + work(&args))?;
                closure(&args)
            }
        };
        if let Ok(value) = &result {
            // what is made may be kept, so this bounds memory too
            self.charge(work(std::slice::from_ref(value)))?;
        }
        result.map_err(|error| {
            self.at = call;
            self.call_error(name, &error)
        })
    }

    /// `and` and `or` look at no argument after the one that decides.
    fn short_circuit(
        &mut self,
        dot: &Held,
        function: &Function,
        name: &str,
        args: &'t [Operand],
        last: Option<Value>,
        decisive: bool,
    ) -> Result<Value, Error> {
        self.check_count(name, &function.params, true, args.len(), last.is_some())?;
        let mut value = Value::Nil;
        for arg in args {
            value = self.argument(dot, Type::Any, arg)?;
            if value.truth() == decisive {
                return Ok(value);
            }
        }
        Ok(last.unwrap_or(value))
    }

    /// What `len` gives or why not.
    fn length(
        &mut self,
        dot: &Held,
        name: &str,
        function: &Function,
        args: &'t [Operand],
        last: Option<Value>,
    ) -> Result<Result<Value, CallError>, Error> {
        self.check_count(name, &function.params, false, args.len(), last.is_some())?;
        let held = match (args.first(), last) {
            (Some(arg), _) => match &arg.kind {
                OperandKind::Dot => dot.clone(),
                OperandKind::Field(_)
                | OperandKind::Variable { .. }
                | OperandKind::Chain { .. } => self.operand(dot, arg, &[], None)?,
                _ => Held::plain(self.argument(dot, Type::Any, arg)?),
            },
            (None, last) => Held::plain(last.unwrap_or(Value::Nil)),
        };
        if held.interface && matches!(held.value, Value::Nil) {
            return Ok(Err(CallError::new("len of nil pointer")));
        }
        Ok(length(&held.value))
    }

    fn check_count(
        &self,
        name: &str,
        params: &[Type],
        variadic: bool,
        args: usize,
        has_last: bool,
    ) -> Result<(), Error> {
        let given = args + usize::from(has_last);
        let want = params.len();
        if variadic && given < want - 1 {
            let want = want - 1;
            let message =
                format!("wrong number of args for {name}: want at least {want} got {args}");
            return Err(self.error(message));
        }
        if !variadic && given != want {
            let message = format!("wrong number of args for {name}: want {want} got {given}");
            return Err(self.error(message));
        }
        Ok(())
    }

    /// Evaluates the arguments of a call, each as its parameter wants it.
    pub(super) fn arguments(
        &mut self,
        dot: &Held,
        name: &str,
        params: &[Type],
        variadic: bool,
        args: &'t [Operand],
        last: Option<Value>,
    ) -> Result<Vec<Value>, Error> {
        self.check_count(name, params, variadic, args.len(), last.is_some())?;
        let param = |i: usize| {
            params
                .get(i)
                .or(params.last())
                .copied()
                .unwrap_or(Type::Any)
        };
        let mut values = Vec::with_capacity(args.len() + 1);
        for (i, arg) in args.iter().enumerate() {
            values.push(self.argument(dot, param(i), arg)?);
        }
        if let Some(last) = last {
            values.push(self.assign_to(param(args.len()), Held::plain(last))?);
        }
        Ok(values)
    }

    fn argument(&mut self, dot: &Held, param: Type, arg: &'t Operand) -> Result<Value, Error> {
        self.at = At::Operand(arg);
        match &arg.kind {
            OperandKind::Dot => self.assign_to(param, dot.clone()),
            OperandKind::Nil => match param.nil() {
                Some(nil) => Ok(nil),
                None => Err(self.error(format!("cannot assign nil to {}", param.name()))),
            },
            OperandKind::Bool(_) | OperandKind::Number(_) | OperandKind::String { .. } => {
                self.literal(param, arg)
            }
            _ => {
                let value = self.operand(dot, arg, &[], None)?;
                self.assign_to(param, value)
            }
        }
    }

    /// A constant takes the type of the parameter if it fits.
    fn literal(&self, param: Type, arg: &Operand) -> Result<Value, Error> {
        let value = match (param, &arg.kind) {
            (Type::Bool | Type::Any, OperandKind::Bool(value)) => Some(Value::Bool(*value)),
            (Type::String | Type::Any, OperandKind::String { value, .. }) => {
                Some(Value::bytes(value))
            }
            (Type::Any, OperandKind::Number(number)) => return self.constant(number),
            (Type::Int, OperandKind::Number(number)) => number.int.map(Value::Int),
            (Type::Int64 | Type::Object("time.Duration"), OperandKind::Number(number)) => {
                number.int.map(Value::Int64)
            }
            (Type::Uint32, OperandKind::Number(number)) => number
                .uint
                .and_then(|n| i64::try_from(n).ok())
                .map(Value::Int),
            (Type::Float64, OperandKind::Number(number)) => number.float.map(Value::Float),
            _ => None,
        };
        let expected = match param {
            Type::Bool => "bool",
            Type::String => "string",
            Type::Int | Type::Int64 | Type::Object("time.Duration") => "integer",
            Type::Uint32 => "unsigned integer",
            Type::Float64 => "float",
            _ => "",
        };
        value.ok_or_else(|| {
            self.error(if expected.is_empty() {
                format!("can't handle {arg} for arg of type {}", param.name())
            } else {
                format!("expected {expected}; found {arg}")
            })
        })
    }

    fn assign_to(&self, param: Type, held: Held) -> Result<Value, Error> {
        let Held { value, interface } = held;
        if let Value::Nil = value
            && !(interface && param != Type::Any)
        {
            return param
                .nil()
                .ok_or_else(|| self.error(format!("invalid value; expected {}", param.name())));
        }
        if param.accepts(&value) {
            return Ok(value);
        }
        let expected = param.name();
        let found = match value {
            Value::Nil => Type::Any.name().into(),
            _ => value.type_name(),
        };
        Err(self.error(format!(
            "wrong type for value; expected {expected}; got {found}"
        )))
    }
}

/// Steps that a call counts for because of the size of its arguments or its result.
fn work(args: &[Value]) -> u64 {
    let size = |arg: &Value| match arg {
        Value::Str(bytes) => bytes.len(),
        Value::List(list) => 16 * list.len(),
        Value::Map(map) => 16 * map.len(),
        _ => 0,
    };
    args.iter().map(size).sum::<usize>() as u64 / 32
}

/// Go's `call`: the first argument is the function.
fn call_value(name: &str, args: &[Value]) -> Result<Value, CallError> {
    let Some((callee, args)) = args.split_first() else {
        return Err(CallError::new("call of nil"));
    };
    let function = match callee {
        Value::Nil => return Err(CallError::new("call of nil")),
        Value::Func(function) => function,
        value => {
            let type_name = value.type_name();
            return Err(CallError::new(format!(
                "non-function {name} of type {type_name}"
            )));
        }
    };
    let want = function.params.len();
    let got = args.len();
    let at_least = if function.variadic { "at least " } else { "" };
    let want = if function.variadic { want - 1 } else { want };
    if got < want || (got > want && !function.variadic) {
        let message = format!("wrong number of args for {name}: got {got} want {at_least}{want}");
        return Err(CallError::new(message));
    }
    let mut values = Vec::with_capacity(got);
    for (i, arg) in args.iter().enumerate() {
        let param = function.params.get(i).or(function.params.last()).copied();
        let value = prepare(arg, param.unwrap_or(Type::Any));
        values.push(value.map_err(|error| CallError::new(format!("arg {i}: {error}")))?);
    }
    match &function.body {
        Body::Closure(closure) => closure(&values),
        _ => Err(CallError::new(format!("cannot call {name}"))),
    }
}

fn prepare(value: &Value, param: Type) -> Result<Value, CallError> {
    let name = param.name();
    if let Value::Nil = value {
        return param
            .nil()
            .ok_or_else(|| CallError::new(format!("value is nil; should be of type {name}")));
    }
    if param.accepts(value) {
        return Ok(value.clone());
    }
    let int = value
        .as_int()
        .or_else(|| value.as_uint().and_then(|n| i64::try_from(n).ok()));
    match (param, int) {
        (Type::Int | Type::Uint32, Some(int)) => Ok(Value::Int(int)),
        (Type::Int64, Some(int)) => Ok(Value::Int64(int)),
        _ => {
            let type_name = value.type_name();
            Err(CallError::new(format!(
                "value has type {type_name}; should be {name}"
            )))
        }
    }
}
