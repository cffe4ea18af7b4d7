//! Tests of `plan`: what is made, adopted, refused, freed, frozen and deleted.

use serde_json::json;

use super::*;
use crate::controller::external_secret::spec::{Deletion, TargetSpec};
use crate::secret::SecretValue;

fn planned(
    spec: &SyncSpec,
    present: Option<&Secret>,
    bound: &str,
    data: &SecretData,
) -> Result<Plan, Error> {
    let situation = Situation {
        present,
        bound,
        data,
        rendered: None,
    };
    decide(spec, &situation)
}

fn spec() -> SyncSpec {
    SyncSpec {
        namespace: "netbox".to_owned(),
        name: "app".to_owned(),
        uid: "es-uid".to_owned(),
        target: TargetSpec {
            name: "credentials".to_owned(),
            ..TargetSpec::default()
        },
        labels: [("team".to_owned(), "a".to_owned())].into(),
        ..SyncSpec::default()
    }
}

fn data(value: &str) -> SecretData {
    SecretData::from([("PASSWORD".to_owned(), SecretValue::new(value))])
}

fn owner(kind: &str, name: &str, api_version: &str) -> serde_json::Value {
    json!({"apiVersion": api_version, "kind": kind, "name": name, "uid": "u", "controller": true})
}

fn present(owners: &serde_json::Value) -> Secret {
    serde_json::from_value(json!({
        "metadata": {"name": "credentials", "namespace": "netbox", "resourceVersion": "7",
            "ownerReferences": owners},
        "data": {"OLD": "eA=="}, "type": "Opaque",
    }))
    .unwrap()
}

fn built(plan: Plan) -> Secret {
    match plan.target {
        TargetPlan::Create(secret) | TargetPlan::Update { secret, .. } => *secret,
        other => panic!("nothing to write: {other:?}"),
    }
}

#[test]
fn what_was_written_is_kept_until_something_differs() {
    let secret = built(planned(&spec(), None, "", &data("x")).unwrap());
    assert!(build::is_valid(Some(&secret)));
    let keep = planned(&spec(), Some(&secret), "credentials", &data("x")).unwrap();
    assert_eq!(
        keep,
        Plan {
            target: TargetPlan::Keep,
            has_orphans: false,
            verdict: Verdict::Bound
        }
    );
    let other = planned(&spec(), Some(&secret), "credentials", &data("y")).unwrap();
    assert!(matches!(
        other.target,
        TargetPlan::Update { adopted: None, .. }
    ));

    let mut tampered = secret.clone();
    tampered
        .data
        .as_mut()
        .unwrap()
        .insert("MORE".to_owned(), k8s_openapi::ByteString(vec![1]));
    assert!(!build::is_valid(Some(&tampered)));
    let healed = built(planned(&spec(), Some(&tampered), "credentials", &data("x")).unwrap());
    assert_eq!(healed, secret);
}

#[test]
fn a_secret_of_nobody_is_adopted_and_the_lost_keys_are_named() {
    let plan = planned(&spec(), Some(&present(&json!([]))), "", &data("x")).unwrap();
    let TargetPlan::Update { secret, adopted } = plan.target else {
        panic!("{plan:?}")
    };
    assert_eq!(adopted, Some(vec!["OLD".to_owned()]));
    assert_eq!(secret.metadata.resource_version.as_deref(), Some("7"));
    assert_eq!(
        secret.data.unwrap().keys().collect::<Vec<_>>(),
        ["PASSWORD"]
    );
}

#[test]
fn what_belongs_to_somebody_else_is_refused() {
    let refuse = |owners| planned(&spec(), Some(&present(&owners)), "", &data("x")).unwrap_err();
    assert_eq!(
        refuse(json!([owner(
            "ExternalSecret",
            "other",
            "external-secrets.io/v1"
        )])),
        Error::OwnedByExternalSecret("other".to_owned())
    );
    let foreign = refuse(json!([owner("SealedSecret", "x", "bitnami.com/v1alpha1")]));
    assert!(
        foreign.to_string().contains("netbox/credentials"),
        "{foreign}"
    );
}

