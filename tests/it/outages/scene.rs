//! A cluster of one's own that may be disturbed, an operator in it, and who asked for what. Knows how
//! to make ExternalSecrets and to look at them; breaks nothing itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use testbed::AuditEvent;
use tokio::time::{Instant, sleep};

use crate::support::bed::{Bed, Kind};
use crate::support::cluster::{ObjectRef, array, text};
use crate::support::operator::{Operator, Options, USER, is_write};
use crate::support::settings;

/// The longest pause of a watch that failed is a minute.
pub(crate) const LONG: Duration = Duration::from_secs(90);
const POLL: Duration = Duration::from_millis(100);

/// The parts.
pub(crate) struct Scene {
    pub(crate) bed: Arc<Bed>,
    pub(crate) operator: Operator,
    fences: AtomicU32,
}

impl Scene {
    /// Starts a bed of this kind and an operator, which may not be ready yet.
    pub(crate) async fn start(kind: Kind, flags: &[&str]) -> anyhow::Result<Self> {
        let bed = Arc::new(Bed::start_as(kind).await?);
        let operator = Operator::start(&settings::operator(), &bed, Options::flags(flags))?;
        Ok(Self {
            bed,
            operator,
            fences: AtomicU32::new(0),
        })
    }

    /// A namespace with a vault of the same name and a store `kv` for it.
    pub(crate) async fn team(&self, prefix: &str) -> anyhow::Result<Team> {
        let namespace = self.bed.namespace(prefix).await?;
        let team = Team {
            bed: Arc::clone(&self.bed),
            namespace,
        };
        let credentials = json!({"id": azfake::CLIENT, "secret": azfake::CLIENT_SECRET});
        let secret_key = |key: &str| json!({"name": "creds", "key": key});
        let provider = json!({"azurekv": {
            "tenantId": azfake::TENANT,
            "vaultUrl": format!("https://{}.vault.azure.net", team.namespace),
            "authSecretRef": {"clientId": secret_key("id"), "clientSecret": secret_key("secret")},
        }});
        team.apply(&json!({"apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "creds"}, "stringData": credentials}))
            .await?;
        team.apply(
            &json!({"apiVersion": "external-secrets.io/v1", "kind": "SecretStore",
            "metadata": {"name": "kv"}, "spec": {"provider": provider}}),
        )
        .await?;
        Ok(team)
    }

    /// What the operator's role allows.
    pub(crate) async fn rules(&self) -> anyhow::Result<Value> {
        let found = self.bed.cluster().get(&role()).await?;
        Ok(found.context("no ClusterRole keyferry")?["rules"].take())
    }

    /// Allows the operator what these rules say.
    pub(crate) async fn allow<'a>(
        &self,
        rules: impl Iterator<Item = &'a Value>,
    ) -> anyhow::Result<()> {
        let patch = json!({"rules": rules.collect::<Vec<_>>()});
        self.bed.cluster().patch(&role(), &patch).await?;
        Ok(())
    }

    /// Every request so far. A fence of our own makes sure that earlier ones are in the log.
    async fn requests(&self) -> anyhow::Result<Vec<AuditEvent>> {
        let fence = format!(
            "/version?fence={}",
            self.fences.fetch_add(1, Ordering::Relaxed)
        );
        self.bed.cluster().request("GET", &fence, None).await?;
        let end = Instant::now() + LONG;
        loop {
            let events = self.bed.plane().audit_events()?;
            if events.iter().any(|event| event.uri == fence) {
                return Ok(events);
            }
            if Instant::now() > end {
                bail!("the audit log has no {fence}");
            }
            sleep(POLL).await;
        }
    }

    /// How long the log of requests is now.
    pub(crate) async fn mark(&self) -> anyhow::Result<usize> {
        Ok(self.requests().await?.len())
    }

    /// Every request since a mark.
    pub(crate) async fn requests_since(&self, mark: usize) -> anyhow::Result<Vec<AuditEvent>> {
        Ok(self.requests().await?.split_off(mark))
    }

    /// What the operator asked for since a mark.
    pub(crate) async fn asked_since(&self, mark: usize) -> anyhow::Result<Vec<AuditEvent>> {
        let mut events = self.requests_since(mark).await?;
        events.retain(|event| event.user == USER);
        Ok(events)
    }

    /// What the operator wrote since a mark, as `verb resource name`, sorted; its Events are left out.
    pub(crate) async fn written_since(&self, mark: usize) -> anyhow::Result<Vec<String>> {
        let asked = self.asked_since(mark).await?;
        let mut lines: Vec<String> = asked
            .iter()
            .filter(|event| is_write(event) && event.code < 300)
            .map(line)
            .collect();
        lines.sort();
        Ok(lines)
    }

    /// Waits until the operator's log holds a text.
    pub(crate) async fn logged(&mut self, wanted: &str) -> anyhow::Result<()> {
        self.until(&format!("log line with {wanted:?}"), async |scene| {
            Ok(scene.operator.log()?.contains(wanted))
        })
        .await
    }

    /// Waits until `holds`; the operator must not end meanwhile.
    pub(crate) async fn until(
        &mut self,
        what: &str,
        holds: impl AsyncFn(&Self) -> anyhow::Result<bool>,
    ) -> anyhow::Result<()> {
        let end = Instant::now() + LONG;
        while !holds(self).await? {
            self.lives()?;
            if Instant::now() > end {
                bail!(
                    "{what}: not so within {LONG:?}\n{}",
                    self.operator.log_tail()
                );
            }
            sleep(POLL).await;
        }
        Ok(())
    }

    /// The operator has not ended.
    pub(crate) fn lives(&mut self) -> anyhow::Result<()> {
        match self.operator.ended()? {
            None => Ok(()),
            Some(end) => bail!("the operator ended ({end}): {}", self.operator.log_tail()),
        }
    }
}

fn role() -> ObjectRef {
    ObjectRef {
        kind: "ClusterRole".to_owned(),
        namespace: None,
        name: "keyferry".to_owned(),
    }
}

fn line(event: &AuditEvent) -> String {
    let subresource = match event.subresource.as_str() {
        "" => String::new(),
        name => format!("/{name}"),
    };
    format!(
        "{} {}{subresource} {}",
        event.verb, event.resource, event.name
    )
}

/// A namespace, its vault and its store.
pub(crate) struct Team {
    bed: Arc<Bed>,
    pub(crate) namespace: String,
}

impl Team {
    /// Puts a value into the vault.
    pub(crate) fn seed(&self, name: &str, value: &str) {
        self.bed.azure().set_secret(&self.namespace, name, value);
    }

    /// Applies an object into the namespace.
    pub(crate) async fn apply(&self, object: &Value) -> anyhow::Result<()> {
        let applied = self.bed.cluster().apply(object, Some(&self.namespace));
        Ok(applied.await.map(drop)?)
    }

    /// Applies an object as soon as the API server takes it, which learns of a changed definition
    /// a moment later.
    pub(crate) async fn accepted(&self, object: &Value) -> anyhow::Result<()> {
        let end = Instant::now() + LONG;
        loop {
            match self.apply(object).await {
                Ok(()) => return Ok(()),
                Err(error) if Instant::now() > end => return Err(error),
                Err(_) => sleep(POLL).await,
            }
        }
    }

    /// An ExternalSecret that puts the vault's secret `remote` under the key `value`.
    pub(crate) async fn sync(
        &self,
        name: &str,
        remote: &str,
        interval: &str,
    ) -> anyhow::Result<()> {
        self.apply(
            &json!({"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret",
            "metadata": {"name": name}, "spec": {
                "refreshInterval": interval,
                "secretStoreRef": {"name": "kv", "kind": "SecretStore"},
                "data": [{"secretKey": "value", "remoteRef": {"key": remote}}],
            }}),
        )
        .await
    }

    /// An object of the namespace.
    pub(crate) fn object(&self, kind: &str, name: &str) -> ObjectRef {
        ObjectRef {
            kind: kind.to_owned(),
            namespace: Some(self.namespace.clone()),
            name: name.to_owned(),
        }
    }

    /// Waits until the target of an ExternalSecret holds a value; returns the Secret.
    pub(crate) async fn holds(&self, name: &str, value: &str) -> anyhow::Result<Value> {
        let encoded = STANDARD.encode(value);
        let target = self.object("Secret", name);
        let found = self
            .bed
            .wait_for(&format!("value {value:?}"), &target, LONG, |secret| {
                secret.is_some_and(|secret| secret["data"]["value"] == encoded.as_str())
            })
            .await?;
        found.context("an absent Secret holds nothing")
    }

    /// Waits until the Ready condition of an object has this status; returns the condition.
    pub(crate) async fn ready(
        &self,
        kind: &str,
        name: &str,
        status: &str,
    ) -> anyhow::Result<Value> {
        let object = self.object(kind, name);
        let found = self
            .bed
            .wait_for(&format!("Ready={status}"), &object, LONG, |object| {
                object.is_some_and(|object| condition(object)["status"] == status)
            })
            .await?;
        Ok(condition(&found.unwrap_or_default()))
    }

    /// Waits until the store's status tells that the vault answers: the first read makes it write that.
    pub(crate) async fn reachable(&self) -> anyhow::Result<()> {
        let store = self.object("SecretStore", "kv");
        let is_told = |store: Option<&Value>| {
            let conditions = store.map_or(&Value::Null, |store| &store["status"]["conditions"]);
            array(conditions).any(|it| it["type"] == "Reachable" && it["status"] == "True")
        };
        let told = self.bed.wait_for("Reachable=True", &store, LONG, is_told);
        told.await.map(drop)
    }

    /// Waits until the ExternalSecret is ready and its target holds a value.
    pub(crate) async fn in_step(&self, name: &str, value: &str) -> anyhow::Result<()> {
        self.holds(name, value).await?;
        self.ready("ExternalSecret", name, "True").await.map(drop)
    }

    /// Uid and resource version of a target: equal means neither written nor made again.
    pub(crate) async fn stamp(&self, name: &str) -> anyhow::Result<[String; 2]> {
        let found = self.bed.cluster().get(&self.object("Secret", name)).await?;
        let found = found.with_context(|| format!("no Secret {name}"))?;
        let metadata = &found["metadata"];
        Ok(["uid", "resourceVersion"].map(|field| text(&metadata[field]).to_owned()))
    }

    /// How often the vault's secret `name` was asked for since a mark of azfake's log.
    pub(crate) fn reads(&self, name: &str, mark: u64) -> usize {
        let host = format!("{}.", self.namespace);
        let path = format!("/secrets/{name}");
        let (_, requests) = self.bed.azure().requests_since(mark, &host);
        let of_name = |path_asked: &str| {
            path_asked.trim_end_matches('/') == path || path_asked.starts_with(&format!("{path}?"))
        };
        requests
            .iter()
            .filter(|request| request.op == "secrets.get" && of_name(&request.path))
            .count()
    }
}

/// The Ready condition; null where there is none.
fn condition(object: &Value) -> Value {
    array(&object["status"]["conditions"])
        .find(|condition| condition["type"] == "Ready")
        .cloned()
        .unwrap_or_default()
}
