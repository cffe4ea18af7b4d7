//! Rights to look: at what is served, at what changes, at what is not served. Each operator sees the whole
//! cluster, as by default, where there is nothing to do.

use super::removal::{Removal, Step, Told};

const WATCH: Told = Told::Log("the watch failed and is tried again");

/// All rights to list and to watch.
pub(super) fn removals() -> Vec<Removal> {
    [served(), noticed(), unserved()].concat()
}

/// Nothing is done before all of these were listed.
fn served() -> Vec<Removal> {
    let stores = "new and changed stores are not noticed";
    let kinds = [
        ("externalsecrets", "what changes is not noticed", ""),
        ("secretstores", stores, ""),
        ("clustersecretstores", stores, "processClusterStore"),
    ];
    let removals = kinds.map(|(kind, lost, value)| {
        let unready = Removal::new("list", kind, "nothing is served", Told::Readyz);
        let blind = Removal::new("watch", kind, lost, WATCH);
        [unready, blind].map(|removal| removal.value(value))
    });
    removals.concat()
}

/// What makes others look again before their time.
fn noticed() -> Vec<Removal> {
    let late = [
        (
            "secrets",
            "changed targets and credentials are noticed at the next refresh only",
        ),
        (
            "configmaps",
            "changed templates are noticed at the next refresh only",
        ),
    ];
    let both = |resource, lost| {
        ["list", "watch"]
            .map(|verb| Removal::new(verb, resource, lost, WATCH))
            .to_vec()
    };
    let accounts = both(
        "serviceaccounts",
        "changed ServiceAccounts of stores are noticed late",
    );
    let accounts = accounts.into_iter().map(Removal::workload);
    late.into_iter()
        .flat_map(|(resource, lost)| both(resource, lost))
        .chain(accounts)
        .collect()
}

fn unserved() -> Vec<Removal> {
    let kinds = [
        ("clusterexternalsecrets", "processClusterExternalSecret"),
        ("pushsecrets", "processPushSecret"),
        ("clusterpushsecrets", "processClusterPushSecret"),
        ("*", ""),
    ];
    let lost = "no warning that such objects stay as they are";
    let told = Told::Log("not known whether there are objects of this kind, which is not served");
    let removals = kinds.map(|(resource, value)| {
        Removal::new("list", resource, lost, told.clone())
            .value(value)
            .again(Step::Restart)
    });
    removals.to_vec()
}
