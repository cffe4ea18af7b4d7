//! The format string of `printf`: flags, widths, precisions, argument indexes. Knows which argument
//! goes to which verb and what Go writes about mistakes.

use crate::lex::decode;
use crate::printf::{Flags, Printer};
use crate::value::Value;

/// Go's bound for widths, precisions and indexes.
const TOO_LARGE: i64 = 1_000_000;

struct Directive<'f> {
    format: &'f [u8],
    pos: usize,
    arg: usize,
    /// the item before was an index such as `[3]`
    after_index: bool,
    good_index: bool,
    reordered: bool,
}

impl Printer {
    pub(super) fn print_format(&mut self, format: &[u8], args: &[Value]) {
        let mut at = Directive {
            format,
            pos: 0,
            arg: 0,
            after_index: false,
            good_index: true,
            reordered: false,
        };
        while self.stopped.is_none() {
            at.good_index = true;
            let rest = &format[at.pos..];
            let text = rest
                .iter()
                .position(|byte| *byte == b'%')
                .unwrap_or(rest.len());
            self.write(&rest[..text]);
            at.pos += text;
            if at.pos >= format.len() {
                break;
            }
            at.pos += 1;
            self.flags(&mut at);
            at.index(args.len());
            self.width(&mut at, args);
            self.precision(&mut at, args);
            if !at.after_index {
                at.index(args.len());
            }
            let Some((verb, length)) = decode(&format[at.pos..]) else {
                self.write("%!(NOVERB)");
                break;
            };
            at.pos += length;
            self.verb(verb, &mut at, args);
        }
        if !at.reordered && at.arg < args.len() {
            self.extra(&args[at.arg..]);
        }
    }

    fn flags(&mut self, at: &mut Directive<'_>) {
        self.flags = Flags::default();
        while let Some(byte) = at.format.get(at.pos) {
            match byte {
                b'#' => self.flags.sharp = true,
                b'0' => self.flags.zero = true,
                b'+' => self.flags.plus = true,
                b'-' => self.flags.minus = true,
                b' ' => self.flags.space = true,
                _ => break,
            }
            at.pos += 1;
        }
    }

    fn width(&mut self, at: &mut Directive<'_>, args: &[Value]) {
        if at.format.get(at.pos) == Some(&b'*') {
            at.pos += 1;
            match at.int_arg(args) {
                Some(width) => {
                    if width < 0 {
                        self.flags.minus = true;
                        self.flags.zero = false;
                    }
                    self.flags.width = usize::try_from(width.unsigned_abs()).ok();
                }
                None => self.write("%!(BADWIDTH)"),
            }
            at.after_index = false;
        } else {
            self.flags.width = at.number();
            if at.after_index && self.flags.width.is_some() {
                at.good_index = false;
            }
        }
    }

    fn precision(&mut self, at: &mut Directive<'_>, args: &[Value]) {
        if at.pos + 1 >= at.format.len() || at.format[at.pos] != b'.' {
            return;
        }
        at.pos += 1;
        if at.after_index {
            at.good_index = false;
        }
        at.index(args.len());
        if at.format.get(at.pos) == Some(&b'*') {
            at.pos += 1;
            self.flags.precision = at.int_arg(args).and_then(|n| usize::try_from(n).ok());
            if self.flags.precision.is_none() {
                self.write("%!(BADPREC)");
            }
            at.after_index = false;
        } else {
            self.flags.precision = Some(at.number().unwrap_or_default());
        }
    }

    fn verb(&mut self, verb: char, at: &mut Directive<'_>, args: &[Value]) {
        if verb == '%' {
            self.write("%");
        } else if !at.good_index {
            self.write(format!("%!{verb}(BADINDEX)"));
        } else if let Some(arg) = args.get(at.arg) {
            if matches!(verb, 'v' | 'w') {
                self.flags.sharp_v = std::mem::replace(&mut self.flags.sharp, false);
                self.flags.plus_v = std::mem::replace(&mut self.flags.plus, false);
            }
            self.print_arg(arg, verb);
            at.arg += 1;
        } else {
            self.write(format!("%!{verb}(MISSING)"));
        }
    }

    fn extra(&mut self, args: &[Value]) {
        self.flags = Flags::default();
        self.write("%!(EXTRA ");
        for (i, arg) in args.iter().enumerate() {
            if i > 0 {
                self.write(", ");
            }
            if !matches!(arg, Value::Nil) {
                self.write(format!("{}=", arg.type_name()));
            }
            self.print_arg(arg, 'v');
        }
        self.write(")");
    }
}

impl Directive<'_> {
    /// Digits, if there are any and not too many.
    fn number(&mut self) -> Option<usize> {
        let format = self.format;
        let digits = format[self.pos..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit());
        let mut value = 0_i64;
        let mut length = 0;
        for digit in digits {
            if value > TOO_LARGE {
                // Go gives up in the middle of the digits
                self.pos = self.format.len();
                return None;
            }
            value = value * 10 + i64::from(digit - b'0');
            length += 1;
        }
        self.pos += length;
        if length == 0 {
            None
        } else {
            usize::try_from(value).ok()
        }
    }

    /// The argument as width or precision.
    fn int_arg(&mut self, args: &[Value]) -> Option<i64> {
        let arg = args.get(self.arg)?;
        self.arg += 1;
        let value = arg
            .as_int()
            .or_else(|| arg.as_uint().and_then(|n| i64::try_from(n).ok()))?;
        (-TOO_LARGE..=TOO_LARGE).contains(&value).then_some(value)
    }

    /// Takes an index such as `[3]`, if there is one.
    fn index(&mut self, count: usize) {
        if self.format.get(self.pos) != Some(&b'[') {
            self.after_index = false;
            return;
        }
        self.reordered = true;
        let rest = &self.format[self.pos + 1..];
        let length = rest
            .iter()
            .position(|byte| *byte == b']')
            .filter(|_| rest.len() > 1);
        let Some(length) = length else {
            self.good_index = false;
            self.after_index = false;
            self.pos += 1;
            return;
        };
        self.pos += length + 2;
        let digits = std::str::from_utf8(&rest[..length]).ok();
        let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        let index = digits.and_then(|digits| digits.parse::<usize>().ok());
        self.after_index = index.is_some();
        match index {
            Some(index) if (1..=count).contains(&index) => self.arg = index - 1,
            _ => self.good_index = false,
        }
    }
}
