//! What a case calls things and what they are called while it runs, in both directions, and the
//! masks over what differs from run to run (times, random ids, ports).
//!
//! A case's namespace is `g-NAME` and its vault `LABEL` becomes `g-NAME--LABEL`, so that cases do
//! not meet. Two dashes stand in no case name: no label is the beginning of another's.

use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

static VAULT_URL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"https://([a-z0-9-]+)\.(vault\.azure\.net|vault\.azure\.cn|vault\.usgovcloudapi\.net|vault\.microsoftazure\.de)",
    )
});
static VERSION: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"\$\{VERSION:([a-z0-9-]+)/(secrets|keys|certificates)/([a-zA-Z0-9-]+)/([0-9]+)\}")
});
static TIME: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?",
        r"( ?[+-][0-9]{2}:?[0-9]{2}( [A-Z]+)?|Z)?( m=\+[0-9.]+)?"
    ))
});
static GUID: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"));
static PORT: LazyLock<Regex> = LazyLock::new(|| pattern(r"127\.0\.0\.1:[0-9]+"));
/// The ids that the cases themselves use: tenant, client and two more.
const OWN_GUIDS: [&str; 4] = ["11111111-", "22222222-", "33333333-", "44444444-"];

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the patterns of this file are constants and compile in its tests")
}

/// The names of one case.
pub(crate) struct Names {
    case: String,
    namespace: String,
}

impl Names {
    /// For the case of this name.
    pub(crate) fn new(case: &str) -> Self {
        Self {
            case: case.to_owned(),
            namespace: format!("g-{case}"),
        }
    }

    /// The case's own namespace.
    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The real label of a vault of the case.
    pub(crate) fn label(&self, vault: &str) -> String {
        format!("{}--{vault}", self.namespace)
    }

    /// The case's label of a real one.
    pub(crate) fn vault<'a>(&self, label: &'a str) -> Option<&'a str> {
        label.strip_prefix(&self.namespace)?.strip_prefix("--")
    }

    /// The id that the fake vault gives to the n-th version of an object, the oldest being 0.
    fn version(&self, vault: &str, kind: &str, name: &str, number: &str) -> String {
        let number = number.trim_start_matches('0');
        let number = if number.is_empty() { "0" } else { number };
        let text = format!(
            "{}|{kind}|{}|{number}",
            self.label(vault),
            name.to_lowercase()
        );
        let digest = Sha256::digest(text.as_bytes());
        let (half, _) = digest.split_first_chunk().expect("32 bytes");
        format!("{:032x}", u128::from_be_bytes(*half))
    }

    /// A case's text as it goes to the cluster and to the vault.
    pub(crate) fn real_text(&self, text: &str) -> String {
        let text = text
            .replace("${NS}", &self.namespace)
            .replace("${CASE}", &self.case);
        let text = VERSION.replace_all(&text, |c: &Captures<'_>| {
            self.version(&c[1], &c[2], &c[3], &c[4])
        });
        let url = |c: &Captures<'_>| match self.vault(&c[1]) {
            Some(_) => c[0].to_owned(),
            None => format!("https://{}.{}", self.label(&c[1]), &c[2]),
        };
        VAULT_URL.replace_all(&text, url).into_owned()
    }

    /// [`Self::real_text`] for all keys and texts of a value.
    pub(crate) fn real(&self, value: &Value) -> Value {
        rewrite(value, &|text| self.real_text(text))
    }

    /// A text met in the cluster as a case has it.
    pub(crate) fn told_text(&self, text: &str) -> String {
        let text = swap(text, &self.namespace, |rest| {
            let label = rest.strip_prefix("--")?;
            let end = label.find(|c: char| !is_label(c)).filter(|end| *end > 0)?;
            label[end..]
                .starts_with(".vault.")
                .then(|| (end + 2, label[..end].to_owned()))
        });
        swap(&text, &self.namespace, |rest| {
            let ends = !rest.starts_with(|c: char| is_label(c) && c != '-');
            ends.then(|| (0, "${NS}".to_owned()))
        })
    }

    /// [`Self::told_text`] for all keys and texts of a value.
    pub(crate) fn told(&self, value: &Value) -> Value {
        rewrite(value, &|text| self.told_text(text))
    }

    /// [`Self::told_text`] with times, random ids and local ports masked.
    pub(crate) fn masked_text(&self, text: &str) -> String {
        let text = self.told_text(text);
        let text = TIME.replace_all(&text, "<time>");
        let text = GUID.replace_all(&text, |c: &Captures<'_>| {
            let own = OWN_GUIDS.iter().any(|guid| c[0].starts_with(guid));
            if own {
                c[0].to_owned()
            } else {
                "<guid>".to_owned()
            }
        });
        PORT.replace_all(&text, "127.0.0.1:<port>").into_owned()
    }

    /// [`Self::masked_text`] for all texts of a value; of keys only the names are turned back.
    pub(crate) fn masked(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.masked_text(text).into(),
            Value::Array(items) => items.iter().map(|item| self.masked(item)).collect(),
            Value::Object(map) => {
                let entry =
                    |(key, item): (&String, &Value)| (self.told_text(key), self.masked(item));
                Value::Object(map.iter().map(entry).collect())
            }
            other => other.clone(),
        }
    }
}

