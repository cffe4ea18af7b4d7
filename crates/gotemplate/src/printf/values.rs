//! How values of any type print. Knows lists, maps and objects; leaves the verbs of the simple
//! types to `verbs`.

use crate::limits::MAX_VALUE_DEPTH;
use crate::printf::Printer;
use crate::value::{Elem, List, Map, Value};

impl Printer {
    pub(super) fn print_arg(&mut self, arg: &Value, verb: char) {
        match (arg, verb) {
            (Value::Nil, 'T' | 'v') => self.pad("<nil>"),
            (Value::Nil, _) | (_, 'w') => self.bad_verb(arg, verb),
            (_, 'T') => {
                let name = arg.type_name().into_owned();
                self.string(name.as_bytes(), 's');
            }
            _ => self.print_value(arg, verb, 0),
        }
    }

    fn print_value(&mut self, value: &Value, verb: char, depth: usize) {
        if depth > MAX_VALUE_DEPTH {
            self.stopped.get_or_insert("value too deep to print");
        }
        if self.stopped.is_some() {
            return;
        }
        let printed = match value {
            Value::Nil => {
                self.write(if self.flags.sharp_v {
                    "interface {}(nil)"
                } else {
                    "<nil>"
                });
                true
            }
            Value::Bool(b) => self.bool(*b, verb),
            Value::Int(n) | Value::Int64(n) => self.integer(n.unsigned_abs(), *n < 0, true, verb),
            Value::Uint8(n) => self.integer(u64::from(*n), false, false, verb),
            Value::Uint64(n) => self.integer(*n, false, false, verb),
            Value::Float(f) => self.float(*f, verb),
            Value::Complex(re, im) => self.complex(*re, *im, verb),
            Value::Str(bytes) => self.string(bytes, verb),
            Value::List(list) => {
                self.list(list, verb, depth);
                true
            }
            Value::Map(map) => {
                self.map(map, verb, depth);
                true
            }
            // Go prints an address
            Value::Func(_) => self.string(b"0x0", 's'),
            Value::Object(object) => match (verb, object.int()) {
                ('v' | 's' | 'x' | 'X' | 'q', _) => self.string(object.text().as_bytes(), verb),
                (_, Some(n)) => self.integer(n.unsigned_abs(), n < 0, true, verb),
                _ => false,
            },
        };
        if !printed {
            self.bad_verb(value, verb);
        }
    }

    fn list(&mut self, list: &List, verb: char, depth: usize) {
        if list.elem() == Elem::Uint8 && matches!(verb, 's' | 'q' | 'x' | 'X') {
            let bytes: Vec<u8> = list.items().iter().filter_map(byte).collect();
            self.string(&bytes, verb);
            return;
        }
        if self.flags.sharp_v && list.is_nil() {
            self.write(format!("{}(nil)", list.type_name()));
            return;
        }
        let (open, between, close) = self.brackets(list.type_name(), "[");
        self.write(open);
        for (i, item) in list.items().iter().enumerate() {
            if i > 0 {
                self.write(between);
            }
            self.print_value(item, verb, depth + 1);
        }
        self.write(close);
    }

    fn map(&mut self, map: &Map, verb: char, depth: usize) {
        let (open, between, close) = self.brackets(map.type_name(), "map[");
        self.write(open);
        for (i, (key, value)) in map.entries().iter().enumerate() {
            if i > 0 {
                self.write(between);
            }
            if !self.string(key, verb) {
                self.bad_verb(&Value::Str(key.clone()), verb);
            }
            self.write(":");
            self.print_value(value, verb, depth + 1);
        }
        self.write(close);
    }

    fn brackets(&self, type_name: &str, open: &str) -> (String, &'static str, &'static str) {
        if self.flags.sharp_v {
            (format!("{type_name}{{"), ", ", "}")
        } else {
            (open.to_owned(), " ", "]")
        }
    }

    /// Go's text for a verb that the value does not know.
    fn bad_verb(&mut self, value: &Value, verb: char) {
        self.write(format!("%!{verb}("));
        if matches!(value, Value::Nil) {
            self.write("<nil>");
        } else {
            self.write(format!("{}=", value.type_name()));
            self.print_value(value, 'v', 0);
        }
        self.write(")");
    }
}

fn byte(value: &Value) -> Option<u8> {
    match value {
        Value::Uint8(byte) => Some(*byte),
        _ => None,
    }
}
