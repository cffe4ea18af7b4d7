//! No right too many: each that the role gives is used by the operator in one course of events, but for
//! those that `UNSEEN` explains.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use super::helm::{CHART, Major, NAMESPACE, Stage, object};
use crate::golden::documents;
use crate::support::cluster::{ObjectRef, array, text};
use crate::support::manifests::{credentials, external_secret, ready, store_of};
use crate::support::operator::USER;
use crate::support::run;
use crate::support::scene::eventually;

const TEAM: &str = "needed";
/// Rights without a request that shows them.
const UNSEEN: [(&str, &str); 4] = [
    // asked by admission where OwnerReferencesPermissionEnforcement is on
    ("externalsecrets/finalizers", "update"),
    // read again after a conflict only
    ("externalsecrets", "get"),
    ("secretstores", "get"),
    ("clustersecretstores", "get"),
];

#[test]
fn each_right_is_used() {
    let test = async {
        let mut stage = Stage::start().await?;
        let install = ["install", "keyferry", CHART, "--namespace", NAMESPACE];
        stage.helm(Major::Third, &install).await?.success()?;
        stage.unserved_kinds().await?;
        let granted = stage.granted().await?;
        let mut operator = stage.operate("keyferry").await?;
        stage.declare().await?;
        stage.change().await?;
        eventually("each right used", async || {
            let used = stage.used();
            let unused: Vec<_> = granted.difference(&used).collect();
            if !unused.is_empty() {
                stage.force("lost").await.ok()?;
            }
            unused.is_empty().then_some(())
        })
        .await;
        operator.stop().await?;
        anyhow::Ok(())
    };
    run(test).unwrap();
}

type Right = (String, String);

fn team(kind: &str, name: &str) -> ObjectRef {
    object(kind, Some(TEAM), name)
}

impl Stage {
    /// Definitions of kinds that ESO has and the operator does not serve.
    async fn unserved_kinds(&self) -> anyhow::Result<()> {
        let arguments = [
            "template",
            "eso",
            "tests/it/chart/eso",
            "--show-only=templates/crds.yaml",
        ];
        let text = self.helm(Major::Third, &arguments).await?.success()?;
        let mut kinds = documents(&text)?;
        kinds.retain(|kind| {
            let plural = text_of(&kind["spec"]["names"]["plural"]);
            plural.contains("push") || plural == "clusterexternalsecrets"
        });
        let mut generator = kinds[0].clone();
        generator["metadata"]["name"] = json!("passwords.generators.external-secrets.io");
        generator["spec"]["group"] = json!("generators.external-secrets.io");
        generator["spec"]["names"] =
            json!({"kind": "Password", "plural": "passwords", "singular": "password"});
        kinds.push(generator);
        for kind in kinds {
            self.bed.install(&kind.to_string()).await?;
        }
        Ok(())
    }

    /// Resource and verb of each right that the role gives.
    async fn granted(&self) -> anyhow::Result<BTreeSet<Right>> {
        let role = object("ClusterRole", None, "keyferry");
        let role = self.bed.cluster().get(&role).await?.unwrap_or_default();
        let mut granted = BTreeSet::new();
        for rule in array(&role["rules"]) {
            for resource in array(&rule["resources"]).map(text_of) {
                let resource = if resource == "*" {
                    "passwords".to_owned()
                } else {
                    resource
                };
                for verb in array(&rule["verbs"]).map(text_of) {
                    granted.insert((resource.clone(), verb));
                }
            }
        }
        for (resource, verb) in UNSEEN {
            assert!(
                granted.remove(&(resource.to_owned(), verb.to_owned())),
                "{resource} {verb}"
            );
        }
        assert!(granted.len() > 25, "{granted:?}");
        Ok(granted)
    }

    /// Resource and verb of each request of the operator's that was answered well.
    fn used(&self) -> BTreeSet<Right> {
        let events = self.bed.plane().audit_events().unwrap_or_default();
        let ours = events
            .into_iter()
            .filter(|event| event.user == USER && event.code < 300);
        ours.map(|event| {
            let slash = if event.subresource.is_empty() {
                ""
            } else {
                "/"
            };
            (
                format!("{}{slash}{}", event.resource, event.subresource),
                event.verb,
            )
        })
        .collect()
    }

