//! A supervised child process: started with a log file, stopped by pid, never left behind.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::procfs::{self, Usage};
use crate::watchdog;

const POLL: Duration = Duration::from_millis(20);
/// How long a killed process may take to vanish; more means a hung kernel call.
const REAP_WITHIN: Duration = Duration::from_secs(10);

/// How a process is to be started: program, arguments, environment, log file.
#[derive(Debug)]
pub struct Launch {
    command: Command,
    name: String,
    log: PathBuf,
}

impl Launch {
    /// A program (found on PATH if it has no slash) whose output is appended to the file `log`.
    /// It inherits this process's environment.
    pub fn new(program: impl AsRef<OsStr>, log: impl Into<PathBuf>) -> Self {
        let program = program.as_ref();
        let name = Path::new(program)
            .file_name()
            .unwrap_or(program)
            .to_string_lossy()
            .into_owned();
        Self {
            command: Command::new(program),
            name,
            log: log.into(),
        }
    }

    /// Appends arguments.
    #[must_use]
    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets environment variables.
    #[must_use]
    pub fn envs<K: AsRef<OsStr>, V: AsRef<OsStr>>(
        mut self,
        vars: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        self.command.envs(vars);
        self
    }

    /// Starts with an empty environment; what [`Launch::envs`] sets later is all there is.
    #[must_use]
    pub fn env_clear(mut self) -> Self {
        self.command.env_clear();
        self
    }

    /// Sets the working directory.
    #[must_use]
    pub fn current_dir(mut self, directory: impl AsRef<Path>) -> Self {
        self.command.current_dir(directory);
        self
    }
}

/// A running child in a process group of its own. Dropping it kills the group; if this process ends
/// without dropping it (SIGKILL, a static), the group is killed all the same.
#[derive(Debug)]
pub struct Process {
    child: Child,
    is_reaped: bool,
    name: String,
    log: PathBuf,
}

impl Process {
    /// Starts a process. It is running, not necessarily ready.
    ///
    /// # Errors
    /// The log cannot be opened, or the program cannot be executed.
    pub fn spawn(launch: Launch) -> Result<Self> {
        let Launch {
            mut command,
            name,
            log,
        } = launch;
        let file = File::options().append(true).create(true).open(&log);
        let file = file.with_context(|| format!("open log {}", log.display()))?;
        command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .process_group(0);
        let child = command
            .spawn()
            .with_context(|| format!("start {}", command.get_program().display()))?;
        let process = Self {
            child,
            is_reaped: false,
            name,
            log,
        };
        // not yet reaped, so the entry exists even if the process has already ended
        let start = procfs::start_time(process.pid()).context("no start time in /proc")?;
        watchdog::watch_process(process.pid(), start)?;
        Ok(process)
    }

    /// The process id, which is also the id of its group.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The file that has its output.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// The last lines of the log, for error messages.
    pub fn log_tail(&self, lines: usize) -> String {
        tail(&self.log, lines)
    }

    /// Whether it still runs (a stopped process counts as running).
    pub fn is_running(&self) -> bool {
        !self.is_reaped && procfs::is_running(self.pid())
    }

    /// CPU time and memory of the process so far. Read it before stopping.
    ///
    /// # Errors
    /// The process has ended.
    pub fn usage(&self) -> Result<Usage> {
        procfs::usage(self.pid())
    }

