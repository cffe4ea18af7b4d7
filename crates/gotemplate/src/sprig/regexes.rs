//! Regular expressions. Knows sprig's functions; Go's dialect is in `re2`.

use crate::functions::{CallError, Function, Functions, Type};
use crate::lex::{decode, is_alphanumeric, to_text};
use crate::printf::{can_backquote, quoted};
use crate::sprig::re2::{MAX_SIZE, Pattern, compile};
use crate::sprig::stray::{original, readable};
use crate::sprig::{INT, TEXT, add_text, bytes, check_length, int};
use crate::value::{Elem, List, Value};

/// Bytes of a compiled expression that is tried on many names. A search takes time by the product of
/// expression and text: at this size a hostile one costs tens of milliseconds a name.
const NAMES_SIZE: usize = 1 << 20;

type Run = fn(&Pattern, &[Value]) -> Result<Value, CallError>;

/// Name, name of the variant that fails without panic, parameters, function.
const RUNS: [(&str, &str, &[Type], Run); 5] = [
    ("regexFind", "mustRegexFind", &[TEXT, TEXT], |p, args| {
        Ok(find(p, args))
    }),
    (
        "regexFindAll",
        "mustRegexFindAll",
        &[TEXT, TEXT, INT],
        |p, args| Ok(find_all(p, args)),
    ),
    (
        "regexReplaceAll",
        "mustRegexReplaceAll",
        &[TEXT; 3],
        |p, args| replace_all(p, args, true),
    ),
    (
        "regexReplaceAllLiteral",
        "mustRegexReplaceAllLiteral",
        &[TEXT; 3],
        |p, args| replace_all(p, args, false),
    ),
    (
        "regexSplit",
        "mustRegexSplit",
        &[TEXT, TEXT, INT],
        |p, args| Ok(split(p, args)),
    ),
];

/// Steps that compiling an expression counts for.
const COMPILATION: u64 = 500;

pub(super) fn add_to(functions: &mut Functions) {
    functions
        .add(
            "regexMatch",
            Function::new(&[TEXT, TEXT], |args| {
                let matches =
                    compiled(args).is_ok_and(|p| p.regex.is_match(&readable(bytes(args, 1))));
                Ok(matches.into())
            })
            .costing(COMPILATION),
        )
        .add(
            "mustRegexMatch",
            Function::new(&[TEXT, TEXT], |args| {
                Ok(compiled(args)?
                    .regex
                    .is_match(&readable(bytes(args, 1)))
                    .into())
            })
            .costing(COMPILATION),
        );
    for (name, must, params, run) in RUNS {
        functions.add(
            must,
            Function::new(params, move |args| run(&compiled(args)?, args)).costing(COMPILATION),
        );
        functions.add(
            name,
            Function::new(params, move |args| {
                let pattern = compiled(args).map_err(|error| panicked(bytes(args, 0), &error))?;
                run(&pattern, args)
            })
            .costing(COMPILATION),
        );
    }
    add_text(functions, "regexQuoteMeta", quote_meta);
}

/// A regular expression in Go's syntax (RE2), for those who need one outside of a template. It
/// matches what it matches in Go; size and depth are bounded.
///
/// ```
/// use gotemplate::Regexp;
///
/// let regexp = Regexp::compile(r"^db-(?P<name>\d+)$")?;
/// assert!(regexp.is_match("db-42"));
/// assert!(!regexp.is_match("db-٤٢"), "Go's \\d is ASCII");
/// assert_eq!(regexp.replace_all("db-42", "${name}_x")?, "42_x");
/// assert!(Regexp::compile("(?=a)").is_err());
/// # Ok::<(), String>(())
/// ```
#[derive(Debug)]
pub struct Regexp(Pattern);

impl Regexp {
    /// Compiles an expression.
    ///
    /// # Errors
    /// What Go has against it, with the expression.
    pub fn compile(source: &str) -> Result<Self, String> {
        compile(source.as_bytes(), NAMES_SIZE).map(Self)
    }

    /// Whether some part of the text matches.
    pub fn is_match(&self, text: &str) -> bool {
        self.0.regex.is_match(text)
    }

    /// The text with every match replaced; `$1`, `${1}`, `$name` and `$$` are resolved as in Go.
    ///
    /// # Errors
    /// The result would be too long.
    pub fn replace_all(&self, text: &str, replacement: &str) -> Result<String, String> {
        let replaced = replaced(&self.0, text.as_bytes(), replacement.as_bytes(), true);
        let replaced = replaced.map_err(|error| error.message().to_owned())?;
        Ok(to_text(&replaced).into_owned())
    }
}

fn compiled(args: &[Value]) -> Result<Pattern, CallError> {
    compile(bytes(args, 0), MAX_SIZE).map_err(|reason| {
        let message = format!("error parsing regexp: {reason}");
        CallError::revealing(message, "error parsing regexp")
    })
}

