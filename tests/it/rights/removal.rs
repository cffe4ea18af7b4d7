//! One right that is taken away, as data: what needs it, and where its absence is told. Knows how it is
//! described, not how it is played.

use serde_json::{Value, json};

use crate::support::manifests::{credentials, external_secret, store_of};

/// Where people are told.
#[derive(Clone, Debug)]
pub(super) enum Told {
    /// `Ready` of this object.
    Condition(&'static str, &'static str),
    /// `/readyz`.
    Readyz,
    /// A log line with this message.
    Log(&'static str),
}

/// What is done once the operator runs.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// Waits until Secret `app` holds this.
    Holds(&'static str),
    /// Gives the value in the vault, and asks for a refresh.
    Put(&'static str),
    /// Takes the value from the vault, and asks for a refresh.
    Lose,
    /// Waits until there is no Secret `app`.
    Gone,
    /// Deletes the ExternalSecret.
    Delete,
    /// Starts the operator again.
    Restart,
}

/// One right that is taken away. `${NS}` in objects and flags stands for the namespace, which is the vault's
/// label and the controller class too.
#[derive(Clone, Debug)]
pub(super) struct Removal {
    pub(super) verb: &'static str,
    pub(super) resource: &'static str,
    /// What is not done without it.
    pub(super) lost: &'static str,
    /// What in the chart gives it; empty: it is always given.
    pub(super) value: &'static str,
    /// Verb and resource of the request that is refused, where they are not those of the right.
    pub(super) refused: Option<(&'static str, &'static str)>,
    pub(super) told: Told,
    /// The operator sees its namespace only: it has objects that others must leave alone.
    pub(super) is_scoped: bool,
    pub(super) flags: Vec<&'static str>,
    pub(super) objects: Vec<Value>,
    pub(super) steps: Vec<Step>,
    /// What makes it ask again once the right is back, where it does not by itself.
    pub(super) again: Option<Step>,
}

impl Removal {
    /// Of an operator that has nothing to do.
    pub(super) fn new(
        verb: &'static str,
        resource: &'static str,
        lost: &'static str,
        told: Told,
    ) -> Self {
        Self {
            verb,
            resource,
            lost,
            value: "",
            refused: None,
            told,
            is_scoped: false,
            flags: Vec::new(),
            objects: Vec::new(),
            steps: Vec::new(),
            again: None,
        }
    }

    /// With a store and its credentials.
    pub(super) fn store(mut self) -> Self {
        self.is_scoped = true;
        self.objects = vec![
            credentials(azfake::CLIENT_SECRET),
            store(json!({"authSecretRef": secret_ref(None)})),
        ];
        self
    }

    /// With a store and ExternalSecret `app`; `spec` replaces members of its spec.
    pub(super) fn app(self, spec: Value) -> Self {
        self.store().object(external_secret("app", spec))
    }

    /// With a ClusterSecretStore for namespaces of a label.
    pub(super) fn cluster_store(mut self) -> Self {
        let mut shared = store(json!({"authSecretRef": secret_ref(Some("${NS}"))}));
        shared["kind"] = json!("ClusterSecretStore");
        shared["metadata"]["name"] = json!("${NS}-store");
        shared["spec"]["conditions"] = json!([{"namespaceSelector": {"matchLabels":
            {"kubernetes.io/metadata.name": "${NS}"}}}]);
        self.is_scoped = true;
        self.objects = vec![credentials(azfake::CLIENT_SECRET), shared];
        self
    }

    /// With a store that signs in as a ServiceAccount.
    pub(super) fn workload(self) -> Self {
        let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "workload",
            "annotations": {"azure.workload.identity/client-id": azfake::CLIENT}}});
        let by_account =
            json!({"authType": "WorkloadIdentity", "serviceAccountRef": {"name": "workload"}});
        self.object(account).object(store(by_account))
    }

    pub(super) fn object(mut self, object: Value) -> Self {
        self.objects.push(object);
        self
    }

    pub(super) fn scoped(self) -> Self {
        Self {
            is_scoped: true,
            ..self
        }
    }

    pub(super) fn flags(self, flags: &[&'static str]) -> Self {
        Self {
            flags: flags.to_vec(),
            ..self
        }
    }

    pub(super) fn steps(self, steps: &[Step]) -> Self {
        Self {
            steps: steps.to_vec(),
            ..self
        }
    }

    pub(super) fn again(self, step: Step) -> Self {
        Self {
            again: Some(step),
            ..self
        }
    }

    pub(super) fn refused(self, verb: &'static str, resource: &'static str) -> Self {
        Self {
            refused: Some((verb, resource)),
            ..self
        }
    }

    pub(super) fn value(self, value: &'static str) -> Self {
        Self { value, ..self }
    }
}

/// SecretStore `kv` of the controller class, with these members of its provider's block.
fn store(more: Value) -> Value {
    let mut block =
        json!({"tenantId": azfake::TENANT, "vaultUrl": "https://${NS}.vault.azure.net"});
    crate::support::manifests::replace(&mut block, more);
    let mut store = store_of(&json!({"azurekv": block}));
    store["spec"]["controller"] = json!("${NS}");
    store
}

fn secret_ref(namespace: Option<&str>) -> Value {
    let key = |key: &str| {
        let mut reference = json!({"name": "creds", "key": key});
        if let Some(namespace) = namespace {
            reference["namespace"] = json!(namespace);
        }
        reference
    };
    json!({"clientId": key("id"), "clientSecret": key("secret")})
}
