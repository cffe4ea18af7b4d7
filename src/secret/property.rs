//! `property`: one part of a JSON value, by a gjson path (tidwall/gjson, "Path syntax"). The
//! `gjson` crate evaluates; here stands what Go's gjson does otherwise, and what keeps hostile
//! values and paths from harm.

use gjson::Kind;
use serde::de::IgnoredAny;
use zeroize::Zeroizing;

use super::SecretValue;

/// Longer paths select nothing: time grows with path and value.
pub const MAX_PATH: usize = 1024;

/// Modifiers see no document that is nested deeper.
const MAX_DEPTH: usize = 128;

/// The part of `value` that `path` names, as text; `None` where there is none. A path that finds
/// nothing is tried once more as one literal key, so that `tls.crt` works.
pub fn select(value: &SecretValue, path: &str) -> Option<SecretValue> {
    let json = value.expose_text()?;
    if path.len() > MAX_PATH {
        return None;
    }
    let found = evaluate(json, path).or_else(|| {
        let literal = path.replace('.', "\\.");
        evaluate(json, &literal).filter(|_| path.contains('.'))
    })?;
    Some(SecretValue::new(found.as_bytes()))
}

fn evaluate(json: &str, path: &str) -> Option<Zeroizing<String>> {
    // Modifiers rewrite the document, trust that it is one, and recurse into it.
    let is_rewriting = path.contains(['@', '!']);
    let is_document =
        || depth(json) <= MAX_DEPTH && serde_json::from_str::<IgnoredAny>(json).is_ok();
    if is_rewriting && !is_document() {
        return None;
    }
    let Some(step) = Step::find(path) else {
        return text(&gjson::get(json, path));
    };
    let input = match step.before {
        "" => Zeroizing::new(json.to_owned()),
        before => raw(&gjson::get(json, before))?,
    };
    let output = step.modifier.apply(&input);
    match step.after {
        "" => text(&gjson::parse(&output)),
        after => evaluate(&output, after),
    }
}

/// How deep arrays and objects are nested in a JSON document.
fn depth(json: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut is_string, mut is_escaped) = (false, false);
    for byte in json.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = is_string,
            b'"' => is_string = !is_string,
            b'[' | b'{' if !is_string => depth += 1,
            b']' | b'}' if !is_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

fn raw(found: &gjson::Value<'_>) -> Option<Zeroizing<String>> {
    found
        .exists()
        .then(|| Zeroizing::new(found.json().to_owned()))
}

/// The text of a result as Go's gjson prints it.
fn text(found: &gjson::Value<'_>) -> Option<Zeroizing<String>> {
    let text = match found.kind() {
        _ if !found.exists() => return None,
        Kind::Null => String::new(),
        Kind::String => found.str().to_owned(),
        Kind::Number => number(found.json()),
        Kind::True | Kind::False | Kind::Object | Kind::Array => found.json().to_owned(),
    };
    Some(Zeroizing::new(text))
}

/// Integers keep their digits; every other number is printed as the shortest decimal that reads
/// back as the same 64-bit float, without exponent.
fn number(raw: &str) -> String {
    let digits = raw.strip_prefix('-').unwrap_or(raw);
    if digits.bytes().all(|b| b.is_ascii_digit()) {
        return raw.to_owned();
    }
    match raw.parse::<f64>() {
        Ok(value) if value.is_infinite() && value > 0.0 => "+Inf".to_owned(),
        Ok(value) if value.is_infinite() => "-Inf".to_owned(),
        Ok(value) => value.to_string(),
        Err(_) => "0".to_owned(),
    }
}

/// Modifiers that the crate lacks.
#[derive(Clone, Copy)]
enum Modifier {
    Keys,
    Values,
    ToStr,
    FromStr,
}

/// A path cut at its first modifier that the crate lacks.
struct Step<'a> {
    before: &'a str,
    modifier: Modifier,
    after: &'a str,
}

impl<'a> Step<'a> {
    /// Only at the top level of a path: within queries and multipaths there is none.
    fn find(path: &'a str) -> Option<Self> {
        let mut depth = 0_u32;
        let mut is_escaped = false;
        let mut is_start = true;
        for (at, c) in path.char_indices() {
            if is_start
                && depth == 0
                && !is_escaped
                && let Some((modifier, length)) = Modifier::at(&path[at..])
            {
                return Some(Self {
                    before: path[..at].trim_end_matches(['.', '|']),
                    modifier,
                    after: path[at + length..].trim_start_matches(['.', '|']),
                });
            }
            is_start = !is_escaped && matches!(c, '.' | '|');
            match c {
                _ if is_escaped => {}
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            is_escaped = !is_escaped && c == '\\';
        }
        None
    }
}

impl Modifier {
    /// The modifier that `text` begins with, and its length.
    fn at(text: &str) -> Option<(Self, usize)> {
        const NAMES: [(&str, Modifier); 4] = [
            ("@keys", Modifier::Keys),
            ("@values", Modifier::Values),
            ("@tostr", Modifier::ToStr),
            ("@fromstr", Modifier::FromStr),
        ];
        NAMES.into_iter().find_map(|(name, modifier)| {
            let rest = text.strip_prefix(name)?;
            (rest.is_empty() || rest.starts_with(['.', '|'])).then_some((modifier, name.len()))
        })
    }

