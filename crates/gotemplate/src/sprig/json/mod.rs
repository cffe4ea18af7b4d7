//! JSON in and out, as Go's encoding/json does it. Knows the functions; reading and writing have
//! files of their own.

mod read;
mod write;

use crate::functions::{CallError, Function, Functions};
use crate::sprig::{ANY, TEXT, bytes};
use crate::value::Value;

use write::Style;

/// Name, name of the variant that fails, style.
const STYLES: [(&str, &str, Style); 3] = [
    (
        "toJson",
        "mustToJson",
        Style {
            html: true,
            pretty: false,
        },
    ),
    (
        "toPrettyJson",
        "mustToPrettyJson",
        Style {
            html: true,
            pretty: true,
        },
    ),
    (
        "toRawJson",
        "mustToRawJson",
        Style {
            html: false,
            pretty: false,
        },
    ),
];

pub(super) fn add_to(functions: &mut Functions) {
    functions
        .add(
            "fromJson",
            Function::new(&[TEXT], |args| {
                Ok(read::parse(bytes(args, 0)).unwrap_or(Value::Nil))
            }),
        )
        .add(
            "mustFromJson",
            Function::new(&[TEXT], |args| {
                let parsed = read::parse(bytes(args, 0));
                parsed.map_err(|message| CallError::revealing(message, "invalid JSON"))
            }),
        );
    for (name, must, style) in STYLES {
        functions.add(
            must,
            Function::new(&[ANY], move |args| {
                write::encode(&args[0], style).map(Value::from)
            }),
        );
        // only toRawJson tells of an error
        let silent = style.html;
        functions.add(
            name,
            Function::new(&[ANY], move |args| match write::encode(&args[0], style) {
                Err(error) if silent && error.message().starts_with("json: ") => Ok("".into()),
                encoded => encoded.map(Value::from),
            }),
        );
    }
}