    /// Sends a signal to the process group: `Signal::STOP` and `Signal::CONT` pause and resume it.
    ///
    /// # Errors
    /// The process has ended.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        if !self.is_running() {
            bail!(
                "{} has ended; {signal:?} not sent\n{}",
                self.name,
                self.log_tail(20)
            );
        }
        kill_process_group(self.group(), signal)
            .with_context(|| format!("send {signal:?} to {}", self.name))
    }

    /// The exit status if it has ended; what is left of its group is killed then.
    ///
    /// # Errors
    /// The operating system cannot tell.
    pub fn try_wait(&mut self) -> Result<Option<ExitStatus>> {
        if self.is_running() {
            return Ok(None);
        }
        if !self.is_reaped {
            // the zombie still holds the group's id, so it is nobody else's
            let _ = kill_process_group(self.group(), Signal::KILL);
        }
        let status = self
            .child
            .try_wait()
            .with_context(|| format!("wait for {}", self.name))?;
        self.is_reaped = status.is_some();
        Ok(status)
    }

    /// Waits for the process to end by itself.
    ///
    /// # Errors
    /// It still runs after `limit`; the message has the tail of the log.
    pub async fn wait(&mut self, limit: Duration) -> Result<ExitStatus> {
        let end = Instant::now() + limit;
        loop {
            if let Some(status) = self.try_wait()? {
                return Ok(status);
            }
            if Instant::now() > end {
                bail!(
                    "{} still runs after {limit:?}\n{}",
                    self.name,
                    self.log_tail(20)
                );
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// SIGTERM, then SIGKILL if it still runs after `grace`.
    ///
    /// # Errors
    /// It could not be stopped.
    pub async fn stop(&mut self, grace: Duration) -> Result<ExitStatus> {
        if let Some(status) = self.try_wait()? {
            return Ok(status);
        }
        let _ = kill_process_group(self.group(), Signal::TERM);
        match self.wait(grace).await {
            Ok(status) => Ok(status),
            Err(_) => self.kill(),
        }
    }

    /// SIGKILL to the group, and waits until the process is gone.
    ///
    /// # Errors
    /// The process does not go away, which only a hung kernel call explains.
    pub fn kill(&mut self) -> Result<ExitStatus> {
        if let Some(status) = self.try_wait()? {
            return Ok(status);
        }
        kill_process_group(self.group(), Signal::KILL)
            .with_context(|| format!("kill {}", self.name))?;
        let end = Instant::now() + REAP_WITHIN;
        while Instant::now() < end {
            if let Some(status) = self.try_wait()? {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        bail!("{} (pid {}) survives SIGKILL", self.name, self.pid())
    }

    fn group(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Err(error) = self.kill() {
            tracing::warn!("{error:#}");
        }
    }
}

/// The last lines of a file, headed by its name.
pub(crate) fn tail(file: &Path, lines: usize) -> String {
    let text = fs::read(file).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let text = text.unwrap_or_else(|error| error.to_string());
    let all: Vec<&str> = text.lines().collect();
    let shown = &all[all.len().saturating_sub(lines)..];
    format!(
        "--- last lines of {} ---\n{}",
        file.display(),
        shown.join("\n")
    )
}

/// The path of a program on PATH.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    let path: OsString = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|directory| directory.join(program))
        .find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(log: &Path, script: &str) -> Process {
        Process::spawn(Launch::new("sh", log).args(["-c", script])).unwrap()
    }

    #[tokio::test]
    async fn stop_asks_before_it_kills() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        let mut process = sh(
            &log,
            "trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.01; done",
        );
        wait_for(&log, "up").await;
        let status = process.stop(Duration::from_secs(10)).await.unwrap();
        assert_eq!(status.code(), Some(3));
        assert!(process.log_tail(1).ends_with("bye"));
        assert!(!process.is_running());
        assert!(process.signal(Signal::HUP).is_err());
    }

    #[tokio::test]
    async fn a_deaf_process_is_killed_with_its_group() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        let mut process = sh(&log, "trap '' TERM; sleep 600 & echo $!; wait; sleep 600");
        let child: u32 = loop {
            if let Ok(pid) = fs::read_to_string(&log).unwrap().trim().parse() {
                break pid;
            }
            tokio::time::sleep(POLL).await;
        };
        let status = process.stop(Duration::from_millis(50)).await.unwrap();
        assert_eq!(status.code(), None);
        let end = Instant::now() + Duration::from_secs(5);
        while procfs::is_running(child) {
            assert!(Instant::now() < end, "the grandchild lives");
            tokio::time::sleep(POLL).await;
        }
    }

    async fn wait_for(log: &Path, text: &str) {
        let end = Instant::now() + Duration::from_secs(10);
        while !fs::read_to_string(log).unwrap().contains(text) {
            assert!(Instant::now() < end, "no {text:?} in the log");
            tokio::time::sleep(POLL).await;
        }
    }
}
