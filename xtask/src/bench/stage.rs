//! The parts of a measurement: control plane with an audit log, azfake, the operator as its
//! ServiceAccount. Starts them and asks them; knows no measurement.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use azfake::AzFake;
use kube::api::{ApiResource, DynamicObject, ListParams};
use kube::{Api, Client, ResourceExt as _};
use serde_json::Value;
use testbed::{AuditEvent, ControlPlane, Launch, Process};
use tokio::time::sleep;

use crate::{cargo, operator};

use super::manifests;

const USER: &str = "system:serviceaccount:external-secrets:keyferry";
/// Of the operator's log.
const SYNCED: &str = "\"message\":\"synced\"";
const TOKEN_LIFE: Duration = Duration::from_hours(6);
const LOG_LINES: usize = 20;
const GRACE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(500);
/// Objects that one kubectl makes.
const AT_ONCE: usize = 2_000;

/// A running stage. Dropping it stops everything.
pub(super) struct Stage {
    /// The oldest first.
    replicas: Vec<Process>,
    /// How many were started so far: each has a log of its own.
    started: usize,
    launch: (PathBuf, Vec<String>),
    azure: AzFake,
    plane: ControlPlane,
    client: Client,
}

impl Stage {
    /// Starts everything. `program` is the operator; without it a release build is made.
    pub(super) async fn set_up(program: Option<&Path>, flags: &[String]) -> Result<Self> {
        let program = match program {
            Some(program) => program.to_owned(),
            None => cargo::build_operator(true).await?,
        };
        let (plane, azure) = operator::bed(true).await?;
        let operator = start_operator((&program, 0), &plane, &azure, flags).await?;
        let client = plane.admin_client();
        Ok(Self {
            replicas: vec![operator],
            started: 1,
            launch: (program, flags.to_vec()),
            azure,
            plane,
            client,
        })
    }

    /// The fake Azure's controls.
    pub(super) fn azure(&self) -> azfake::Control {
        self.azure.control()
    }

    /// The cluster's administrator.
    pub(super) fn client(&self) -> Client {
        self.client.clone()
    }

    /// A vault with so many secrets.
    pub(super) fn seed(&self, vault: &str, count: usize) -> Result<()> {
        let content = serde_json::from_value(manifests::secrets(count));
        let content = content.context("content of the vault")?;
        Ok(self.azure().seed(vault, content)?)
    }

    /// Stops the operator by SIGTERM.
    pub(super) async fn stop_operator(&mut self) -> Result<()> {
        for replica in &mut self.replicas {
            replica.stop(GRACE).await?;
        }
        self.replicas.clear();
        Ok(())
    }

    /// Starts it, or one more replica of it.
    pub(super) async fn start_operator(&mut self) -> Result<&mut Process> {
        let (program, flags) = &self.launch;
        let program = (program.as_path(), self.started);
        let operator = start_operator(program, &self.plane, &self.azure, flags).await?;
        self.started += 1;
        self.replicas.push(operator);
        self.replicas.last_mut().context("the replica just started")
    }

    /// The oldest replica; it is the caller's from now on.
    pub(super) fn take_oldest(&mut self) -> Result<Process> {
        if self.replicas.is_empty() {
            bail!("no replica runs");
        }
        Ok(self.replicas.remove(0))
    }

    /// Makes these objects, so many by one kubectl that it ends within its time.
    pub(super) async fn create(&self, documents: &[Value]) -> Result<()> {
        for part in documents.chunks(AT_ONCE) {
            let config = self.plane.admin_kubeconfig();
            let yaml = manifests::text(part);
            let made = self.plane.kubectl_as(config, ["create", "-f", "-"], &yaml);
            made.await?.success().context("kubectl create")?;
        }
        Ok(())
    }