/// What Go says where an expression was taken to be right.
fn panicked(source: &[u8], error: &CallError) -> CallError {
    let source = match std::str::from_utf8(source) {
        Ok(text) if can_backquote(source) => format!("`{text}`"),
        _ => quoted(source),
    };
    CallError::revealing(
        format!("regexp: Compile({source}): {error}"),
        error.redacted(),
    )
}

fn find(pattern: &Pattern, args: &[Value]) -> Value {
    let text = readable(bytes(args, 1));
    original(pattern.regex.find(&text).map_or("", |found| found.as_str())).into()
}

fn find_all(pattern: &Pattern, args: &[Value]) -> Value {
    let limit = usize::try_from(int(args, 2)).unwrap_or(usize::MAX);
    let text = readable(bytes(args, 1));
    let found = pattern.regex.find_iter(&text).take(limit);
    none_is_nil(found.map(|found| original(found.as_str())).collect())
}

/// A `[]string`, nil where there is none.
fn none_is_nil(found: Vec<Vec<u8>>) -> Value {
    if found.is_empty() {
        return Value::List(List::nil(Elem::String));
    }
    Value::strings(found)
}

fn replace_all(pattern: &Pattern, args: &[Value], expand: bool) -> Result<Value, CallError> {
    replaced(pattern, bytes(args, 1), bytes(args, 2), expand).map(Value::from)
}

fn replaced(
    pattern: &Pattern,
    text: &[u8],
    replacement: &[u8],
    expand: bool,
) -> Result<Vec<u8>, CallError> {
    let text = readable(text);
    let mut replaced = Vec::with_capacity(text.len());
    let mut end = 0;
    for captures in pattern.regex.captures_iter(&text) {
        let Some(found) = captures.get(0) else {
            continue;
        };
        replaced.extend(original(&text[end..found.start()]));
        if expand {
            let group = |index: usize| captures.get(index).map(|group| group.as_str());
            expand_into(&mut replaced, replacement, pattern, group)?;
        } else {
            replaced.extend_from_slice(replacement);
        }
        check_length(replaced.len())?;
        end = found.end();
    }
    replaced.extend(original(&text[end..]));
    Ok(replaced)
}

/// Writes the replacement with `$1`, `${1}`, `$name` and `$$` resolved.
fn expand_into<'t>(
    out: &mut Vec<u8>,
    mut replacement: &[u8],
    pattern: &Pattern,
    group: impl Fn(usize) -> Option<&'t str>,
) -> Result<(), CallError> {
    while let Some(dollar) = replacement.iter().position(|byte| *byte == b'$') {
        out.extend_from_slice(&replacement[..dollar]);
        replacement = &replacement[dollar + 1..];
        if let Some(rest) = replacement.strip_prefix(b"$") {
            out.push(b'$');
            replacement = rest;
        } else if let Some((name, rest)) = group_name(replacement) {
            if let Some(text) = pattern.groups(name).into_iter().find_map(&group) {
                out.extend(original(text));
                check_length(out.len())?;
            }
            replacement = rest;
        } else {
            out.push(b'$');
        }
    }
    out.extend_from_slice(replacement);
    Ok(())
}

/// The name after a dollar sign and what follows it.
fn group_name(text: &[u8]) -> Option<(&str, &[u8])> {
    let (braced, name) = match text.strip_prefix(b"{") {
        Some(name) => (true, name),
        None => (false, text),
    };
    let mut length = 0;
    while let Some((c, size)) = decode(&name[length..])
        && is_alphanumeric(c)
    {
        length += size;
    }
    let (name, rest) = name.split_at(length);
    let rest = if braced {
        rest.strip_prefix(b"}")?
    } else {
        rest
    };
    let name = std::str::from_utf8(name).ok()?;
    (!name.is_empty()).then_some((name, rest))
}

/// Go's `Split`: an empty match at the beginning does not split.
fn split(pattern: &Pattern, args: &[Value]) -> Value {
    let limit = int(args, 2);
    if limit == 0 {
        return none_is_nil(Vec::new());
    }
    if !bytes(args, 0).is_empty() && bytes(args, 1).is_empty() {
        return Value::strings([""]);
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let text = readable(bytes(args, 1));
    let mut parts = Vec::new();
    let (mut start, mut end) = (0, 0);
    for found in pattern.regex.find_iter(&text).take(limit) {
        if parts.len() + 1 == limit {
            break;
        }
        end = found.start();
        if found.end() != 0 {
            parts.push(original(&text[start..end]));
        }
        start = found.end();
    }
    if end != text.len() {
        parts.push(original(&text[start..]));
    }
    Value::strings(parts)
}

fn quote_meta(text: &[u8]) -> Vec<u8> {
    let mut quoted = Vec::with_capacity(text.len());
    for byte in text {
        if b"\\.+*?()|[]{}^$".contains(byte) {
            quoted.push(b'\\');
        }
        quoted.push(*byte);
    }
    quoted
}
