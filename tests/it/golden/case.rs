//! The case format (tests/golden/README.md), read strictly: a word that it does not know is an error.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Longer names would not fit into labels of vault hosts.
const MAX_NAME: usize = 40;

/// A case file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Case {
    /// The file's name without `.yaml`.
    pub(crate) name: String,
    #[serde(rename = "about")]
    _about: Value,
    #[serde(rename = "covers")]
    _covers: Value,
    /// Labels of the case's namespace.
    #[serde(default)]
    pub(crate) namespace_labels: Map<String, Value>,
    /// Further namespaces: suffix → labels.
    #[serde(default)]
    pub(crate) extra_namespaces: BTreeMap<String, Option<Map<String, Value>>>,
    /// Initial content by vault label.
    #[serde(default)]
    pub(crate) vault: Map<String, Value>,
    steps: Vec<Step>,
    #[serde(default)]
    serial: bool,
    expect: Option<Expect>,
    /// The directory the file stands in.
    #[serde(skip)]
    pub(crate) suite: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    #[serde(rename = "by")]
    _by: String,
    snapshots: BTreeMap<String, Value>,
}

/// One step: at most one verb, with options.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Step {
    apply: Option<String>,
    snapshot: Option<String>,
    vault: Option<Map<String, Value>>,
    annotate: Option<Map<String, Value>>,
    label: Option<Map<String, Value>>,
    patch: Option<Map<String, Value>>,
    delete: Option<Vec<String>>,
    fault: Option<Map<String, Value>>,
    entra: Option<Map<String, Value>>,
    sleep: Option<f64>,
    /// What must come true afterwards, by object reference.
    #[serde(default)]
    pub(crate) r#await: Map<String, Value>,
    /// Seconds that an await may take.
    pub(crate) timeout: Option<f64>,
    /// The API must refuse it: `true`, or a part of the message.
    #[serde(default)]
    pub(crate) rejected: Value,
    /// Does not wait for deleted objects to go.
    #[serde(default)]
    pub(crate) no_wait: bool,
    /// Object → its controlling owner, set after apply.
    #[serde(default)]
    pub(crate) owned_by: BTreeMap<String, String>,
    /// Does not wait for quiet.
    #[serde(default)]
    pub(crate) race: bool,
}

