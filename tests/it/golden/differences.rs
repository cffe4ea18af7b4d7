//! differences.toml: where the answer is meant to differ from the recording, each with its reason.
//!
//! Additions and rules hold for whole suites, a `case` entry for one case. An entry that stands for
//! nothing any more is an error: the page must stay true.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, ensure};
use serde::Deserialize;
use serde_json::Value;

use super::compare::{ABSENT, Difference};

/// Stands for null in a `want`.
const NULL: &str = "(null)";

/// The whole page.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Differences {
    #[serde(default)]
    addition: Vec<General>,
    #[serde(default)]
    rule: Vec<General>,
    #[serde(default)]
    case: Vec<Single>,
}

/// Something that holds wherever it appears in some suites.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct General {
    path: Option<String>,
    event: Option<String>,
    #[serde(default = "everywhere")]
    suites: Vec<String>,
    reason: String,
    #[serde(skip)]
    used: AtomicBool,
}

/// Something that holds in one case only.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Single {
    name: String,
    snapshot: Option<String>,
    path: Option<String>,
    event: Option<String>,
    /// What comes in place of the recording.
    want: Option<Value>,
    /// The step, from 1, that `await` or `accepted` is about.
    step: Option<usize>,
    /// What is awaited in place of the step's own.
    r#await: Option<Value>,
    /// `true`: what the step wants rejected is accepted here.
    accepted: Option<bool>,
    reason: String,
    #[serde(skip)]
    used: AtomicBool,
}

fn everywhere() -> Vec<String> {
    vec!["*".into()]
}

