//! A cluster that ESO kept until now: what it left, by the recordings, is adopted without a write. Then
//! everything falls due and is fetched again, and no Secret is written either.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Context as _;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use testbed::AuditEvent;
use tokio::time::{Instant, sleep};

use super::case::{self, Case, Verb};
use super::differences::Differences;
use super::pending::Pending;
use super::run::{POLL, Run};
use super::{documents, own_cases};
use crate::support;
use crate::support::bed::{Bed, Kind};
use crate::support::cluster::{ObjectRef, text};
use crate::support::manifests::ready;
use crate::support::operator::{Operator, Options, SYNC_CALLS, USER, counter, is_write};
use crate::support::say;
use crate::support::settings;

const KINDS: [&str; 6] = [
    "Secret",
    "ConfigMap",
    "ExternalSecret",
    "SecretStore",
    "ClusterSecretStore",
    "Namespace",
];
const MANAGED: &str = "reconcile.external-secrets.io/managed";
/// So long all objects may take to be looked at.
const LIMIT: Duration = Duration::from_mins(1);
/// Nothing happens for so long: it is over.
const QUIET: Duration = Duration::from_secs(2);

#[test]
fn what_eso_left_is_adopted_without_a_write_and_stays_the_same_when_it_is_fetched_again() {
    support::run(take_over()).unwrap_or_else(|error| panic!("{error:#}"));
}

async fn take_over() -> anyhow::Result<()> {
    let differences = Differences::load(&own_cases().join("differences.toml"))?;
    let pending = Pending::load(&own_cases().join("pending.txt"))?;
    let cases: Vec<Case> = case::files(&own_cases())?
        .iter()
        .map(|file| Case::load(file))
        .collect::<anyhow::Result<_>>()?;
    let bed = Bed::start_as(Kind::Audited).await?;
    let mut left = Vec::new();
    for case in &cases {
        let is_plain = !pending.holds(&case.name) && !differences.has_case(&case.name);
        if let Some(end) = end(case).filter(|_| is_plain) {
            let mut run = Run::new(&bed, case, &differences);
            let done = run.leave_as_eso(end).await;
            done.with_context(|| case.name.clone())?;
            left.push((run, end));
        }
    }
    say(&format!("takeover: {} recorded clusters", left.len()));
    assert!(left.len() > 100, "only {} cases", left.len());

    let objects = all_objects(&bed).await?;
    let mark = bed.azure().mark();
    let mut operator = Operator::start(&settings::operator(), &bed, Options::default())?;
    looked_at(&bed, &mut operator, &objects).await?;
    // without a target there is nothing to go by: ESO too fetches at each start
    let open: BTreeSet<String> = left
        .iter()
        .filter_map(|(run, end)| run.without_target(end))
        .collect();
    let mut written = writes(&bed)?;
    written.retain(|line| !open.iter().any(|namespace| line.contains(namespace)));
    assert_eq!(written, Vec::<String>::new());
    let asked = asked_since(&bed, mark);
    assert!(!asked.is_empty(), "those without a target ask");
    let unexpected: Vec<_> = asked.difference(&open).collect();
    assert!(
        unexpected.is_empty(),
        "vaults asked before anything is due: {unexpected:?}"
    );

    operator.stop().await?;
    let long_ago = Timestamp::now() - SignedDuration::from_hours(30);
    for (run, end) in &left {
        run.set_statuses(&recorded(run.case, end)?["objects"], long_ago)
            .await?;
    }
    let secrets = secrets(&bed).await?;
    operator.restart()?;
    looked_at(&bed, &mut operator, &objects).await?;
    let kinds: BTreeSet<String> = writes(&bed)?
        .into_iter()
        .filter(|line| !line.contains("/status "))
        .collect();
    assert_eq!(kinds, BTreeSet::new());
    let now = self::secrets(&bed).await?;
    assert_eq!(now.len(), secrets.len());
    assert!(now == secrets, "a Secret was written");
    operator.stop().await?;
    Ok(())
}

/// Puts in what ESO left of these cases: their objects, targets and statuses as recorded.
pub(crate) async fn leave_as_eso(bed: &Bed, names: &[&str]) -> anyhow::Result<()> {
    let differences = Differences::load(&own_cases().join("differences.toml"))?;
    let mut left = 0;
    for file in case::files(&own_cases())? {
        if !names
            .iter()
            .any(|name| file.ends_with(format!("{name}.yaml")))
        {
            continue;
        }
        let case = Case::load(&file)?;
        let end = end(&case).context("no plain case")?;
        let mut run = Run::new(bed, &case, &differences);
        run.leave_as_eso(end).await.context(case.name.clone())?;
        left += 1;
    }
    anyhow::ensure!(left == names.len(), "{left} of {names:?}");
    Ok(())
}