#[test]
fn a_stale_reference_to_ourselves_is_renewed() {
    let ours = json!([owner(
        "ExternalSecret",
        "app",
        "external-secrets.io/v1beta1"
    )]);
    let secret = built(planned(&spec(), Some(&present(&ours)), "", &data("x")).unwrap());
    let owners = secret.owner_references();
    assert_eq!((owners.len(), owners[0].uid.as_str()), (1, "es-uid"));
    assert_eq!(owners[0].api_version, "external-secrets.io/v1");
}

#[test]
fn another_name_than_the_bound_one_leaves_orphans() {
    let plan = |bound| planned(&spec(), None, bound, &data("x")).unwrap();
    assert!(plan("earlier").has_orphans);
    assert!(!plan("credentials").has_orphans && !plan("").has_orphans);
}

fn with_policies(creation: Creation, deletion: Deletion) -> SyncSpec {
    let mut spec = spec();
    spec.target.creation = creation;
    spec.target.deletion = deletion;
    spec
}

#[test]
fn only_what_is_ours_is_deleted() {
    let spec = with_policies(Creation::Owner, Deletion::Delete);
    let nothing = SecretData::new();
    let mut owner = owner("ExternalSecret", "app", "external-secrets.io/v1");
    owner["uid"] = json!("es-uid");
    let ours = present(&json!([owner]));
    let plan = planned(&spec, Some(&ours), "credentials", &nothing).unwrap();
    assert_eq!(plan.target, TargetPlan::Delete(Box::new(ours)));
    assert_eq!(plan.verdict, Verdict::Deleted);
    let foreign = planned(&spec, Some(&present(&json!([]))), "", &nothing);
    assert_eq!(foreign, Err(Error::NotOurs("credentials".to_owned())));
    let orphan = with_policies(Creation::Orphan, Deletion::Delete);
    let refused = planned(&orphan, None, "", &nothing).unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("creationPolicy=Orphan is not Owner"),
        "{refused}"
    );
}

#[test]
fn merge_leaves_the_keys_of_others_and_takes_no_ownership() {
    let spec = with_policies(Creation::Merge, Deletion::Retain);
    let secret = built(planned(&spec, Some(&present(&json!([]))), "", &data("x")).unwrap());
    let keys: Vec<_> = secret
        .data
        .iter()
        .flatten()
        .map(|(key, _)| key.as_str())
        .collect();
    assert_eq!(keys, ["OLD", "PASSWORD"]);
    assert!(secret.owner_references().is_empty());
    assert!(!secret.labels().contains_key(OWNER_LABEL));
    let absent = planned(&spec, None, "", &data("x")).unwrap();
    assert_eq!(
        (absent.target, absent.verdict),
        (TargetPlan::Keep, Verdict::Missing)
    );
}

#[test]
fn leaving_ownership_takes_reference_and_label_away() {
    let owned = built(planned(&spec(), None, "", &data("x")).unwrap());
    let orphan = with_policies(Creation::Orphan, Deletion::Retain);
    let freed = built(planned(&orphan, Some(&owned), "credentials", &data("x")).unwrap());
    assert!(freed.owner_references().is_empty());
    assert!(!freed.labels().contains_key(OWNER_LABEL));
}

#[test]
fn a_secret_frozen_by_hand_keeps_its_data_and_learns_the_new_hash() {
    let mut frozen = built(planned(&spec(), None, "", &data("x")).unwrap());
    frozen.immutable = Some(true);
    let plan = planned(&spec(), Some(&frozen), "credentials", &data("y")).unwrap();
    let TargetPlan::Frozen(Some(secret)) = plan.target else {
        panic!("{plan:?}")
    };
    assert_eq!(secret.data, frozen.data);
    assert!(!build::is_valid(Some(&secret)));
    let same = planned(&spec(), Some(&frozen), "credentials", &data("x")).unwrap();
    assert_eq!(same.target, TargetPlan::Keep);
}

#[test]
fn an_immutable_target_keeps_its_data() {
    let mut spec = spec();
    spec.target.is_immutable = true;
    let made = built(planned(&spec, None, "", &data("x")).unwrap());
    assert_eq!(made.immutable, Some(true));
    let again = planned(&spec, Some(&made), "credentials", &data("y")).unwrap();
    assert_eq!(again.target, TargetPlan::Keep);
}
