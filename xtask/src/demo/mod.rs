//! `cargo xtask demo`: the HOWTO from an empty cluster to a rotated Secret, on a real control plane
//! and azfake. The parts: `stage` runs, `scenario` acts, `evidence` keeps, `screen` shows,
//! `sensitive` hides.

mod evidence;
mod scenario;
mod screen;
mod sensitive;
mod shell;
mod stage;
mod view;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use evidence::Evidence;
use scenario::{EXTERNAL_SECRET, REMOTE, Scenario, VAULT, Values, WORKLOAD};
use screen::Screen;
use sensitive::Sensitive;
use stage::Stage;

/// Arguments of `demo`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Leave everything running until Ctrl-C, and say how to use it.
    #[arg(long)]
    keep: bool,
    /// Run a release build of the operator.
    #[arg(long)]
    release: bool,
    /// Write docs/proof/secrets/... below this directory; default: a new temporary one.
    #[arg(long, value_name = "DIR")]
    evidence: Option<PathBuf>,
}

/// Plays the scenario; Ctrl-C ends it and stops everything.
///
/// # Errors
/// Something did not start, did not come to pass, or came out wrong.
pub(crate) fn run(args: &Args) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new().context("start the runtime")?;
    let result = runtime.block_on(async {
        tokio::select! {
            biased;
            result = demonstrate(args) => result,
            _ = tokio::signal::ctrl_c() => bail!("interrupted; everything is stopped"),
        }
    });
    // a build of the control plane would keep its thread; it ends with this process
    runtime.shutdown_background();
    result
}

async fn demonstrate(args: &Args) -> Result<()> {
    let start = Instant::now();
    // removed again unless it gets its evidence
    let temporary = tempfile::Builder::new()
        .prefix("keyferry-demo-")
        .tempdir()
        .context("make a temporary directory")?;
    let directory = args.evidence.as_deref().unwrap_or(temporary.path());
    let directory = std::path::absolute(directory).context("the evidence directory")?;
    let mut sensitive = Sensitive::new()?;
    let values = Values {
        first: sensitive.make("the first password")?,
        second: sensitive.make("the second password")?,
        client_secret: sensitive.make("the client secret")?,
    };
    let screen = Screen::new(start, &sensitive);
    let evidence = Evidence::new(&directory, &sensitive);
    let stage = Stage::set_up(args.release, &screen).await?;
    screen.step(&format!(
        "Set-up took {:.1} s",
        start.elapsed().as_secs_f64()
    ));
    let played = Scenario {
        stage: &stage,
        screen: &screen,
        evidence,
    }
    .play(&values)
    .await;
    if played.is_ok() && args.evidence.is_none() {
        let _ = temporary.keep();
    }
    let outcome = judge(played, &stage, &screen);
    if args.keep {
        keep(outcome.as_ref().err(), &stage, &screen).await?;
    }
    outcome
}

/// What failed, with what the operator said last.
fn judge(played: Result<()>, stage: &Stage, screen: &Screen<'_>) -> Result<()> {
    let failed = screen.failed();
    let problem = match played {
        Ok(()) if failed.is_empty() => {
            screen.part("Done");
            screen.step(&format!(
                "{} checks hold; the rotated value is in the Secret",
                screen.passed()
            ));
            return Ok(());
        }
        Ok(()) => format!("failed: {}", failed.join("; ")),
        Err(error) => format!("{error:#}"),
    };
    let operator = if stage.is_operator_running() {
        "the operator runs"
    } else {
        "the operator has ended"
    };
    let text = format!("{problem}\n{operator}\n{}", stage.operator_log_tail());
    bail!("{}", screen.sensitive().redact(&text))
}

/// Tells how to go on by hand, and waits for Ctrl-C.
async fn keep(problem: Option<&anyhow::Error>, stage: &Stage, screen: &Screen<'_>) -> Result<()> {
    screen.part("All of it stays up until Ctrl-C");
    if let Some(problem) = problem {
        screen.output(&format!("It failed: {problem:#}\n\n"));
    }
    let (plane, azure) = (stage.plane(), stage.azure());
    let kubectl = plane
        .kubectl_path()
        .parent()
        .map(|folder| folder.display().to_string())
        .unwrap_or_default();
    screen.output(&format!(
        "In another shell:
  export KUBECONFIG={} PATH={kubectl}:$PATH
  kubectl get externalsecret,secret -n {WORKLOAD}
To set another value in the vault (GET {control}/ tells what else azfake does) and fetch it:
  curl -X POST {control}/seed -d '{{\"{VAULT}\": {{\"secrets\": {{\"{REMOTE}\": {{\"value\": \"new-value\"}}}}}}}}'
  kubectl annotate externalsecret {EXTERNAL_SECRET} -n {WORKLOAD} force-sync=$(date +%s) --overwrite
Logs and keys: {}",
        plane.admin_kubeconfig().display(),
        plane.state().display(),
        control = azure.control_url(),
    ));
    tokio::signal::ctrl_c().await.context("wait for Ctrl-C")?;
    screen.step("Stop everything");
    Ok(())
}
