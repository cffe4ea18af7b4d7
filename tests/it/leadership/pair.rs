//! Replicas of the operator, their Lease, and what each of them wrote.

use std::time::Duration;

use anyhow::bail;
use serde_json::{Value, json};
use testbed::AuditEvent;
use tokio::time::{Instant, sleep};

use crate::outages::scene::{Scene, Team};
use crate::support::bed::Kind;
use crate::support::cluster::{ObjectRef, text};
use crate::support::operator::{Operator, Options, USER};
use crate::support::settings;

/// Replica B's ServiceAccount as the API server knows it; replica A's is [`USER`].
pub(super) const OTHER: &str = "system:serviceaccount:external-secrets:keyferry-b";
/// Short durations, so that terms run out soon.
pub(super) const SHORT: [&str; 4] = [
    "--enable-leader-election",
    "--leader-election-lease-duration=4s",
    "--leader-election-renew-deadline=3s",
    "--leader-election-retry-period=500ms",
];
/// So long anything may take on a busy machine that has no bound of its own.
pub(super) const LONG: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(20);
const TOKEN_LIFE: Duration = Duration::from_hours(1);

/// A scene whose operator is replica A, and what replica B needs.
pub(super) struct Pair {
    pub(super) scene: Scene,
    pub(super) team: Team,
    flags: Vec<&'static str>,
}

impl Pair {
    /// Starts a bed and replica A, and waits until it leads.
    pub(super) async fn start(flags: &[&'static str]) -> anyhow::Result<Self> {
        let scene = Scene::start(Kind::Audited, flags).await?;
        let team = scene.team("replicas").await?;
        let flags = flags.to_vec();
        let mut pair = Self { scene, team, flags };
        becomes(&mut pair.scene.operator, "leader").await?;
        Ok(pair)
    }

    /// Starts replica B, which has the same rights, and waits until it stands by.
    pub(super) async fn second(&self) -> anyhow::Result<Operator> {
        let bed = &self.scene.bed;
        for (kind, role) in [
            ("ClusterRole", "keyferry"),
            ("Role", "keyferry-leaderelection"),
        ] {
            let binding = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": format!("{kind}Binding"),
                "metadata": {"name": "keyferry-b", "namespace": "external-secrets"},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role},
                "subjects": [{"kind": "ServiceAccount", "name": "keyferry-b", "namespace": "external-secrets"}]});
            bed.cluster().apply(&binding, None).await?;
        }
        let kubeconfig = bed
            .plane()
            .service_account_kubeconfig("external-secrets", "keyferry-b", TOKEN_LIFE)
            .await?;
        let mut options = Options::flags(&self.flags);
        let kubeconfig = kubeconfig.display().to_string();
        options.environment = vec![("KUBECONFIG".to_owned(), kubeconfig)];
        let mut other = Operator::start(&settings::operator(), bed, options)?;
        becomes(&mut other, "standby").await?;
        Ok(other)
    }

    /// ExternalSecrets `s0`, `s1`, … that are refreshed every second, in sync with `value`.
    pub(super) async fn syncs(&self, count: usize, value: &str) -> anyhow::Result<Vec<String>> {
        let names: Vec<String> = (0..count).map(|n| format!("s{n}")).collect();
        for name in &names {
            self.team.seed(name, value);
            self.team.sync(name, name, "1s").await?;
        }
        for name in &names {
            self.team.in_step(name, value).await?;
        }
        Ok(names)
    }

    /// The spec of the Lease; null where there is none.
    pub(super) async fn lease(&self) -> anyhow::Result<Value> {
        let found = self.scene.bed.cluster().get(&lease()).await?;
        Ok(found.map_or(Value::Null, |mut lease| lease["spec"].take()))
    }

    /// Waits until the Lease's holder is neither nobody nor `before`; returns how long that took.
    pub(super) async fn taken_from(&self, before: &Value) -> anyhow::Result<Duration> {
        let began = Instant::now();
        until("another holder", async || {
            let holder = self.lease().await?["holderIdentity"].take();
            Ok(!text(&holder).is_empty() && holder != *before)
        })
        .await?;
        Ok(began.elapsed())
    }

    /// What the replicas asked to write since a mark, Leases and refusals included, by verb.
    pub(super) async fn writes_since(&self, mark: usize) -> anyhow::Result<Vec<AuditEvent>> {
        let mut events = self.scene.requests_since(mark).await?;
        events.retain(|event| {
            [USER, OTHER].contains(&event.user.as_str())
                && !["get", "list", "watch"].contains(&event.verb.as_str())
        });
        Ok(events)
    }
}

/// The Lease.
pub(super) fn lease() -> ObjectRef {
    ObjectRef {
        kind: "Lease".to_owned(),
        namespace: Some("external-secrets".to_owned()),
        name: "external-secrets-controller".to_owned(),
    }
}

/// Waits until an operator's `/readyz` is 200 with this text; its metric has to agree.
pub(super) async fn becomes(operator: &mut Operator, role: &str) -> anyhow::Result<()> {
    let (end, wanted) = (Instant::now() + LONG, Some((200, role.to_owned())));
    // it may not listen yet
    while operator.probe_text("/readyz").await.ok() != wanted {
        if operator.ended()?.is_some() || Instant::now() > end {
            bail!("it is no {role}: {}", operator.log_tail());
        }
        sleep(POLL).await;
    }
    let value = u8::from(role == "leader");
    let series = "leader_election_master_status{name=\"external-secrets-controller\"}";
    let line = format!("{series} {value}");
    let metrics = operator.metrics().await?;
    if !metrics.lines().any(|have| have == line) {
        bail!("{line:?} is not in the metrics");
    }
    Ok(())
}

/// Waits until an operator has ended by itself with an error; returns how long that took.
pub(super) async fn fails(operator: &mut Operator) -> anyhow::Result<Duration> {
    let began = Instant::now();
    loop {
        if let Some(end) = operator.ended()? {
            if end.success() {
                bail!("it ended as if asked to: {}", operator.log_tail());
            }
            return Ok(began.elapsed());
        }
        if began.elapsed() > LONG {
            bail!("it has not ended: {}", operator.log_tail());
        }
        sleep(POLL).await;
    }
}

/// Polls until `holds`.
pub(super) async fn until(
    what: &str,
    holds: impl AsyncFn() -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let end = Instant::now() + LONG;
    while !holds().await? {
        if Instant::now() > end {
            bail!("{what}: not so within {LONG:?}");
        }
        sleep(POLL).await;
    }
    Ok(())
}
