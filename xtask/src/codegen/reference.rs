//! docs/reference: a page for each kind, from the schemas of the CRDs.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use keyferry::api::crds;
use serde_json::Value;

use super::{NOTE, cell};

const INDEX: &str = "# Reference of the kinds

Made from the CRDs in [crds](../../crds), which are made from the types of the program. `v1` is stored; `v1beta1` is served with the same
schema. A field marked * is required where what it stands in is given. `[]` is each item of a list, `{}` each member of a map. `kubectl explain
externalsecret.spec` shows the same descriptions.

| kind | scope | short name | |
| --- | --- | --- | --- |
";
/// Fields that the schema takes and the operator refuses in the status: kind and end of the path.
const NOT_SERVED: [(&str, &str); 1] = [("ExternalSecret", "sourceRef.generatorRef")];

/// The pages.
///
/// # Errors
/// A definition has no schema.
pub(super) fn pages() -> Result<Vec<(PathBuf, String)>> {
    let folder = Path::new("docs/reference");
    let mut index = format!("{NOTE}{INDEX}");
    let mut pages = Vec::new();
    for crd in crds::all() {
        let crd = serde_json::to_value(&crd).context("a definition is JSON")?;
        let spec = &crd["spec"];
        let kind = text(&spec["names"]["kind"]);
        let file = format!("{}.md", kind.to_lowercase());
        let schema = &spec["versions"][0]["schema"]["openAPIV3Schema"];
        // writing into a String cannot fail
        let _ = writeln!(
            index,
            "| [{kind}]({file}) | {} | `{}` | {} |",
            text(&spec["scope"]),
            text(&spec["names"]["shortNames"][0]),
            cell(text(&schema["description"]))
        );
        pages.push((folder.join(file), page(kind, spec, schema)));
    }
    pages.push((folder.join("README.md"), index));
    Ok(pages)
}

fn page(kind: &str, spec: &Value, schema: &Value) -> String {
    let mut fields = Fields::default();
    for part in ["spec", "status"] {
        fields.walk(part, &schema["properties"][part], false);
    }
    let versions = spec["versions"].as_array().into_iter().flatten();
    let versions: Vec<&str> = versions.map(|version| text(&version["name"])).collect();
    let mut page = format!(
        "{NOTE}# {kind}\n\n{} `{}`, versions {}.\n",
        text(&schema["description"]),
        text(&spec["group"]),
        versions.join(" and ")
    );
    for part in ["spec", "status"] {
        let _ = write!(
            page,
            "\n## {part}\n\n| field | type | default | |\n| --- | --- | --- | --- |\n"
        );
        let rows = fields.rows.iter().filter(|row| row.path.starts_with(part));
        for row in rows {
            let _ = writeln!(
                page,
                "| `{}`{} | {} | {} | {} |",
                row.path,
                if row.is_required { " *" } else { "" },
                row.kind,
                row.default,
                row.about
            );
        }
    }
    write_list(
        &mut page,
        "Without effect or not served",
        &fields.without_effect(kind),
    );
    write_list(
        &mut page,
        "What the API server refuses beside wrong types",
        &fields.rules,
    );
    page
}

fn write_list(page: &mut String, title: &str, items: &[(String, String)]) {
    if !items.is_empty() {
        let _ = write!(page, "\n## {title}\n\n");
        for (path, words) in items {
            let _ = writeln!(page, "- `{path}`: {words}");
        }
    }
}

struct Row {
    path: String,
    kind: String,
    default: String,
    about: String,
    is_required: bool,
}

#[derive(Default)]
struct Fields {
    rows: Vec<Row>,
    /// Path and message of the rules beyond types.
    rules: Vec<(String, String)>,
}

impl Fields {
    /// A field and all below it.
    fn walk(&mut self, path: &str, schema: &Value, is_required: bool) {
        self.rows.push(Row {
            path: path.to_owned(),
            kind: kind_of(schema),
            default: match &schema["default"] {
                Value::Null => String::new(),
                default => format!("`{default}`"),
            },
            about: cell(text(&schema["description"])),
            is_required,
        });
        self.below(path, schema);
    }

    fn below(&mut self, path: &str, schema: &Value) {
        let rules = schema["x-kubernetes-validations"].as_array();
        for rule in rules.into_iter().flatten() {
            let message = match &rule["message"] {
                Value::Null => &rule["rule"],
                message => message,
            };
            self.rules.push((path.to_owned(), cell(text(message))));
        }
        let is_required = |name: &str| {
            let mut names = schema["required"].as_array().into_iter().flatten();
            names.any(|it| it == name)
        };
        for (name, member) in schema["properties"].as_object().into_iter().flatten() {
            self.walk(&format!("{path}.{name}"), member, is_required(name));
        }
        if schema["items"].is_object() {
            self.below(&format!("{path}[]"), &schema["items"]);
        }
        if schema["additionalProperties"].is_object() {
            self.below(&format!("{path}{{}}"), &schema["additionalProperties"]);
        }
    }

    /// By their descriptions, and by the table of what is refused.
    fn without_effect(&self, kind: &str) -> Vec<(String, String)> {
        let of = |row: &Row| {
            if row.about.starts_with("Accepted for compatibility") {
                return Some(row.about.clone());
            }
            let is_refused = NOT_SERVED
                .iter()
                .any(|(of, end)| *of == kind && row.path.ends_with(&format!(".{end}")));
            is_refused.then(|| "not served: an object that has it is refused in its status, by the field's name.".to_owned())
        };
        let rows = self.rows.iter();
        rows.filter_map(|row| Some((row.path.clone(), of(row)?)))
            .collect()
    }
}

/// `string`, `list of object`, `` `A` or `B` ``.
fn kind_of(schema: &Value) -> String {
    let values = schema["enum"].as_array();
    let values: Vec<String> = values
        .into_iter()
        .flatten()
        .map(|value| format!("`{}`", text(value)))
        .collect();
    if !values.is_empty() {
        return values.join(", ");
    }
    if schema["x-kubernetes-int-or-string"] == true {
        return "integer or string".to_owned();
    }
    match schema["type"].as_str() {
        Some("array") => format!("list of {}", kind_of(&schema["items"])),
        Some("object") if schema["additionalProperties"].is_object() => {
            format!("map of {}", kind_of(&schema["additionalProperties"]))
        }
        Some(name) => name.to_owned(),
        None => "any".to_owned(),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_fields_defaults_rules_and_what_is_not_served() {
        let pages = pages().unwrap();
        let of = |name: &str| {
            let found = pages.iter().find(|(path, _)| path.ends_with(name));
            &found.unwrap().1
        };
        let page = of("externalsecret.md");
        for part in [
            "| `spec.refreshInterval` | string | `\"1h0m0s\"` | Time between two refreshes",
            "| `spec.data[].remoteRef.key` * | string |  | ",
            "- `spec.refreshInterval`: must be a duration such as",
            "- `spec.dataFrom[].sourceRef.generatorRef`: not served",
        ] {
            assert!(page.contains(part), "{part}\n{page}");
        }
        let store = of("secretstore.md");
        assert!(
            store.contains("- `spec.retrySettings`: Accepted for compatibility"),
            "{store}"
        );
        assert!(of("README.md").contains("[ClusterSecretStore](clustersecretstore.md)"));
    }
}
