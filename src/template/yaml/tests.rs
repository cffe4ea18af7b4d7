//! Runs the cases whose expectations Go has written, and hostile texts.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

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
