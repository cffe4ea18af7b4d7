//! Parses, dispatches, prints the error chain, chooses the exit code.

use std::process::ExitCode;

use clap::Parser as _;

#[tokio::main]
async fn main() -> ExitCode {
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        tracing::debug!("a TLS provider was installed before");
    }
    match keyferry::cli::run(keyferry::cli::Cli::parse()).await {
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
