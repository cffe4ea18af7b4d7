//! What holds of any input, for rewrite, conversion, decoding, key validation and hash. The seed is
//! fixed: a run is like every other, and a failure leaves no file behind.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::{Map, Value, json};

use super::{SecretData, SecretValue, data_hash, decoding, keys, rewrite, text_hash};
use crate::api::external_secret::{ConversionStrategy, DecodingStrategy, Rewrite};

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 300,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::default()
    }
}

/// Any text, but oftener such as keys and names are made of.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-c./ _-]{0,6}",
        1 => "\\PC{0,8}",
        1 => any::<String>(),
    ]
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..40)
}

fn data() -> impl Strategy<Value = SecretData> {
    btree_map(name(), bytes().prop_map(SecretValue::new), 0..8)
}

/// Texts under names, as one JSON object each.
fn objects() -> impl Strategy<Value = Vec<(String, Map<String, Value>)>> {
    let member = any::<String>().prop_map(Value::from);
    let object = btree_map("[a-d]", member, 0..4).prop_map(|it| it.into_iter().collect());
    btree_map("[a-f]{1,2}", object, 0..5).prop_map(|it| it.into_iter().collect())
}

fn apply(operation: Value, data: SecretData) -> Result<SecretData, rewrite::Error> {
    let operation: Rewrite = serde_json::from_value(operation).unwrap();
    let transform = |template: &str, key: &str| Ok(template.replace("{{ .value }}", key));
    rewrite::apply(&[operation], data, &transform)
}

fn replace(source: &str, target: &str) -> Value {
    json!({"regexp": {"source": source, "target": target}})
}

