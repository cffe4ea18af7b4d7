//! Go's fmt package: printing and `printf`. Knows verbs, flags and how values look; does not know
//! who prints. Bounded in output and depth.

mod float;
mod format;
mod quote;
mod values;
mod verbs;

use crate::functions::CallError;
use crate::limits::MAX_STRING;
use crate::value::Value;

pub(crate) use float::format_float;
pub(crate) use quote::{can_backquote, quoted};

/// Go's `fmt.Sprint`: a space between two operands that are both no strings.
pub(crate) fn sprint(args: &[Value]) -> Result<Vec<u8>, CallError> {
    let mut printer = Printer::new(MAX_STRING);
    let mut previous_is_string = false;
    for (i, arg) in args.iter().enumerate() {
        let is_string = matches!(arg, Value::Str(_));
        if i > 0 && !is_string && !previous_is_string {
            printer.write(b" ");
        }
        printer.print_arg(arg, 'v');
        previous_is_string = is_string;
    }
    printer.finish()
}

/// Go's `fmt.Sprintln`: a space between operands, and a newline.
pub(crate) fn sprintln(args: &[Value]) -> Result<Vec<u8>, CallError> {
    let mut printer = Printer::new(MAX_STRING);
    for (i, arg) in args.iter().enumerate() {
        if i > 0 {
            printer.write(b" ");
        }
        printer.print_arg(arg, 'v');
    }
    printer.write(b"\n");
    printer.finish()
}

/// Go's `fmt.Sprintf`.
pub(crate) fn sprintf(format: &[u8], args: &[Value]) -> Result<Vec<u8>, CallError> {
    let mut printer = Printer::new(MAX_STRING);
    printer.print_format(format, args);
    printer.finish()
}

/// What `%v` gives for the value.
pub(crate) fn to_text(value: &Value) -> Result<Vec<u8>, CallError> {
    if let Value::Str(bytes) = value {
        return Ok(bytes.to_vec());
    }
    sprint(std::slice::from_ref(value))
}

/// A value as it is shown in an error message.
pub(crate) fn shown(value: &Value) -> String {
    shown_as(value, 'v')
}

/// The same under another verb.
pub(crate) fn shown_as(value: &Value, verb: char) -> String {
    let mut printer = Printer::new(1000);
    printer.print_arg(value, verb);
    crate::lex::to_text(&printer.bytes).into_owned()
}

#[derive(Clone, Copy, Default)]
#[allow(clippy::struct_excessive_bools, reason = "they are flags")]
struct Flags {
    width: Option<usize>,
    precision: Option<usize>,
    minus: bool,
    plus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    /// `%+v`
    plus_v: bool,
    /// `%#v`
    sharp_v: bool,
}

struct Printer {
    bytes: Vec<u8>,
    limit: usize,
    /// why nothing more is printed
    stopped: Option<&'static str>,
    flags: Flags,
}

impl Printer {
    fn new(limit: usize) -> Self {
        Self {
            bytes: Vec::new(),
            limit,
            stopped: None,
            flags: Flags::default(),
        }
    }

    fn write(&mut self, bytes: impl AsRef<[u8]>) {
        if self.bytes.len() + bytes.as_ref().len() > self.limit {
            self.stopped.get_or_insert("printed text too long");
        } else if self.stopped.is_none() {
            self.bytes.extend_from_slice(bytes.as_ref());
        }
    }

    fn finish(self) -> Result<Vec<u8>, CallError> {
        match self.stopped {
            Some(reason) => Err(CallError::new(reason)),
            None => Ok(self.bytes),
        }
    }

    fn write_padding(&mut self, count: usize) {
        // zeros go only to the left
        let byte = if self.flags.zero && !self.flags.minus {
            b'0'
        } else {
            b' '
        };
        self.write(vec![byte; count]);
    }

    /// Writes the text with spaces, or zeros, up to the width.
    fn pad(&mut self, text: impl AsRef<[u8]>) {
        let text = text.as_ref();
        let width = self.flags.width.unwrap_or_default();
        let padding = width.saturating_sub(rune_count(text));
        if self.flags.minus {
            self.write(text);
            self.write_padding(padding);
        } else {
            self.write_padding(padding);
            self.write(text);
        }
    }

    fn pad_with_spaces(&mut self, text: impl AsRef<[u8]>) {
        let zero = std::mem::replace(&mut self.flags.zero, false);
        self.pad(text);
        self.flags.zero = zero;
    }
}

/// Characters, with every stray byte counted as one.
pub(crate) fn rune_count(mut bytes: &[u8]) -> usize {
    let mut count = 0;
    while let Some((_, length)) = crate::lex::decode(bytes) {
        bytes = &bytes[length..];
        count += 1;
    }
    count
}
