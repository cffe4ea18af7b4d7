//! One fault as data: what is wrong, and the two things that a user must be told about it. Knows how
//! it is described, not how it is played.

use serde_json::{Value, json};

/// Where the cause and the remedy stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// In the ExternalSecret's `Ready`; the store has nothing to complain of.
    ExternalSecret,
    /// There, and in the store's `Reachable`, which has this reason.
    Vault(&'static str),
    /// In the store's `Ready`; the ExternalSecret refers to it.
    Store,
    /// In the ExternalSecret's `Ready`, and in the store's `AllowedKeys`.
    Guard,
}

/// One fault. In its values `${NS}` stands for the namespace, which is the vault's label too, `${API}` and
/// `${ISSUER}` for the API server's address and URL.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    /// What is wrong, for the page.
    pub(super) title: &'static str,
    /// Words that name the cause.
    pub(super) cause: &'static str,
    /// Words that name the remedy.
    pub(super) remedy: &'static str,
    pub(super) told: Told,
    /// What Secret `creds` holds; null: there is none.
    pub(super) credentials: Value,
    /// Replaces members of the store's `azurekv` block; null: there is no store.
    pub(super) store: Value,
    /// A ClusterSecretStore with this list of allowed keys takes the store's place.
    pub(super) allowed_keys: Option<Value>,
    /// Replaces members of the ExternalSecret's spec.
    pub(super) external_secret: Value,
    /// What else there is in the namespace.
    pub(super) objects: Vec<Value>,
    /// What the vault holds.
    pub(super) content: Value,
    /// A secret that is deleted then.
    pub(super) deleted: Option<&'static str>,
    /// What befalls the vault.
    pub(super) vault: Value,
    /// What befalls another host.
    pub(super) host: Option<(&'static str, Value)>,
    /// Applications that are registered, by client id.
    pub(super) applications: Value,
    /// All that the identity may do in the vault.
    pub(super) permissions: Option<&'static [&'static str]>,
    /// An operator for this fault alone: its flags and variables.
    pub(super) operator: Option<Own>,
}

/// How an operator of its own differs from the one that all share.
#[derive(Clone, Debug, Default)]
pub(super) struct Own {
    pub(super) flags: Vec<&'static str>,
    pub(super) environment: Vec<(&'static str, &'static str)>,
}

impl Fault {
    /// A world where all is well, in which `title` is going to be wrong.
    pub(super) fn new(
        title: &'static str,
        told: Told,
        cause: &'static str,
        remedy: &'static str,
    ) -> Self {
        Self {
            title,
            cause,
            remedy,
            told,
            credentials: json!({"id": azfake::CLIENT, "secret": azfake::CLIENT_SECRET}),
            store: json!({}),
            allowed_keys: None,
            external_secret: json!({}),
            objects: Vec::new(),
            content: json!({"secrets": {"password": {"value": "first"}}}),
            deleted: None,
            vault: Value::Null,
            host: None,
            applications: json!({}),
            permissions: None,
            operator: None,
        }
    }

    pub(super) fn credentials(self, credentials: Value) -> Self {
        Self {
            credentials,
            ..self
        }
    }

    pub(super) fn store(self, store: Value) -> Self {
        Self { store, ..self }
    }

    pub(super) fn allowed_keys(self, list: Value) -> Self {
        Self {
            allowed_keys: Some(list),
            ..self
        }
    }

    pub(super) fn external_secret(self, external_secret: Value) -> Self {
        Self {
            external_secret,
            ..self
        }
    }

    /// An ExternalSecret that reads this `remoteRef`.
    pub(super) fn reads(self, remote_ref: &Value) -> Self {
        self.external_secret(json!({"data": [{"secretKey": "PASSWORD", "remoteRef": remote_ref}]}))
    }

    pub(super) fn object(mut self, object: Value) -> Self {
        self.objects.push(object);
        self
    }

    pub(super) fn content(self, content: Value) -> Self {
        Self { content, ..self }
    }

    pub(super) fn deleted(self, name: &'static str) -> Self {
        Self {
            deleted: Some(name),
            ..self
        }
    }

    pub(super) fn vault(self, vault: Value) -> Self {
        Self { vault, ..self }
    }

    pub(super) fn host(self, host: &'static str, fault: Value) -> Self {
        Self {
            host: Some((host, fault)),
            ..self
        }
    }

    pub(super) fn application(mut self, client: &str, application: Value) -> Self {
        self.applications[client] = application;
        self
    }

    pub(super) fn permissions(self, allowed: &'static [&'static str]) -> Self {
        Self {
            permissions: Some(allowed),
            ..self
        }
    }

    pub(super) fn flag(mut self, flag: &'static str) -> Self {
        self.operator.get_or_insert_default().flags.push(flag);
        self
    }

    pub(super) fn variable(mut self, name: &'static str, value: &'static str) -> Self {
        self.operator
            .get_or_insert_default()
            .environment
            .push((name, value));
        self
    }
}
