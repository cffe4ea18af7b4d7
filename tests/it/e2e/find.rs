//! The common cases of `dataFrom.find`. Upstream's names hold underscores, which Key Vault refuses: here
//! they are hyphens. Paths mean nothing to a vault, in ESO too: what they leave out upstream has another
//! name or another tag here.

use serde_json::{Value, json};

use super::Case;

/// Three of four secrets by name.
pub(super) fn find_by_name(ns: &str) -> Case {
    let (names, secrets) = four(ns);
    let find = json!({"name": {"regexp": format!("{ns}-(one|two|three)")}});
    Case::new(&secrets, spec(&find, Value::Null), found(&names))
}

/// The common beginning of the names goes.
pub(super) fn find_by_name_and_rewrite(ns: &str) -> Case {
    let (_, secrets) = four(ns);
    let find = json!({"name": {"regexp": format!("{ns}-(one|two|three)")}});
    let rewrite = json!([{"regexp": {"source": format!("{ns}-(.*)"), "target": "$1"}}]);
    let data = json!({"one": "v1", "two": "v2", "three": "v3"});
    Case::new(&secrets, spec(&find, rewrite), data)
}

/// With a path, with which all names begin.
pub(super) fn find_by_name_with_path(ns: &str) -> Case {
    let (names, secrets) = four(ns);
    let find = json!({"path": ns, "name": {"regexp": "(one|two|three)$"}});
    Case::new(&secrets, spec(&find, Value::Null), found(&names))
}

/// Those that have all the tags.
pub(super) fn find_by_tag(ns: &str) -> Case {
    tagged(ns, &json!({"tags": {"test": "yes", "kind": ns}}))
}

/// With a path besides.
pub(super) fn find_by_tag_with_path(ns: &str) -> Case {
    tagged(
        ns,
        &json!({"path": ns, "tags": {"test": "yes", "kind": ns}}),
    )
}

fn tagged(ns: &str, find: &Value) -> Case {
    let (names, secrets) = four(ns);
    let mut case = Case::new(&secrets, spec(find, Value::Null), found(&names));
    for name in &names {
        case.vault["secrets"][name]["tags"] = json!({"test": "yes", "kind": ns, "more": "x"});
    }
    case.vault["secrets"][format!("{ns}-left")]["tags"] = json!({"test": "yes"});
    case
}

/// The names that are meant, and all secrets: one more.
fn four(ns: &str) -> ([String; 3], [(String, &'static str); 4]) {
    let name = |end: &str| format!("{ns}-{end}");
    let names = [name("one"), name("two"), name("three")];
    let [one, two, three] = names.clone();
    let secrets = [
        (one, "v1"),
        (two, "v2"),
        (three, "v3"),
        (name("left"), "v4"),
    ];
    (names, secrets)
}

fn found([one, two, three]: &[String; 3]) -> Value {
    json!({one: "v1", two: "v2", three: "v3"})
}

fn spec(find: &Value, rewrite: Value) -> Value {
    let mut source = json!({"find": find});
    if !rewrite.is_null() {
        source["rewrite"] = rewrite;
    }
    json!({"dataFrom": [source]})
}