impl Differences {
    /// Reads and checks the page.
    pub(crate) fn load(file: &Path) -> anyhow::Result<Self> {
        let text =
            std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
        Self::parse(&text).with_context(|| format!("in {}", file.display()))
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let page: Self = toml::from_str(text)?;
        for entry in page.addition.iter().chain(&page.rule) {
            ensure!(
                entry.path.is_some() != entry.event.is_some(),
                "either path or event: {}",
                entry.reason
            );
            ensure!(
                !entry.reason.is_empty(),
                "{:?} has no reason",
                entry.path.as_ref().or(entry.event.as_ref())
            );
        }
        for entry in &page.case {
            let of_step = [entry.r#await.is_some(), entry.accepted == Some(true)];
            let all = [
                entry.path.is_some(),
                entry.event.is_some(),
                of_step[0],
                of_step[1],
            ];
            let count = all.iter().filter(|set| **set).count();
            ensure!(
                count == 1,
                "{}: one of path, event, await, accepted = true",
                entry.name
            );
            ensure!(
                entry.path.is_some() == entry.want.is_some(),
                "{}: want belongs to path",
                entry.name
            );
            ensure!(
                of_step.contains(&true) == entry.step.is_some(),
                "{}: which step?",
                entry.name
            );
            ensure!(!entry.reason.is_empty(), "{}: no reason", entry.name);
        }
        Ok(page)
    }

    /// What is left of the differences of one snapshot after those that are meant.
    pub(crate) fn unexplained(
        &self,
        suite: &str,
        case: &str,
        snapshot: &str,
        found: Vec<Difference>,
    ) -> Vec<Difference> {
        found
            .into_iter()
            .filter_map(|d| self.judge(suite, case, snapshot, d))
            .collect()
    }

    fn judge(
        &self,
        suite: &str,
        case: &str,
        snapshot: &str,
        mut difference: Difference,
    ) -> Option<Difference> {
        let event = difference.event();
        let fits = |path: Option<&String>, wanted: Option<&String>| {
            path.is_some_and(|glob| matches(glob, &difference.path))
                || wanted
                    .zip(event.as_ref())
                    .is_some_and(|(glob, event)| matches(glob, event))
        };
        let here =
            |e: &&Single| e.name == case && e.snapshot.as_ref().is_none_or(|name| name == snapshot);
        if let Some(entry) = self
            .case
            .iter()
            .filter(here)
            .find(|e| fits(e.path.as_ref(), e.event.as_ref()))
        {
            entry.used.store(true, Ordering::Relaxed);
            match entry.want.as_ref().map(said) {
                Some(want) if want != difference.got => difference.want = want,
                _ => return None,
            }
            return Some(difference);
        }
        let general = || {
            self.addition
                .iter()
                .map(|e| (e, true))
                .chain(self.rule.iter().map(|e| (e, false)))
        };
        for (entry, surplus_only) in general() {
            // an addition is something of ours that the recording does not have
            let applies = !surplus_only || difference.want == ABSENT;
            let suite_fits = entry.suites.iter().any(|glob| matches(glob, suite));
            if applies && suite_fits && fits(entry.path.as_ref(), entry.event.as_ref()) {
                entry.used.store(true, Ordering::Relaxed);
                return None;
            }
        }
        Some(difference)
    }

    /// The `await` that replaces a step's own; steps count from 1.
    pub(crate) fn replaced_await(&self, case: &str, step: usize) -> Option<&Value> {
        let here = |e: &&Single| e.name == case && e.step == Some(step) && e.r#await.is_some();
        let entry = self.case.iter().find(here)?;
        entry.used.store(true, Ordering::Relaxed);
        entry.r#await.as_ref()
    }

    /// Whether something of a case is otherwise on purpose.
    pub(crate) fn has_case(&self, case: &str) -> bool {
        self.case.iter().any(|entry| entry.name == case)
    }

    /// Whether what a step wants rejected may be accepted; steps count from 1.
    pub(crate) fn accepts(&self, case: &str, step: usize) -> bool {
        let here = |e: &&Single| e.name == case && e.step == Some(step) && e.accepted == Some(true);
        self.case
            .iter()
            .find(here)
            .inspect(|e| e.used.store(true, Ordering::Relaxed))
            .is_some()
    }

    /// Entries for single cases that ran and did not need them.
    pub(crate) fn stale_cases(&self, ran: impl Fn(&str) -> bool) -> Vec<String> {
        let stale = self
            .case
            .iter()
            .filter(|e| ran(&e.name) && !e.used.load(Ordering::Relaxed));
        let what = |e: &Single| {
            e.path
                .clone()
                .or_else(|| e.event.clone())
                .unwrap_or_else(|| "the entry for a step".into())
        };
        stale
            .map(|e| format!("differences.toml: {} does not need {:?}", e.name, what(e)))
            .collect()
    }

    /// Rules that no case needed; meaningful only after the whole set ran.
    pub(crate) fn stale_rules(&self) -> Vec<String> {
        let stale = self.rule.iter().filter(|e| !e.used.load(Ordering::Relaxed));
        stale
            .map(|e| {
                format!(
                    "differences.toml: no case needs the rule {:?}",
                    e.path.as_ref().or(e.event.as_ref())
                )
            })
            .collect()
    }
}

/// What a `want` stands for: TOML has no null.
fn said(want: &Value) -> Value {
    if want == NULL {
        Value::Null
    } else {
        want.clone()
    }
}

/// A glob of `*` and `?`; brackets mean themselves, for they are part of our paths.
pub(crate) fn matches(glob: &str, text: &str) -> bool {
    let (glob, text): (Vec<char>, Vec<char>) = (glob.chars().collect(), text.chars().collect());
    let (mut g, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        if glob.get(g) == Some(&'*') {
            star = Some((g, t));
            g += 1;
        } else if glob.get(g).is_some_and(|c| *c == '?' || *c == text[t]) {
            (g, t) = (g + 1, t + 1);
        } else if let Some((at, from)) = star {
            (g, t, star) = (at + 1, from + 1, Some((at, from + 1)));
        } else {
            return false;
        }
    }
    glob[g..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{ABSENT, Difference, Differences, matches};

    fn difference(path: &str, want: impl Into<Value>, got: impl Into<Value>) -> Vec<Difference> {
        vec![Difference {
            path: path.into(),
            want: want.into(),
            got: got.into(),
        }]
    }

    #[test]
    fn globs_know_stars_and_take_brackets_as_they_are() {
        assert!(matches(
            "ExternalSecret/* status.conditions[Ready]*",
            "ExternalSecret/a status.conditions[Ready].reason"
        ));
        assert!(!matches("a[bc]d", "abd"));
        assert!(
            matches("*a?c*", "xxaabcxx")
                && matches("*", "")
                && !matches("?", "")
                && !matches("a*b", "abc")
        );
    }

    #[test]
    fn additions_hide_only_what_the_recording_lacks() {
        let page = Differences::parse("[[addition]]\npath = 'ES/* status.keys*'\nreason = 'r'\n[[addition]]\nevent = 'ES Warning Adopted'\nreason = 'r'").unwrap();
        let left = |d| page.unexplained("s", "c", "first", d).len();
        assert_eq!(left(difference("ES/a status.keys[0]", ABSENT, "x")), 0);
        assert_eq!(left(difference("ES/a status.keys[0]", "x", ABSENT)), 1);
        assert_eq!(
            left(difference("events", ABSENT, "ES/a Warning Adopted")),
            0
        );
        assert_eq!(left(difference("events", ABSENT, "ES/a Warning Other")), 1);
        assert!(page.stale_rules().is_empty());
    }

    #[test]
    fn a_rule_holds_in_its_suites_and_an_unneeded_one_is_told() {
        let page = Differences::parse(
            "[[rule]]\npath = '* metadata.finalizers*'\nsuites = ['store']\nreason = 'r'",
        )
        .unwrap();
        let found = || difference("ES/a metadata.finalizers[0]", "f", ABSENT);
        assert_eq!(page.unexplained("azure", "c", "x", found()).len(), 1);
        assert_eq!(page.stale_rules().len(), 1);
        assert_eq!(page.unexplained("store", "c", "x", found()).len(), 0);
        assert!(page.stale_rules().is_empty());
    }

    #[test]
    fn a_case_entry_replaces_what_is_wanted_and_what_is_awaited() {
        let text = "[[case]]\nname = 'c'\nsnapshot = 'after'\npath = 'ES/a reason'\nwant = 'ours'\nreason = 'r'\n[[case]]\nname = 'c'\nstep = 2\nawait = {'ES/a' = 'exists'}\nreason = 'r'";
        let page = Differences::parse(text).unwrap();
        assert_eq!(page.stale_cases(|case| case == "c").len(), 2);
        assert_eq!(
            page.unexplained(
                "s",
                "c",
                "after",
                difference("ES/a reason", "theirs", "ours")
            ),
            []
        );
        let other = page.unexplained(
            "s",
            "c",
            "after",
            difference("ES/a reason", "theirs", "else"),
        );
        assert_eq!(other, difference("ES/a reason", "ours", "else"));
        assert_eq!(
            page.unexplained(
                "s",
                "c",
                "before",
                difference("ES/a reason", "theirs", "ours")
            )
            .len(),
            1
        );
        assert_eq!(
            page.replaced_await("c", 2),
            Some(&json!({"ES/a": "exists"}))
        );
        assert_eq!(page.replaced_await("c", 1), None);
        assert!(page.stale_cases(|_| true).is_empty());
    }

    #[test]
    fn a_refusal_that_is_not_ours_is_accepted_at_its_step() {
        let page =
            Differences::parse("[[case]]\nname = 'c'\nstep = 1\naccepted = true\nreason = 'r'")
                .unwrap();
        assert!(
            !page.accepts("c", 2) && !page.accepts("d", 1) && page.replaced_await("c", 1).is_none()
        );
        assert_eq!(page.stale_cases(|_| true).len(), 1);
        assert!(page.accepts("c", 1) && page.stale_cases(|_| true).is_empty());
    }

    #[test]
    fn entries_without_reason_or_with_both_kinds_are_refused() {
        for text in [
            "[[rule]]\npath = 'a'",
            "[[rule]]\npath = 'a'\nevent = 'b'\nreason = 'r'",
            "[[case]]\nname = 'c'\npath = 'a'\nreason = 'r'",
            "[[case]]\nname = 'c'\naccepted = true\nreason = 'r'",
        ] {
            assert!(Differences::parse(text).is_err(), "{text}");
        }
    }
}
