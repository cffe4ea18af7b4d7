//! One case on the bed: its namespaces, its steps in order, its snapshots, and the clean-up.
//! How manifests are applied is in `apply`, what an await
//! means in `awaits`, what a snapshot holds in `snapshot`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::{Map, Value, json};
use tokio::time::{Instant, sleep};

use super::case::{Case, Step, Verb, is_host};
use super::differences::Differences;
use super::names::Names;
use crate::support::bed::Bed;
use crate::support::cluster::{self, Cluster, ObjectRef, text};

/// Between two looks at the cluster.
pub(super) const POLL: Duration = Duration::from_millis(100);
/// So long nothing may change before a snapshot.
pub(super) const SETTLE: Duration = Duration::from_millis(800);
/// So long a snapshot waits at most for that.
pub(super) const SETTLE_MAX: Duration = Duration::from_secs(6);
/// The kinds that use stores.
pub(super) const STORE_USERS: [&str; 4] = [
    "ExternalSecret",
    "PushSecret",
    "ClusterExternalSecret",
    "ClusterPushSecret",
];
/// The kinds that every snapshot lists in the case's namespaces.
pub(super) const LISTED: [&str; 5] = [
    "Secret",
    "ConfigMap",
    "ExternalSecret",
    "SecretStore",
    "PushSecret",
];

/// A case while it runs.
pub(crate) struct Run<'a> {
    pub(super) bed: &'a Bed,
    pub(super) case: &'a Case,
    pub(super) differences: &'a Differences,
    pub(super) names: Names,
    /// The case's own namespace first.
    pub(super) namespaces: Vec<String>,
    /// Applied and cluster-scoped.
    pub(super) cluster_scoped: BTreeSet<ObjectRef>,
    /// Applied, namespaced, of the `external-secrets.io` groups, and not in [`LISTED`].
    pub(super) others: BTreeSet<ObjectRef>,
    /// What the API said to objects that it refused since the last snapshot.
    pub(super) rejections: Vec<Value>,
    /// Stores whose first status is still out.
    pub(super) young_stores: Vec<ObjectRef>,
    /// Just after a snapshot.
    quiet: bool,
    snapshots: BTreeMap<String, Value>,
}

impl<'a> Run<'a> {
    /// A case that did not start yet.
    pub(crate) fn new(bed: &'a Bed, case: &'a Case, differences: &'a Differences) -> Self {
        let names = Names::new(&case.name);
        let own = names.namespace().to_owned();
        let extra = case
            .extra_namespaces
            .keys()
            .map(|suffix| format!("{own}-{suffix}"));
        let namespaces = std::iter::once(own.clone()).chain(extra).collect();
        Self {
            bed,
            case,
            differences,
            names,
            namespaces,
            cluster_scoped: BTreeSet::new(),
            others: BTreeSet::new(),
            rejections: Vec::new(),
            young_stores: Vec::new(),
            quiet: false,
            snapshots: BTreeMap::new(),
        }
    }

    /// A text with the case's own names.
    pub(crate) fn told(&self, text: &str) -> String {
        self.names.told_text(text)
    }