/// The snapshot that a case reaches by applying objects alone, with everything in sync.
fn end(case: &Case) -> Option<&str> {
    for step in case.steps() {
        match step.verb().ok()? {
            Verb::Snapshot(name) => {
                let objects = case.recorded().ok()?.get(name)?["objects"].as_object()?;
                let is_in_step = |(key, object): (&String, &Value)| {
                    let is_watched =
                        key.starts_with("ExternalSecret/") || key.contains("SecretStore/");
                    let condition = ready(object);
                    // a store that cannot be checked is told why, which ESO does not
                    let is_told = condition["reason"] == "ValidationUnknown";
                    // the recordings are YAML 1.1: 1e+06 is a text there, and a number when it is read
                    let mut values = object["data"].as_object().into_iter().flatten();
                    let is_read = values.all(|(_, value)| !value.is_number());
                    is_read && (!is_watched || condition["status"] == "True" && !is_told)
                };
                let has_one = objects.keys().any(|key| key.starts_with("ExternalSecret/"));
                return (has_one && objects.iter().all(is_in_step)).then_some(name);
            }
            Verb::Apply(yaml) => {
                // what falls due all the time never comes to rest
                let rests = |object: &Value| {
                    let interval = text(&object["spec"]["refreshInterval"]);
                    !interval.ends_with('s') || interval.ends_with("m0s") || interval == "0s"
                };
                let served =
                    |object: &Value| KINDS.contains(&text(&object["kind"])) && rests(object);
                let is_plain = step.rejected.is_null() && step.owned_by.is_empty();
                if !is_plain || !documents(yaml).ok()?.iter().all(served) {
                    return None;
                }
            }
            Verb::Vault(_) | Verb::Nothing => {}
            _ => return None,
        }
    }
    None
}

fn recorded<'a>(case: &'a Case, end: &str) -> anyhow::Result<&'a Value> {
    case.recorded()?.get(end).context("no such snapshot")
}

impl Run<'_> {
    /// Applies what the case applies, and puts in what ESO made of it until snapshot `end`.
    async fn leave_as_eso(&mut self, end: &str) -> anyhow::Result<()> {
        self.make_namespaces().await?;
        self.seed(&self.case.vault)?;
        for step in self.case.steps() {
            match step.verb()? {
                Verb::Snapshot(_) => break,
                Verb::Vault(content) => self.seed(content)?,
                Verb::Apply(yaml) => {
                    for object in documents(&self.names.real_text(yaml))? {
                        let namespace = Some(self.names.namespace());
                        self.cluster().apply(&object, namespace).await?;
                    }
                }
                _ => {}
            }
        }
        let objects = &recorded(self.case, end)?["objects"];
        for (key, object) in objects.as_object().into_iter().flatten() {
            let is_managed = !object["metadata"]["labels"][MANAGED].is_null();
            if key.starts_with("Secret/") && is_managed {
                self.put_target(key, object).await?;
            }
        }
        self.set_statuses(objects, Timestamp::now()).await
    }

    /// Writes a target Secret as ESO does: whole, under the field manager of its ExternalSecret.
    async fn put_target(&self, key: &str, recorded: &Value) -> anyhow::Result<()> {
        let reference = self.reference(key).await?;
        let recorded = self.names.real(recorded);
        let namespace = reference.namespace.clone().unwrap_or_default();
        let writers = self
            .cluster()
            .list("ExternalSecret", Some(&namespace))
            .await?;
        let names = |object: &&Value| {
            let own = text(&object["metadata"]["name"]);
            object["spec"]["target"]["name"].as_str().unwrap_or(own) == reference.name
        };
        let writer = writers.iter().find(names).context("nobody writes it")?;
        let present = self.cluster().get(&reference).await?;
        let mut secret = present.clone().unwrap_or_else(|| {
            json!({"apiVersion": "v1", "kind": "Secret",
                "metadata": {"name": reference.name, "namespace": namespace}})
        });
        secret["data"] = encoded(&recorded["data"]);
        for field in ["type", "immutable"] {
            secret[field] = recorded[field].clone();
        }
        for field in ["labels", "annotations", "ownerReferences", "finalizers"] {
            secret["metadata"][field] = recorded["metadata"][field].clone();
        }
        for owner in secret["metadata"]["ownerReferences"]
            .as_array_mut()
            .into_iter()
            .flatten()
        {
            owner["uid"] = writer["metadata"]["uid"].clone();
        }
        let manager = field_manager(text(&writer["metadata"]["name"]));
        let method = if present.is_some() { "PUT" } else { "POST" };
        self.cluster().write(method, &secret, "", &manager).await?;
        Ok(())
    }

    /// Statuses and finalizers as recorded, with this time in place of each.
    async fn set_statuses(&self, objects: &Value, time: Timestamp) -> anyhow::Result<()> {
        let time = time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        for (key, object) in objects.as_object().into_iter().flatten() {
            if object["status"].is_null() {
                continue;
            }
            let reference = self.reference(key).await?;
            let recorded = self.names.real(object);
            let finalizers =
                json!({"metadata": {"finalizers": recorded["metadata"]["finalizers"]}});
            self.cluster().patch(&reference, &finalizers).await?;
            let mut present = self.cluster().get(&reference).await?.context("not there")?;
            let status = recorded["status"].to_string().replace("<time>", &time);
            present["status"] = serde_json::from_str(&status)?;
            self.cluster()
                .write("PUT", &present, "/status", "external-secrets")
                .await?;
        }
        Ok(())
    }

    async fn reference(&self, key: &str) -> anyhow::Result<ObjectRef> {
        self.object(&self.names.real_text(key)).await
    }

    /// The case's namespace, where an ExternalSecret of it has no target that could be valid.
    fn without_target(&self, end: &str) -> Option<String> {
        let objects = recorded(self.case, end).ok()?["objects"].as_object()?;
        let count = |of: &str| objects.keys().filter(|key| key.starts_with(of)).count();
        let managed = objects.iter().filter(|(key, object)| {
            key.starts_with("Secret/") && !object["metadata"]["labels"][MANAGED].is_null()
        });
        let is_open = managed.count() < count("ExternalSecret/");
        is_open.then(|| self.names.namespace().to_owned())
    }
}

