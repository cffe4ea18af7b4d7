//! Tables of a page that a test writes from what it saw, between marks. `KEYFERRY_BLESS=1` writes them,
//! otherwise they are compared.

#![expect(
    clippy::unwrap_used,
    reason = "clippy's exception for tests does not reach their helpers"
)]

use super::settings;

const END: &str = "<!-- end -->\n";

/// Writes what the test `test` saw into the page, or ends the test where the page says something else.
pub(crate) fn hold(page: &str, test: &str, seen: &str) {
    let file = settings::repository().join(page);
    let before = std::fs::read_to_string(&file).unwrap();
    let want = with(&before, test, seen).unwrap();
    if settings::variable("KEYFERRY_BLESS").is_some() {
        std::fs::write(file, want).unwrap();
        return;
    }
    let old: Vec<&str> = before.lines().collect();
    let news: Vec<&str> = want.lines().filter(|line| !old.contains(line)).collect();
    assert!(
        before == want,
        "{page} is out of date; KEYFERRY_BLESS=1 writes it. Seen and not there:\n{}",
        news.join("\n")
    );
}

/// The page with this between the test's marks; `None` where it has no marks.
fn with(page: &str, test: &str, seen: &str) -> Option<String> {
    let begin = format!("<!-- begin: written by the test `{test}`, from what it saw -->\n");
    let (head, rest) = page.split_once(&begin)?;
    let (_, tail) = rest.split_once(END)?;
    Some(format!("{head}{begin}{seen}\n{END}{tail}"))
}

/// A code span within a table.
pub(crate) fn code(text: &str) -> String {
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
        let begin = "<!-- begin: written by the test `t`, from what it saw -->\n";
        let page = format!("a\n{begin}old\n{END}b\n");
        let want = format!("a\n{begin}new\n{END}b\n");
        assert_eq!(with(&page, "t", "new").as_deref(), Some(want.as_str()));
        assert!(with(&page, "u", "new").is_none());
    }
}