    pub(super) fn cluster(&self) -> &'a Cluster {
        self.bed.cluster()
    }

    /// Runs all steps and returns the snapshots taken.
    pub(crate) async fn play(&mut self) -> anyhow::Result<BTreeMap<String, Value>> {
        self.make_namespaces().await?;
        self.seed(&self.case.vault)?;
        for (number, step) in (1..).zip(self.case.steps()) {
            let verb = step.verb()?.word();
            let done = self.step(number, step).await;
            done.with_context(|| format!("step {number} ({verb})"))?;
        }
        Ok(std::mem::take(&mut self.snapshots))
    }

    pub(super) async fn make_namespaces(&self) -> anyhow::Result<()> {
        let own = self.names.namespace();
        for namespace in &self.namespaces {
            let suffix = namespace[own.len()..].trim_start_matches('-');
            let labels = match self.case.extra_namespaces.get(suffix) {
                Some(labels) if namespace != own => labels.clone().unwrap_or_default(),
                _ => self.case.namespace_labels.clone(),
            };
            let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}});
            self.cluster().apply(&object, None).await?;
        }
        Ok(())
    }

    pub(super) fn seed(&self, content: &Map<String, Value>) -> anyhow::Result<()> {
        for (vault, content) in content {
            self.bed
                .seed(&self.names.label(vault), self.names.real(content))?;
        }
        Ok(())
    }

    async fn step(&mut self, number: usize, step: &Step) -> anyhow::Result<()> {
        let awaited = self
            .differences
            .replaced_await(&self.case.name, number)
            .and_then(Value::as_object);
        let awaited = self
            .names
            .real(&Value::Object(awaited.unwrap_or(&step.r#await).clone()));
        let awaited = awaited.as_object().context("an await is a map")?;
        let before = self.refresh_times(awaited).await?;
        let verb = step.verb()?;
        if verb.changes() && !self.quiet && !step.race {
            self.settled(SETTLE / 2, SETTLE_MAX / 2).await?; // an operator may still be at the last change
        }
        self.quiet = matches!(verb, Verb::Snapshot(_));
        match verb {
            Verb::Apply(yaml) => self.apply(yaml, number, step).await?,
            Verb::Snapshot(name) => {
                let taken = self.snapshot(name).await?;
                if self.snapshots.insert(name.to_owned(), taken).is_some() {
                    bail!("snapshot {name} twice");
                }
            }
            Verb::Vault(content) => self.seed(content)?,
            Verb::Mark(field, marks) => {
                for (object, values) in marks {
                    self.patch(object, &json!({"metadata": {field: values}}))
                        .await?;
                }
            }
            Verb::Patch(patches) => {
                for (object, patch) in patches {
                    self.patch(object, patch).await?;
                }
            }
            Verb::Delete(objects) => self.delete(objects, step).await?,
            Verb::Fault(faults) => self.fault(faults)?,
            Verb::Entra(tenants) => self
                .bed
                .entra(&self.names.real(&Value::Object(tenants.clone())))?,
            Verb::Sleep(seconds) => sleep(Duration::from_secs_f64(seconds)).await,
            Verb::Nothing => {}
        }
        for (object, want) in awaited {
            self.wait(object, want, &before, step).await?;
        }
        Ok(())
    }

    pub(super) async fn patch(&self, object: &str, patch: &Value) -> anyhow::Result<()> {
        let object = self.object(&self.names.real_text(object)).await?;
        self.cluster()
            .patch(&object, &self.names.real(patch))
            .await?;
        Ok(())
    }

    fn fault(&self, faults: &Map<String, Value>) -> anyhow::Result<()> {
        for (target, fault) in faults {
            let target = if is_host(target) {
                target.clone()
            } else {
                self.names.label(target)
            };
            self.bed.fault(&target, fault.clone())?;
        }
        Ok(())
    }

    async fn delete(&self, objects: &[String], step: &Step) -> anyhow::Result<()> {
        let mut doomed = Vec::new();
        for object in objects {
            let object = self.object(&self.names.real_text(object)).await?;
            let uid = self
                .cluster()
                .get(&object)
                .await?
                .map(|o| o["metadata"]["uid"].clone());
            doomed.push((object, uid));
        }
        for (object, _) in &doomed {
            self.cluster().delete(object).await?;
        }
        let end = Instant::now() + super::awaits::limit(step);
        for (object, uid) in doomed
            .iter()
            .filter(|(_, uid)| uid.is_some() && !step.no_wait)
        {
            // gone, or made again
            while self
                .cluster()
                .get(object)
                .await?
                .is_some_and(|o| Some(&o["metadata"]["uid"]) == uid.as_ref())
            {
                if Instant::now() > end {
                    bail!("timed out: still there: {object}");
                }
                sleep(POLL).await;
            }
        }
        Ok(())
    }

    /// The object that `Kind/name`, `Kind.group/name` or `Kind/NAMESPACE/name` stands for.
    pub(super) async fn object(&self, reference: &str) -> anyhow::Result<ObjectRef> {
        let parts: Vec<&str> = reference.split('/').collect();
        let (kind, namespace, name) = match parts[..] {
            [kind, name] => (kind, self.names.namespace(), name),
            [kind, namespace, name] => (kind, namespace, name),
            _ => bail!("{reference:?} is no reference to an object"),
        };
        let served = self.cluster().kind(kind, None).await?;
        let namespace = served.namespaced.then(|| namespace.to_owned());
        Ok(ObjectRef {
            kind: kind.to_owned(),
            namespace,
            name: name.to_owned(),
        })
    }

    /// Takes the case's objects, faults and vaults away. Its namespaces stay: their deletion costs dozens of requests.
    pub(crate) async fn clean_up(&self) -> anyhow::Result<()> {
        for target in self.case.fault_targets() {
            self.fault(&Map::from_iter([(target.clone(), Value::Null)]))?;
        }
        if self.case.changes_entra() {
            self.bed.entra(
                &json!({azfake::TENANT: {azfake::CLIENT: {"secrets": [azfake::CLIENT_SECRET]}}}),
            )?;
        }
        let (first, rest): (Vec<_>, Vec<_>) = self
            .cluster_scoped
            .iter()
            .cloned()
            .partition(|o| STORE_USERS.contains(&o.kind.as_str()));
        self.remove(first).await?;
        self.remove(self.all("ExternalSecret").await?).await?;
        self.remove(self.all("PushSecret").await?).await?;
        for object in rest.into_iter().chain(self.all("SecretStore").await?) {
            self.cluster().delete(&object).await?;
        }
        self.bed.forget_vaults(&self.names.label(""));
        Ok(())
    }

    async fn all(&self, kind: &str) -> cluster::Result<Vec<ObjectRef>> {
        let mut found = Vec::new();
        for namespace in &self.namespaces {
            for object in self.cluster().list(kind, Some(namespace)).await? {
                let name = text(&object["metadata"]["name"]).to_owned();
                found.push(ObjectRef {
                    kind: kind.to_owned(),
                    namespace: Some(namespace.clone()),
                    name,
                });
            }
        }
        Ok(found)
    }

    /// Deletes objects, waits a little for their finalizers and then takes these off.
    async fn remove(&self, objects: Vec<ObjectRef>) -> cluster::Result<()> {
        for object in &objects {
            self.cluster().delete(object).await?;
        }
        let end = Instant::now() + Duration::from_secs(5);
        for object in &objects {
            while self.cluster().get(object).await?.is_some() {
                if Instant::now() > end {
                    let freed = self
                        .cluster()
                        .patch(object, &json!({"metadata": {"finalizers": null}}))
                        .await;
                    if freed.is_err_and(|e| e.status() != Some(404)) {
                        break;
                    }
                }
                sleep(POLL).await;
            }
        }
        Ok(())
    }
}
