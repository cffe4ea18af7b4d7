//! Go's built-in template functions. Knows their names and signatures; comparisons, indexing and
//! escaping have files of their own.

mod compare;
mod escape;
pub(crate) mod index;

use crate::functions::{Body, CallError, Function, Functions, Type};
use crate::printf;
use crate::value::Value;

const ONE: &[Type] = &[Type::Any];
const TWO: &[Type] = &[Type::Any, Type::Any];

pub(crate) fn add_to(functions: &mut Functions) {
    functions
        .add("and", Function::builtin(TWO, Body::And))
        .add("or", Function::builtin(TWO, Body::Or))
        .add("call", Function::builtin(TWO, Body::Call))
        .add(
            "not",
            Function::new(ONE, |args| Ok(Value::Bool(!args[0].truth()))),
        )
        .add("len", Function::builtin(ONE, Body::Len))
        .add(
            "index",
            Function::variadic(TWO, |args| index::index(&args[0], &args[1..])),
        )
        .add(
            "slice",
            Function::variadic(TWO, |args| index::slice(&args[0], &args[1..])),
        )
        .add(
            "print",
            Function::variadic(ONE, |args| printf::sprint(args).map(Value::from)),
        )
        .add(
            "println",
            Function::variadic(ONE, |args| printf::sprintln(args).map(Value::from)),
        )
        .add(
            "printf",
            Function::variadic(&[Type::String, Type::Any], |args| {
                let format = args[0].as_bytes().unwrap_or_default();
                printf::sprintf(format, &args[1..]).map(Value::from)
            }),
        )
        .add("html", escaping(escape::html))
        .add("js", escaping(escape::js))
        .add("urlquery", escaping(escape::query_escape));
    add_comparisons(functions);
}

fn add_comparisons(functions: &mut Functions) {
    functions
        .add(
            "eq",
            Function::variadic(TWO, |args| {
                compare::eq(&args[0], &args[1..]).map(Value::Bool)
            }),
        )
        .add(
            "ne",
            comparison(|a, b| compare::eq(a, std::slice::from_ref(b)).map(|equal| !equal)),
        )
        .add("lt", comparison(compare::lt))
        .add("le", comparison(compare::le))
        .add(
            "gt",
            comparison(|a, b| compare::le(a, b).map(|at_most| !at_most)),
        )
        .add("ge", comparison(|a, b| compare::lt(a, b).map(|less| !less)));
}

fn comparison<F>(compare: F) -> Function
where
    F: Fn(&Value, &Value) -> Result<bool, CallError> + Send + Sync + 'static,
{
    Function::new(TWO, move |args| {
        compare(&args[0], &args[1]).map(Value::Bool)
    })
}

/// A function that escapes its arguments printed together.
fn escaping(escape: fn(&[u8]) -> Vec<u8>) -> Function {
    Function::variadic(ONE, move |args| {
        let shown: Vec<_> = args
            .iter()
            .map(|arg| match arg {
                Value::Nil => Value::from("<no value>"),
                arg => arg.clone(),
            })
            .collect();
        Ok(Value::from(escape(&printf::sprint(&shown)?)))
    })
}
