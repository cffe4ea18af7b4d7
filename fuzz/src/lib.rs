//! What the fuzz targets do with their bytes. `tests/it/corpus.rs` does the same with the committed
//! corpus, so that it also runs where there is no nightly toolchain.

use keyferry::api::external_secret::{DecodingStrategy, Rewrite};
use keyferry::fuzzing;
use keyferry::pki::certificate::{self, Certificate};
use keyferry::pki::{keys as private_keys, pem as pem_text, pkcs12 as archives};
use keyferry::secret::{SecretData, SecretValue, decoding, keys, members, property, rewrite};
use keyferry::template::{self, yaml as yaml_text};
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

/// First line: a password. The rest: a PKCS#12 archive.
pub fn pkcs12(input: &[u8]) {
    let (password, archive) = split(input, b'\n');
    let Ok(contents) = archives::read(archive, password) else {
        return;
    };
    assert!(
        private_keys::pkcs8_of(&contents.key).is_some(),
        "the key is PKCS#8"
    );
    assert!(!contents.certificates.is_empty(), "there is a certificate");
    let parsed = contents
        .certificates
        .iter()
        .map(|der| Certificate::parse(der));
    let Ok(chain) = parsed.collect::<Result<Vec<_>, _>>() else {
        return;
    };
    let written = archives::archive(&chain, &contents.key, password).expect("it can be written");
    let again = archives::read(&written, password).expect("what was written can be read");
    assert_eq!(*again.key, *contents.key, "the key changed");
    assert_eq!(
        again.certificates, contents.certificates,
        "the chain changed"
    );
}

/// Blocks of PEM, and the private keys in them.
pub fn pem(input: &[u8]) {
    for block in pem_text::blocks(input) {
        drop(private_keys::pkcs8_of(&block.bytes));
        drop(archives::decrypt_key(&block.bytes, b"password"));
        if std::str::from_utf8(&block.kind).is_err() {
            continue;
        }
        let text = block.encode();
        let (again, rest) = pem_text::next(text.as_bytes()).expect("a block is written as one");
        assert_eq!(again.kind, block.kind, "the type changed");
        assert_eq!(*again.bytes, *block.bytes, "the bytes changed");
        assert!(rest.is_empty(), "more than the block was written");
    }
}

/// Certificates: one in DER, or any number in PEM.
pub fn certificate(input: &[u8]) {
    let blocks = pem_text::blocks(input);
    let ders = blocks.iter().map(|block| &block.bytes[..]).chain([input]);
    let chain: Vec<Certificate> = ders
        .filter_map(|der| Certificate::parse(der).ok())
        .collect();
    for one in &chain {
        drop((one.subject(), one.public_key(), one.not_after()));
        assert!(certificate::x509(&one.der).is_ok(), "it was read before");
    }
    if let Ok(ordered) = certificate::in_order(&chain) {
        assert!(ordered.len() <= chain.len(), "a certificate was made up");
        let mut pairs = ordered.windows(2);
        assert!(
            pairs.all(|pair| pair[0].is_issued_by(&pair[1])),
            "the order is not that of issuers"
        );
    }
}

/// A text that is read as YAML in each way that templates do.
pub fn yaml(input: &[u8]) {
    drop((yaml_text::key_values(input), yaml_text::to_json(input)));
    let value = yaml_text::from_yaml(input);
    if let Some(text) = yaml_text::to_yaml(&value) {
        // the last line break is not written
        let again = yaml_text::from_yaml(format!("{text}\n").as_bytes());
        assert_eq!(
            yaml_text::to_yaml(&again),
            Some(text),
            "what was written is not what is read"
        );
    }
}

/// First 4 bytes: seconds since 1970. The rest: a cron schedule.
pub fn cron(input: &[u8]) {
    let Some((seconds, text)) = input.split_first_chunk() else {
        return;
    };
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    let after = i64::from(u32::from_be_bytes(*seconds));
    let until = after + 366 * 24 * 60 * 60;
    let Some(firing) = fuzzing::next_firing(text, after, until) else {
        return;
    };
    assert!(after < firing && firing <= until, "it is out of bounds");
    assert_eq!(firing % 60, 0, "it is not at the beginning of a minute");
    let again = fuzzing::next_firing(text, firing - 1, until);
    assert_eq!(again, Some(firing), "a firing was passed over or made up");
}

/// The parts before and behind the first `byte`.
fn split(input: &[u8], byte: u8) -> (&[u8], &[u8]) {
    let at = input.iter().position(|b| *b == byte);
    at.map_or((input, &[]), |at| (&input[..at], &input[at + 1..]))
}
