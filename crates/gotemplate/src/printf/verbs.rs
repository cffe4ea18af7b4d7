//! The verbs for booleans, numbers and strings. Knows bases, padding and precision; does not know
//! lists or maps.

use crate::lex::{decode, is_print};
use crate::printf::Printer;
use crate::printf::float::format_float;
use crate::printf::quote::{can_backquote, quoted, quoted_ascii, quoted_char};

impl Printer {
    /// False if the verb does not go with a bool; likewise below.
    pub(super) fn bool(&mut self, value: bool, verb: char) -> bool {
        if !matches!(verb, 't' | 'v') {
            return false;
        }
        self.pad(if value { "true" } else { "false" });
        true
    }

    pub(super) fn integer(
        &mut self,
        magnitude: u64,
        negative: bool,
        signed: bool,
        verb: char,
    ) -> bool {
        // the bits as Go reinterprets them where a sign makes no sense
        let bits = if negative {
            magnitude.wrapping_neg()
        } else {
            magnitude
        };
        match verb {
            'v' if self.flags.sharp_v && !signed => {
                let sharp = std::mem::replace(&mut self.flags.sharp, true);
                self.digits(format!("{magnitude:x}"), negative, verb, "0x");
                self.flags.sharp = sharp;
            }
            'v' | 'd' => self.digits(magnitude.to_string(), negative, verb, ""),
            'b' => self.digits(format!("{magnitude:b}"), negative, verb, "0b"),
            'o' | 'O' => self.digits(format!("{magnitude:o}"), negative, verb, "0"),
            'x' => self.digits(format!("{magnitude:x}"), negative, verb, "0x"),
            'X' => self.digits(format!("{magnitude:X}"), negative, verb, "0X"),
            'c' => self.pad(to_char(bits).encode_utf8(&mut [0; 4])),
            'q' => self.pad(quoted_char(to_char(bits), self.flags.plus)),
            'U' => self.code_point(bits),
            _ => return false,
        }
        true
    }

    fn digits(&mut self, mut digits: String, negative: bool, verb: char, prefix: &str) {
        let signed = negative || self.flags.plus || self.flags.space;
        let width = self.flags.width;
        if self.flags.precision == Some(0) && digits == "0" {
            let zero = std::mem::replace(&mut self.flags.zero, false);
            self.write_padding(width.unwrap_or_default());
            self.flags.zero = zero;
            return;
        }
        let least = match (self.flags.precision, width) {
            (Some(precision), _) => precision,
            (None, Some(width)) if self.flags.zero && !self.flags.minus => {
                width.saturating_sub(usize::from(signed))
            }
            _ => 0,
        };
        if digits.len() < least {
            digits.insert_str(0, &"0".repeat(least - digits.len()));
        }
        if self.flags.sharp && !(prefix == "0" && digits.starts_with('0')) {
            digits.insert_str(0, prefix);
        }
        if verb == 'O' {
            digits.insert_str(0, "0o");
        }
        if negative {
            digits.insert(0, '-');
        } else if self.flags.plus {
            digits.insert(0, '+');
        } else if self.flags.space {
            digits.insert(0, ' ');
        }
        self.pad_with_spaces(digits);
    }

    fn code_point(&mut self, bits: u64) {
        let least = self.flags.precision.unwrap_or_default().max(4);
        let mut text = format!("{bits:X}");
        if text.len() < least {
            text.insert_str(0, &"0".repeat(least - text.len()));
        }
        text.insert_str(0, "U+");
        let c = u32::try_from(bits).ok().and_then(char::from_u32);
        if let Some(c) = c.filter(|c| self.flags.sharp && is_print(*c)) {
            text = format!("{text} '{c}'");
        }
        self.pad_with_spaces(text);
    }