fn rewrite(value: &Value, text: &impl Fn(&str) -> String) -> Value {
    match value {
        Value::String(s) => text(s).into(),
        Value::Array(items) => items.iter().map(|item| rewrite(item, text)).collect(),
        Value::Object(map) => Value::Object(
            map.iter()
                .map(|(key, item)| (text(key), rewrite(item, text)))
                .collect::<Map<_, _>>(),
        ),
        other => other.clone(),
    }
}

fn is_label(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'
}

/// Replaces `word` where no label character stands before it and `replace` wants it: that gets the
/// text behind the word and says how much of it goes too, and what comes instead.
fn swap(text: &str, word: &str, replace: impl Fn(&str) -> Option<(usize, String)>) -> String {
    let (mut out, mut at) = (String::with_capacity(text.len()), 0);
    while let Some(found) = text[at..].find(word) {
        let (start, end) = (at + found, at + found + word.len());
        let free = !text[..start].ends_with(is_label);
        let replaced = if free { replace(&text[end..]) } else { None };
        out.push_str(&text[at..start]);
        if let Some((eaten, new)) = replaced {
            out.push_str(&new);
            at = end + eaten;
        } else {
            out.push_str(word);
            at = end;
        }
    }
    out.push_str(&text[at..]);
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Names;

    #[test]
    fn vault_urls_of_every_cloud_are_made_the_cases_own_once() {
        let names = Names::new("es-x");
        let real = names.real_text("vaultUrl: https://kv-main.vault.azure.cn # ${NS} ${CASE}");
        assert_eq!(
            real,
            "vaultUrl: https://g-es-x--kv-main.vault.azure.cn # g-es-x es-x"
        );
        assert_eq!(names.real_text(&real), real);
        assert_eq!(
            names.real_text("https://example.com"),
            "https://example.com"
        );
    }

    #[test]
    fn names_are_turned_back_only_where_they_are_whole() {
        let names = Names::new("es-x");
        let told = names.told(&json!({"g-es-x": ["https://g-es-x--kv.vault.azure.net/s", "g-es-x-other", "g-es-xy", "ag-es-x", "g-es-x g-es-x"]}));
        assert_eq!(
            told,
            json!({"${NS}": ["https://kv.vault.azure.net/s", "${NS}-other", "g-es-xy", "ag-es-x", "${NS} ${NS}"]})
        );
        assert_eq!(
            names.told_text("g-es-x--kv is no URL"),
            "${NS}--kv is no URL"
        );
    }

    #[test]
    fn a_version_is_the_hash_of_the_real_label() {
        // sha256("g-c--kv-main|secrets|many|0")
        let id = Names::new("c").real_text("${VERSION:kv-main/secrets/Many/00}");
        assert_eq!(
            id,
            Names::new("c").real_text("${VERSION:kv-main/secrets/many/0}")
        );
        assert_eq!(id, "5d6e9ca60ed72ab8285fbcff44de3103");
    }

    #[test]
    fn times_random_ids_and_ports_are_masked_but_not_the_cases_own_ids() {
        let names = Names::new("c");
        let masked = |text: &str| names.masked_text(text);
        assert_eq!(masked("at 2025-01-01T00:00:00.5Z."), "at <time>.");
        assert_eq!(masked("2026-01-02 03:04:05 +0000 UTC m=+1.5!"), "<time>!");
        assert_eq!(
            masked("id 9d3c1b0a-0000-1111-2222-333344445555"),
            "id <guid>"
        );
        assert_eq!(
            masked("22222222-2222-2222-2222-222222222222"),
            "22222222-2222-2222-2222-222222222222"
        );
        assert_eq!(
            masked("dial 127.0.0.1:4711: refused"),
            "dial 127.0.0.1:<port>: refused"
        );
        assert_eq!(
            names.masked(&json!({"2025-01-01T00:00:00Z": 1})),
            json!({"2025-01-01T00:00:00Z": 1})
        );
    }
}
