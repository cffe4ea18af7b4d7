//! Character classes of Go's regular expressions, in brackets. Knows ranges, escapes and named
//! classes; the rest of the syntax is in `re2`.

use std::fmt::Write;

use crate::sprig::re2::{STRAY_RANGE, Translator};

const NAMES: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
    "space", "upper", "word", "xdigit",
];

impl Translator<'_> {
    /// Translates a class, from its opening bracket.
    pub(super) fn class(&mut self) -> Result<(), String> {
        let whole = self.rest();
        let missing = || format!("missing closing ]: `{whole}`");
        self.pos += 1;
        self.out.push('[');
        if self.rest().starts_with('^') {
            self.pos += 1;
            self.out.push('^');
        }
        let mut first = true;
        while first || !self.rest().starts_with(']') {
            first = false;
            let Some(c) = self.rest().chars().next() else {
                return Err(missing());
            };
            if c == '[' && self.named_class()? {
                continue;
            }
            if c == '\\'
                && let Some(class) = self.class_escape()?
            {
                let _ = write!(self.out, "[{class}]");
                continue;
            }
            let start = self.pos;
            let low = self
                .class_char()
                .map_err(|error| error.unwrap_or_else(missing))?;
            let mut high = low;
            if self.rest().starts_with('-')
                && !self.rest().starts_with("-]")
                && self.rest().len() > 1
            {
                self.pos += 1;
                high = self
                    .class_char()
                    .map_err(|error| error.unwrap_or_else(missing))?;
                if high < low {
                    let range = &self.source[start..self.pos];
                    return Err(format!("invalid character class range: `{range}`"));
                }
            }
            if (low..=high).contains(&char::REPLACEMENT_CHARACTER) {
                self.out.push_str(STRAY_RANGE);
            }
            let (low, high) = (u32::from(low), u32::from(high));
            let _ = write!(self.out, "\\x{{{low:x}}}-\\x{{{high:x}}}");
        }
        self.pos += 1;
        self.out.push(']');
        Ok(())
    }

    /// One character; an error without text stands for the missing bracket.
    fn class_char(&mut self) -> Result<char, Option<String>> {
        match self.rest().chars().next() {
            None => Err(None),
            Some('\\') => self.char_escape().map_err(Some),
            Some(c) => {
                self.pos += c.len_utf8();
                Ok(c)
            }
        }
    }

    /// Takes `[:name:]` if it stands here.
    fn named_class(&mut self) -> Result<bool, String> {
        let rest = self.rest();
        let Some(end) = rest.strip_prefix("[:").and_then(|name| name.find(":]")) else {
            return Ok(false);
        };
        let class = &rest[..end + 4];
        let name = &rest[2..end + 2];
        if !NAMES.contains(&name.strip_prefix('^').unwrap_or(name)) {
            return Err(format!("invalid character class range: `{class}`"));
        }
        self.out.push_str(class);
        self.pos += class.len();
        Ok(true)
    }
}
