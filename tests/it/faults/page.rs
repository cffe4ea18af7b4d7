//! The tables of docs/troubleshooting.md, rendered from what was seen. Knows no cluster.

use super::play::Seen;

const BEGIN: &str = "<!-- begin: written by the test `faults`, from what it saw -->\n";
const END: &str = "<!-- end -->\n";

/// One table.
pub(super) struct Section {
    pub(super) title: &'static str,
    /// What is wrong, and what was seen of it.
    pub(super) rows: Vec<(&'static str, Seen)>,
}

/// The page with these sections between its marks; `None` where it has no marks.
pub(super) fn with_tables(page: &str, sections: &[Section]) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    let tables: String = sections.iter().map(table).collect();
    Some(format!("{before}{BEGIN}{tables}\n{END}{after}"))
}

fn table(section: &Section) -> String {
    let head = format!(
        "\n## {}\n\n| What is wrong | ExternalSecret, `Ready` | Store |\n| --- | --- | --- |\n",
        section.title
    );
    let rows = section.rows.iter().map(|(title, seen)| {
        let app = &seen.external_secret;
        let store = match &seen.store {
            None => "nothing to complain of".to_owned(),
            Some([kind, reason, message]) if app.ends_with(message.as_str()) => {
                format!(
                    "`{kind}=False` {reason}: the same words from `{}`",
                    first_words(message)
                )
            }
            Some([kind, reason, message]) => format!("`{kind}=False` {reason}: {}", code(message)),
        };
        format!("| {title} | {} | {store} |\n", code(app))
    });
    head + &rows.collect::<String>()
}

/// Where the message that repeats another's end begins.
fn first_words(message: &str) -> String {
    let words: Vec<&str> = message.split_whitespace().take(3).collect();
    words.join(" ")
}

/// A code span within a table.
fn code(text: &str) -> String {
    let text = text.replace('|', "\\|");
    if text.contains('`') {
        format!("`` {text} ``")
    } else {
        format!("`{text}`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_seen_stands_between_the_marks() {
        let seen = |store: Option<&str>| Seen {
            external_secret: "Category: act: `a|b`".to_owned(),
            store: store.map(|message| ["Ready", "Invalid", message].map(str::to_owned)),
        };
        let rows = vec![
            ("x", seen(None)),
            ("y", seen(Some("act: `a|b`"))),
            ("z", seen(Some("c"))),
        ];
        let section = Section { title: "T", rows };
        let page = with_tables(&format!("a\n{BEGIN}old\n{END}b\n"), &[section]).unwrap();
        let app = "`` Category: act: `a\\|b` ``";
        let head =
            "## T\n\n| What is wrong | ExternalSecret, `Ready` | Store |\n| --- | --- | --- |\n";
        let want = format!(
            "a\n{BEGIN}\n{head}| x | {app} | nothing to complain of |\n\
             | y | {app} | `Ready=False` Invalid: the same words from `act: `a|b`` |\n\
             | z | {app} | `Ready=False` Invalid: `c` |\n\n{END}b\n"
        );
        assert_eq!(page, want);
        assert!(with_tables("no marks", &[]).is_none());
    }
}
