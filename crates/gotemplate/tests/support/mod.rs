//! What the tests share.

use gotemplate::Functions;

/// The functions under test.
pub(crate) fn functions() -> Functions {
    Functions::new()
}

/// The templates of all cases, for mutation.
#[allow(dead_code, reason = "not every test mutates")]
pub(crate) fn templates() -> Vec<String> {
    #[derive(serde::Deserialize)]
    struct Case {
        template: String,
    }
    let corpus: Vec<Case> = serde_saphyr::from_str(include_str!("../cases.yaml")).unwrap();
    let go: Vec<Case> = serde_json::from_str(include_str!("../go-cases.json")).unwrap();
    corpus
        .into_iter()
        .chain(go)
        .map(|case| case.template)
        .collect()
}
