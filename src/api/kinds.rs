//! The table of kinds: whatever has to list kinds reads it here. A kind more is a row more. Pure.

use super::meta::{GROUP, VERSION, VERSION_BETA};

/// A kind of ESO's.
#[derive(Debug)]
pub struct Kind {
    /// The API group.
    pub group: &'static str,
    /// The kind's name.
    pub name: &'static str,
    /// How it is served; `None`: not yet.
    pub served: Option<Served>,
}

/// How a kind is served.
#[derive(Debug)]
pub struct Served {
    /// The resource's name.
    pub plural: &'static str,
    /// What kubectl calls it for short.
    pub short: &'static str,
    /// Whether its objects are in namespaces.
    pub is_namespaced: bool,
    /// Versions of the API, the stored one first.
    pub versions: &'static [&'static str],
    /// The controller's name, which begins the names of its metrics.
    pub controller: &'static str,
    /// The source component of its events.
    pub component: &'static str,
}

/// ExternalSecret.
pub const EXTERNAL_SECRET: Served = Served {
    plural: "externalsecrets",
    short: "es",
    is_namespaced: true,
    versions: &[VERSION, VERSION_BETA],
    controller: "externalsecret",
    component: "external-secrets",
};

/// SecretStore.
pub const SECRET_STORE: Served = Served {
    plural: "secretstores",
    short: "ss",
    is_namespaced: true,
    versions: &[VERSION, VERSION_BETA],
    controller: "secretstore",
    component: "secret-store",
};

/// ClusterSecretStore.
pub const CLUSTER_SECRET_STORE: Served = Served {
    plural: "clustersecretstores",
    short: "css",
    is_namespaced: false,
    versions: &[VERSION, VERSION_BETA],
    controller: "clustersecretstore",
    component: "cluster-secret-store",
};

/// The kinds of the group `external-secrets.io`. (Those of the group of generators are not served yet.)
pub const KINDS: &[Kind] = &[
    kind("ExternalSecret", Some(EXTERNAL_SECRET)),
    kind("SecretStore", Some(SECRET_STORE)),
    kind("ClusterSecretStore", Some(CLUSTER_SECRET_STORE)),
    kind(CLUSTER_EXTERNAL_SECRET, None),
    kind(PUSH_SECRET, None),
    kind(CLUSTER_PUSH_SECRET, None),
];

/// A kind that has a flag and is not served yet.
pub const CLUSTER_EXTERNAL_SECRET: &str = "ClusterExternalSecret";
/// A kind that has a flag and is not served yet.
pub const PUSH_SECRET: &str = "PushSecret";
/// A kind that has a flag and is not served yet.
pub const CLUSTER_PUSH_SECRET: &str = "ClusterPushSecret";

const fn kind(name: &'static str, served: Option<Served>) -> Kind {
    Kind {
        group: GROUP,
        name,
        served,
    }
}

/// Whether objects of this kind are served.
pub fn is_served(group: &str, name: &str) -> bool {
    let mut kinds = KINDS.iter();
    kinds.any(|kind| kind.group == group && kind.name == name && kind.served.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::crds;

    #[test]
    fn every_kind_that_is_served_has_a_definition_and_no_other() {
        let rows = KINDS.iter().filter_map(|kind| {
            let served = kind.served.as_ref()?;
            Some(format!("{} {} {}", kind.group, kind.name, served.plural))
        });
        let definitions = crds::all().into_iter().map(|crd| {
            let names = crd.spec.names;
            format!("{} {} {}", crd.spec.group, names.kind, names.plural)
        });
        assert_eq!(rows.collect::<Vec<_>>(), definitions.collect::<Vec<_>>());
        assert!(is_served(GROUP, "SecretStore") && !is_served(GROUP, PUSH_SECRET));
        assert!(!is_served("other", "SecretStore"));
    }
}
