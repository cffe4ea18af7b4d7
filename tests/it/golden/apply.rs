//! The `apply` steps: manifests in order, rejections that are wanted, owners.

use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::case::{Step, documents};
use super::run::{LISTED, POLL, Run, STORE_USERS};
use crate::support::cluster::{self, ObjectRef, array, text};

/// So long a store applied earlier may take to its first status before what uses it is applied.
const FIRST_STATUS: Duration = Duration::from_secs(3);
/// What the API answers to an object that it does not take; 500: a field of a wrong type.
const REFUSED: [u16; 5] = [400, 403, 404, 422, 500];
const STORES: [&str; 2] = ["SecretStore", "ClusterSecretStore"];

impl Run<'_> {
    /// Applies the documents of a step.
    pub(super) async fn apply(
        &mut self,
        yaml: &str,
        number: usize,
        step: &Step,
    ) -> anyhow::Result<()> {
        let rejected = self.rejections.len();
        for mut object in documents(&self.names.real_text(yaml))? {
            match self.apply_one(&mut object, step).await {
                Ok(()) => {}
                Err(e) if is_wanted(&step.rejected) => {
                    let refused = e.downcast_ref::<cluster::Error>();
                    let Some(refused) =
                        refused.filter(|e| e.status().is_some_and(|s| REFUSED.contains(&s)))
                    else {
                        return Err(e);
                    };
                    let message = refused.message();
                    if !message.contains(text(&step.rejected)) {
                        bail!("rejected with another text: {message}");
                    }
                    self.rejections
                        .push(self.names.masked_text(&message).into());
                }
                Err(e) => return Err(e),
            }
        }
        let refused = self.rejections.len() > rejected;
        if is_wanted(&step.rejected)
            && !refused
            && !self.differences.accepts(&self.case.name, number)
        {
            bail!("was accepted, should be rejected");
        }
        for (object, owner) in &step.owned_by {
            self.set_owner(object, owner).await?;
        }
        Ok(())
    }

    async fn apply_one(&mut self, object: &mut Value, step: &Step) -> anyhow::Result<()> {
        let (kind, api_version) = (
            text(&object["kind"]).to_owned(),
            text(&object["apiVersion"]).to_owned(),
        );
        let served = self.cluster().kind(&kind, Some(&api_version)).await?;
        let metadata = object["metadata"]
            .as_object_mut()
            .context("an object has metadata")?;
        if served.namespaced {
            metadata
                .entry("namespace")
                .or_insert_with(|| self.names.namespace().into());
        }
        let namespace = served
            .namespaced
            .then(|| text(&metadata["namespace"]).to_owned());
        let reference = ObjectRef {
            kind,
            namespace,
            name: text(&metadata["name"]).to_owned(),
        };
        let kind = reference.kind.as_str();
        if STORE_USERS.contains(&kind) && !step.race {
            self.settle_stores().await?;
        }
        self.cluster().apply(object, None).await?;
        if STORES.contains(&kind) && text(&object["spec"]["controller"]).is_empty() {
            self.young_stores.push(reference.clone());
        }
        if !served.namespaced {
            self.cluster_scoped.insert(reference);
        } else if api_version.contains("external-secrets.io") && !LISTED.contains(&kind) {
            self.others.insert(reference);
        }
        Ok(())
    }

    async fn set_owner(&self, object: &str, owner: &str) -> anyhow::Result<()> {
        let owner = self.object(&self.names.real_text(owner)).await?;
        let owner = self
            .cluster()
            .get(&owner)
            .await?
            .context("the owner is not there")?;
        let reference = json!({
            "apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true,
        });
        self.patch(
            object,
            &json!({"metadata": {"ownerReferences": [reference]}}),
        )
        .await
    }

    /// Waits for the first status of the stores, so that what uses them does not race with it.
    async fn settle_stores(&mut self) -> anyhow::Result<()> {
        let end = Instant::now() + FIRST_STATUS;
        for store in std::mem::take(&mut self.young_stores) {
            loop {
                let object = self.cluster().get(&store).await?.unwrap_or_default();
                if array(&object["status"]["conditions"]).next().is_some() || Instant::now() > end {
                    break;
                }
                sleep(POLL / 2).await;
            }
            sleep(POLL / 2).await;
        }
        Ok(())
    }
}

/// Whether a step wants a rejection: any, or one whose message has a text.
fn is_wanted(rejected: &Value) -> bool {
    *rejected == true || rejected.is_string()
}
