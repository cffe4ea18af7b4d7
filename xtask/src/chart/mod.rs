//! `cargo xtask chart`: what can be said of the Helm chart without a cluster. Its unit tests, lint and
//! equal renderings by Helm 3 and 4, the rules of `rules`, and that the documentation keeps up.
//! What a cluster makes of it is in tests/it/chart.

pub(crate) mod derived;
pub(crate) mod helm;
mod rules;
mod values;

use std::fs;
use std::io::{Write as _, stdout};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use testbed::assets;

use crate::cargo;
use helm::{CHART, Helm, Release};

/// Checks the chart and prints what was looked at.
///
/// # Errors
/// The first thing that is wrong.
pub(crate) fn run() -> Result<()> {
    let found = assets::helm(&assets::to_stderr)?;
    let (third, fourth) = (Helm::third(&found), Helm::fourth(&found));
    let mut renderings = 0;
    for values in value_files()? {
        let flag = values.as_ref().map(|file| format!("--values={file}"));
        let flags: Vec<&str> = flag.as_deref().into_iter().collect();
        let name = values.as_deref().unwrap_or("default values");
        for helm in [&third, &fourth] {
            helm.lint(&flags).with_context(|| format!("lint, {name}"))?;
        }
        let rendered = |helm: &Helm| -> Result<Vec<Value>> {
            let text = helm.template(Release::KEYFERRY, &flags)?;
            serde_saphyr::from_multiple(&text).context("read what was rendered")
        };
        let documents = rendered(&third).with_context(|| format!("Helm 3, {name}"))?;
        let other = rendered(&fourth).with_context(|| format!("Helm 4, {name}"))?;
        ensure!(
            documents == other,
            "Helm 3 and 4 render differently, {name}"
        );
        let broken = rules::broken(&documents);
        ensure!(broken.is_empty(), "{name}:\n{}", broken.join("\n"));
        renderings += 1;
    }
    let suites = helm::run(&found.unittest, &["--strict", CHART])?;
    let counts = suites.lines().filter(|line| line.starts_with("Tests:"));
    let counts: Vec<&str> = counts.collect();
    alerts_are_documented()?;
    ignored_values_are_documented()?;
    versions_agree()?;
    writeln!(
        stdout(),
        "chart: {renderings} renderings linted and equal by Helm 3 and 4; {}",
        counts.join("")
    )?;
    Ok(())
}

/// None for the defaults, then each file of the chart's ci/.
fn value_files() -> Result<Vec<Option<String>>> {
    let folder = cargo::root().join(CHART).join("ci");
    let mut files = vec![None];
    for entry in fs::read_dir(&folder).with_context(|| format!("list {}", folder.display()))? {
        files.push(Some(entry?.path().display().to_string()));
    }
    files.sort();
    Ok(files)
}

/// docs/alerts.md has a section for each alert and none besides.
fn alerts_are_documented() -> Result<()> {
    let alerts: Vec<Value> = serde_saphyr::from_str(&helm::read("files/alerts.yaml")?)?;
    let names: Vec<&str> = alerts
        .iter()
        .filter_map(|alert| alert["alert"].as_str())
        .collect();
    let page =
        fs::read_to_string(cargo::root().join("docs/alerts.md")).context("read docs/alerts.md")?;
    let sections: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .collect();
    ensure!(
        names == sections,
        "docs/alerts.md has sections {sections:?}, the chart alerts {names:?}"
    );
    Ok(())
}

/// docs/install.md names every value of ESO's chart that is ignored.
fn ignored_values_are_documented() -> Result<()> {
    let helpers = helm::read("templates/_helpers.tpl")?;
    let list = helpers.split("$path := list").nth(1);
    let list = list.and_then(|rest| rest.split("}}").next());
    let list = list.context("no list of ignored values in _helpers.tpl")?;
    let page = fs::read_to_string(cargo::root().join("docs/install.md"))
        .context("read docs/install.md")?;
    let names: Vec<&str> = list.split('"').skip(1).step_by(2).collect();
    ensure!(names.len() > 10, "few ignored values: {names:?}");
    let absent = names
        .iter()
        .find(|name| !page.contains(&format!("`{name}`")));
    ensure!(absent.is_none(), "docs/install.md does not name {absent:?}");
    Ok(())
}

/// The chart is versioned as the program is.
fn versions_agree() -> Result<()> {
    let chart: Value = serde_saphyr::from_str(&helm::read("Chart.yaml")?)?;
    for field in ["version", "appVersion"] {
        ensure!(
            chart[field] == env!("CARGO_PKG_VERSION"),
            "{field} in Chart.yaml is {}, the workspace's {}",
            chart[field],
            env!("CARGO_PKG_VERSION")
        );
    }
    Ok(())
}
