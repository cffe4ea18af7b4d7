//! The repository's own commands: `cargo xtask COMMAND`. Each is in a file of its own with its
//! `Args` and a `run`; this file only dispatches.

mod azure_sdks;
mod bed;
mod bench;
mod cargo;
mod chart;
mod codegen;
mod demo;
mod docs;
mod files;
mod fuzz;
mod git;
mod gitops;
mod image;
mod lint;
mod operator;
mod test;
mod tidy;

use std::io::{Write as _, stderr};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The repository's own commands.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Hold azfake to the Azure SDKs for Go and Python.
    AzureSdks(azure_sdks::Args),
    /// Build the binaries of the test bed; `bed up` starts a control plane.
    Bed(bed::Args),
    /// Measure what the operator costs.
    Bench(bench::Args),
    /// Make a book of docs/.
    Book(docs::book::Args),
    /// Check the Helm chart without a cluster.
    Chart,
    /// Write what is derived from the types, or check it.
    Codegen(codegen::Args),
    /// Play the HOWTO on a real control plane, up to the rotated Secret.
    Demo(demo::Args),
    /// Compare with Go at length.
    Fuzz(fuzz::Args),
    /// Run the tests that need Argo CD's and Flux's code.
    Gitops,
    /// Make the image, start it on the test bed, list what is in it.
    Image(image::Args),
    /// Check what is not Rust: Dockerfile, scripts, workflows, alerts.
    Lint,
    /// Run every other test of the workspace and count them.
    Test(test::Args),
    /// Check what the compiler does not: layers, circles of imports, purity, sizes, links and commands
    /// of the documentation.
    Tidy(tidy::Args),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::AzureSdks(args) => azure_sdks::run(&args),
        Command::Bed(args) => bed::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Book(args) => docs::book::run(&args),
        Command::Chart => chart::run(),
        Command::Codegen(args) => codegen::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Fuzz(args) => fuzz::run(&args),
        Command::Gitops => match gitops::run() {
            Ok(code) => return code,
            Err(error) => Err(error),
        },
        Command::Image(args) => image::run(&args),
        Command::Lint => lint::run(),
        Command::Test(args) => return test::run(&args),
        Command::Tidy(args) => tidy::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // nobody to tell if this fails
            let _ = writeln!(stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
