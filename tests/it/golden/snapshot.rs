//! All that a snapshot records of a case, taken when nothing has changed for a while.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::future::try_join_all;
use serde_json::{Map, Value, json};
use tokio::time::{Instant, sleep};

use super::compare::{Difference, compare};
use super::mask::reduced;
use super::run::{LISTED, POLL, Run, SETTLE, SETTLE_MAX};
use crate::support::cluster::{Result, text};

/// Kinds whose objects carry nothing that an operator does.
const PLAIN: [&str; 3] = ["Namespace", "ClusterRole", "ClusterRoleBinding"];

impl Run<'_> {
    /// The state once it is settled, with the rejections since the last snapshot. On a loaded machine
    /// an operator may pause for longer than [`SETTLE`] between two writes: a state that differs from
    /// the recorded one gets as long again as settling may take.
    pub(super) async fn snapshot(&mut self, name: &str) -> anyhow::Result<Value> {
        let rejections = std::mem::take(&mut self.rejections);
        let mut now = self.settled(SETTLE, SETTLE_MAX).await?;
        let end = Instant::now() + SETTLE_MAX;
        loop {
            if !rejections.is_empty() {
                now["rejections"] = rejections.clone().into();
            }
            let recorded = self.case.recorded()?.get(name);
            let is_as_recorded =
                recorded.is_none_or(|want| self.unexplained(name, want, &now).is_empty());
            if is_as_recorded || Instant::now() > end {
                return Ok(now);
            }
            sleep(2 * POLL).await;
            now = self.state().await?;
        }
    }

    /// What a snapshot has otherwise than recorded, without the differences that are meant.
    pub(super) fn unexplained(&self, name: &str, want: &Value, taken: &Value) -> Vec<Difference> {
        let found = compare(want, taken);
        self.differences
            .unexplained(&self.case.suite, &self.case.name, name, found)
    }

    /// Waits until nothing changed for so long, but no longer than `limit`; returns the state.
    pub(super) async fn settled(&self, quiet: Duration, limit: Duration) -> Result<Value> {
        let end = Instant::now() + limit;
        let (mut last, mut since) = (self.state().await?, Instant::now());
        loop {
            sleep(2 * POLL).await;
            let now = self.state().await?;
            if now != last {
                (last, since) = (now, Instant::now());
            } else if since.elapsed() >= quiet {
                return Ok(last);
            }
            if Instant::now() > end {
                return Ok(last);
            }
        }
    }

    async fn state(&self) -> Result<Value> {
        let mut objects = Map::new();
        for (namespace, kind, found) in self.listed().await? {
            for object in found {
                let name = text(&object["metadata"]["name"]);
                if kind != "ConfigMap" || name != "kube-root-ca.crt" {
                    objects.insert(
                        self.key(kind, Some(namespace), name),
                        reduced(&object, kind, &self.names),
                    );
                }
            }
        }
        let applied = self
            .cluster_scoped
            .iter()
            .filter(|o| !PLAIN.contains(&o.kind.as_str()));
        for reference in self.others.iter().chain(applied) {
            if let Some(object) = self.cluster().get(reference).await? {
                let key = self.key(
                    &reference.kind,
                    reference.namespace.as_deref(),
                    &reference.name,
                );
                objects.insert(key, reduced(&object, &reference.kind, &self.names));
            }
        }
        let mut state = json!({"objects": objects});
        let events = self.events().await?;
        if !events.is_empty() {
            state["events"] = events.into();
        }
        let vaults = self.written();
        if !vaults.is_empty() {
            state["vaults"] = vaults.into();
        }
        Ok(state)
    }

    async fn listed(&self) -> Result<Vec<(&str, &'static str, Vec<Value>)>> {
        let wanted = self
            .namespaces
            .iter()
            .flat_map(|ns| LISTED.map(|kind| (ns.as_str(), kind)));
        try_join_all(wanted.map(async |(namespace, kind)| {
            Ok((
                namespace,
                kind,
                self.cluster().list(kind, Some(namespace)).await?,
            ))
        }))
        .await
    }

    /// `Kind/name`, or `Kind/NAMESPACE/name` in another namespace than the case's own.
    fn key(&self, kind: &str, namespace: Option<&str>, name: &str) -> String {
        let name = self.names.told_text(name);
        match namespace.filter(|ns| *ns != self.names.namespace()) {
            Some(other) => format!("{kind}/{}/{name}", self.names.told_text(other)),
            None => format!("{kind}/{name}"),
        }
    }

    async fn events(&self) -> Result<Vec<Value>> {
        let cluster_scoped: BTreeSet<(&str, &str)> = self
            .cluster_scoped
            .iter()
            .map(|o| (o.kind.as_str(), o.name.as_str()))
            .collect();
        let others: BTreeSet<(&str, Option<&str>, &str)> = self
            .others
            .iter()
            .map(|o| (o.kind.as_str(), o.namespace.as_deref(), o.name.as_str()))
            .collect();
        let mut found = BTreeSet::new();
        let default = (!cluster_scoped.is_empty()).then_some("default");
        for namespace in self.namespaces.iter().map(String::as_str).chain(default) {
            for event in self.cluster().events(namespace).await? {
                let about = &event["involvedObject"];
                let (kind, name) = (text(&about["kind"]), text(&about["name"]));
                let ours = cluster_scoped.contains(&(kind, name))
                    || namespace != "default"
                        && (LISTED.contains(&kind)
                            || others.contains(&(kind, Some(namespace), name)));
                if ours {
                    let key = self.key(kind, Some(namespace).filter(|ns| *ns != "default"), name);
                    let message = self.names.masked_text(text(&event["message"]));
                    found.insert((
                        key,
                        text(&event["type"]).to_owned(),
                        text(&event["reason"]).to_owned(),
                        message,
                    ));
                }
            }
        }
        let shown = |(object, kind, reason, message)| json!({"object": object, "type": kind, "reason": reason, "message": message});
        Ok(found.into_iter().map(shown).collect())
    }

    /// What was written through the data plane, by the case's vault labels.
    fn written(&self) -> Map<String, Value> {
        let vaults: BTreeMap<String, Value> = self.bed.vaults(&self.names.label(""), true);
        let own = vaults.iter().filter_map(|(label, content)| {
            Some((
                self.names.vault(label)?.to_owned(),
                self.names.told(content),
            ))
        });
        own.collect()
    }
}
