//! The tables of docs/troubleshooting.md, rendered from what was seen. Knows no cluster.

use super::play::{Condition, Seen, Store};
use crate::support::marked::code;

/// One table.
pub(super) struct Section {
    pub(super) title: &'static str,
    /// What is wrong, and what was seen of it.
    pub(super) rows: Vec<(&'static str, Seen)>,
}

/// What stands between the page's marks.
pub(super) fn tables(sections: &[Section]) -> String {
    sections.iter().map(table).collect()
}

fn table(section: &Section) -> String {
    let head = format!(
        "\n## {}\n\n| What is wrong | ExternalSecret, `Ready` | Store |\n| --- | --- | --- |\n",
        section.title
    );
    let rows = section.rows.iter().map(|(title, seen)| {
        let app = &seen.external_secret;
        let store = match &seen.store {
            Store::Absent => "none".to_owned(),
            Store::Content => "all conditions `True`".to_owned(),
            Store::Complains(condition) => told(condition, app),
        };
        format!("| {title} | {} | {store} |\n", code(app))
    });
    head + &rows.collect::<String>()
}

/// A store's condition, beside what the ExternalSecret says.
fn told(condition: &Condition, app: &str) -> String {
    let Condition {
        kind,
        reason,
        message,
    } = condition;
    let message = if app.ends_with(message.as_str()) {
        format!("the same words from {} on", code(&first_words(message)))
    } else {
        code(message)
    };
    format!("`{kind}=False`, `{reason}`: {message}")
}

/// Where the message that repeats another's end begins.
fn first_words(message: &str) -> String {
    let words: Vec<&str> = message.split_whitespace().take(3).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_seen_stands_in_a_row() {
        let seen = |store: Store| Seen {
            external_secret: "Category: act: `a|b`".to_owned(),
            store,
        };
        let complains = |message: &str| {
            seen(Store::Complains(Condition {
                kind: "Ready",
                reason: "Invalid".to_owned(),
                message: message.to_owned(),
            }))
        };
        let rows = vec![
            ("w", seen(Store::Absent)),
            ("x", seen(Store::Content)),
            ("y", complains("act: `a|b`")),
            ("z", complains("c")),
        ];
        let section = Section { title: "T", rows };
        let told = tables(&[section]);
        let app = "`` Category: act: `a\\|b` ``";
        let head =
            "## T\n\n| What is wrong | ExternalSecret, `Ready` | Store |\n| --- | --- | --- |\n";
        let want = format!(
            "\n{head}| w | {app} | none |\n\
             | x | {app} | all conditions `True` |\n\
             | y | {app} | `Ready=False`, `Invalid`: the same words from `` act: `a\\|b` `` on |\n\
             | z | {app} | `Ready=False`, `Invalid`: `c` |\n"
        );
        assert_eq!(told, want);
    }
}
