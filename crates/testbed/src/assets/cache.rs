//! The cache of what the test bed builds or fetches, once per machine and content. Knows no toolchain.
//!
//! A directory of the cache is named after all that decides its content, is filled under a lock and
//! appears by one rename: whoever finds it finds it complete.

use std::env;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use sha2::{Digest as _, Sha256};

use super::Progress;
use crate::process::{Launch, Process};

const POLL: Duration = Duration::from_millis(100);
const REPORT_EVERY: Duration = Duration::from_secs(30);
/// For one command, or for another process to finish. Cold on a slow machine is half of it.
const WITHIN: Duration = Duration::from_hours(1);

/// `testbed/NAME` of the repository.
pub(super) fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../testbed")
        .join(name)
}

/// `${TESTBED_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}}/keyferry-testbed`
pub(super) fn root() -> Result<PathBuf> {
    let set = |name: &str| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let root = set("TESTBED_CACHE")
        .or_else(|| set("XDG_CACHE_HOME"))
        .or_else(|| Some(set("HOME")?.join(".cache")));
    let root = root.context("no place for the test bed's binaries: set TESTBED_CACHE or HOME")?;
    Ok(std::path::absolute(root)?.join("keyferry-testbed"))
}

/// A name for content that these parts decide.
pub(super) fn key<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    hash.finalize()
        .iter()
        .take(8)
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// Where commands put what becomes a directory of the cache.
pub(super) struct Partial<'a> {
    pub(super) path: &'a Path,
    log: PathBuf,
    progress: Progress<'a>,
}

impl Partial<'_> {
    /// Runs a command to its end; `what` is what it does, such as `building etcd`. Its output goes
    /// to a log file beside the directory.
    pub(super) fn run(&self, what: &str, launch: impl FnOnce(PathBuf) -> Launch) -> Result<()> {
        let mut process = Process::spawn(launch(self.log.clone()))?;
        let start = Instant::now();
        loop {
            match process.try_wait()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => bail!(
                    "{what}: the command ended with {status}\n{}",
                    process.log_tail(20)
                ),
                None if start.elapsed() > WITHIN => bail!("{what} took more than {WITHIN:?}"),
                None => wait(start, self.progress, &format!("still {what}")),
            }
        }
    }
}

/// Has a directory of the cache filled unless it is there.
pub(super) fn fill(
    directory: &Path,
    progress: Progress<'_>,
    work: impl FnOnce(&Partial<'_>) -> Result<()>,
) -> Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    let cache = directory.parent().context("the cache has no root")?;
    fs::create_dir_all(cache).with_context(|| format!("make the cache {}", cache.display()))?;
    let _lock = lock(&directory.with_extension("lock"), progress)?;
    if directory.is_dir() {
        return Ok(());
    }
    let partial = directory.with_extension("partial");
    if partial.exists() {
        fs::remove_dir_all(&partial).context("remove what an interrupted build left")?;
    }
    fs::create_dir(&partial).with_context(|| format!("make {}", partial.display()))?;
    work(&Partial {
        path: &partial,
        log: directory.with_extension("log"),
        progress,
    })?;
    fs::rename(&partial, directory).context("put what was built in its place")
}

/// Waits for another process that fills the same directory. The lock ends with the file, or with us.
fn lock(path: &Path, progress: Progress<'_>) -> Result<File> {
    let file = File::create(path).with_context(|| format!("make {}", path.display()))?;
    let start = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(error)) => return Err(error).context("lock the cache"),
            Err(TryLockError::WouldBlock) if start.elapsed() > WITHIN => {
                bail!("another process has held {} for {WITHIN:?}", path.display());
            }
            Err(TryLockError::WouldBlock) => {
                wait(
                    start,
                    progress,
                    "another process fills the cache; waiting for it",
                );
            }
        }
    }
}

/// One poll interval, with a line of progress now and then.
fn wait(start: Instant, progress: Progress<'_>, what: &str) {
    let periods = |elapsed: Duration| elapsed.as_secs() / REPORT_EVERY.as_secs();
    let before = periods(start.elapsed());
    sleep(POLL);
    if periods(start.elapsed()) > before {
        progress(&format!("{what} ({} s)", start.elapsed().as_secs()));
    }
}
