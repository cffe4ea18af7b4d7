//! The operator as a process of its own: started as its ServiceAccount, stopped by pid.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use testbed::{AuditEvent, Launch, Process, Signal};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use super::bed::Bed;
use super::cluster::{ObjectRef, array};

/// Its ServiceAccount as the API server knows it (deploy/rbac.yaml).
pub(crate) const USER: &str = "system:serviceaccount:external-secrets:keyferry";
const WRITES: [&str; 4] = ["create", "update", "patch", "delete"];

const START_WITHIN: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(100);
/// So long it may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(15);
/// Lines of the log that an error shows.
const TAIL: usize = 25;

/// The counter of an ExternalSecret's reconciles.
pub(crate) const SYNC_CALLS: &str = "externalsecret_sync_calls_total";

/// A counter of one ExternalSecret in Prometheus' text format; 0 where there is none.
#[expect(
    clippy::unwrap_used,
    reason = "clippy's exception for tests does not reach their helpers"
)]
pub(crate) fn counter(metrics: &str, family: &str, namespace: &str, name: &str) -> u64 {
    let series = format!("{family}{{name=\"{name}\",namespace=\"{namespace}\"}} ");
    let mut lines = metrics.lines();
    let count = lines.find_map(|line| line.strip_prefix(&series));
    count.map_or(0, |count| count.parse().unwrap())
}

/// Whether the operator asked to write something other than an Event.
pub(crate) fn is_write(event: &AuditEvent) -> bool {
    event.user == USER && WRITES.contains(&event.verb.as_str()) && event.resource != "events"
}

/// How an operator is started.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// Flags beside the addresses.
    pub(crate) flags: Vec<String>,
    /// Variables beside those of the bed.
    pub(crate) environment: Vec<(String, String)>,
}

impl Options {
    /// As the recordings were made: five workers, a status write at each refresh, nothing told of what
    /// ends soon.
    pub(crate) fn golden() -> Self {
        Self::flags(&[
            "--concurrent=5",
            "--status-heartbeat=0s",
            "--expiry-warning=0s",
        ])
    }

    /// With these flags.
    pub(crate) fn flags(flags: &[&str]) -> Self {
        Self {
            flags: flags.iter().map(|&flag| flag.to_owned()).collect(),
            environment: Vec::new(),
        }
    }
}

/// A running operator; it ends with this value.
pub(crate) struct Operator {
    process: Process,
    path: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    log: PathBuf,
    metrics: u16,
    live: u16,
}

impl Operator {
    /// Starts the program at `path` against a bed. It may not be ready yet.
    pub(crate) fn start(path: &Path, bed: &Bed, options: Options) -> anyhow::Result<Self> {
        let (metrics, live) = (testbed::free_port()?, testbed::free_port()?);
        let mut arguments = vec![
            format!("--metrics-addr=127.0.0.1:{metrics}"),
            format!("--live-addr=127.0.0.1:{live}"),
        ];
        arguments.extend(options.flags);
        let mut environment = bed.environment();
        environment.extend(options.environment);
        let log = bed.state().join(format!("operator-{metrics}.log"));
        let process = spawn(path, &arguments, &environment, &log)?;
        Ok(Self {
            process,
            path: path.to_owned(),
            arguments,
            environment,
            log,
            metrics,
            live,
        })
    }

    /// Stops it by SIGTERM and waits for its end.
    pub(crate) async fn stop(&mut self) -> anyhow::Result<ExitStatus> {
        self.process.stop(GRACE).await
    }

    /// Asks it to stop (SIGTERM) and does not wait.
    pub(crate) fn ask_to_stop(&self) -> anyhow::Result<()> {
        self.process.signal(Signal::TERM)
    }

    /// Kills it as a lost node would.
    pub(crate) fn kill(&mut self) -> anyhow::Result<ExitStatus> {
        self.process.kill()
    }

    /// Stops its clock (SIGSTOP): it keeps its connections and does nothing.
    pub(crate) fn pause(&self) -> anyhow::Result<()> {
        self.process.signal(Signal::STOP)
    }

    /// Lets it go on after [`Operator::pause`].
    pub(crate) fn resume(&self) -> anyhow::Result<()> {
        self.process.signal(Signal::CONT)
    }

    /// Starts it again as it was started, after a stop, a kill or its own end. The log goes on.
    pub(crate) fn restart(&mut self) -> anyhow::Result<()> {
        self.process.kill()?;
        self.process = spawn(&self.path, &self.arguments, &self.environment, &self.log)?;
        Ok(())
    }