    fn apply(self, json: &str) -> Zeroizing<String> {
        let value = gjson::parse(json);
        let members = |part: fn(&gjson::Value<'_>, &gjson::Value<'_>) -> String| {
            let mut parts = Vec::new();
            value.each(|key, member| {
                parts.push(part(&key, &member));
                true
            });
            format!("[{}]", parts.join(","))
        };
        Zeroizing::new(match (self, value.kind()) {
            (Self::Keys, Kind::Object) => members(|key, _| key.json().to_owned()),
            (Self::Keys, Kind::Array) => members(|_, _| "null".to_owned()),
            (Self::Keys, _) => "[null]".to_owned(),
            (Self::Values, Kind::Array) => json.to_owned(),
            (Self::Values, Kind::Object) => members(|_, member| member.json().to_owned()),
            (Self::Values, _) => format!("[{json}]"),
            (Self::ToStr, _) => serde_json::Value::from(json).to_string(),
            (Self::FromStr, _) => value.str().to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = r#"{"a":"x","n":12,"big":12345678901234567890,"f":1.50,"e":1e3,"neg":-3,"t":true,"nul":null,"o":{"k":"v", "d":{"e":1}},"arr":["p","q",{"z":1}],"tls.crt":"CERT","o.k":"literal","sp ace":"s","em":"","u":"\u00e9\n","x":{"y.z":"yz"},"dup":1,"dup":2}"#;

    fn selected(json: &str, path: &str) -> Option<String> {
        let found = select(&SecretValue::new(json), path)?;
        found.expose_text().map(str::to_owned)
    }

    #[test]
    fn vectors_of_the_specification_that_find_something() {
        let vectors = [
            ("a", "x"),
            ("n", "12"),
            ("big", "12345678901234567890"),
            ("f", "1.5"),
            ("e", "1000"),
            ("neg", "-3"),
            ("t", "true"),
            ("nul", ""),
            ("o", r#"{"k":"v", "d":{"e":1}}"#),
            ("o.k", "v"),
            ("o.d.e", "1"),
            ("arr", r#"["p","q",{"z":1}]"#),
            ("arr.0", "p"),
            ("arr.#", "3"),
            ("arr.#.z", "[1]"),
            ("arr.2.z", "1"),
            ("arr.#(z==1).z", "1"),
            ("tls.crt", "CERT"),
            (r"x.y\.z", "yz"),
            ("sp ace", "s"),
            ("em", ""),
            ("u", "é\n"),
            ("dup", "1"),
            ("*", "x"),
            ("a*", "x"),
            ("@this", DOCUMENT),
            ("{a,n}", r#"{"a":"x","n":12}"#),
            ("o.@keys", r#"["k","d"]"#),
            ("a|@reverse", "x"),
        ];
        for (path, want) in vectors {
            assert_eq!(selected(DOCUMENT, path).as_deref(), Some(want), "{path}");
        }
    }

    #[test]
    fn vectors_of_the_specification_that_find_nothing() {
        for path in [
            "A",
            ".",
            "a.",
            "..",
            "missing",
            "o.missing",
            "missing.sub",
            "arr.9",
            "arr.-1",
            "x.y.z",
        ] {
            assert_eq!(selected(DOCUMENT, path), None, "{path}");
        }
        for (json, path) in [("plain text", "a"), ("plain text", "@this"), ("", "a")] {
            assert_eq!(selected(json, path), None, "{json}");
        }
    }

    #[test]
    fn other_documents_of_the_specification() {
        let vectors = [
            (r#""str""#, "@this", "str"),
            ("[1,2]", "0", "1"),
            ("42", "@this", "42"),
            ("true", "@this", "true"),
            (r#"{"a":1"#, "a", "1"),
            (r#"  {"a":1} trailing"#, "a", "1"),
            (r#"{"a":1.0}"#, "a", "1"),
            (r#"{"a":0.0000001}"#, "a", "0.0000001"),
            (r#"{"a":1e21}"#, "a", "1000000000000000000000"),
            (r#"{"a":12345678901234567.5}"#, "a", "12345678901234568"),
            (r#"{"a":123456789.123456789}"#, "a", "123456789.12345679"),
            (r#"{"a":-0}"#, "a", "-0"),
            (r#"{"a":-0.0}"#, "a", "-0"),
        ];
        for (json, path, want) in vectors {
            assert_eq!(selected(json, path).as_deref(), Some(want), "{json} {path}");
        }
    }

    #[test]
    fn modifiers_that_the_crate_lacks() {
        let vectors = [
            ("@keys.0", "a"),
            ("o.@values", r#"["v",{"e":1}]"#),
            ("o.d.@tostr", r#"{"e":1}"#),
            ("o.d.@tostr.@fromstr.e", "1"),
            ("arr.@keys|#", "3"),
            (r"missing\.@keys", ""),
        ];
        for (path, want) in vectors {
            let want = Some(want).filter(|want| !want.is_empty());
            assert_eq!(selected(DOCUMENT, path).as_deref(), want, "{path}");
        }
    }

    #[test]
    fn hostile_values_and_paths_select_nothing() {
        let deep = format!("{}1{}", "[".repeat(20_000), "]".repeat(20_000));
        assert_eq!(selected(&deep, r#"@flatten:{"deep":true}"#), None);
        assert_eq!(selected(DOCUMENT, &"a.".repeat(MAX_PATH)), None);
        // the crate panics on these
        assert_eq!(selected("\"@flatten", "@flatten"), None);
        assert_eq!(selected("\"1]", "@flatten:(@flatten][~"), None);
    }
}
