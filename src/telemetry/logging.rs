//! Log lines on stderr: JSON with ESO's level names (go.uber.org/zap), and which of them are
//! written. Values of secrets never reach a log line: their type cannot be formatted.

use std::io::IsTerminal as _;
use std::str::FromStr;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// One of zap's words for a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
    Off,
}

impl Level {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "trace" => Self::Trace,
            "debug" => Self::Debug,
            "info" => Self::Info,
            "warn" | "warning" => Self::Warn,
            "error" | "dpanic" | "panic" | "fatal" => Self::Error,
            "off" => Self::Off,
            _ => return None,
        })
    }

    fn word(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Off => "off",
        }
    }

    /// For everything: the libraries are a step less talkative than Keyferry.
    fn directives(self) -> &'static str {
        match self {
            Self::Debug => "info,keyferry=debug",
            Self::Info => "warn,keyferry=info",
            other => other.word(),
        }
    }
}

/// `--loglevel`: a level in zap's words (`info` where there is none), and levels of modules that differ,
/// as in `info,keyferry::provider=debug`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Levels(String);

/// What is wrong with `--loglevel`.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum LevelError {
    /// No level.
    #[error(
        "{0:?} is no level; write trace, debug, info, warn, error, dpanic, panic or fatal, or \
         MODULE=LEVEL such as keyferry::provider=debug (off silences a module)"
    )]
    Word(String),
    /// No module.
    #[error("{0:?} is no module; write its path, such as keyferry::provider or kube_client")]
    Module(String),
    /// Two levels for everything.
    #[error("{0:?} is a second level for everything; write MODULE={0} for a module")]
    Second(String),
}

impl FromStr for Levels {
    type Err = LevelError;

    fn from_str(text: &str) -> Result<Self, LevelError> {
        let level = |word: &str| Level::parse(word).ok_or_else(|| LevelError::Word(word.into()));
        let (mut general, mut directives) = (None, String::new());
        for part in text.split(',').map(str::trim) {
            match part.split_once('=') {
                None => match level(part)? {
                    Level::Off => return Err(LevelError::Word(part.into())),
                    _ if general.is_some() => return Err(LevelError::Second(part.into())),
                    known => general = Some(known),
                },
                Some((module, _)) if !is_path(module) => {
                    return Err(LevelError::Module(module.into()));
                }
                Some((module, word)) => {
                    directives = format!("{directives},{module}={}", level(word)?.word());
                }
            }
        }
        let general = general.unwrap_or(Level::Info).directives();
        Ok(Self(format!("{general}{directives}")))
    }
}

/// Whether `text` can be the path of a module.
fn is_path(text: &str) -> bool {
    let is_name = |name: &str| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    text.split("::").all(is_name)
}

/// `--log-format`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// One JSON object per line.
    #[default]
    Json,
    /// For people.
    Console,
}

/// Sends log lines to stderr. Later calls in the same process have no effect.
pub fn init(levels: &Levels, format: Format) {
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let filter = EnvFilter::new(&levels.0);
    let registry = tracing_subscriber::registry().with(filter);
    // a second initialisation happens in tests only, where the first one serves
    let _ = match format {
        Format::Json => {
            let lines = lines.json().flatten_event(true);
            let lines = lines.with_current_span(false).with_span_list(false);
            registry.with(lines).try_init()
        }
        Format::Console => {
            let is_terminal = std::io::stderr().is_terminal();
            registry.with(lines.with_ansi(is_terminal)).try_init()
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directives(text: &str) -> String {
        text.parse::<Levels>().unwrap().0
    }

    #[test]
    fn a_level_is_zaps_word_and_modules_may_have_another() {
        assert_eq!(directives("info"), "warn,keyferry=info");
        assert_eq!(directives("debug"), "info,keyferry=debug");
        assert_eq!(directives("dpanic"), "error");
        assert_eq!(
            directives("warning, keyferry::provider=debug,kube_client=off"),
            "warn,keyferry::provider=debug,kube_client=off"
        );
        assert_eq!(
            directives("keyferry::azure=fatal"),
            "warn,keyferry=info,keyferry::azure=error"
        );
    }

    #[test]
    fn what_is_no_level_is_refused_with_what_would_be_one() {
        for (text, said) in [
            ("", "\"\" is no level; write trace, debug"),
            ("verbose", "\"verbose\" is no level"),
            ("off", "\"off\" is no level"),
            ("info,keyferry=loud", "\"loud\" is no level"),
            ("info,", "\"\" is no level"),
            ("info,debug", "\"debug\" is a second level for everything"),
            ("info,key-ferry=debug", "\"key-ferry\" is no module"),
            (
                "info,keyferry[span]=debug",
                "\"keyferry[span]\" is no module",
            ),
            ("info,=debug", "\"\" is no module"),
        ] {
            let error = text.parse::<Levels>().unwrap_err().to_string();
            assert!(error.starts_with(said), "{text}: {error}");
        }
    }

    #[test]
    fn what_is_written_follows_the_most_exact_module() {
        let levels = directives("warn,keyferry::provider=debug,keyferry::provider::fake=off");
        let filter = EnvFilter::try_new(&levels).unwrap();
        let lines = Lines::default();
        let written = lines.clone();
        let writer = tracing_subscriber::fmt::layer()
            .with_writer(move || written.clone())
            .without_time();
        let registry = tracing_subscriber::registry().with(filter).with(writer);
        tracing::subscriber::with_default(registry, || {
            tracing::debug!(target: "keyferry::provider::azure_key_vault", "seen");
            tracing::error!(target: "keyferry::provider::fake", "silenced");
            tracing::info!(target: "keyferry::controller", "too little");
            tracing::warn!(target: "kube_client", "seen too");
        });
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let seen: Vec<_> = text
            .lines()
            .map(|line| line.ends_with("silenced"))
            .collect();
        assert_eq!(seen, [false, false], "{text}");
        assert!(!text.contains("too little"), "{text}");
    }

    #[derive(Clone, Default)]
    struct Lines(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

    impl std::io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
}