    /// How it ended, if it did.
    pub(crate) fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        self.process.try_wait()
    }

    /// CPU seconds and memory so far.
    pub(crate) fn usage(&self) -> anyhow::Result<testbed::Usage> {
        self.process.usage()
    }

    /// All it logged so far.
    pub(crate) fn log(&self) -> anyhow::Result<String> {
        Ok(String::from_utf8_lossy(&std::fs::read(&self.log)?).into_owned())
    }

    /// The last lines of its log, for errors.
    pub(crate) fn log_tail(&self) -> String {
        self.process.log_tail(TAIL)
    }

    /// The port of /metrics.
    pub(crate) fn metrics_port(&self) -> u16 {
        self.metrics
    }

    /// Its metrics in Prometheus' text format.
    pub(crate) async fn metrics(&self) -> anyhow::Result<String> {
        let (status, body) = http_get(self.metrics, "/metrics").await?;
        if status != 200 {
            bail!("/metrics answered {status}: {body}");
        }
        Ok(body)
    }

    /// The status of a path of its probe server, such as `/readyz`.
    pub(crate) async fn probe(&self, path: &str) -> anyhow::Result<u16> {
        Ok(self.probe_text(path).await?.0)
    }

    /// Status and text of a path of its probe server.
    pub(crate) async fn probe_text(&self, path: &str) -> anyhow::Result<(u16, String)> {
        http_get(self.live, path).await
    }

    /// Waits until it handled a store and an ExternalSecret, so that no test pays for its start.
    pub(crate) async fn warm_up(&mut self, bed: &Bed) -> anyhow::Result<()> {
        let namespace = bed.namespace("warm-up").await?;
        bed.seed(&namespace, json!({"secrets": {"x": {"value": "x"}}}))?;
        bed.apply(&namespace, &WARM_UP.replace("${VAULT}", &namespace))
            .await?;
        let end = Instant::now() + START_WITHIN;
        for (kind, name) in [("SecretStore", "kv"), ("ExternalSecret", "x")] {
            let object = ObjectRef {
                kind: kind.into(),
                namespace: Some(namespace.clone()),
                name: name.into(),
            };
            while !is_ready(&bed.cluster().get(&object).await?.unwrap_or_default()) {
                if let Some(end) = self.ended()? {
                    bail!("the operator ended ({end}): {}", self.log_tail());
                }
                if Instant::now() > end {
                    let status =
                        bed.cluster().get(&object).await?.unwrap_or_default()["status"].take();
                    bail!(
                        "{object} is not ready after {START_WITHIN:?}: {status}\n{}",
                        self.log_tail()
                    );
                }
                sleep(POLL).await;
            }
        }
        for (kind, name) in [("ExternalSecret", "x"), ("SecretStore", "kv")] {
            let object = ObjectRef {
                kind: kind.into(),
                namespace: Some(namespace.clone()),
                name: name.into(),
            };
            bed.cluster().delete(&object).await?;
        }
        Ok(())
    }
}

const WARM_UP: &str = "
apiVersion: v1
kind: Secret
metadata: {name: creds}
stringData: {id: 22222222-2222-2222-2222-222222222222, secret: fake-client-secret}
---
apiVersion: external-secrets.io/v1
kind: SecretStore
metadata: {name: kv}
spec:
  provider:
    azurekv:
      tenantId: 11111111-1111-1111-1111-111111111111
      vaultUrl: https://${VAULT}.vault.azure.net
      authSecretRef:
        clientId: {name: creds, key: id}
        clientSecret: {name: creds, key: secret}
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: x}
spec:
  refreshInterval: 1h
  secretStoreRef: {name: kv, kind: SecretStore}
  data:
  - {secretKey: x, remoteRef: {key: x}}
";

/// Nothing of this process's environment is handed on: what the bed says is all there is.
fn spawn(
    path: &Path,
    arguments: &[String],
    environment: &[(String, String)],
    log: &Path,
) -> anyhow::Result<Process> {
    let variables = environment.iter().map(|(name, value)| (name, value));
    Process::spawn(
        Launch::new(path, log)
            .args(arguments)
            .env_clear()
            .envs(variables),
    )
}

fn is_ready(object: &Value) -> bool {
    array(&object["status"]["conditions"]).any(|c| c["type"] == "Ready" && c["status"] == "True")
}

/// A GET on a loopback port: status and body.
async fn http_get(port: u16, path: &str) -> anyhow::Result<(u16, String)> {
    let exchange = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream
            .write_all(format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").as_bytes())
            .await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        anyhow::Ok(answer)
    };
    let answer = timeout(Duration::from_secs(10), exchange)
        .await
        .context("no answer")??;
    let (head, body) = answer.split_once("\r\n\r\n").context("no HTTP answer")?;
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok())
        .context("no HTTP status")?;
    Ok((status, body.to_owned()))
}
