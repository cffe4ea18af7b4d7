//! Writes values as JSON. Knows Go's escapes and its text of floats.

use std::fmt::Write;

use crate::functions::CallError;
use crate::lex::decode;
use crate::limits::{MAX_STRING, MAX_VALUE_DEPTH};
use crate::printf::format_float;
use crate::value::{Elem, List, Map, Value};

#[derive(Clone, Copy)]
pub(super) struct Style {
    /// escape what means something in HTML
    pub(super) html: bool,
    /// two spaces per level
    pub(super) pretty: bool,
}

pub(super) fn encode(value: &Value, style: Style) -> Result<String, CallError> {
    let mut writer = Writer {
        out: String::new(),
        style,
    };
    writer.value(value, 0)?;
    Ok(writer.out)
}

struct Writer {
    out: String,
    style: Style,
}

impl Writer {
    fn value(&mut self, value: &Value, depth: usize) -> Result<(), CallError> {
        if depth > MAX_VALUE_DEPTH || self.out.len() > MAX_STRING {
            return Err(CallError::new("value too deep or too large for JSON"));
        }
        match value {
            Value::Nil => self.out.push_str("null"),
            Value::Bool(b) => self.out.push_str(if *b { "true" } else { "false" }),
            Value::Int(n) | Value::Int64(n) => self.out.push_str(&n.to_string()),
            Value::Uint8(n) => self.out.push_str(&n.to_string()),
            Value::Uint64(n) => self.out.push_str(&n.to_string()),
            Value::Float(f) => self.out.push_str(&float(*f)?),
            Value::Str(bytes) => self.string(bytes),
            Value::List(list) if list.is_nil() => self.out.push_str("null"),
            Value::List(list) => self.list(list, depth)?,
            Value::Map(map) => self.map(map, depth)?,
            Value::Object(object) => match object.json() {
                Value::Object(_) => return Err(unsupported(value)),
                json => self.value(&json, depth + 1)?,
            },
            Value::Complex(..) | Value::Func(_) => return Err(unsupported(value)),
        }
        Ok(())
    }

    fn list(&mut self, list: &List, depth: usize) -> Result<(), CallError> {
        if list.elem() == Elem::Uint8 {
            let bytes: Vec<u8> = list
                .items()
                .iter()
                .filter_map(|item| item.as_uint().and_then(|n| u8::try_from(n).ok()))
                .collect();
            self.string(data_encoding::BASE64.encode(&bytes).as_bytes());
            return Ok(());
        }
        self.out.push('[');
        for (i, item) in list.items().iter().enumerate() {
            self.separate(i, depth);
            self.value(item, depth + 1)?;
        }
        self.close(']', list.len(), depth);
        Ok(())
    }

    fn map(&mut self, map: &Map, depth: usize) -> Result<(), CallError> {
        self.out.push('{');
        for (i, (key, value)) in map.entries().iter().enumerate() {
            self.separate(i, depth);
            self.string(key);
            self.out.push(':');
            if self.style.pretty {
                self.out.push(' ');
            }
            self.value(value, depth + 1)?;
        }
        self.close('}', map.len(), depth);
        Ok(())
    }

    fn separate(&mut self, index: usize, depth: usize) {
        if index > 0 {
            self.out.push(',');
        }
        self.new_line(depth + 1);
    }

    fn close(&mut self, bracket: char, count: usize, depth: usize) {
        if count > 0 {
            self.new_line(depth);
        }
        self.out.push(bracket);
    }

    fn new_line(&mut self, depth: usize) {
        if self.style.pretty {
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n("  ", depth));
        }
    }

    fn string(&mut self, mut bytes: &[u8]) {
        self.out.push('"');
        while let Some((c, length)) = decode(bytes) {
            match c {
                '"' | '\\' => self.out.extend(['\\', c]),
                '\x08' => self.out.push_str("\\b"),
                '\x0c' => self.out.push_str("\\f"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                char::REPLACEMENT_CHARACTER if length == 1 => self.out.push_str("\\ufffd"),
                '<' | '>' | '&' if self.style.html => self.escape(c),
                '\0'..' ' | '\u{2028}' | '\u{2029}' => self.escape(c),
                c => self.out.push(c),
            }
            bytes = &bytes[length..];
        }
        self.out.push('"');
    }

    fn escape(&mut self, c: char) {
        let _ = write!(self.out, "\\u{:04x}", u32::from(c));
    }
}

fn unsupported(value: &Value) -> CallError {
    CallError::new(format!("json: unsupported type: {}", value.type_name()))
}

/// Without exponent between 1e-6 and 1e21; the exponent is not padded.
fn float(value: f64) -> Result<String, CallError> {
    if !value.is_finite() {
        let text = format_float(value, b'g', None);
        return Err(CallError::new(format!("json: unsupported value: {text}")));
    }
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
        return Ok(format_float(value, b'e', None).replace("e-0", "e-"));
    }
    Ok(format_float(value, b'f', None))
}
