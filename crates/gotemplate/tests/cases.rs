//! Runs the template cases that Go has written the expectations of. Cases named in `pending.txt`
//! are expected to fail; one that passes must be taken off that list.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;

use gotemplate::{Functions, MissingKey, Options, Template, Value};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    name: String,
    #[serde(default)]
    data: BTreeMap<String, String>,
    template: String,
    expect: Option<String>,
    #[serde(default)]
    error_contains: Option<String>,
    /// Go's whole message
    #[serde(default)]
    error_text: Option<String>,
    /// `default` and `zero`; `error` if absent
    #[serde(default)]
    missing_key: Option<String>,
    #[serde(default)]
    delims: Option<(String, String)>,
    /// without sprig
    #[serde(default)]
    builtins: bool,
}

impl Case {
    fn options(&self) -> Options {
        Options {
            delims: self.delims.clone().unwrap_or_default(),
            missing_key: match self.missing_key.as_deref() {
                Some("default") => MissingKey::Default,
                Some("zero") => MissingKey::Zero,
                _ => MissingKey::Error,
            },
            ..Options::default()
        }
    }

    /// What is wrong with the outcome, if anything is.
    fn check(&self, sprig: &Functions) -> Result<(), String> {
        let functions = if self.builtins {
            Functions::new()
        } else {
            sprig.clone()
        };
        let outcome = Template::parse_with("case", &self.template, &functions, &self.options())
            .and_then(|template| template.execute(&Value::string_map(&self.data)));
        match (outcome, &self.expect) {
            (Ok(output), Some(expected)) if output == expected.as_bytes() => Ok(()),
            (Ok(output), expected) => {
                let output = String::from_utf8_lossy(&output).into_owned();
                Err(format!("got      {output:?}\n  expected {expected:?}"))
            }
            (Err(error), Some(expected)) => Err(format!("{error}\n  expected {expected:?}")),
            (Err(error), None) => self.check_error(&error.to_string()),
        }
    }

    fn check_error(&self, text: &str) -> Result<(), String> {
        let contains = self.error_contains.as_deref().unwrap_or_default();
        let whole = self.error_text.as_deref().unwrap_or(text);
        if text.contains(contains) && text == whole {
            return Ok(());
        }
        Err(format!("got      {text}\n  expected {whole} … {contains}"))
    }
}

fn run(cases: &[Case], pending: &str) {
    let pending: Vec<&str> = pending
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .collect();
    let functions = support::functions();
    let mut wrong = Vec::new();
    for case in cases {
        match (
            case.check(&functions),
            pending.contains(&case.name.as_str()),
        ) {
            (Err(what), false) => wrong.push(format!("{}\n  {what}", case.name)),
            (Ok(()), true) => wrong.push(format!("{} is not pending any more", case.name)),
            _ => {}
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}

#[test]
fn the_template_corpus_gives_what_go_gives() {
    let cases: Vec<Case> = serde_saphyr::from_str(include_str!("cases.yaml")).unwrap();
    run(&cases, include_str!("pending.txt"));
}

#[test]
fn output_and_error_texts_are_those_of_go() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("go-cases.json")).unwrap();
    run(&cases, include_str!("pending.txt"));
}
