//! Builds a tool module into the cache, once per machine and content.
//!
//! A directory of the cache is named after all that decides its content (go.mod, go.sum, the module's
//! own sources, the toolchain), is filled under a lock and appears by one rename: whoever finds it
//! finds it complete.

use std::env;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use sha2::{Digest as _, Sha256};

use super::Progress;
use super::go::{ENVIRONMENT, Go};
use super::modules::{Module, Tool};
use crate::process::{Launch, Process};

const POLL: Duration = Duration::from_millis(100);
const REPORT_EVERY: Duration = Duration::from_secs(30);
/// For one binary, or for another process to finish its build. Cold on a slow machine is half of it.
const WITHIN: Duration = Duration::from_hours(1);

/// The directory with the module's binaries, built if need be.
pub(super) fn module(module: &Module, progress: Progress<'_>) -> Result<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../testbed")
        .join(module.name);
    module_from(module, &source, &cache_root()?, progress)
}

fn module_from(
    module: &Module,
    source: &Path,
    cache: &Path,
    progress: Progress<'_>,
) -> Result<PathBuf> {
    let read = |name: &str| {
        fs::read_to_string(source.join(name))
            .with_context(|| format!("read {name} of {}", module.name))
    };
    let (go_mod, go_sum) = (read("go.mod")?, read("go.sum")?);
    let go = Go::find(&go_mod, module.otherwise)?;
    let commands = module
        .tools
        .iter()
        .map(|tool| arguments(tool, &go_mod))
        .collect::<Result<Vec<_>>>()?;
    let sources = own_sources(source)?;
    let mut content = vec![go_mod.as_str(), &go_sum, &go.version];
    content.extend(sources.iter().map(String::as_str));
    let directory = cache.join(format!("{}-{}", module.name, key(&content, &commands)));
    if directory.is_dir() {
        return Ok(directory);
    }
    fs::create_dir_all(cache).with_context(|| format!("make the cache {}", cache.display()))?;
    let _lock = lock(&directory.with_extension("lock"), progress)?;
    if directory.is_dir() {
        return Ok(directory);
    }
    progress(&format!(
        "building {} binaries with {} into {}; the first build on a machine takes about {} minutes on two cores",
        module.tools.len(),
        go.version,
        directory.display(),
        module.minutes
    ));
    let partial = directory.with_extension("partial");
    if partial.exists() {
        fs::remove_dir_all(&partial).context("remove what an interrupted build left")?;
    }
    fs::create_dir(&partial).with_context(|| format!("make {}", partial.display()))?;
    for (index, (tool, arguments)) in module.tools.iter().zip(&commands).enumerate() {
        progress(&format!(
            "building {} ({} of {})",
            tool.name,
            index + 1,
            module.tools.len()
        ));
        let launch = Launch::new(&go.path, directory.with_extension("log"))
            .args(arguments)
            .args([
                "-o".as_ref(),
                partial.join(tool.name).as_os_str(),
                tool.package.as_ref(),
            ])
            .envs(ENVIRONMENT)
            .current_dir(source);
        run(launch, tool.name, progress)?;
    }
    fs::rename(&partial, &directory).context("put the binaries in their place")?;
    Ok(directory)
}

/// The module's own Go files, in the order of their names.
fn own_sources(source: &Path) -> Result<Vec<String>> {
    let folder = fs::read_dir(source).with_context(|| format!("list {}", source.display()))?;
    let mut paths = folder
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<Vec<_>>>()
        .with_context(|| format!("list {}", source.display()))?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "go"));
    paths.sort();
    let read = |path: &PathBuf| {
        fs::read_to_string(path).with_context(|| format!("read {}", path.display()))
    };
    paths.iter().map(read).collect()
}

