//! The parts of the demo, all real but Azure: control plane, operator, azfake. Starts them and
//! knows how to ask them; what is done with them is the scenario's.

use std::path::{Path, PathBuf};

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use azfake::AzFake;
use testbed::{ControlPlane, Launch, Process};
use tokio::time::sleep;

use super::screen::Screen;
use super::shell::Shell;
use crate::cargo;
use crate::operator::{self, ACCOUNT, NAMESPACE};

/// With `--keep` a demo may stand for a day.
const TOKEN_LIFE: Duration = Duration::from_hours(24);
const READY_WITHIN: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(50);
const LOG_LINES: usize = 20;

/// A running stage. Dropping it stops everything.
pub(super) struct Stage {
    operator: Process,
    azure: AzFake,
    shell: Shell,
    plane: ControlPlane,
}

impl Stage {
    /// Builds what is missing and starts everything, up to a ready operator that has nothing to do.
    pub(super) async fn set_up(release: bool, screen: &Screen<'_>) -> Result<Self> {
        screen.part("Set-up");
        let program = build_operator(release, screen).await?;
        screen.step("Find the control plane's binaries (built from Go modules the first time)");
        let tell = |line: String| screen.step(&line);
        find_assets(&tell).await?;
        screen
            .step("Start etcd, kube-apiserver, kube-controller-manager; azfake in place of Azure");
        let real_time = azfake::Options {
            real_clock: true,
            ..azfake::Options::default()
        };
        let azure = async { AzFake::start(real_time).await.context("start azfake") };
        let plane = async {
            ControlPlane::start(testbed::Options::default())
                .await
                .context("start the control plane")
        };
        let (plane, azure) = tokio::try_join!(plane, azure)?;
        let shell = Shell::new(&plane)?;
        install(&shell, screen).await?;
        let operator = start_operator(&program, &plane, &azure, screen).await?;
        Ok(Self {
            operator,
            azure,
            shell,
            plane,
        })
    }

    /// What stands in for Azure.
    pub(super) fn azure(&self) -> &AzFake {
        &self.azure
    }

    /// The cluster.
    pub(super) fn plane(&self) -> &ControlPlane {
        &self.plane
    }

    /// What the operator logged, for the search for secret values.
    pub(super) fn operator_log(&self) -> Result<Vec<u8>> {
        let log = self.operator.log();
        std::fs::read(log).with_context(|| format!("read {}", log.display()))
    }

    /// The end of the operator's log, for people.
    pub(super) fn operator_log_tail(&self) -> String {
        self.operator.log_tail(LOG_LINES)
    }

    /// Whether the operator is still there.
    pub(super) fn is_operator_running(&self) -> bool {
        self.operator.is_running()
    }

    /// Where a user's commands are run.
    pub(super) fn shell(&self) -> &Shell {
        &self.shell
    }
}

async fn build_operator(release: bool, screen: &Screen<'_>) -> Result<PathBuf> {
    screen.step(if release {
        "Build the operator (release profile; about 10 minutes the first time on two cores)"
    } else {
        "Build the operator (debug profile; its libraries were built with this program)"
    });
    cargo::build_operator(release).await
}

/// Hands the lines of the thread that looks or builds to `tell`.
async fn find_assets(tell: &dyn Fn(String)) -> Result<()> {
    let (sender, mut lines) = tokio::sync::mpsc::unbounded_channel();
    let work = tokio::task::spawn_blocking(move || {
        // nobody listens any more when the run was interrupted
        testbed::assets::kubernetes(&|line| drop(sender.send(line.to_owned())))
    });
    while let Some(line) = lines.recv().await {
        tell(line);
    }
    work.await?.context("build the control plane").map(drop)
}

async fn install(shell: &Shell, screen: &Screen<'_>) -> Result<()> {
    for line in [
        "kubectl apply --server-side -f crds/bundle.yaml",
        "kubectl apply -f deploy/rbac.yaml",
        "kubectl wait --for=condition=Established -f crds/bundle.yaml --timeout=30s",
    ] {
        shell.show(screen, line).await?;
    }
    Ok(())
}

/// The operator knows its ServiceAccount's kubeconfig and the proxy, and nothing of this process.
async fn start_operator(
    program: &Path,
    plane: &ControlPlane,
    azure: &AzFake,
    screen: &Screen<'_>,
) -> Result<Process> {
    screen.step(&format!(
        "Start the operator as system:serviceaccount:{NAMESPACE}:{ACCOUNT}"
    ));
    let environment = operator::environment(plane, azure, TOKEN_LIFE).await?;
    for (name, value) in &environment {
        screen.output(&format!("{name}={value}"));
    }
    let live = testbed::free_port()?;
    let flags = [
        format!("--metrics-addr=127.0.0.1:{}", testbed::free_port()?),
        format!("--live-addr=127.0.0.1:{live}"),
    ];
    let launch = Launch::new(program, plane.state().join("operator.log"));
    let operator = Process::spawn(launch.args(flags).env_clear().envs(environment))?;
    let start = Instant::now();
    while !operator::is_ready(live).await {
        if !operator.is_running() || start.elapsed() > READY_WITHIN {
            bail!(
                "the operator is not ready\n{}",
                operator.log_tail(LOG_LINES)
            );
        }
        sleep(POLL).await;
    }
    screen.step("The operator is ready");
    Ok(operator)
}