/// What a step does.
#[derive(Clone, Copy)]
pub(crate) enum Verb<'a> {
    /// Multi-document YAML.
    Apply(&'a str),
    /// The snapshot's name.
    Snapshot(&'a str),
    /// Content by vault label.
    Vault(&'a Map<String, Value>),
    /// `annotations` or `labels`, and values by object.
    Mark(&'static str, &'a Map<String, Value>),
    /// Merge patches by object.
    Patch(&'a Map<String, Value>),
    /// Objects to delete.
    Delete(&'a [String]),
    /// Faults by vault label, host or `*`.
    Fault(&'a Map<String, Value>),
    /// Applications by tenant.
    Entra(&'a Map<String, Value>),
    /// Seconds.
    Sleep(f64),
    /// Only awaits.
    Nothing,
}

impl Verb<'_> {
    /// The verb's word.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Apply(_) => "apply",
            Self::Snapshot(_) => "snapshot",
            Self::Vault(_) => "vault",
            Self::Mark(..) => "mark",
            Self::Patch(_) => "patch",
            Self::Delete(_) => "delete",
            Self::Fault(_) => "fault",
            Self::Entra(_) => "entra",
            Self::Sleep(_) => "sleep",
            Self::Nothing => "await",
        }
    }

    /// Whether it changes something that an operator may react to.
    pub(crate) fn changes(&self) -> bool {
        !matches!(
            self,
            Self::Apply(_) | Self::Snapshot(_) | Self::Sleep(_) | Self::Nothing
        )
    }
}

impl Step {
    /// The step's verb; more than one is an error.
    pub(crate) fn verb(&self) -> anyhow::Result<Verb<'_>> {
        let verbs = [
            self.apply.as_deref().map(Verb::Apply),
            self.snapshot.as_deref().map(Verb::Snapshot),
            self.vault.as_ref().map(Verb::Vault),
            self.annotate.as_ref().map(|m| Verb::Mark("annotations", m)),
            self.label.as_ref().map(|m| Verb::Mark("labels", m)),
            self.patch.as_ref().map(Verb::Patch),
            self.delete.as_deref().map(Verb::Delete),
            self.fault.as_ref().map(Verb::Fault),
            self.entra.as_ref().map(Verb::Entra),
            self.sleep.map(Verb::Sleep),
        ];
        let mut verbs = verbs.into_iter().flatten();
        let verb = verbs.next().unwrap_or(Verb::Nothing);
        ensure!(verbs.next().is_none(), "more than one verb");
        Ok(verb)
    }
}

impl Case {
    /// Reads and checks a file.
    pub(crate) fn load(file: &Path) -> anyhow::Result<Self> {
        let load = || -> anyhow::Result<Self> {
            let text = std::fs::read_to_string(file)?;
            let [document] = <[Value; 1]>::try_from(documents(&text)?)
                .map_err(|all| anyhow::anyhow!("{} documents instead of one", all.len()))?;
            let mut case: Self = serde_json::from_value(document)?;
            let stem = file
                .file_stem()
                .and_then(|s| s.to_str())
                .unwrap_or_default();
            ensure!(
                case.name == stem,
                "the file's name must be {}.yaml",
                case.name
            );
            ensure!(is_name(&case.name), "bad name {:?}", case.name);
            for step in &case.steps {
                step.verb()?;
            }
            let suite = file
                .parent()
                .and_then(Path::file_name)
                .and_then(|s| s.to_str());
            suite.unwrap_or_default().clone_into(&mut case.suite);
            Ok(case)
        };
        load().with_context(|| format!("case {}", file.display()))
    }

    /// The steps in order.
    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Whether the case must run alone: it says so, or disturbs what others use.
    pub(crate) fn is_serial(&self) -> bool {
        let wide = |step: &Step| {
            step.fault
                .iter()
                .flat_map(Map::keys)
                .any(|target| is_host(target))
        };
        self.serial
            || self
                .steps
                .iter()
                .any(|step| step.entra.is_some() || wide(step))
    }

    /// All that `fault` steps touch.
    pub(crate) fn fault_targets(&self) -> impl Iterator<Item = &String> {
        self.steps
            .iter()
            .flat_map(|step| step.fault.iter().flat_map(Map::keys))
    }

    /// Whether a step changes an application's registration.
    pub(crate) fn changes_entra(&self) -> bool {
        self.steps.iter().any(|step| step.entra.is_some())
    }

    /// The recording, by snapshot.
    pub(crate) fn recorded(&self) -> anyhow::Result<&BTreeMap<String, Value>> {
        self.expect
            .as_ref()
            .map(|expect| &expect.snapshots)
            .context("no recording")
    }
}

/// Whether a fault's target is a host (or `*` for all) and not a vault of the case.
pub(crate) fn is_host(target: &str) -> bool {
    target == "*" || target.contains('.')
}

/// The documents of a YAML text; empty ones are left out, of a repeated key the last counts.
pub(crate) fn documents(text: &str) -> anyhow::Result<Vec<Value>> {
    let options = serde_saphyr::options! {
        duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::LastWins,
        strict_booleans: true, // a key `n` is a name
    };
    let all: Vec<Value> = serde_saphyr::from_multiple_with_options(text, options)?;
    Ok(all
        .into_iter()
        .filter(|document| !document.is_null())
        .collect())
}

/// All case files below a directory, sorted.
pub(crate) fn files(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(next) = open.pop() {
        let entries =
            std::fs::read_dir(&next).with_context(|| format!("reading {}", next.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "yaml") {
                found.push(path);
            }
        }
    }
    if found.is_empty() {
        bail!("no cases in {}", directory.display());
    }
    found.sort();
    Ok(found)
}

fn is_name(name: &str) -> bool {
    let word = |w: &str| {
        !w.is_empty()
            && w.chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    name.len() <= MAX_NAME && name.split('-').all(word)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Step, documents, files, is_name};
    use crate::golden::case::Case;

    #[test]
    fn every_case_of_the_repository_can_be_read_and_has_a_recording() {
        let directory = crate::support::settings::repository().join("tests/golden");
        let cases: Vec<Case> = files(&directory)
            .unwrap()
            .iter()
            .map(|file| Case::load(file).unwrap())
            .collect();
        assert!(cases.len() > 300, "{} cases", cases.len());
        for case in &cases {
            assert!(
                !case.recorded().unwrap().is_empty(),
                "{} has no snapshot",
                case.name
            );
        }
    }

    #[test]
    fn a_step_has_one_verb() {
        let step: Step =
            serde_json::from_value(json!({"sleep": 1, "delete": ["Secret/a"]})).unwrap();
        assert!(step.verb().is_err());
        assert!(serde_json::from_value::<Step>(json!({"slep": 1})).is_err());
    }

    #[test]
    fn yaml_documents_keep_texts_and_take_the_last_of_a_repeated_key() {
        let text = "a: 22222222-2222\nb: 'True'\nn: n\n---\n---\na: 1\na: [2, x]\n";
        assert_eq!(
            documents(text).unwrap(),
            [
                json!({"a": "22222222-2222", "b": "True", "n": "n"}),
                json!({"a": [2, "x"]})
            ]
        );
    }

    #[test]
    fn names_are_words_joined_by_single_dashes() {
        assert!(
            is_name("es-a1")
                && !is_name("es--a")
                && !is_name("Es")
                && !is_name("-a")
                && !is_name(&"a".repeat(41))
        );
    }
}
