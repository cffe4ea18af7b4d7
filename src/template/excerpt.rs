//! Where in its text a template fails: the line and a mark below the column, for somebody at a terminal.
//! Knows texts and places; what is wrong is the engine's to say. Shows no line of a text that is secret.

use std::fmt;

use unicode_width::UnicodeWidthChar as _;

/// Columns of a line that are shown.
const WIDTH: usize = 100;
/// Columns that stay visible before the mark in a line that is clipped.
const BEFORE: usize = 60;
const TAB: &str = "    ";
const CLIPPED: &str = "…";

/// Where a template's text stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A field of the ExternalSecret, by its path.
    Field(String),
    /// A key of a ConfigMap.
    ConfigMap {
        /// The ConfigMap's name.
        name: String,
        /// The key.
        key: String,
    },
    /// A key of a Secret: nobody is shown its text.
    Secret {
        /// The Secret's name.
        name: String,
        /// The key.
        key: String,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(path) => f.write_str(path),
            Self::ConfigMap { name, key } => write!(f, "ConfigMap {name}, key {key}"),
            Self::Secret { name, key } => write!(f, "Secret {name}, key {key}"),
        }
    }
}

/// The place of an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    origin: Origin,
    line: Option<Line>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    number: usize,
    text: String,
    /// columns of a terminal before the mark
    mark: Option<usize>,
}

impl Excerpt {
    /// The place that an error of this text names.
    pub(super) fn new(origin: &Origin, text: &[u8], error: &gotemplate::Error) -> Self {
        let secret = matches!(origin, Origin::Secret { .. });
        let line = error.line().checked_sub(1).filter(|_| !secret);
        let line = line.and_then(|index| text.split(|byte| *byte == b'\n').nth(index));
        Self {
            origin: origin.clone(),
            line: line.map(|text| Line::new(error.line(), text, error.column())),
        }
    }
}

impl Line {
    /// `column` counts bytes from 0.
    fn new(number: usize, text: &[u8], column: Option<usize>) -> Self {
        let (before, after) = text.split_at(column.unwrap_or_default().min(text.len()));
        let (before, after) = (printable(before), printable(after));
        let too_long = width(&before) + width(&after) > WIDTH;
        let mut shown = if too_long && width(&before) > BEFORE {
            format!("{CLIPPED}{}", last_columns(&before, BEFORE))
        } else {
            before
        };
        let mark = column.map(|_| width(&shown));
        let room = WIDTH - width(&shown);
        if width(&after) > room {
            shown.push_str(first_columns(&after, room));
            shown.push_str(CLIPPED);
        } else {
            shown.push_str(&after);
        }
        Self {
            number,
            text: shown,
            mark,
        }
    }
}

/// Where it stands, and under that the line and the mark, if there is one to show.
impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "in {}", self.origin)?;
        let Some(Line { number, text, mark }) = &self.line else {
            return Ok(());
        };
        let number = format!("{number:>4}");
        write!(f, "\n{number} | {text}")?;
        if let Some(mark) = mark {
            write!(f, "\n{} | {}^", " ".repeat(number.len()), " ".repeat(*mark))?;
        }
        Ok(())
    }
}

/// The bytes as a terminal may be given them: tabs are spaces, other control characters U+FFFD.
fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut printable = String::with_capacity(text.len());
    for c in text.trim_end_matches('\r').chars() {
        match c {
            '\t' => printable.push_str(TAB),
            c if c.is_control() => printable.push(char::REPLACEMENT_CHARACTER),
            c => printable.push(c),
        }
    }
    printable
}

/// Columns of a terminal that a text takes.
fn width(text: &str) -> usize {
    text.chars().filter_map(char::width).sum()
}

/// The beginning of a text, at most so many columns.
fn first_columns(text: &str, columns: usize) -> &str {
    let mut taken = 0;
    let end = text.char_indices().find(|(_, c)| {
        taken += c.width().unwrap_or_default();
        taken > columns
    });
    end.map_or(text, |(end, _)| &text[..end])
}

/// The end of a text, at most so many columns.
fn last_columns(text: &str, columns: usize) -> &str {
    let mut taken = 0;
    let before = text.char_indices().rev().find(|(_, c)| {
        taken += c.width().unwrap_or_default();
        taken > columns
    });
    before.map_or(text, |(at, c)| &text[at + c.len_utf8()..])
}

#[cfg(test)]
mod tests {
    use gotemplate::{Functions, Template, Value};

    use super::*;

    fn error(text: &str) -> gotemplate::Error {
        let parsed = Template::parse("t", text, &Functions::new());
        parsed
            .and_then(|it| it.execute(&Value::dict([("a", Value::Nil)])))
            .unwrap_err()
    }

    fn shown(text: &str) -> String {
        let field = Origin::Field("spec.f".to_owned());
        Excerpt::new(&field, text.as_bytes(), &error(text)).to_string()
    }

    #[test]
    fn the_mark_stands_below_what_failed() {
        assert_eq!(
            shown("one\ntwo: {{ .a.b }} three\n"),
            "in spec.f\n   2 | two: {{ .a.b }} three\n     |           ^"
        );
        assert_eq!(
            shown("\t日本 é {{ .a.b }}\r\n"),
            "in spec.f\n   1 |     日本 é {{ .a.b }}\n     |                 ^"
        );
    }

    #[test]
    fn an_error_of_parsing_has_a_line_only() {
        assert_eq!(shown("one\n{{ if }}\n"), "in spec.f\n   2 | {{ if }}");
        assert_eq!(
            shown("\x1b[2J{{ nope }}"),
            "in spec.f\n   1 | \u{FFFD}[2J{{ nope }}"
        );
    }

    #[test]
    fn long_lines_are_clipped_around_the_mark() {
        let long = format!("{}{{{{ .a.b }}}}{}", "x".repeat(500), "y".repeat(500));
        let shown = shown(&long);
        let [_, line, mark] = shown.split('\n').collect::<Vec<_>>()[..] else {
            panic!("{shown}");
        };
        assert!(width(line) <= WIDTH + 10, "{line}");
        let at = mark.find('^').unwrap();
        let under: String = line.chars().skip(at).collect();
        assert!(
            under.starts_with(".b }}yyy") && under.ends_with('…'),
            "{shown}"
        );
        assert!(line.contains("| …xxx"), "{line}");
    }

    #[test]
    fn no_line_of_a_secret_is_shown() {
        let text = "hunter2 {{ .a.b }}";
        let origin = Origin::Secret {
            name: "s".to_owned(),
            key: "k".to_owned(),
        };
        let excerpt = Excerpt::new(&origin, text.as_bytes(), &error(text));
        assert_eq!(excerpt.to_string(), "in Secret s, key k");
    }
}
