//! Log lines on stderr: JSON with ESO's level names (spec: operations.md 2.4). Values of secrets
//! never reach a log line: their type cannot be formatted.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// `--loglevel`, in zap's words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Level {
    /// Everything, with the SDKs' requests.
    Trace,
    /// Decisions of each reconcile.
    Debug,
    /// Changes and failures.
    #[default]
    Info,
    /// Failures only.
    #[value(alias = "warning")]
    Warn,
    /// Errors only.
    #[value(aliases = ["dpanic", "panic", "fatal"])]
    Error,
}

impl Level {
    fn directives(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "info,keyferry=debug",
            Self::Info => "warn,keyferry=info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
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
pub fn init(level: Level, format: Format) {
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let filter = EnvFilter::new(level.directives());
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
