//! Defaults, conditions and types: default, coalesce, ternary, typeOf and the like. Knows what is
//! empty.

use crate::functions::{CallError, Function, Functions, Type};
use crate::sprig::{ANY, TEXT, bytes, lossy};
use crate::value::{Kind, Value, deep_equal};

pub(super) fn add_to(functions: &mut Functions) {
    functions
        .add(
            "default",
            Function::variadic(&[ANY, ANY], |args| {
                Ok(args
                    .get(1)
                    .filter(|given| !is_empty(given))
                    .unwrap_or(&args[0])
                    .clone())
            }),
        )
        .add(
            "empty",
            Function::new(&[ANY], |args| Ok(is_empty(&args[0]).into())),
        )
        .add(
            "coalesce",
            Function::variadic(&[ANY], |args| {
                Ok(args
                    .iter()
                    .find(|arg| !is_empty(arg))
                    .cloned()
                    .unwrap_or(Value::Nil))
            }),
        )
        .add(
            "all",
            Function::variadic(&[ANY], |args| Ok((!args.iter().any(is_empty)).into())),
        )
        .add(
            "any",
            Function::variadic(&[ANY], |args| Ok((!args.iter().all(is_empty)).into())),
        )
        .add(
            "ternary",
            Function::new(&[ANY, ANY, Type::Bool], |args| {
                Ok(args[usize::from(!args[2].truth())].clone())
            }),
        )
        .add(
            "fail",
            Function::new(&[TEXT], |args| {
                Err(CallError::revealing(
                    lossy(args, 0),
                    "the template calls fail",
                ))
            }),
        );
    add_types(functions);
}

/// Functions about types.
fn add_types(functions: &mut Functions) {
    functions
        .add(
            "typeOf",
            Function::new(&[ANY], |args| Ok(args[0].type_name().as_ref().into())),
        )
        .add(
            "typeIs",
            Function::new(&[TEXT, ANY], |args| {
                Ok((bytes(args, 0) == args[1].type_name().as_bytes()).into())
            }),
        )
        .add(
            "typeIsLike",
            Function::new(&[TEXT, ANY], |args| {
                let name = args[1].type_name();
                let like = name.strip_prefix('*').unwrap_or(&name);
                Ok((bytes(args, 0) == name.as_bytes() || bytes(args, 0) == like.as_bytes()).into())
            }),
        )
        .add(
            "kindOf",
            Function::new(&[ANY], |args| Ok(args[0].kind().name().into())),
        )
        .add(
            "kindIs",
            Function::new(&[TEXT, ANY], |args| {
                Ok((bytes(args, 0) == args[1].kind().name().as_bytes()).into())
            }),
        )
        .add(
            "deepEqual",
            Function::new(&[ANY, ANY], |args| {
                deep_equal(&args[0], &args[1]).map(Value::from)
            }),
        );
}

/// Nil, false, zero, and what has no items or bytes. Structs never are.
pub(super) fn is_empty(value: &Value) -> bool {
    value.kind() != Kind::Struct && !value.truth()
}
