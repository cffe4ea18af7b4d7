//! Builds a Go module of the test bed into the cache, once per machine and content: go.mod, go.sum, the
//! module's own sources, the toolchain.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::go::{ENVIRONMENT, Go};
use super::modules::{Module, Tool};
use super::{Progress, cache};
use crate::process::Launch;

/// The directory with the module's binaries, built if need be.
pub(super) fn module(module: &Module, progress: Progress<'_>) -> Result<PathBuf> {
    module_from(
        module,
        &cache::source(module.name),
        &cache::root()?,
        progress,
    )
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
    let environment = ENVIRONMENT.iter().flat_map(|&(name, value)| [name, value]);
    let content = [go_mod.as_str(), &go_sum, &go.version]
        .into_iter()
        .chain(sources.iter().map(String::as_str))
        .chain(environment)
        .chain(commands.iter().flatten().map(String::as_str));
    let name = module.name.replace('/', "-");
    let directory = cache.join(format!("{name}-{}", cache::key(content)));
    cache::fill(&directory, progress, |partial| {
        progress(&format!(
            "building {} binaries with {} into {}; the first build on a machine takes about {} minutes on two cores",
            module.tools.len(),
            go.version,
            directory.display(),
            module.minutes
        ));
        for (index, (tool, arguments)) in module.tools.iter().zip(&commands).enumerate() {
            let what = format!("building {}", tool.name);
            progress(&format!("{what} ({} of {})", index + 1, module.tools.len()));
            partial.run(&what, |log| {
                Launch::new(&go.path, log)
                    .args(arguments)
                    .args([
                        "-o".as_ref(),
                        partial.path.join(tool.name).as_os_str(),
                        tool.package.as_ref(),
                    ])
                    .envs(ENVIRONMENT)
                    .current_dir(source)
            })?;
        }
        Ok(())
    })?;
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

/// The build's arguments but for output and package, which do not change the content.
fn arguments(tool: &Tool, go_mod: &str) -> Result<Vec<String>> {
    let mut linker = "-s -w".to_owned();
    for stamp in (tool.stamps)(go_mod)? {
        linker.push_str(" -X ");
        linker.push_str(&stamp);
    }
    let mut arguments: Vec<String> = tool.verb.iter().map(ToString::to_string).collect();
    arguments.extend(["-trimpath".into(), "-ldflags".into(), linker]);
    Ok(arguments)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::assets::modules::BUILD;

    const TINY: Module = Module {
        name: "tiny",
        tools: &[Tool {
            name: "tiny",
            verb: BUILD,
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
