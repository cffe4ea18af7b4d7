//! The hashes that ESO leaves on objects, bit for bit (ESO's `utils.ObjectHash`): SHA3-224,
//! lower-case hex, over the text that Go's `%+v` prints. Equal hashes make a takeover silent.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha3::{Digest as _, Sha3_224};

/// Hash of a Secret's data: the annotation `reconcile.external-secrets.io/data-hash`.
pub fn data_hash<'a>(data: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> String {
    let sorted: BTreeMap<&str, &[u8]> = data.into_iter().collect();
    let mut hasher = Sha3_224::new();
    hasher.update(b"map[");
    for (index, (key, value)) in sorted.iter().enumerate() {
        if index > 0 {
            hasher.update(b" ");
        }
        hasher.update(key.as_bytes());
        hasher.update(b":[");
        hasher.update(decimal_bytes(value));
        hasher.update(b"]");
    }
    hasher.update(b"]");
    hex(&hasher.finalize())
}

/// Hash of an object's annotations and labels, the second half of `status.syncedResourceVersion`.
pub fn metadata_hash(
    annotations: &BTreeMap<String, String>,
    labels: &BTreeMap<String, String>,
) -> String {
    text_hash(&format!(
        "{{annotations:{} labels:{}}}",
        go_map(annotations),
        go_map(labels)
    ))
}

/// Hash of a text as it is: the label `reconcile.external-secrets.io/created-by` holds the one of
/// `<namespace>/<name>`.
pub fn text_hash(text: &str) -> String {
    hex(&Sha3_224::digest(text.as_bytes()))
}

/// Hash of the `spec` or `data` of a target that is no Secret: the same annotation there.
pub fn value_hash(value: &serde_json::Value) -> String {
    let printed = gotemplate::Template::parse("hash", "{{ . }}", &gotemplate::Functions::new())
        .and_then(|printer| printer.execute(&go_value(value)));
    // a map prints whatever is in it; deeper than the engine follows, equal texts stay equal
    let printed = printed.unwrap_or_else(|_| value.to_string().into_bytes());
    hex(&Sha3_224::digest(&printed))
}

fn go_value(value: &serde_json::Value) -> gotemplate::Value {
    use gotemplate::Value;
    match value {
        serde_json::Value::Null => Value::Nil,
        serde_json::Value::Bool(b) => Value::from(*b),
        serde_json::Value::Number(n) => match n.as_i64() {
            Some(n) => Value::Int(n),
            None => Value::Float(n.as_f64().unwrap_or_default()),
        },
        serde_json::Value::String(text) => Value::from(text.as_str()),
        serde_json::Value::Array(items) => Value::list(items.iter().map(go_value).collect()),
        serde_json::Value::Object(entries) => {
            Value::dict(entries.iter().map(|(key, value)| (key, go_value(value))))
        }
    }
}

fn go_map(map: &BTreeMap<String, String>) -> String {
    let entries: Vec<String> = map.iter().map(|(k, v)| format!("{k}:{v}")).collect();
    format!("map[{}]", entries.join(" "))
}

fn decimal_bytes(bytes: &[u8]) -> zeroize::Zeroizing<Vec<u8>> {
    let mut text = zeroize::Zeroizing::new(Vec::with_capacity(bytes.len() * 4));
    for (index, byte) in bytes.iter().enumerate() {
        if index > 0 {
            text.push(b' ');
        }
        if *byte >= 100 {
            text.push(b'0' + byte / 100);
        }
        if *byte >= 10 {
            text.push(b'0' + byte / 10 % 10);
        }
        text.push(b'0' + byte % 10);
    }
    text
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
        entries
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    }

    /// Data, hash.
    type Vector = (&'static [(&'static str, &'static [u8])], &'static str);

    #[test]
    fn data_vectors_of_the_specification() {
        let cases: [Vector; 4] = [
            (
                &[("foo", b"value1"), ("bar", b"value2")],
                "1bed8bcbcb4547ffe19a19cd47d9078e84aa6598266d86b99f992d64",
            ),
            (
                &[("foo", b"bar")],
                "f2a604b87eb0cf673761e8cfea850f901fe73a3d1b2f338802107f36",
            ),
            (
                &[],
                "74a974446e359fb3e6baff9bd0058950e6edd0f040888d9989b0a11b",
            ),
            (
                &[("a", b"")],
                "b4267d3031c382774d3148a47147cc308a0e534ac8381b5d58565df8",
            ),
        ];
        for (data, want) in cases {
            assert_eq!(data_hash(data.iter().copied()), want);
        }
    }

    /// The texts before the hash are Go 1.26's `fmt.Sprintf("%+v", ...)` of the decoded JSON.
    #[test]
    fn value_vectors_of_go() {
        let cases = [
            (
                "{}",
                "74a974446e359fb3e6baff9bd0058950e6edd0f040888d9989b0a11b",
            ),
            (
                r#"{"k":"v"}"#,
                "91bf3dec87055bc57b9c9edafd051023c7314b7c15724a0882143dc6",
            ),
            // map[a:x b:true f:1e+20 g:1e+06 h:1e-05 i:5 l:[a 1 map[z:q]] m:map[] n:<nil>]
            (
                r#"{"a":"x","n":null,"b":true,"i":5,"f":1e20,"g":1000000.0,"h":0.00001,"l":["a",1,{"z":"q"}],"m":{}}"#,
                "1224bdb71c5f500e9c641d784628d7f3939ecf66b96b5a4d1f50799a",
            ),
        ];
        for (json, want) in cases {
            assert_eq!(
                value_hash(&serde_json::from_str(json).unwrap()),
                want,
                "{json}"
            );
        }
    }

    #[test]
    fn text_and_metadata_vectors_of_the_specification() {
        assert_eq!(
            text_hash("default/example"),
            "5b1224068cc3cca5aa3071e518838346f821fe1761229559d4959980"
        );
        assert_eq!(
            metadata_hash(&map(&[]), &map(&[])),
            "f47fe3c0b255b6dd8047cdffa772587bb829efe7a1cb70febeda2eb2"
        );
        assert_eq!(
            metadata_hash(
                &map(&[("force-sync", "1")]),
                &map(&[("app", "x"), ("team", "y")])
            ),
            "f30eff916147dd4b0542487d44664139edccdba5689d6f936c1f3a20"
        );
    }
}
