//! The rights of the chart's roles, one by one, and an account that has all of them but one.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::golden::documents;
use crate::support::bed::Bed;
use crate::support::cluster::{ObjectRef, array, text};
use crate::support::settings::repository;

const ROLES: &str = "deploy/rbac.yaml";
/// The account's name, in the namespace of each.
const ACCOUNT: &str = "keyferry";
const TOKEN_LIFE: Duration = Duration::from_hours(1);
/// So long the API server may take to see a changed role on a busy machine.
const LIMIT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);

/// One verb on one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Right {
    pub(super) verb: String,
    /// With its subresource: `externalsecrets/status`.
    pub(super) resource: String,
    group: String,
    /// `Role` or `ClusterRole`.
    kind: String,
    /// The objects that the rule names.
    names: Vec<Value>,
}

/// All that the chart gives.
pub(super) fn rights() -> anyhow::Result<Vec<Right>> {
    let roles = std::fs::read_to_string(repository().join(ROLES)).context(ROLES)?;
    let mut rights = Vec::new();
    for role in documents(&roles)? {
        for rule in array(&role["rules"]) {
            for (group, resource) in array(&rule["apiGroups"])
                .flat_map(|group| array(&rule["resources"]).map(move |it| (group, it)))
            {
                rights.extend(array(&rule["verbs"]).map(|verb| Right {
                    verb: text(verb).to_owned(),
                    resource: text(resource).to_owned(),
                    group: text(group).to_owned(),
                    kind: text(&role["kind"]).to_owned(),
                    names: array(&rule["resourceNames"]).cloned().collect(),
                }));
            }
        }
    }
    Ok(rights)
}

impl Right {
    /// As `kubectl auth can-i --list` writes the resource.
    pub(super) fn qualified(&self) -> String {
        let (name, subresource) = self.split();
        let dot = if self.group.is_empty() { "" } else { "." };
        let slash = if subresource.is_empty() { "" } else { "/" };
        format!("{name}{dot}{}{slash}{subresource}", self.group)
    }

    /// Whether it ends at the operator's own namespace.
    pub(super) fn is_of_lease(&self) -> bool {
        self.kind == "Role"
    }

    fn split(&self) -> (&str, &str) {
        self.resource
            .split_once('/')
            .unwrap_or((&self.resource, ""))
    }

    fn rule(&self) -> Value {
        let mut rule =
            json!({"apiGroups": [self.group], "resources": [self.resource], "verbs": [self.verb]});
        if !self.names.is_empty() {
            rule["resourceNames"] = json!(self.names);
        }
        rule
    }
}

/// An account with roles of its own.
pub(super) struct Account<'a> {
    bed: &'a Bed,
    namespace: &'a str,
}

impl<'a> Account<'a> {
    /// One in `namespace` that has all rights but `removed`; and its kubeconfig.
    pub(super) async fn without(
        bed: &'a Bed,
        namespace: &'a str,
        removed: &Right,
    ) -> anyhow::Result<(Self, PathBuf)> {
        let account = Self { bed, namespace };
        let made = bed
            .plane()
            .service_account_kubeconfig(namespace, ACCOUNT, TOKEN_LIFE);
        let kubeconfig = made.await?;
        let rest: Vec<Right> = rights()?.into_iter().filter(|it| it != removed).collect();
        for kind in ["ClusterRole", "Role"] {
            let rules = of_kind(&rest, kind);
            let object = |kind: &str| {
                json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind,
                "metadata": {"name": namespace}})
            };
            let mut role = object(kind);
            role["rules"] = json!(rules);
            let mut binding = object(&format!("{kind}Binding"));
            binding["roleRef"] =
                json!({"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": namespace});
            binding["subjects"] =
                json!([{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": namespace}]);
            for object in [role, binding] {
                bed.cluster().apply(&object, Some(namespace)).await?;
            }
            let known = rest.iter().rfind(|right| right.kind == kind);
            account.may(known.context("an empty role")?).await?;
        }
        Ok((account, kubeconfig))
    }

    /// Gives the right back.
    pub(super) async fn restore(&self, right: &Right) -> anyhow::Result<()> {
        let role = ObjectRef {
            kind: right.kind.clone(),
            namespace: right.is_of_lease().then(|| self.namespace.to_owned()),
            name: self.namespace.to_owned(),
        };
        let rules = of_kind(&rights()?, &right.kind);
        let patch = json!({"rules": rules});
        self.bed.cluster().patch(&role, &patch).await?;
        self.may(right).await
    }

    /// The user that the API server takes it for.
    pub(super) fn user(&self) -> String {
        format!("system:serviceaccount:{}:{ACCOUNT}", self.namespace)
    }

    /// Waits until the API server knows of a right.
    async fn may(&self, right: &Right) -> anyhow::Result<()> {
        let (resource, subresource) = right.split();
        let mut asked = json!({"verb": right.verb, "group": right.group, "resource": resource,
            "subresource": subresource});
        if right.is_of_lease() {
            asked["namespace"] = json!(self.namespace);
            asked["name"] = right.names.first().cloned().unwrap_or_default();
        }
        let review = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
            "spec": {"user": self.user(), "resourceAttributes": asked}});
        let path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
        let end = Instant::now() + LIMIT;
        loop {
            let body = Some((&review, "application/json"));
            let answer = self.bed.cluster().request("POST", path, body).await?;
            if answer["status"]["allowed"] == true {
                return Ok(());
            }
            ensure!(Instant::now() < end, "not granted: {right:?}");
            sleep(POLL).await;
        }
    }
}

fn of_kind(rights: &[Right], kind: &str) -> Vec<Value> {
    let of_kind = rights.iter().filter(|right| right.kind == kind);
    of_kind.map(Right::rule).collect()
}
