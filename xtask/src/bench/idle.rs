//! `cargo xtask bench idle`: ExternalSecrets of one vault that nobody changes, watched for whole
//! refresh cycles.

use std::fmt::Write as _;
use std::io::{Write as _, stderr, stdout};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde_json::json;

use super::figures::Figures;
use super::stage::Stage;

const TEAM: &str = "bench";
/// On a busy machine of two cores 500 first syncs take about 10 s.
const SYNCED_WITHIN: Duration = Duration::from_mins(10);

/// Arguments of `bench idle`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How many ExternalSecrets, each with one secret of the vault.
    #[arg(long, default_value_t = 500)]
    count: usize,
    /// Their refreshInterval, in seconds.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(5..=86_400))]
    interval: u64,
    /// How many intervals are watched.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    cycles: u32,
    /// A built operator, in place of a release build.
    #[arg(long, value_name = "PROGRAM")]
    operator: Option<PathBuf>,
    /// Further flags of the operator.
    #[arg(last = true)]
    flags: Vec<String>,
}

/// Measures and prints a table.
pub(super) async fn run(args: &Args) -> Result<()> {
    let stage = Stage::set_up(args.operator.as_deref(), &args.flags).await?;
    let (count, interval) = (args.count, Duration::from_secs(args.interval));
    fill_vault(&stage, count)?;
    say(&format!("{count} ExternalSecrets are made"))?;
    stage.create(&manifests(count, args.interval)).await?;
    let start = Instant::now();
    stage
        .until("all are in step", SYNCED_WITHIN, async |stage| {
            Ok(stage.ready(TEAM).await? == count)
        })
        .await?;
    let took = start.elapsed().as_secs_f64();
    say(&format!(
        "all are in step {took:.1} s after the last was made"
    ))?;
    say("waiting for a first refresh of each, which also lets the events be written")?;
    let settled = SYNCED_WITHIN + 3 * interval;
    stage
        .until("each was refreshed", settled, async |stage| {
            let (_, requests) = stage.azure().requests_since(0, TEAM);
            let reads = requests
                .iter()
                .filter(|r| r.op == "secrets.get" && r.status == 200);
            Ok(reads.count() >= 2 * count)
        })
        .await?;
    let window = interval * args.cycles;
    say(&format!("watching for {} s", window.as_secs()))?;
    let before = Figures::now(&stage)?;
    // the measurement itself: time has to pass
    tokio::time::sleep(window).await;
    let used = Figures::now(&stage)?.since(&before);
    let mut table = format!(
        "\n{count} ExternalSecrets, one vault, refreshInterval {} s, watched for {} s\n\n",
        args.interval,
        window.as_secs()
    );
    // writing into a String cannot fail
    let _ = write!(table, "{used}");
    stdout()
        .write_all(table.as_bytes())
        .context("print the table")
}

fn say(line: &str) -> Result<()> {
    writeln!(stderr(), "{line}").context("tell how far it is")
}

fn fill_vault(stage: &Stage, count: usize) -> Result<()> {
    let secrets = (0..count).map(|n| (format!("s{n}"), json!({"value": format!("value {n}")})));
    let content = json!({"secrets": secrets.collect::<serde_json::Map<_, _>>()});
    let content = serde_json::from_value(content).context("content of the vault")?;
    Ok(stage.azure().seed(TEAM, content)?)
}

/// JSON documents, which are YAML too.
fn manifests(count: usize, interval: u64) -> String {
    let core = |kind: &str, name: &str| {
        json!({"apiVersion": "v1", "kind": kind,
            "metadata": {"name": name, "namespace": TEAM}})
    };
    let mut namespace = core("Namespace", TEAM);
    namespace["metadata"]["namespace"] = json!(null);
    let mut credentials = core("Secret", "creds");
    credentials["stringData"] = json!({"id": azfake::CLIENT, "secret": azfake::CLIENT_SECRET});
    let own = |kind: &str, name: &str, spec: serde_json::Value| {
        json!({"apiVersion": "external-secrets.io/v1", "kind": kind,
            "metadata": {"name": name, "namespace": TEAM}, "spec": spec})
    };
    let key = |key: &str| json!({"name": "creds", "key": key});
    let store = json!({"provider": {"azurekv": {
        "tenantId": azfake::TENANT,
        "vaultUrl": format!("https://{TEAM}.vault.azure.net"),
        "authSecretRef": {"clientId": key("id"), "clientSecret": key("secret")},
    }}});
    let mut documents = vec![namespace, credentials, own("SecretStore", "kv", store)];
    documents.extend((0..count).map(|n| {
        let name = format!("s{n}");
        let spec = json!({
            "refreshInterval": format!("{interval}s"),
            "secretStoreRef": {"name": "kv", "kind": "SecretStore"},
            "data": [{"secretKey": "value", "remoteRef": {"key": name}}],
        });
        own("ExternalSecret", &name, spec)
    }));
    let texts: Vec<String> = documents.iter().map(ToString::to_string).collect();
    texts.join("\n---\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_external_secret_reads_a_secret_of_its_own() {
        let text = manifests(2, 60);
        let documents: Vec<&str> = text.split("\n---\n").collect();
        assert_eq!(documents.len(), 5);
        assert!(
            documents[4].contains(r#""remoteRef":{"key":"s1"}"#),
            "{text}"
        );
        assert!(
            documents[4].contains(r#""refreshInterval":"60s""#),
            "{text}"
        );
    }
}
