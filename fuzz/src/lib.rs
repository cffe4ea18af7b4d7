//! What the fuzz targets do with their bytes. `tests/it/corpus.rs` does the same with the committed
//! corpus, so that it also runs where there is no nightly toolchain.

use keyferry::api::external_secret::{DecodingStrategy, Rewrite};
use keyferry::secret::{SecretData, SecretValue, decoding, keys, members, property, rewrite};
use keyferry::template;
use serde_json::{Value, json};

/// First line: a path. The rest: the value that it is looked up in.
pub fn property(input: &[u8]) {
    let (path, json) = split(input, b'\n');
    let Ok(path) = std::str::from_utf8(path) else {
        return;
    };
    let value = SecretValue::new(json);
    if let Some(found) = property::select(&value, path) {
        assert!(found.expose_text().is_some(), "a part of a text is a text");
    }
    drop(members(&value));
}

/// First byte: the strategy. The rest: the value.
pub fn decoding(input: &[u8]) {
    let Some((strategy, value)) = input.split_first() else {
        return;
    };
    let strategy = match strategy % 4 {
        0 => DecodingStrategy::None,
        1 => DecodingStrategy::Base64,
        2 => DecodingStrategy::Base64Url,
        _ => DecodingStrategy::Auto,
    };
    let decoded = decoding::decode(&SecretValue::new(value), &strategy);
    let decoded = decoded.as_ref().ok().map(SecretValue::expose);
    match strategy {
        DecodingStrategy::None => assert_eq!(decoded, Some(value)),
        DecodingStrategy::Auto => assert!(decoded.is_some(), "Auto never fails"),
        _ => {}
    }
    let length = decoded.map_or(0, <[u8]>::len);
    assert!(length <= value.len(), "decoding made bytes");
}

/// Fields between NUL bytes. The first has a letter for each operation, `r`egexp, `t`ransform,
/// `m`erge, or `j`, merge into one JSON object; then come their arguments, then keys and values.
pub fn rewrite(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let mut fields = text.split('\0');
    let letters = fields.next().unwrap_or_default();
    let mut operations = Vec::new();
    for letter in letters.chars().take(4) {
        let mut argument = || fields.next().unwrap_or_default();
        let operation = match letter {
            'r' => json!({"regexp": {"source": argument(), "target": argument()}}),
            't' => json!({"transform": {"template": argument()}}),
            'm' => json!({"merge": {"conflictPolicy": "Ignore"}}),
            'j' => json!({"merge": {"strategy": "JSON", "into": argument()}}),
            _ => return,
        };
        operations.push(operation);
    }
    let mut data = SecretData::new();
    while let Some(key) = fields.next() {
        let value = fields.next().unwrap_or_default();
        data.insert(key.to_owned(), SecretValue::new(value));
    }
    let operations: Vec<Rewrite> = serde_json::from_value(Value::from(operations))
        .expect("these are operations as the API has them");
    let is_merging = letters.contains(['m', 'j']);
    let before = data.len();
    if let Ok(rewritten) = rewrite::apply(&operations, data, &template::rename) {
        assert!(
            is_merging || rewritten.len() <= before,
            "renaming made a key"
        );
        drop(keys::validate(rewritten));
    }
}

/// The parts before and behind the first `byte`.
fn split(input: &[u8], byte: u8) -> (&[u8], &[u8]) {
    let at = input.iter().position(|b| *b == byte);
    at.map_or((input, &[]), |at| (&input[..at], &input[at + 1..]))
}
