//! Rights to read and write single objects: each operator has a namespace of its own, with as much in it as
//! needs the right.

use serde_json::json;

use super::removal::{Removal, Step, Told};

const APP: Told = Told::Condition("ExternalSecret", "app");
const STORE: Told = Told::Condition("SecretStore", "kv");
const STORE_STATUS: Told = Told::Log("store not valid");
const CLUSTER_STORES: &str = "processClusterStore";

/// All rights but those to list and to watch.
pub(super) fn removals() -> Vec<Removal> {
    [
        external_secrets(),
        stores(),
        secrets(),
        events(),
        election(),
    ]
    .concat()
}

fn external_secrets() -> Vec<Removal> {
    let mut inherited = Removal::new(
        "patch",
        "externalsecrets",
        "deleted ExternalSecrets with a finalizer that ESO left stay",
        APP,
    )
    .app(json!({}))
    .steps(&[Step::Holds("first"), Step::Delete]);
    inherited.objects[2]["metadata"]["finalizers"] =
        json!(["externalsecrets.external-secrets.io/externalsecret-cleanup"]);
    let template =
        json!({"templateFrom": [{"configMap": {"name": "form", "items": [{"key": "file"}]}}]});
    let form = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "form"},
        "data": {"file": "password: \"{{ .PASSWORD }}\""}});
    vec![
        Removal::new(
            "get",
            "externalsecrets",
            "no Secret is made again, nor one that could not be made at once",
            APP,
        )
        .app(json!({"target": {"deletionPolicy": "Delete"}}))
        .steps(&[
            Step::Holds("first"),
            Step::Lose,
            Step::Gone,
            Step::Put("second"),
        ]),
        inherited,
        Removal::new(
            "update",
            "externalsecrets/status",
            "Secrets are written, and no status says so",
            Told::Log("synced, but the status was not written"),
        )
        .app(json!({})),
        Removal::new(
            "update",
            "externalsecrets/finalizers",
            "no new Secret with an owner where OwnerReferencesPermissionEnforcement is on (OpenShift)",
            APP,
        )
        .app(json!({}))
        .refused("create", "secrets")
        .value("openshiftFinalizers"),
        Removal::new(
            "get",
            "configmaps",
            "no templates and no CA bundles from ConfigMaps",
            APP,
        )
        .app(json!({"target": {"template": template}}))
        .object(form),
    ]
}

fn stores() -> Vec<Removal> {
    let through = json!({"secretStoreRef": {"kind": "ClusterSecretStore", "name": "${NS}-store"}});
    let app = crate::support::manifests::external_secret("app", through);
    vec![
        Removal::new(
            "update",
            "secretstores/status",
            "no status of a store: its ExternalSecrets wait for it",
            STORE_STATUS,
        )
        .store(),
        Removal::new(
            "update",
            "clustersecretstores/status",
            "no status of a store: its ExternalSecrets wait for it",
            STORE_STATUS,
        )
        .cluster_store()
        .value(CLUSTER_STORES),
        Removal::new(
            "get",
            "namespaces",
            "no ClusterSecretStores with conditions or allowed keys",
            APP,
        )
        .cluster_store()
        .object(app)
        .value(CLUSTER_STORES),
        Removal::new(
            "get",
            "serviceaccounts",
            "no stores with `serviceAccountRef`",
            STORE,
        )
        .scoped()
        .workload(),
        Removal::new(
            "create",
            "serviceaccounts/token",
            "no stores with `serviceAccountRef`",
            STORE,
        )
        .scoped()
        .workload()
        .value("rbac.serviceAccountTokenCreate"),
    ]
}

fn secrets() -> Vec<Removal> {
    vec![
        Removal::new(
            "get",
            "secrets",
            "no credentials are read, and no targets are kept",
            APP,
        )
        .app(json!({})),
        Removal::new("create", "secrets", "no new Secret is made", APP).app(json!({})),
        Removal::new(
            "update",
            "secrets",
            "Secrets keep values that are out of date",
            APP,
        )
        .app(json!({}))
        .steps(&[Step::Holds("first"), Step::Put("second")]),
        Removal::new(
            "delete",
            "secrets",
            "Secrets stay where `deletionPolicy: Delete` takes them away",
            APP,
        )
        .app(json!({"target": {"deletionPolicy": "Delete"}}))
        .steps(&[Step::Holds("first"), Step::Lose]),
    ]
}

fn events() -> Vec<Removal> {
    let unwritten = Told::Log("events are not written");
    vec![
        Removal::new("create", "events", "no events", unwritten.clone())
            .app(json!({}))
            .steps(&[Step::Holds("first")])
            .again(Step::Put("second")),
        Removal::new(
            "patch",
            "events",
            "no event that repeats another",
            unwritten,
        )
        .app(json!({}))
        .steps(&[
            Step::Holds("first"),
            Step::Put("second"),
            Step::Holds("second"),
            Step::Put("third"),
        ])
        .again(Step::Put("fourth")),
    ]
}

/// Long terms: a renewal that is refused for a while ends no process.
fn election() -> Vec<Removal> {
    let flags = [
        "--enable-leader-election",
        "--leader-election-lease-duration=90s",
        "--leader-election-renew-deadline=60s",
        "--leader-election-retry-period=500ms",
    ];
    let rights = [
        ("get", "nobody leads, and nothing is served"),
        ("create", "nobody leads, and nothing is served"),
        ("update", "who leads ends after the renew deadline"),
    ];
    let told = Told::Log("the Lease cannot be read or written");
    let removal = |(verb, lost)| {
        Removal::new(verb, "leases", lost, told.clone())
            .scoped()
            .flags(&flags)
            .value("leaderElect")
    };
    let held = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {"name": "external-secrets-controller"},
        "spec": {"holderIdentity": "another", "leaseDurationSeconds": 3600}});
    let standby = Removal {
        told: Told::Log("the Lease is not watched, only read now and then"),
        ..removal((
            "watch",
            "a Lease given back is taken after half a retry period, not at once",
        ))
    };
    let mut removals = rights.map(removal).to_vec();
    removals.push(standby.object(held));
    removals
}
