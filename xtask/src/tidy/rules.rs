//! Rules about the text of a file: its head and its sizes.

use super::source::Source;
use super::violation::Violation;

const FILE_LINES: usize = 400;
const FUNCTION_LINES: usize = 60;

/// All rules of this page.
pub(super) fn check(source: &Source) -> Vec<Violation> {
    let mut violations = head(source);
    violations.extend(sizes(source));
    violations
}

fn head(source: &Source) -> Vec<Violation> {
    if !source.head.is_empty() {
        return Vec::new();
    }
    let message =
        "the file does not introduce itself: its first line must start with //!".to_owned();
    vec![Violation::new(source, 1, "docs", message)]
}

fn sizes(source: &Source) -> Vec<Violation> {
    let mut violations = Vec::new();
    let length = source.length(&(1..=source.lines.max(1)));
    if length > FILE_LINES {
        let message = format!("{length} lines in a file, {FILE_LINES} at most");
        violations.push(Violation::new(source, 1, "size", message));
    }
    for function in &source.functions {
        let length = source.length(&function.lines);
        if length > FUNCTION_LINES {
            let message = format!(
                "{length} lines in `{}`, {FUNCTION_LINES} at most",
                function.name
            );
            violations.push(Violation::new(source, function.line, "size", message));
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::reader::parse;

    fn rules(path: &str, text: &str) -> Vec<(usize, &'static str)> {
        let source = parse(path, text).unwrap();
        check(&source)
            .iter()
            .map(|violation| (violation.line, violation.rule))
            .collect()
    }

    #[test]
    fn sizes_and_heads_are_held() {
        let long = format!("//! .\nfn f() {{\n{}}}\n", "    g();\n".repeat(61));
        assert_eq!(rules("src/x.rs", &long), [(2, "size")]);
        assert_eq!(rules("src/x.rs", &long.replacen("    g();\n", "", 1)), []);
        assert_eq!(
            rules(
                "src/x.rs",
                &format!("//! .\n{}", "const A: u8 = 1;\n".repeat(400))
            ),
            [(1, "size")]
        );
        assert_eq!(rules("src/x.rs", "use a::b;\n"), [(1, "docs")]);
    }

    #[test]
    fn a_long_table_is_no_long_test() {
        let table = "        \"case\",\n".repeat(500);
        let text = format!("//! .\n#[test]\nfn f() {{\n    let cases = [\n{table}    ];\n}}\n");
        assert_eq!(rules("src/x.rs", &text), []);
        assert_eq!(
            rules("src/x.rs", &text.replace("#[test]", "")),
            [(1, "size"), (3, "size")]
        );
    }
}