    /// Follows the ExternalSecrets of the namespace until so many are ready: for the API server a watch is
    /// cheaper than asking again and again.
    ///
    /// # Errors
    /// As [`Self::until`].
    pub(super) async fn all_ready(
        &self,
        namespace: &str,
        count: usize,
        limit: Duration,
    ) -> Result<()> {
        let mut ready = BTreeSet::new();
        let follow = testbed::follow(self.external_secrets(namespace), |object| {
            if is_ready(&object) {
                ready.insert(object.name_any());
            } else {
                ready.remove(&object.name_any());
            }
            if ready.len() >= count {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        let what = format!("{count} ExternalSecrets of {namespace} are ready");
        tokio::select! {
            followed = follow => followed,
            given_up = self.until(&what, limit, async |_| Ok(false)) => given_up,
        }
    }

    /// How often the oldest replica has told that an ExternalSecret became ready, which it does once the status
    /// is written: to look for it asks the API server for nothing.
    pub(super) fn told_synced(&self) -> Result<usize> {
        let log = self.replicas.first().context("no replica runs")?.log();
        let told = std::fs::read_to_string(log).context("read the operator's log")?;
        Ok(told.matches(SYNCED).count())
    }

    /// How many ExternalSecrets of the namespace are ready.
    pub(super) async fn ready(&self, namespace: &str) -> Result<usize> {
        let api = self.external_secrets(namespace);
        let listed = api.list(&ListParams::default()).await?;
        Ok(listed
            .items
            .iter()
            .filter(|object| is_ready(object))
            .count())
    }

    /// The ExternalSecrets of a namespace.
    pub(super) fn external_secrets(&self, namespace: &str) -> Api<DynamicObject> {
        let resource = ApiResource {
            group: "external-secrets.io".to_owned(),
            version: "v1".to_owned(),
            api_version: "external-secrets.io/v1".to_owned(),
            kind: "ExternalSecret".to_owned(),
            plural: "externalsecrets".to_owned(),
        };
        Api::namespaced_with(self.client.clone(), namespace, &resource)
    }

    /// Polls until `holds`.
    ///
    /// # Errors
    /// After `limit`, or when the operator ends.
    pub(super) async fn until(
        &self,
        what: &str,
        limit: Duration,
        holds: impl AsyncFn(&Self) -> Result<bool>,
    ) -> Result<()> {
        let start = Instant::now();
        while !holds(self).await? {
            let ended = self.replicas.iter().find(|replica| !replica.is_running());
            if ended.is_some() || start.elapsed() > limit {
                let told = ended.or(self.replicas.first());
                let log = told.map(|replica| replica.log_tail(LOG_LINES));
                let log = log.unwrap_or_default();
                bail!("{what}: not so after {:?}\n{log}", start.elapsed());
            }
            sleep(POLL).await;
        }
        Ok(())
    }

    /// What the operator has asked the API server for so far.
    pub(super) fn asked(&self) -> Result<Vec<AuditEvent>> {
        let mut events = self.plane.audit_events()?;
        events.retain(|event| event.user == USER);
        Ok(events)
    }

    /// What the operator, its oldest replica, and the API server have consumed so far; a stopped operator nothing.
    pub(super) fn usage(&self) -> Result<[testbed::Usage; 2]> {
        let server = self.plane.usage(testbed::Component::ApiServer)?;
        let ours = self.replicas.first().map(Process::usage);
        Ok([ours.transpose()?.unwrap_or_default(), server])
    }
}

/// Whether an ExternalSecret is in sync.
pub(super) fn is_ready(object: &DynamicObject) -> bool {
    let conditions = &object.data["status"]["conditions"];
    let mut conditions = conditions.as_array().into_iter().flatten();
    conditions
        .any(|condition: &Value| condition["type"] == "Ready" && condition["status"] == "True")
}

/// Starts the operator as its ServiceAccount, the one of that number on this control plane.
pub(super) async fn start_operator(
    (program, number): (&Path, usize),
    plane: &ControlPlane,
    azure: &AzFake,
    flags: &[String],
) -> Result<Process> {
    let environment = operator::environment(plane, azure, TOKEN_LIFE).await?;
    let log = plane.state().join(format!("operator-{number}.log"));
    let launch = Launch::new(program, log);
    let addresses = ["--metrics-addr=0", "--live-addr=0"];
    let launch = launch.args(addresses).args(flags);
    Process::spawn(launch.env_clear().envs(environment))
}
