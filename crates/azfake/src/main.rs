//! The binary `azfake`: starts the fake, says how to use it, and runs until it is told to stop.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use azfake::{AzFake, Content, Options};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

/// A fake Azure (Entra ID and Key Vault) behind a forward proxy.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Port of the proxy on 127.0.0.1; 0: a free one.
    #[arg(long, default_value_t = 0)]
    proxy_port: u16,
    /// Port of the control API on 127.0.0.1; 0: a free one.
    #[arg(long, default_value_t = 0)]
    control_port: u16,
    /// Write the CA certificate (PEM) here; default: a file in the system's temporary directory.
    #[arg(long)]
    ca_out: Option<PathBuf>,
    /// Write {"proxy", "control", "ca", "pid"} as JSON here, once everything listens.
    #[arg(long)]
    info: Option<PathBuf>,
    /// Issuer of the cluster's ServiceAccount tokens.
    #[arg(long)]
    sa_issuer: Option<String>,
    /// Vault contents to begin with: YAML or JSON, as POST /seed takes it.
    #[arg(long)]
    seed: Option<PathBuf>,
    /// Directory with the key and certificate fixtures of the golden cases.
    #[arg(long, env = "AZFAKE_FIXTURES")]
    fixtures: Option<PathBuf>,
    /// Objects carry the real time instead of that of the golden cases.
    #[arg(long)]
    real_clock: bool,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse_from(std::env::args_os().map(with_two_dashes));
    let filter =
        tracing_subscriber::EnvFilter::try_from_env("AZFAKE_LOG").unwrap_or_else(|_| "warn".into());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let ca = arguments.ca_out.clone().unwrap_or_else(|| {
        std::env::temp_dir().join(format!("azfake-ca-{}.pem", std::process::id()))
    });
    let fake = start(&arguments, &ca).await?;
    announce(&fake, &ca)?;
    until_told().await?;
    if arguments.ca_out.is_none() {
        std::fs::remove_file(&ca).with_context(|| format!("failed to remove {}", ca.display()))?;
    }
    Ok(())
}

/// Takes `-name` for `--name`, as programs written in Go do.
fn with_two_dashes(argument: OsString) -> OsString {
    match argument.to_str() {
        Some(text) if text.starts_with('-') && !text.starts_with("--") && text.len() > 2 => {
            format!("-{text}").into()
        }
        _ => argument,
    }
}

async fn start(arguments: &Arguments, ca: &Path) -> Result<AzFake> {
    let options = Options {
        sa_issuer: arguments.sa_issuer.clone(),
        proxy_port: arguments.proxy_port,
        control_port: arguments.control_port,
        fixtures: arguments.fixtures.clone(),
        real_clock: arguments.real_clock,
        ..Options::default()
    };
    let fake = AzFake::start(options).await?;
    if let Some(file) = &arguments.seed {
        seed(&fake, file).with_context(|| format!("failed to seed from {}", file.display()))?;
    }
    write(ca, fake.ca_pem())?;
    if let Some(info) = &arguments.info {
        let document = serde_json::json!({
            "proxy": fake.proxy_url(),
            "control": fake.control_url(),
            "ca": ca,
            "pid": std::process::id(),
        });
        write(info, &document.to_string())?;
    }
    Ok(fake)
}

fn seed(fake: &AzFake, file: &Path) -> Result<()> {
    let vaults: BTreeMap<String, Content> =
        serde_saphyr::from_str(&std::fs::read_to_string(file)?)?;
    for (target, content) in vaults {
        fake.control().seed(&target, content)?;
    }
    Ok(())
}

/// Writes a file so that whoever waits for it never sees half of it.
fn write(path: &Path, text: &str) -> Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let written = std::fs::write(&partial, text).and_then(|()| std::fs::rename(&partial, path));
    written.with_context(|| format!("failed to write {}", path.display()))
}

fn announce(fake: &AzFake, ca: &Path) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "proxy    {}\ncontrol  {}\nCA       {}\n",
        fake.proxy_url(),
        fake.control_url(),
        ca.display()
    )?;
    for (name, value) in fake.environment(ca) {
        writeln!(out, "export {name}={value}")?;
    }
    Ok(out.flush()?)
}

async fn until_told() -> Result<()> {
    let (mut interrupt, mut terminate) = (
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
    );
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