/// `${TESTBED_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}}/keyferry-testbed`
fn cache_root() -> Result<PathBuf> {
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

/// The build's arguments but for output and package, which do not change the content.
fn arguments(tool: &Tool, go_mod: &str) -> Result<Vec<String>> {
    let mut linker = "-s -w".to_owned();
    for stamp in (tool.stamps)(go_mod)? {
        linker.push_str(" -X ");
        linker.push_str(&stamp);
    }
    Ok(vec![
        "build".into(),
        "-trimpath".into(),
        "-ldflags".into(),
        linker,
    ])
}

fn key(parts: &[&str], commands: &[Vec<String>]) -> String {
    let mut hash = Sha256::new();
    let environment = ENVIRONMENT.iter().flat_map(|&(name, value)| [name, value]);
    let commands = commands.iter().flatten().map(String::as_str);
    for part in parts.iter().copied().chain(environment).chain(commands) {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    hash.finalize()
        .iter()
        .take(8)
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// Waits for another process that builds the same. The lock ends with the file, or with us.
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
                    "another process builds the binaries; waiting for it",
                );
            }
        }
    }
}

fn run(launch: Launch, name: &str, progress: Progress<'_>) -> Result<()> {
    let mut process = Process::spawn(launch)?;
    let start = Instant::now();
    loop {
        match process.try_wait()? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => bail!(
                "building {name}: go build ended with {status}\n{}",
                process.log_tail(20)
            ),
            None if start.elapsed() > WITHIN => bail!("building {name} took more than {WITHIN:?}"),
            None => wait(start, progress, &format!("still building {name}")),
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

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    const TINY: Module = Module {
        name: "tiny",
        tools: &[Tool {
            name: "tiny",
            package: ".",
            stamps: |_| Ok(vec!["main.word=stamped".into()]),
        }],
        minutes: 1,
        otherwise: "",
    };

    fn source(main: &str) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        fs::write(
            directory.path().join("go.mod"),
            "module tiny.invalid\n\ngo 1.21\n",
        )
        .unwrap();
        fs::write(directory.path().join("go.sum"), "").unwrap();
        fs::write(directory.path().join("main.go"), main).unwrap();
        directory
    }

    #[test]
    fn a_module_is_built_once_and_stamped() {
        let cache = tempfile::tempdir().unwrap();
        let source = source("package main\n\nvar word string\n\nfunc main() { println(word) }\n");
        let lines = Mutex::new(0);
        let build = || {
            module_from(&TINY, source.path(), cache.path(), &|_| {
                *lines.lock().unwrap() += 1;
            })
            .unwrap()
        };
        // two at once: one builds, the other waits for it
        let (first, second) = std::thread::scope(|scope| {
            let other =
                scope.spawn(|| module_from(&TINY, source.path(), cache.path(), &|_| ()).unwrap());
            (build(), other.join().unwrap())
        });
        assert_eq!(first, second);
        let output = std::process::Command::new(first.join("tiny"))
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr).trim(), "stamped");
        *lines.lock().unwrap() = 0;
        assert_eq!(build(), first);
        assert_eq!(
            *lines.lock().unwrap(),
            0,
            "nothing is built and nothing said"
        );
    }

    #[test]
    fn a_changed_source_is_built_anew() {
        let cache = tempfile::tempdir().unwrap();
        let source = source("package main\n\nfunc main() { println(1) }\n");
        let build = || module_from(&TINY, source.path(), cache.path(), &|_| ()).unwrap();
        let first = build();
        fs::write(
            source.path().join("main.go"),
            "package main\n\nfunc main() { println(2) }\n",
        )
        .unwrap();
        assert_ne!(build(), first);
    }

    #[test]
    fn a_failed_build_shows_the_compiler_and_leaves_nothing() {
        let cache = tempfile::tempdir().unwrap();
        let source = source("package main\n\nfunc main() { nonsense }\n");
        let error = module_from(&TINY, source.path(), cache.path(), &|_| ())
            .unwrap_err()
            .to_string();
        assert!(error.contains("undefined: nonsense"), "{error}");
        let entries = fs::read_dir(cache.path())
            .unwrap()
            .map(|entry| entry.unwrap().path());
        assert_eq!(entries.filter(|path| path.extension().is_none()).count(), 0);
    }
}
