//! `cargo xtask bed`: the test bed's control plane by hand. Knows nothing of Keyferry.

use std::io::{Write as _, stdout};
use std::path::PathBuf;

use anyhow::Result;
use testbed::{ControlPlane, Options, assets};
use tokio::signal::ctrl_c;
use tokio::signal::unix::{SignalKind, signal};

/// Arguments of `bed`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Start a control plane, print its kubeconfig, stop it on Ctrl-C.
    Up(Up),
}

#[derive(clap::Args)]
struct Up {
    /// Keep state and logs in this new or empty directory instead of a temporary one.
    #[arg(long)]
    state: Option<PathBuf>,
    /// Write an audit log.
    #[arg(long)]
    audit: bool,
}

/// Builds the binaries and tells where they are, or runs a control plane until it is interrupted.
///
/// # Errors
/// The build or the start fails.
pub(crate) fn run(args: &Args) -> Result<()> {
    match &args.command {
        Some(Command::Up(up)) => tokio::runtime::Runtime::new()?.block_on(run_plane(up)),
        None => {
            let found = assets::kubernetes(&assets::to_stderr)?;
            let charts = assets::helm(&assets::to_stderr)?;
            for path in [
                found.etcd,
                found.api_server,
                found.controller_manager,
                found.kubectl,
                charts.helm,
                charts.helm4,
                charts.unittest,
                charts.kubeconform,
            ] {
                writeln!(stdout(), "{}", path.display())?;
            }
            Ok(())
        }
    }
}

async fn run_plane(up: &Up) -> Result<()> {
    let options = Options {
        audit: up.audit,
        state: up.state.clone(),
        ..Options::default()
    };
    let plane = ControlPlane::start(options).await?;
    writeln!(
        stdout(),
        "export KUBECONFIG={}",
        plane.admin_kubeconfig().display()
    )?;
    writeln!(stdout(), "# kubectl: {}", plane.kubectl_path().display())?;
    writeln!(stdout(), "# logs: {}", plane.state().display())?;
    writeln!(stdout(), "# {} serves until Ctrl-C", plane.url())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
    }
    Ok(())
}
