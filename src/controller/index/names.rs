//! What consumers depend on, by name. Pure.

use std::fmt;

use crate::api::external_secret::Manifest;
use crate::api::meta::NamespacedName;

/// One store of either kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StoreKey {
    /// A SecretStore.
    Namespaced {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// A ClusterSecretStore.
    Cluster {
        /// Its name.
        name: String,
    },
}

impl StoreKey {
    /// The kind's name.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Namespaced { .. } => "SecretStore",
            Self::Cluster { .. } => "ClusterSecretStore",
        }
    }

    /// The store's name.
    pub fn name(&self) -> &str {
        match self {
            Self::Namespaced { name, .. } | Self::Cluster { name } => name,
        }
    }

    /// The store's namespace; empty for a cluster store.
    pub fn namespace(&self) -> &str {
        match self {
            Self::Namespaced { namespace, .. } => namespace,
            Self::Cluster { .. } => "",
        }
    }
}

impl fmt::Display for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.kind(), self.name())
    }
}

/// A ConfigMap or Secret that holds templates.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TemplateSource {
    /// A ConfigMap.
    ConfigMap(NamespacedName),
    /// A Secret.
    Secret(NamespacedName),
}

/// An object that consumers write.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Target {
    /// Its kind; `None` is a Secret.
    pub manifest: Option<Manifest>,
    /// Its name.
    pub object: NamespacedName,
}

impl Target {
    /// A Secret.
    pub fn secret(object: NamespacedName) -> Self {
        Self {
            manifest: None,
            object,
        }
    }
}

/// Something that a consumer depends on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Dependency {
    /// A store that it reads from.
    Store(StoreKey),
    /// A source of templates that it renders.
    Template(TemplateSource),
    /// The object that it writes.
    Target(Target),
    /// The kind of that object, if it is not a Secret.
    TargetKind(Manifest),
}
