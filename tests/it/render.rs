//! `keyferry render`: the built program, offline, on examples/ and on bad input.

#![expect(
    clippy::unwrap_used,
    reason = "clippy's exception for tests does not reach their helpers"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Map, Value, json};

use crate::examples::{folders, map, objects};
use crate::golden::documents;
use crate::support::cluster::text;
use crate::support::manifests::value;
use crate::support::settings;

/// Values in a file know no tags.
const FOUND_BY_TAG: &str = "find-by-tag";

fn render(arguments: &[&str]) -> Output {
    let mut command = Command::new(settings::operator());
    command.env_clear().arg("render").args(arguments);
    command.output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The example's vaults under the names of its stores, as `--values` takes them.
fn values(folder: &Path, directory: &Path) -> PathBuf {
    let vaults = map(folder, "vault.yaml");
    let mut stores = Map::new();
    for store in objects(folder, "store.yaml") {
        let url = text(&store["spec"]["provider"]["azurekv"]["vaultUrl"]);
        let label = url
            .trim_start_matches("https://")
            .split('.')
            .next()
            .unwrap();
        let secrets = vaults[label]["secrets"].as_object().unwrap().iter();
        let values: Map<String, Value> = secrets
            .map(|(key, secret)| (key.clone(), secret["value"].clone()))
            .collect();
        stores.insert(text(&store["metadata"]["name"]).to_owned(), values.into());
    }
    let file = directory.join("values.yaml");
    std::fs::write(&file, json!(stores).to_string()).unwrap();
    file
}

fn of_example(folder: &Path, more: &[&str]) -> Output {
    let directory = tempfile::tempdir().unwrap();
    let values = values(folder, directory.path());
    let files = ["store.yaml", "externalsecret.yaml"].map(|file| folder.join(file));
    let mut arguments: Vec<&str> = files.iter().map(|file| file.to_str().unwrap()).collect();
    arguments.extend(["--values", values.to_str().unwrap()]);
    arguments.extend(more);
    render(&arguments)
}

#[test]
fn every_example_renders_to_what_it_promises() {
    for folder in folders() {
        let output = of_example(&folder, &["--show-values"]);
        let name = folder.display();
        if folder.ends_with(FOUND_BY_TAG) {
            assert!(!output.status.success(), "{name}");
            assert!(out(&output).contains("unsupported find operator"), "{name}");
            continue;
        }
        assert!(output.status.success(), "{name}: {output:?}");
        let rendered = documents(&out(&output)).unwrap();
        for (target, want) in map(&folder, "expected.yaml") {
            let found = rendered.iter().find(|it| it["metadata"]["name"] == *target);
            let secret = found.unwrap_or_else(|| panic!("{name}: no {target}"));
            let keys = secret["data"].as_object().unwrap().keys();
            let data: Map<String, Value> = keys
                .map(|key| (key.clone(), value(secret, key).into()))
                .collect();
            assert_eq!(Value::Object(data), want["data"], "{name}");
        }
    }
}

#[test]
fn values_are_shown_only_where_asked() {
    let folder = folders()
        .into_iter()
        .find(|it| it.ends_with("single-value"));
    let output = of_example(&folder.unwrap(), &[]);
    let shown = out(&output);
    assert!(
        shown.contains("DB_PASSWORD: <redacted, 13 bytes>"),
        "{shown}"
    );
    assert!(
        !shown.contains("correct horse") && !shown.contains("data-hash"),
        "{shown}"
    );
}

#[test]
fn what_is_wrong_is_named_and_the_rest_is_rendered() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("all.yaml");
    let external_secret = |name: &str, remote: &str| {
        json!({"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret",
            "metadata": {"name": name},
            "spec": {"secretStoreRef": {"name": "s"},
                "data": [{"secretKey": "K", "remoteRef": {"key": remote}}]}})
    };
    let store = json!({"apiVersion": "external-secrets.io/v1", "kind": "SecretStore",
        "metadata": {"name": "s"}, "spec": {"provider": {"fake": {"data": [{"key": "a", "value": "v"}]}}}});
    let all = [
        store,
        external_secret("bad", "nope"),
        external_secret("good", "a"),
    ];
    let text: Vec<String> = all.iter().map(Value::to_string).collect();
    std::fs::write(&file, text.join("\n---\n")).unwrap();
    let output = render(&[file.to_str().unwrap()]);
    let shown = out(&output);
    assert!(!output.status.success());
    assert!(
        shown.contains("ExternalSecret default/bad fails: "),
        "{shown}"
    );
    assert!(shown.contains("Secret does not exist: \"nope\""), "{shown}");
    assert!(shown.contains("name: good"), "{shown}");

    let absent = render(&["no-such-file.yaml"]);
    let told = String::from_utf8(absent.stderr).unwrap();
    assert!(told.contains("cannot read no-such-file.yaml"), "{told}");
}

