//! No process outlives its owner, even one that is killed with SIGKILL.
//!
//! The owner is this test program, started again to run only the test `owner`.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use testbed::{Component, ControlPlane, Launch, Options, Process, Signal};

/// Set for the second program: where it writes what it owns.
const REPORT: &str = "TESTBED_TEST_REPORT";
const POLL: Duration = Duration::from_millis(50);

/// Not a test by itself: starts a control plane, reports its pids and directory, and waits for death.
#[tokio::test]
async fn owner() {
    let Some(report) = std::env::var_os(REPORT) else {
        return assert!(
            std::env::current_exe().is_ok(),
            "only has work as the second program"
        );
    };
    let plane = ControlPlane::start(Options::default()).await.unwrap();
    let parts = [
        Component::Etcd,
        Component::ApiServer,
        Component::ControllerManager,
    ];
    let pids = parts
        .map(|part| plane.pid(part).unwrap().to_string())
        .join(" ");
    let partial = PathBuf::from(&report).with_extension("partial");
    std::fs::write(&partial, format!("{pids}\n{}", plane.state().display())).unwrap();
    std::fs::rename(partial, report).unwrap();
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn sigkill_leaves_neither_processes_nor_files() {
    let directory = tempfile::tempdir().unwrap();
    let report = directory.path().join("report");
    let launch = Launch::new(
        std::env::current_exe().unwrap(),
        directory.path().join("owner.log"),
    )
    .args(["--exact", "owner", "--nocapture"])
    .envs([(REPORT, &report)]);
    let mut owner = Process::spawn(launch).unwrap();
    let limit = Instant::now() + Duration::from_mins(2);
    while !report.exists() {
        assert!(
            owner.is_running() && Instant::now() < limit,
            "{}",
            owner.log_tail(40)
        );
        tokio::time::sleep(POLL).await;
    }
    let text = std::fs::read_to_string(&report).unwrap();
    let (pids, state) = text.split_once('\n').unwrap();
    let pids: Vec<u32> = pids.split(' ').map(|pid| pid.parse().unwrap()).collect();
    assert!(pids.len() == 3 && pids.iter().all(|&pid| is_running(pid)));

    owner.signal(Signal::KILL).unwrap();
    owner.wait(Duration::from_secs(10)).await.unwrap();
    let limit = Instant::now() + Duration::from_secs(20);
    while pids.iter().any(|&pid| is_running(pid)) || Path::new(state).exists() {
        assert!(Instant::now() < limit, "left behind: {pids:?} or {state}");
        tokio::time::sleep(POLL).await;
    }
}

fn is_running(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ")
        .is_some_and(|(_, rest)| !rest.starts_with('Z'))
}
