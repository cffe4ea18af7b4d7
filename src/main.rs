//! Parses, dispatches, prints the error chain, chooses the exit code.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        tracing::debug!("a TLS provider was installed before");
    }
    let cli = keyferry::cli::Cli::parse();
    let run = || {
        let runtime = tokio::runtime::Runtime::new()?;
        let result = runtime.block_on(keyferry::cli::run(cli));
        // a name that is still being resolved holds nothing up
        runtime.shutdown_background();
        result
    };
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "logging may not be set up")]
            {
                eprintln!("keyferry: {error:#}");
            }
            ExitCode::FAILURE
        }
    }
}
