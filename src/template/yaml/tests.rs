//! Runs the cases whose expectations Go has written, and hostile texts.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::{Command, Stdio};

use super::*;

#[derive(serde::Deserialize)]
struct KeyValueCase {
    name: String,
    rendered: String,
    expect: Option<BTreeMap<String, String>>,
}

#[test]
fn keys_and_values_are_those_that_go_reads() {
    let cases = include_str!("../../../tests/template/key-value-cases.yaml");
    let cases: Vec<KeyValueCase> = serde_saphyr::from_str(cases).unwrap();
    assert_eq!(cases.len(), 71);
    for case in cases {
        let flat = key_values(case.rendered.as_bytes()).ok().map(|flat| {
            let texts = flat
                .into_iter()
                .map(|(key, value)| (key, String::from_utf8(value).unwrap()));
            texts.collect::<BTreeMap<_, _>>()
        });
        assert_eq!(flat, case.expect, "{}", case.name);
    }
}

/// What Go makes of a text: as keys and values, as JSON, written again. Null where it refuses.
#[derive(serde::Deserialize)]
struct GoCase {
    text: String,
    flat: Option<BTreeMap<String, String>>,
    value: serde_json::Value,
    yaml: Option<String>,
}

fn go_cases() -> Vec<GoCase> {
    serde_json::from_str(include_str!("../../../tests/template/yaml-cases.json")).unwrap()
}

#[test]
fn go_stands_by_the_cases() {
    // keys that become the same text are taken by Go in random order
    const RANDOM: [&str; 2] = ["1: a\n1.0: b", "1: a\n'1': b"];
    let mut cases = go_cases();
    cases.retain(|case| !RANDOM.contains(&case.text.as_str()));
    let texts: Vec<_> = cases.iter().map(|case| &case.text).collect();
    let oracle = testbed::assets::gotemplate(&testbed::assets::to_stderr).unwrap();
    let mut go = Command::new(oracle)
        .arg("yaml")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    serde_json::to_writer(go.stdin.take().unwrap(), &texts).unwrap();
    let output = go.wait_with_output().unwrap();
    let said: Vec<GoCase> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said.len(), cases.len());
    // Go's natural order of keys is none for some, and what comes of it differs from run to run
    let lines = |case: &GoCase| {
        let mut lines: Vec<_> = case.yaml.iter().flat_map(|yaml| yaml.lines()).collect();
        lines.sort_unstable();
        lines.join("\n")
    };
    for (said, case) in said.iter().zip(&cases) {
        assert_eq!(said.flat, case.flat, "{:?}", case.text);
        assert_eq!(lines(said), lines(case), "{:?}", case.text);
    }
}

fn check(cases: &[GoCase], wrong: impl Fn(&GoCase) -> Option<String>) {
    assert!(cases.len() > 1000);
    let wrong: Vec<_> = cases.iter().filter_map(wrong).collect();
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn texts_are_flattened_as_go_does() {
    check(&go_cases(), |case| {
        let got = key_values(case.text.as_bytes());
        let flat = got.as_ref().ok().map(|flat| {
            let texts = flat
                .iter()
                .map(|(key, value)| (key.clone(), String::from_utf8_lossy(value).into_owned()));
            texts.collect::<BTreeMap<_, _>>()
        });
        (flat != case.flat)
            .then(|| format!("{:?}\n got  {got:?}\n want {:?}", case.text, case.flat))
    });
}

#[test]
fn texts_are_values_and_text_again_as_go_has_them() {
    check(&go_cases(), |case| {
        let node = reader::read(case.text.as_bytes());
        let value = node.and_then(Node::into_value).ok();
        let yaml = value.and_then(|value| to_yaml(&value));
        (yaml != case.yaml)
            .then(|| format!("{:?}\n got  {yaml:?}\n want {:?}", case.text, case.yaml))
    });
}

#[test]
fn json_has_the_numbers_that_go_has() {
    check(&go_cases(), |case| {
        let floats = |value: serde_json::Value| value.to_string().replace(".0", "");
        let got = to_json(case.text.as_bytes()).ok();
        let same = match &got {
            None => case.value.is_null(),
            Some(got) => {
                floats(got.clone()) == floats(case.value.clone()) || near(got, &case.value)
            }
        };
        (!same).then(|| format!("{:?}\n got  {got:?}\n want {:?}", case.text, case.value))
    });
}

/// Whether both are the same but for integers that Go's JSON holds as floats.
fn near(a: &serde_json::Value, b: &serde_json::Value) -> bool {
    use serde_json::Value::{Array, Number, Object};
    match (a, b) {
        (Number(a), Number(b)) => a.as_f64() == b.as_f64(),
        (Array(a), Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| near(a, b)),
        (Object(a), Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, a)| b.get(key).is_some_and(|b| near(a, b)))
        }
        (a, b) => a == b,
    }
}

#[test]
fn aliases_cannot_multiply_without_bound() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for i in 1..12 {
        let aliases = vec![format!("*a{}", i - 1); 10].join(", ");
        writeln!(bomb, "a{i}: &a{i} [{aliases}]").unwrap();
    }
    let error = to_json(bomb.as_bytes()).unwrap_err();
    assert!(matches!(error, Error::TooLarge(_)), "{error}");
}

#[test]
fn depth_is_bounded() {
    for open in ["[", "{a: ", "- ", "? "] {
        let error = to_json(open.repeat(100_000).as_bytes()).unwrap_err();
        assert!(matches!(error, Error::TooLarge(_)), "{open} {error}");
    }
    let fits = format!("{}{}", "[".repeat(150), "]".repeat(150));
    assert!(to_json(fits.as_bytes()).is_ok());
}

#[test]
fn mutilated_texts_do_not_panic() {
    let mut seed: u32 = 7;
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as usize % below
    };
    let inserts = b"\n :-?&*!|>'\"{}[],#%@`\\\t\r<=~0\xc2\x85\xe2\x80\xa8\xf0\xff\x00";
    for case in go_cases() {
        let mut text = case.text.into_bytes();
        for _ in 0..8 {
            let at = random(text.len() + 1);
            match random(3) {
                0 => text.truncate(at),
                1 => text.insert(at, inserts[random(inserts.len())]),
                _ if at < text.len() => text[at] = inserts[random(inserts.len())],
                _ => text.extend_from_within(..at.min(40)),
            }
            let flat = key_values(&text).map(|flat| flat.len());
            let value = from_yaml(&text);
            assert!(to_yaml(&value).is_some() || flat.is_ok() || !text.is_empty());
        }
    }
}

#[test]
fn errors_do_not_repeat_the_text() {
    for text in [
        "a: *hunter2",
        "a: !!int hunter2",
        "a: [hunter2",
        "a: 'hunter2",
        "a: {b: hunter2}",
        "hunter2",
    ] {
        let error = key_values(text.as_bytes()).unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
}
