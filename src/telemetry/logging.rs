//! Log lines: JSON on stderr with ESO's level names (spec: operations.md 2.4). Values of secrets
//! never reach a log line: their type cannot be formatted.

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

/// Sends log lines to stderr. Later calls in the same process have no effect.
pub fn init(level: Level) {
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_writer(std::io::stderr);
    let filter = EnvFilter::new(level.directives());
    // a second initialisation happens in tests only, where the first one serves
    let _ = tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .try_init();
}