fn of_objects(objects: &[(String, Map<String, Value>)]) -> SecretData {
    let text = |object: &Map<String, Value>| Value::from(object.clone()).to_string();
    let values = objects.iter();
    values
        .map(|(key, object)| (key.clone(), SecretValue::new(text(object))))
        .collect()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_rename_invents_neither_keys_nor_values(
        data in data(),
        source in "[a-c.]{0,2}[*+?]?",
        target in "[a-c$01{}]{0,4}",
    ) {
        // not every such text is a pattern
        if let Ok(renamed) = apply(replace(&source, &target), data.clone()) {
            prop_assert!(renamed.len() <= data.len());
            for value in renamed.values() {
                prop_assert!(data.values().any(|had| had == value));
            }
        }
    }

    #[test]
    fn what_does_not_match_stays(data in data()) {
        prop_assert_eq!(apply(replace("^never$", "x"), data.clone()), Ok({
            let mut kept = data;
            if let Some(value) = kept.remove("never") {
                kept.insert("x".to_owned(), value);
            }
            kept
        }));
    }

    #[test]
    fn a_prefix_comes_and_goes(data in data(), prefix in "[a-z-]{1,5}") {
        let there = apply(replace("^", &prefix), data.clone()).unwrap();
        prop_assert!(there.keys().all(|key| key.starts_with(&prefix)));
        prop_assert_eq!(apply(replace(&format!("^{prefix}"), ""), there).unwrap(), data);
    }

    #[test]
    fn a_transform_to_the_value_changes_nothing(data in data()) {
        let same = json!({"transform": {"template": "{{ .value }}"}});
        prop_assert_eq!(apply(same, data.clone()).unwrap(), data);
    }

    #[test]
    fn a_merge_is_one_object_over_the_other(objects in objects(), priority in vec("[a-f]", 0..3)) {
        prop_assume!(priority.iter().collect::<BTreeSet<_>>().len() == priority.len());
        let mut order: Vec<_> = objects.iter().filter(|it| !priority.contains(&it.0)).collect();
        order.extend(priority.iter().flat_map(|key| objects.iter().filter(move |it| it.0 == *key)));
        let mut model = Map::new();
        for (_, object) in order {
            model.extend(object.clone());
        }
        let merge = |more: Value| {
            let mut merge = json!({"conflictPolicy": "Ignore", "priority": priority,
                "priorityPolicy": "IgnoreNotFound"});
            merge.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            apply(json!({"merge": merge}), of_objects(&objects)).unwrap()
        };
        let extracted = merge(json!({"strategy": "Extract"}));
        let texts = model.iter().map(|(key, value)| (key.clone(), SecretValue::new(value.as_str().unwrap())));
        prop_assert_eq!(extracted, texts.collect::<SecretData>());
        let whole = merge(json!({"strategy": "JSON", "into": "whole"}));
        let parsed: Value = serde_json::from_slice(whole["whole"].expose()).unwrap();
        prop_assert_eq!(parsed, Value::from(model));
        prop_assert_eq!(whole.len(), objects.len() + 1);
    }

    #[test]
    fn converted_keys_are_valid_and_stay_as_they_are(data in data()) {
        for strategy in [ConversionStrategy::Default, ConversionStrategy::Unicode] {
            match keys::convert(data.clone(), &strategy) {
                Ok(converted) => {
                    prop_assert_eq!(converted.len(), data.len());
                    prop_assert_eq!(keys::convert(converted.clone(), &strategy), Ok(converted.clone()));
                    let valid = keys::validate(converted);
                    let is_odd = matches!(valid, Err(keys::Error::Character { .. }));
                    prop_assert!(!is_odd);
                }
                Err(error) => prop_assert!(error.to_string().contains("collision")),
            }
        }
    }

    #[test]
    fn valid_keys_are_converted_to_themselves(data in data()) {
        if let Ok(valid) = keys::validate(data) {
            prop_assert!(!valid.contains_key(""));
            prop_assert!(valid.keys().all(|key| key.len() <= keys::MAX_KEY));
            prop_assert_eq!(keys::convert(valid.clone(), &ConversionStrategy::Unicode), Ok(valid));
        }
    }

    #[test]
    fn what_was_encoded_is_decoded_whatever_the_line_breaks(
        raw in bytes(),
        breaks in vec((0_usize..60, prop_oneof![Just("\n"), Just("\r\n")]), 0..4),
    ) {
        for (encoded, strategy) in [
            (STANDARD.encode(&raw), DecodingStrategy::Base64),
            (URL_SAFE.encode(&raw), DecodingStrategy::Base64Url),
            (STANDARD.encode(&raw), DecodingStrategy::Auto),
        ] {
            let mut text = encoded;
            for (at, line_break) in &breaks {
                text.insert_str((*at).min(text.len()), line_break);
            }
            let decoded = decoding::decode(&SecretValue::new(text), &strategy).unwrap();
            prop_assert_eq!(decoded.expose(), raw.as_slice());
        }
    }

    #[test]
    fn auto_is_the_first_that_succeeds(
        text in prop_oneof!["[A-Za-z0-9+/=_\n-]{0,12}", any::<String>()],
    ) {
        let value = SecretValue::new(text);
        let by = |strategy| decoding::decode(&value, &strategy).ok();
        let first = by(DecodingStrategy::Base64).or_else(|| by(DecodingStrategy::Base64Url));
        prop_assert_eq!(by(DecodingStrategy::Auto), Some(first.unwrap_or_else(|| value.clone())));
        prop_assert_eq!(by(DecodingStrategy::None), Some(value.clone()));
    }

    #[test]
    fn the_hash_is_that_of_the_printed_map(data in data(), other in data()) {
        let hash = |data: &SecretData| data_hash(data.iter().map(|(k, v)| (k.as_str(), v.expose())));
        let entry = |(key, value): (&String, &SecretValue)| {
            let bytes: Vec<String> = value.expose().iter().map(u8::to_string).collect();
            format!("{key}:[{}]", bytes.join(" "))
        };
        let entries: Vec<String> = data.iter().map(entry).collect();
        let printed = format!("map[{}]", entries.join(" "));
        prop_assert_eq!(hash(&data), text_hash(&printed));
        let backwards = data.iter().rev().map(|(k, v)| (k.as_str(), v.expose()));
        prop_assert_eq!(data_hash(backwards), hash(&data));
        prop_assert_eq!(hash(&data) == hash(&other), data == other);
    }
}
