//! Manifests of others: the corpus, the HOWTO's, and everything that ESO was given when it was recorded.

use std::path::Path;

use serde_json::Value;

use super::{bed, documents, refusal, repository, run, text};
use crate::support::say;

/// The kinds that have a definition here.
const KINDS: [&str; 3] = ["ExternalSecret", "SecretStore", "ClusterSecretStore"];

/// ESO refuses it and no definition can: CEL sees an object's name and not its namespace. The store's status tells.
const TOLD_IN_STATUS: &str = "store-foreign-ns-rejected";

fn read(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap();
    documents(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
}

fn yaml_files(directory: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries
        .filter(|path| path.extension().is_some_and(|e| e == "yaml"))
        .collect();
    files.sort();
    files
}

#[test]
fn corpus() {
    run(async {
        let namespace = bed().await.namespace("corpus").await.unwrap();
        let (mut passed, mut refused) = (0, Vec::new());
        for file in yaml_files(&repository().join("tests/corpus")) {
            for document in read(&file) {
                match refusal(&document, &namespace).await.unwrap() {
                    None => passed += 1,
                    Some(why) => refused.push(format!("{}: {}", document["metadata"]["name"], why)),
                }
            }
        }
        say(&format!(
            "corpus: {passed} documents pass a strict dry run, {} do not",
            refused.len()
        ));
        assert!(refused.is_empty(), "{refused:#?}");
        assert_eq!(passed, 114);
    });
}

#[test]
fn the_howtos_manifests_are_admitted() {
    run(async {
        let namespace = bed().await.namespace("howto").await.unwrap();
        let files = yaml_files(&repository().join("examples/howto"));
        let documents: Vec<Value> = files.iter().flat_map(|file| read(file)).collect();
        assert_eq!(documents.len(), 3);
        for document in documents {
            assert_eq!(
                refusal(&document, &namespace).await.unwrap(),
                None,
                "{document}"
            );
        }
    });
}

/// The objects of our kinds that a case's step applies.
fn applied(case: &str, step: &Value) -> Vec<Value> {
    let yaml = text(&step["apply"])
        .replace("${NS}", &format!("g-{case}"))
        .replace("${CASE}", case);
    let all = documents(&yaml).unwrap_or_else(|e| panic!("{case}: {e}"));
    all.into_iter()
        .filter(|object| KINDS.contains(&text(&object["kind"])))
        .collect()
}

#[test]
fn what_eso_accepted_is_accepted_and_what_it_refused_is_refused() {
    run(async {
        let namespace = bed().await.namespace("recorded").await.unwrap();
        let (mut accepted, mut refused) = (0, 0);
        let suites = std::fs::read_dir(repository().join("tests/golden"))
            .unwrap()
            .map(|entry| entry.unwrap().path());
        for file in suites
            .filter(|path| path.is_dir())
            .flat_map(|suite| yaml_files(&suite))
        {
            for case in read(&file) {
                let name = text(&case["name"]);
                for step in case["steps"].as_array().into_iter().flatten() {
                    let mut refusals = Vec::new();
                    let objects = applied(name, step);
                    for object in &objects {
                        refusals.extend(refusal(object, &namespace).await.unwrap());
                    }
                    if step["rejected"].is_null() {
                        assert!(refusals.is_empty(), "{name}: {refusals:?}");
                        accepted += objects.len();
                    } else if name != TOLD_IN_STATUS && !objects.is_empty() {
                        assert!(!refusals.is_empty(), "{name}: nothing refused");
                        refused += 1;
                    }
                }
            }
        }
        say(&format!(
            "recorded manifests: {accepted} accepted, {refused} steps refused, as by ESO"
        ));
        assert!(accepted > 600 && refused >= 19);
    });
}
