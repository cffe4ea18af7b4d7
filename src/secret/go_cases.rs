//! What Go made of keys, values and data (`tests/oracle`), and what this module makes of them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;

use super::{SecretData, SecretValue, data_hash, decoding, keys, metadata_hash, rewrite};
use crate::api::external_secret::{ConversionStrategy, DecodingStrategy};

/// Bytes are base64, as Go's JSON has them.
#[derive(Deserialize)]
struct Cases {
    data_hashes: Vec<DataHash>,
    metadata_hashes: Vec<MetadataHash>,
    decodings: Vec<Decoding>,
    replacements: Vec<Replacement>,
    /// Ranges of letters and numbers, both ends inclusive.
    kept: Vec<[u32; 2]>,
    /// Ranges of all other characters that Go knows.
    others: Vec<[u32; 2]>,
}

#[derive(Deserialize)]
struct DataHash {
    data: BTreeMap<String, String>,
    hash: String,
}

#[derive(Deserialize)]
struct MetadataHash {
    annotations: BTreeMap<String, String>,
    labels: BTreeMap<String, String>,
    hash: String,
}

#[derive(Deserialize)]
struct Decoding {
    strategy: DecodingStrategy,
    value: String,
    decoded: Option<String>,
}

#[derive(Deserialize)]
struct Replacement {
    source: String,
    target: String,
    key: String,
    result: String,
}

static CASES: LazyLock<Cases> = LazyLock::new(|| {
    let json = include_str!("../../tests/oracle/secret-cases.json");
    serde_json::from_str(json).unwrap()
});

fn bytes(base64: &str) -> Vec<u8> {
    STANDARD.decode(base64).unwrap()
}

#[test]
fn hashes_are_gos() {
    assert!(CASES.data_hashes.len() >= 50 && CASES.metadata_hashes.len() >= 50);
    for case in &CASES.data_hashes {
        let data = case.data.iter();
        let data: Vec<_> = data.map(|(key, value)| (key, bytes(value))).collect();
        let borrowed = data
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_slice()));
        assert_eq!(data_hash(borrowed), case.hash, "{:?}", case.data);
    }
    for case in &CASES.metadata_hashes {
        let found = metadata_hash(&case.annotations, &case.labels);
        assert_eq!(found, case.hash, "{:?} {:?}", case.annotations, case.labels);
    }
}

#[test]
fn decoded_values_are_gos() {
    assert!(CASES.decodings.len() >= 300);
    for case in &CASES.decodings {
        let value = bytes(&case.value);
        let found = decoding::decode(&SecretValue::new(value.clone()), &case.strategy).ok();
        let found = found.map(|value| value.expose().to_vec());
        let want = case.decoded.as_deref().map(bytes);
        assert_eq!(found, want, "{} {value:?}", case.strategy);
    }
}

#[test]
fn rewritten_keys_are_gos() {
    assert!(CASES.replacements.len() >= 300);
    for case in &CASES.replacements {
        let regexp = json!([{"regexp": {"source": case.source, "target": case.target}}]);
        let operations: Vec<_> = serde_json::from_value(regexp).unwrap();
        let data = SecretData::from([(case.key.clone(), SecretValue::new("v"))]);
        let rewritten = rewrite::apply(&operations, data, &|_, _| Err("unused".to_owned()));
        let rewritten = rewritten.unwrap();
        let found = rewritten.keys().next().unwrap();
        let told = format!("{:?} {:?} {:?}", case.source, case.target, case.key);
        assert_eq!(*found, case.result, "{told}");
    }
}

/// Characters that Go does not know yet are left out.
#[test]
fn characters_that_keys_keep_are_gos() {
    for (ranges, is_kept) in [(&CASES.kept, true), (&CASES.others, false)] {
        let points = ranges.iter().flat_map(|[first, last]| *first..=*last);
        for c in points.filter_map(char::from_u32) {
            let data = SecretData::from([(c.to_string(), SecretValue::new("v"))]);
            let converted = keys::convert(data, &ConversionStrategy::Default).unwrap();
            let stays = is_kept || matches!(c, '-' | '.' | '_');
            let want = if stays { c.to_string() } else { "_".to_owned() };
            assert!(converted.contains_key(&want), "{c:?} {:x}", u32::from(c));
        }
    }
}
