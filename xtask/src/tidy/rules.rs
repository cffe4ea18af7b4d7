//! Rules about one file at a time: purity of the phases, sizes, the head.

use super::Violation;
use super::source::{Name, Source};

const FILE_LINES: usize = 400;
const FUNCTION_LINES: usize = 60;
/// Phases that decide on values only.
const PURE_PHASES: [&str; 5] = ["validate", "refresh", "plan", "build", "status"];
const PURE_FOLDERS: [&str; 2] = ["src/secret", "src/template"];
const CLOCKS: [&str; 3] = ["Timestamp", "SystemTime", "Instant"];

/// All rules of this page.
pub(super) fn check(source: &Source) -> Vec<Violation> {
    let mut violations = head(source);
    violations.extend(sizes(source));
    if is_pure(&source.path) {
        violations.extend(purity(source));
    }
    violations
}

fn head(source: &Source) -> Vec<Violation> {
    if source.first_line.starts_with("//!") {
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

fn is_pure(path: &str) -> bool {
    let is_phase = path
        .strip_prefix("src/controller/external_secret/")
        .is_some_and(|rest| {
            let first = rest.split(['/', '.']).next();
            first.is_some_and(|first| PURE_PHASES.contains(&first))
        });
    let in_folder = |folder: &str| {
        path.strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with(['/', '.']))
    };
    is_phase || PURE_FOLDERS.into_iter().any(in_folder)
}

fn purity(source: &Source) -> Vec<Violation> {
    let told = |line, message| Violation::new(source, line, "purity", message);
    let asyncs = source
        .asyncs
        .iter()
        .map(|&line| told(line, "a pure file is not async".to_owned()));
    let impure = source
        .names
        .iter()
        .filter(|name| !name.is_test && is_impure(name));
    let named = impure.map(|name| {
        told(
            name.line,
            format!("a pure file does not name {}", name.segments.join("::")),
        )
    });
    asyncs.chain(named).collect()
}

fn is_impure(name: &Name) -> bool {
    let segments: Vec<&str> = name.segments.iter().map(String::as_str).collect();
    let reads_clock = matches!(segments.as_slice(), [.., owner, "now"] if CLOCKS.contains(owner));
    let is_client = segments[0] == "kube"
        && segments
            .iter()
            .any(|segment| matches!(*segment, "Client" | "Api"));
    reads_clock || is_client
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(path: &str, text: &str) -> Vec<(usize, &'static str)> {
        let source = Source::parse(path, text).unwrap();
        check(&source)
            .iter()
            .map(|violation| (violation.line, violation.rule))
            .collect()
    }

    #[test]
    fn a_phase_is_pure() {
        let text = "//! .\nuse kube::{Api, ResourceExt};\nasync fn f() {\n    g().await;\n    jiff::Timestamp::now();\n}\n";
        let all = [(3, "purity"), (4, "purity"), (2, "purity"), (5, "purity")];
        assert_eq!(rules("src/controller/external_secret/plan.rs", text), all);
        assert_eq!(
            rules("src/controller/external_secret/plan/gate.rs", text),
            all
        );
        assert_eq!(rules("src/secret/value.rs", text), all);
        assert_eq!(rules("src/template.rs", text), all);
        assert_eq!(rules("src/controller/external_secret/apply.rs", text), []);
        assert_eq!(rules("src/secretive/mod.rs", text), []);
    }

    #[test]
    fn its_tests_may_do_as_they_like() {
        let text =
            "//! .\n#[cfg(test)]\nmod tests {\n    async fn f() { Instant::now(); g().await }\n}\n";
        assert_eq!(rules("src/secret/value.rs", text), []);
        assert_eq!(
            rules(
                "src/secret/value_tests.rs",
                "//! .\nasync fn f() { Instant::now(); }\n"
            ),
            []
        );
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
