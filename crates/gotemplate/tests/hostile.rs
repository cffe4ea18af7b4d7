//! Templates that mean harm, and templates made at random: none may panic, run for long or overflow
//! the stack.
#![allow(clippy::unwrap_used)]

mod support;

use gotemplate::{Function, Functions, Limits, Options, Template, Type, Value};

/// Executes a template on a small stack and returns the error, if any.
fn outcome(text: &str, options: &Options) -> Result<Vec<u8>, String> {
    let root = Value::string_map([("a", "1"), ("b", "text"), ("empty", "")]);
    Template::parse_with("case", text, &support::functions(), options)
        .and_then(|template| template.execute(&root))
        .map_err(|error| error.to_string())
}

fn error_of(text: &str) -> String {
    outcome(text, &Options::default()).unwrap_err()
}

#[test]
fn a_template_that_calls_itself_stops_at_the_depth_limit() {
    let error = error_of(
        r#"{{ define "x" }}{{ if true }}{{ template "x" . }}{{ end }}{{ end }}{{ template "x" . }}"#,
    );
    assert!(
        error.contains("exceeded maximum template depth (200)"),
        "{error}"
    );
}

#[test]
fn parentheses_and_blocks_nest_only_so_deep() {
    let parentheses = format!("{{{{ {}1{} }}}}", "(".repeat(5000), ")".repeat(5000));
    assert!(error_of(&parentheses).contains("max expression depth exceeded"));
    let blocks = format!(
        "{}{}",
        "{{ if true }}".repeat(5000),
        "{{ end }}".repeat(5000)
    );
    assert!(error_of(&blocks).contains("max expression depth exceeded"));
    let otherwise = format!(
        "{{{{ if false }}}}{}{{{{ end }}}}",
        "{{ else if false }}".repeat(5000)
    );
    assert!(error_of(&otherwise).contains("max expression depth exceeded"));
}

#[test]
fn a_loop_stops_at_the_step_limit() {
    let error = error_of("{{ range 1000000000 }}{{ range 1000000000 }}{{ end }}{{ end }}");
    assert!(
        error.contains("template takes more than 5000000 steps"),
        "{error}"
    );
}

#[test]
fn slow_functions_and_long_texts_cost_steps() {
    let long = r#"{{ $x := repeat 100000 "0123456789" }}{{ range 1000000 }}{{ $_ := trimPrefix "x" $x }}{{ end }}"#;
    let error = error_of(long);
    assert!(
        error.contains("template takes more than 5000000 steps"),
        "{error}"
    );
    let error =
        error_of(r#"{{ range 1000000 }}{{ $_ := derivePassword 1 "pin" "a" "b" "c" }}{{ end }}"#);
    assert!(
        error.contains("template takes more than 5000000 steps"),
        "{error}"
    );
}

#[test]
fn output_and_strings_are_bounded() {
    let options = Options {
        limits: Limits {
            output: 100,
            ..Limits::default()
        },
        ..Options::default()
    };
    let error = outcome("{{ range 1000 }}0123456789{{ end }}", &options).unwrap_err();
    assert!(
        error.contains("template writes more than 100 bytes"),
        "{error}"
    );
    let error =
        error_of(r#"{{ $x := "0123456789" }}{{ range 100 }}{{ $x = print $x $x }}{{ end }}"#);
    assert!(error.contains("printed text too long"), "{error}");
    let error = error_of(r#"{{ printf "%9000000d%9000000d" 1 1 }}"#);
    assert!(error.contains("printed text too long"), "{error}");
}

#[test]
fn the_input_is_bounded() {
    let options = Options {
        limits: Limits {
            input: 10,
            ..Limits::default()
        },
        ..Options::default()
    };
    let error = outcome("more than ten bytes", &options).unwrap_err();
    assert_eq!(error, "template: case: text of 19 bytes, more than 10");
}

#[test]
fn deep_lists_are_printed_and_dropped_without_recursion() {
    let mut functions = Functions::new();
    functions.add(
        "list",
        Function::variadic(&[Type::Any], |args| Ok(Value::list(args.to_vec()))),
    );
    let text = "{{ $x := list }}{{ range 100000 }}{{ $x = list $x }}{{ end }}{{ $x }}";
    let template = Template::parse("case", text, &functions).unwrap();
    let error = template.execute(&Value::Nil).unwrap_err().to_string();
    assert!(error.contains("value too deep to print"), "{error}");
}

#[test]
fn a_map_does_not_take_itself() {
    let map = gotemplate::Map::new(gotemplate::Elem::Any, std::collections::BTreeMap::new());
    let list = Value::list(vec![Value::Map(map.clone())]);
    assert!(map.insert(b"self", list).is_err());
    assert!(map.insert(b"other", Value::dict::<&[u8]>([])).is_ok());
}

/// Making keys is slow and looks at little of its input.
const SLOW: [&str; 4] = ["gen", "bcrypt", "htpasswd", "derivePassword"];

/// A small generator (xorshift) with a fixed seed, so that failures repeat.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }

    /// The text with some bytes removed, doubled, replaced or taken from another text.
    fn mutate(&mut self, text: &[u8], other: &[u8]) -> Vec<u8> {
        const BYTES: &[u8] = b"{}()|.$\"'`-/*:=, \n%1aAif\xff\x00";
        let mut text = text.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(text.len() + 1);
            match self.below(5) {
                0 if at < text.len() => {
                    text.remove(at);
                }
                1 => text.insert(at, BYTES[self.below(BYTES.len())]),
                2 if at < text.len() => text[at] = BYTES[self.below(BYTES.len())],
                3 => {
                    let start = self.below(other.len() + 1);
                    let end = start + self.below(other.len() - start + 1);
                    text.splice(at..at, other[start..end].iter().copied());
                }
                _ => text.truncate(at),
            }
        }
        text
    }
}

#[test]
fn mutated_templates_never_panic() {
    let mut corpus = support::templates();
    corpus.retain(|template| !SLOW.iter().any(|slow| template.contains(slow)));
    let functions = support::functions();
    let options = Options {
        limits: Limits {
            steps: 5000,
            output: 100_000,
            ..Limits::default()
        },
        ..Options::default()
    };
    let root = Value::string_map([("a", "1"), ("b", "text"), ("empty", ""), ("user", "u")]);
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut executed = 0;
    for _ in 0..20_000 {
        let (first, second) = (random.below(corpus.len()), random.below(corpus.len()));
        let text = random.mutate(corpus[first].as_bytes(), corpus[second].as_bytes());
        if let Ok(template) = Template::parse_with("case", &text, &functions, &options) {
            executed += usize::from(template.execute(&root).is_ok());
        }
    }
    assert!(
        executed > 1000,
        "only {executed} mutants ran: the mutations are too wild"
    );
}
