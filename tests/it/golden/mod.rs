//! The golden cases: what a user of External Secrets Operator sees today, recorded, against the
//! built operator on a real control plane and a fake Azure (tests/golden/README.md).

mod apply;
mod awaits;
mod case;
mod compare;
mod differences;
mod mask;
mod names;
mod pending;
mod report;
mod run;
mod snapshot;
pub(crate) mod takeover;

pub(crate) use self::case::documents;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use futures::StreamExt as _;
use serde_json::Value;
use tokio::time::timeout;

use self::case::Case;
use self::differences::Differences;
use self::names::Names;
use self::pending::Pending;
use self::report::{Outcome, Report};
use self::run::Run;
use crate::support::bed::Bed;
use crate::support::operator::{Operator, Options};
use crate::support::settings::{self, repository};
use crate::support::{self, say};

/// Cases that run at the same time; more only wait for the API server.
const CONCURRENT: usize = 4;
/// A case's own awaits are bounded; this holds even where one asks again and again.
const CASE_LIMIT: Duration = Duration::from_mins(5);

/// Which cases run: `KEYFERRY_GOLDEN` (parts of `suite/name`, by comma), `KEYFERRY_GOLDEN_DIR` (other
/// cases than the repository's), `KEYFERRY_GOLDEN_PENDING` (pending ones too).
struct Selection {
    directory: PathBuf,
    parts: Vec<String>,
    pending_too: bool,
}

impl Selection {
    fn from_environment() -> Self {
        let parts = settings::variable("KEYFERRY_GOLDEN").unwrap_or_default();
        Self {
            directory: settings::variable("KEYFERRY_GOLDEN_DIR")
                .map_or_else(own_cases, PathBuf::from),
            parts: parts
                .split(',')
                .map(str::trim)
                .filter(|p| !p.is_empty())
                .map(str::to_owned)
                .collect(),
            pending_too: settings::variable("KEYFERRY_GOLDEN_PENDING").is_some(),
        }
    }

    fn is_chosen(&self, case: &Case) -> bool {
        let name = format!("{}/{}", case.suite, case.name);
        self.parts.is_empty() || self.parts.iter().any(|part| name.contains(part))
    }

    fn is_whole(&self) -> bool {
        self.parts.is_empty() && self.directory == own_cases()
    }
}

fn own_cases() -> PathBuf {
    repository().join("tests/golden")
}

#[test]
fn golden_cases() {
    let report =
        support::run(judge_all(&Selection::from_environment())).unwrap_or_else(|e| panic!("{e:#}"));
    say(&report.summary());
    assert!(report.is_good(), "\n{}", report.lines().join("\n"));
}

async fn judge_all(selection: &Selection) -> anyhow::Result<Report> {
    let files = case::files(&selection.directory)?;
    let cases: Vec<Case> = files
        .iter()
        .map(|file| Case::load(file))
        .collect::<anyhow::Result<_>>()?;
    let pending = Pending::load(&selection.directory.join("pending.txt"))?;
    let differences = Differences::load(&own_cases().join("differences.toml"))?;
    let mut report =
        Report::new(pending.unknown(|name| cases.iter().any(|case| case.name == name)));

    let chosen: Vec<&Case> = cases
        .iter()
        .filter(|case| selection.is_chosen(case))
        .collect();
    let (waiting, due): (Vec<&Case>, Vec<&Case>) = chosen
        .iter()
        .partition(|case| pending.holds(&case.name) && !selection.pending_too);
    report.leave_out(waiting.len());
    if !due.is_empty() {
        play(&due, &pending, &differences, &mut report).await?;
    }

    let ran = |name: &str| due.iter().any(|case| case.name == name) && !pending.holds(name);
    report.complain(differences.stale_cases(ran));
    if selection.is_whole() {
        report.complain(differences.stale_rules());
    }
    Ok(report)
}

/// Runs the cases: first those that may meet others, then the serial ones one by one.
async fn play(
    due: &[&Case],
    pending: &Pending,
    differences: &Differences,
    report: &mut Report,
) -> anyhow::Result<()> {
    let bed = Bed::start().await?;
    let mut operator = Operator::start(&settings::operator(), &bed, Options::golden())?;
    operator.warm_up(&bed).await?;
    let (serial, parallel): (Vec<&Case>, Vec<&Case>) =
        due.iter().partition(|case| case.is_serial());
    for (cases, at_once) in [(parallel, CONCURRENT), (serial, 1)] {
        let runs = cases
            .into_iter()
            .map(async |case| (case, judge(&bed, case, differences).await));
        let mut runs = futures::stream::iter(runs).buffer_unordered(at_once);
        while let Some((case, mut outcome)) = runs.next().await {
            if !outcome.is_empty() {
                outcome.extend(logged(&operator.log()?, case));
            }
            report.note(case, &outcome, pending.holds(&case.name));
            if let Some(end) = operator.ended()? {
                report.complain(vec![format!(
                    "the operator ended ({end}) at or before {}: {}",
                    case.name,
                    operator.log_tail()
                )]);
                operator.restart()?;
            }
        }
    }
    say(&format!("operator: {:?}", operator.usage()?));
    operator.stop().await?;
    Ok(())
}

/// What the operator said about a case's namespaces.
fn logged(log: &str, case: &Case) -> Vec<String> {
    let namespace = Names::new(&case.name).namespace().to_owned();
    let own = log.lines().filter(|line| line.contains(&namespace));
    own.map(|line| format!("log: {line}")).collect()
}

async fn judge(bed: &Bed, case: &Case, differences: &Differences) -> Outcome {
    let mut run = Run::new(bed, case, differences);
    let played = timeout(CASE_LIMIT, run.play())
        .await
        .context("took too long");
    let cleaned = timeout(CASE_LIMIT, run.clean_up())
        .await
        .context("took too long")
        .flatten();
    let compared = played.flatten().and_then(|taken| {
        let recorded = case.recorded()?;
        let mut lines = Vec::new();
        for (snapshot, want) in recorded {
            let left = run.unexplained(snapshot, want, taken.get(snapshot).unwrap_or(&Value::Null));
            lines.extend(
                left.into_iter()
                    .map(|difference| format!("{snapshot} {difference}")),
            );
        }
        let surplus = taken.keys().filter(|name| !recorded.contains_key(*name));
        lines.extend(surplus.map(|name| format!("{name}: snapshot not recorded")));
        Ok(lines)
    });
    let mut lines = compared.unwrap_or_else(|e| vec![format!("{e:#}")]);
    if let Err(e) = cleaned {
        lines.push(format!("clean-up: {e:#}"));
    }
    lines.iter().map(|line| run.told(line)).collect()
}