    /// Stores of every sort, and ExternalSecrets that read through them.
    async fn declare(&self) -> anyhow::Result<()> {
        let namespace =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": TEAM}});
        self.bed.cluster().apply(&namespace, None).await?;
        self.bed.azure().set_secret(TEAM, "password", "first");
        let key = |key: &str| json!({"name": "creds", "key": key, "namespace": TEAM});
        let provider = json!({"azurekv": {"tenantId": azfake::TENANT,
            "vaultUrl": format!("https://{TEAM}.vault.azure.net"),
            "authSecretRef": {"clientId": key("id"), "clientSecret": key("secret")}}});
        let mut shared = store_of(&provider);
        shared["kind"] = json!("ClusterSecretStore");
        shared["spec"]["conditions"] = json!([{"namespaces": [TEAM]}]);
        let workload = json!({"azurekv": {"tenantId": azfake::TENANT, "authType": "WorkloadIdentity",
            "vaultUrl": format!("https://{TEAM}.vault.azure.net"), "serviceAccountRef": {"name": "workload"}}});
        let mut federated = store_of(&workload);
        federated["metadata"]["name"] = json!("federated");
        let template =
            json!({"templateFrom": [{"configMap": {"name": "form", "items": [{"key": "file"}]}}]});
        let mut app = external_secret(
            "app",
            json!({"target": {"deletionPolicy": "Delete", "template": template}}),
        );
        app["metadata"]["finalizers"] =
            json!(["externalsecrets.external-secrets.io/externalsecret-cleanup"]);
        let through = json!({"secretStoreRef": {"kind": "ClusterSecretStore", "name": "kv"}});
        let lost = json!([{"secretKey": "x", "remoteRef": {"key": "absent"}}]);
        let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "workload",
            "annotations": {"azure.workload.identity/client-id": azfake::CLIENT}}});
        let form = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "form"},
            "data": {"file": "password: \"{{ .PASSWORD }}\""}});
        for object in [
            credentials(azfake::CLIENT_SECRET),
            account,
            form,
            shared,
            store_of(&provider),
            federated,
            app,
            external_secret("shared", through),
            external_secret("lost", json!({"data": lost})),
        ] {
            self.bed.cluster().apply(&object, Some(TEAM)).await?;
        }
        for name in ["app", "shared"] {
            self.bed
                .wait_ready(&team("ExternalSecret", name), "True")
                .await?;
        }
        Ok(())
    }

    /// A value changes, goes, and the ExternalSecret after it.
    async fn change(&self) -> anyhow::Result<()> {
        let limit = std::time::Duration::from_secs(30);
        let before = self
            .bed
            .cluster()
            .get(&team("Secret", "shared"))
            .await?
            .unwrap_or_default();
        self.bed.azure().set_secret(TEAM, "password", "second");
        self.force("shared").await?;
        let is_new = |now: Option<&Value>| now.is_some_and(|now| now["data"] != before["data"]);
        self.bed
            .wait_for("rotated", &team("Secret", "shared"), limit, is_new)
            .await?;
        self.bed
            .seed(TEAM, json!({"secrets": {"password": null}}))?;
        self.force("app").await?;
        let secret = team("Secret", "app");
        self.bed
            .wait_for("deleted", &secret, limit, |now| now.is_none())
            .await?;
        let app = team("ExternalSecret", "app");
        let deleted =
            |now: Option<&Value>| now.is_some_and(|now| ready(now)["reason"] == "SecretDeleted");
        self.bed.wait_for("told", &app, limit, deleted).await?;
        self.bed.cluster().delete(&app).await?;
        self.bed
            .wait_for("released", &app, limit, |now| now.is_none())
            .await?;
        Ok(())
    }

    async fn force(&self, name: &str) -> anyhow::Result<()> {
        static MARKS: AtomicU32 = AtomicU32::new(0);
        let mark = MARKS.fetch_add(1, Ordering::Relaxed).to_string();
        let patch = json!({"metadata": {"annotations": {"force-sync": mark}}});
        self.bed
            .cluster()
            .patch(&team("ExternalSecret", name), &patch)
            .await?;
        Ok(())
    }
}

fn text_of(value: &Value) -> String {
    text(value).to_owned()
}