    pub(super) fn float(&mut self, value: f64, verb: char) -> bool {
        let (format, precision) = match verb {
            'b' => (b'b', None),
            'v' | 'g' => (b'g', None),
            'G' => (b'G', None),
            'x' => (b'x', None),
            'X' => (b'X', None),
            'e' => (b'e', Some(6)),
            'E' => (b'E', Some(6)),
            'f' | 'F' => (b'f', Some(6)),
            _ => return false,
        };
        let precision = self.flags.precision.or(precision);
        let mut text = format_float(value, format, precision);
        if !text.starts_with(['-', '+']) {
            text.insert(0, '+');
        }
        if self.flags.space && text.starts_with('+') && !self.flags.plus {
            text.replace_range(..1, " ");
        }
        if !value.is_finite() {
            // the sign of +Inf is always shown, that of NaN only if asked for
            let bare = value.is_nan() && !self.flags.space && !self.flags.plus;
            self.pad_with_spaces(&text[usize::from(bare)..]);
            return true;
        }
        if self.flags.sharp && format != b'b' {
            restore_zeros(&mut text, format, precision, verb);
        }
        if self.flags.plus || !text.starts_with('+') {
            let width = self.flags.width.unwrap_or_default();
            if self.flags.zero && !self.flags.minus && width > text.len() {
                self.write(&text[..1]);
                self.write_padding(width - text.len());
                self.write(&text[1..]);
            } else {
                self.pad(text);
            }
        } else {
            self.pad(&text[1..]);
        }
        true
    }

    pub(super) fn complex(&mut self, re: f64, im: f64, verb: char) -> bool {
        if !"vbgGxXfFeE".contains(verb) {
            return false;
        }
        let plus = self.flags.plus;
        self.write("(");
        self.float(re, verb);
        self.flags.plus = true;
        self.float(im, verb);
        self.write("i)");
        self.flags.plus = plus;
        true
    }

    pub(super) fn string(&mut self, value: &[u8], verb: char) -> bool {
        match verb {
            'v' if self.flags.sharp_v => self.quoted_string(value),
            'v' | 's' => self.pad(self.truncated(value)),
            'x' => self.hex(value, "0x", false),
            'X' => self.hex(value, "0X", true),
            'q' => self.quoted_string(value),
            _ => return false,
        }
        true
    }

    fn truncated<'v>(&self, value: &'v [u8]) -> &'v [u8] {
        let Some(precision) = self.flags.precision else {
            return value;
        };
        let mut end = 0;
        for _ in 0..precision {
            match decode(&value[end..]) {
                Some((_, length)) => end += length,
                None => break,
            }
        }
        &value[..end]
    }

    fn quoted_string(&mut self, value: &[u8]) {
        let value = self.truncated(value);
        if self.flags.sharp && can_backquote(value) {
            self.pad([b"`", value, b"`"].concat());
        } else if self.flags.plus {
            self.pad(quoted_ascii(value));
        } else {
            self.pad(quoted(value));
        }
    }

    fn hex(&mut self, value: &[u8], prefix: &str, upper: bool) {
        let length = self.flags.precision.unwrap_or(value.len()).min(value.len());
        let mut text = String::new();
        for (i, byte) in value[..length].iter().enumerate() {
            if i > 0 && self.flags.space {
                text.push(' ');
            }
            if self.flags.sharp && (i == 0 || self.flags.space) {
                text.push_str(prefix);
            }
            for digit in [byte >> 4, byte & 15] {
                let digit = char::from(DIGITS[usize::from(digit)]);
                text.push(if upper {
                    digit.to_ascii_uppercase()
                } else {
                    digit
                });
            }
        }
        self.pad(text);
    }
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

fn to_char(bits: u64) -> char {
    u32::try_from(bits)
        .ok()
        .and_then(char::from_u32)
        .unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// `#` keeps the decimal point and, for g, the zeros behind it. The text begins with a sign.
fn restore_zeros(text: &mut String, format: u8, precision: Option<usize>, verb: char) {
    let mut missing = match verb {
        'v' | 'g' | 'G' | 'x' => precision.unwrap_or(6),
        _ => 0,
    };
    let tail_at = match format {
        b'x' | b'X' => text.find(['p', 'P']),
        _ => text.find(['e', 'E']),
    };
    let tail = tail_at.map(|at| text.split_off(at)).unwrap_or_default();
    let significant =
        text[1..].trim_start_matches(|c: char| !matches!(c, '1'..='9' | 'a'..='z' | 'A'..='Z'));
    missing = missing.saturating_sub(significant.chars().filter(|c| *c != '.').count());
    if !text.contains('.') {
        if text.len() == 2 && text.ends_with('0') {
            missing = missing.saturating_sub(1);
        }
        text.push('.');
    }
    text.extend(std::iter::repeat_n('0', missing));
    text.push_str(&tail);
}