/// The recorded data (text, or `{base64}`) as a Secret has it.
fn encoded(data: &Value) -> Value {
    use base64::Engine as _;
    let engine = base64::engine::general_purpose::STANDARD;
    let entries = data.as_object().into_iter().flatten();
    let encode = |value: &Value| match value.as_str() {
        Some(text) => json!(engine.encode(text)),
        None => value["base64"].clone(),
    };
    entries
        .map(|(key, value)| (key.clone(), encode(value)))
        .collect()
}

/// The field manager that ESO writes the target of ExternalSecret `name` under.
fn field_manager(name: &str) -> String {
    let plain = format!("externalsecrets.external-secrets.io/{name}");
    if plain.len() > 63 {
        let hash = keyferry::secret::text_hash(name);
        format!("externalsecrets.external-secrets.io/sha3/{hash}")
    } else {
        plain
    }
}

async fn all_objects(bed: &Bed) -> anyhow::Result<Vec<(String, String)>> {
    let objects = bed.cluster().list("ExternalSecret", None).await?;
    let key = |o: &Value| {
        let metadata = &o["metadata"];
        (
            text(&metadata["namespace"]).to_owned(),
            text(&metadata["name"]).to_owned(),
        )
    };
    Ok(objects.iter().map(key).collect())
}

/// Every Secret, by namespace and name, with its resource version.
async fn secrets(bed: &Bed) -> anyhow::Result<BTreeSet<String>> {
    let secrets = bed.cluster().list("Secret", None).await?;
    let line = |o: &Value| {
        let metadata = &o["metadata"];
        format!(
            "{}/{} {}",
            metadata["namespace"], metadata["name"], metadata["resourceVersion"]
        )
    };
    Ok(secrets.iter().map(line).collect())
}

/// Waits until the operator has looked at every object, and asks for nothing any more.
async fn looked_at(
    bed: &Bed,
    operator: &mut Operator,
    objects: &[(String, String)],
) -> anyhow::Result<()> {
    let end = Instant::now() + LIMIT;
    let (mut requests, mut since) = (0, Instant::now());
    loop {
        anyhow::ensure!(
            operator.ended()?.is_none(),
            "ended: {}",
            operator.log_tail()
        );
        let metrics = operator.metrics().await.unwrap_or_default();
        let is_seen = |(namespace, name): &(String, String)| {
            counter(&metrics, SYNC_CALLS, namespace, name) > 0
        };
        let audited = bed.plane().audit_events()?;
        let by_operator = audited.iter().filter(|event| event.user == USER).count();
        let so_far = by_operator + bed.azure().requests_since(0, "").1.len();
        if so_far != requests {
            (requests, since) = (so_far, Instant::now());
        }
        if since.elapsed() > QUIET && objects.iter().all(&is_seen) {
            return Ok(());
        }
        let unseen: Vec<_> = objects.iter().filter(|object| !is_seen(object)).collect();
        anyhow::ensure!(
            Instant::now() < end,
            "{so_far} requests, not looked at: {unseen:?}: {}",
            operator.log_tail()
        );
        sleep(POLL).await;
    }
}

/// What the operator wrote but for Events, as `verb resource namespace/name`.
fn writes(bed: &Bed) -> anyhow::Result<Vec<String>> {
    let events = bed.plane().audit_events()?;
    let line = |event: &AuditEvent| {
        let (resource, sub) = (&event.resource, &event.subresource);
        let slash = if sub.is_empty() { "" } else { "/" };
        format!(
            "{} {resource}{slash}{sub} {}/{}",
            event.verb, event.namespace, event.name
        )
    };
    Ok(events
        .iter()
        .filter(|event| is_write(event))
        .map(line)
        .collect())
}

/// The namespaces of the cases whose vaults were asked.
fn asked_since(bed: &Bed, mark: u64) -> BTreeSet<String> {
    let asked = bed.azure().requests_since(mark, "").1;
    let label = |host: &str| host.split_once("--").map(|(case, _)| case.to_owned());
    asked
        .iter()
        .filter_map(|request| label(&request.host))
        .collect()
}