/// What is said of an ExternalSecret `app` whose template this is.
fn template_failure(template: &Value, beside: &[Value]) -> String {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("all.yaml");
    let object = json!({"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret",
        "metadata": {"name": "app", "namespace": "team-a"},
        "spec": {"secretStoreRef": {"name": "s"}, "target": {"template": template},
            "data": [{"secretKey": "foo", "remoteRef": {"key": "a"}}]}});
    let store = json!({"apiVersion": "external-secrets.io/v1", "kind": "SecretStore",
        "metadata": {"name": "s", "namespace": "team-a"},
        "spec": {"provider": {"fake": {"data": [{"key": "a", "value": "hunter2"}]}}}});
    let all: Vec<String> = [&store, &object]
        .into_iter()
        .chain(beside)
        .map(Value::to_string)
        .collect();
    std::fs::write(&file, all.join("\n---\n")).unwrap();
    let output = render(&[file.to_str().unwrap()]);
    assert!(!output.status.success());
    let shown = out(&output);
    assert!(!shown.contains("hunter2"), "{shown}");
    shown
}

#[test]
fn a_template_that_fails_is_shown_with_a_mark_below_the_place() {
    let text = "# é\n\tuser: x\n\thost: {{ .foo.bar }}\n";
    let shown = template_failure(&json!({"data": {"config": text}}), &[]);
    assert!(
        shown.starts_with("# ExternalSecret team-a/app fails: could not apply template: "),
        "{shown}"
    );
    assert!(
        shown.contains("template: config:3:14: executing \"config\" at <.foo.bar>"),
        "{shown}"
    );
    let place = "#   in spec.target.template.data.config
#      3 |     host: {{ .foo.bar }}
#        |                  ^
";
    assert!(shown.ends_with(place), "{shown}");
}

#[test]
fn a_template_that_cannot_be_parsed_is_shown_with_its_line() {
    let literal = json!({"templateFrom": [{"literal": "a: b\nc: {{ if }}\n"}]});
    let shown = template_failure(&literal, &[]);
    let place = "#   in spec.target.template.templateFrom[0].literal\n#      2 | c: {{ if }}\n";
    assert!(shown.ends_with(place), "{shown}");
}

#[test]
fn a_line_of_a_config_map_is_shown_and_none_of_a_secret() {
    let source = |kind: &str| json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": "texts", "namespace": "team-a"}});
    let text = "k: private {{ .nope }}\n";
    let from = |kind: &str, scope: &str| {
        let items = [json!({"key": "t", "templateAs": scope})];
        json!({"templateFrom": [{kind: {"name": "texts", "items": items}}]})
    };
    let mut config_map = source("ConfigMap");
    config_map["data"] = json!({"t": text});
    let shown = template_failure(&from("configMap", "Values"), &[config_map]);
    let place = "#   in ConfigMap texts, key t\n#      1 | k: private {{ .nope }}\n#        |               ^\n";
    assert!(shown.ends_with(place), "{shown}");

    let mut secret = source("Secret");
    secret["stringData"] = json!({"t": text});
    for scope in ["Values", "KeysAndValues"] {
        let shown = template_failure(&from("secret", scope), std::slice::from_ref(&secret));
        assert!(shown.ends_with("#   in Secret texts, key t\n"), "{shown}");
        assert!(!shown.contains("private"), "{shown}");
    }
}
