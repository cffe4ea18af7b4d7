//! What is to be done to the target (spec: external-secrets.md 2.6-2.9). Pure; whoever applies a
//! plan has no choice left.

use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::ResourceExt as _;

use crate::api::meta::OWNER_LABEL;
use crate::secret::SecretData;

use super::build;
use super::validate::SyncSpec;

/// Why the target is not ours to write.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Another ExternalSecret is its controller.
    #[error(
        "secret is owned by another ExternalSecret: {0}; \
         give spec.target.name another value in one of the two"
    )]
    OwnedByExternalSecret(String),
    /// Something else is its controller.
    #[error(
        "could not set controller reference on secret: Object {name} is already owned by another \
         {kind} controller {owner}; give spec.target.name another value"
    )]
    OwnedByOther {
        /// The Secret, with its namespace.
        name: String,
        /// The owner's kind.
        kind: String,
        /// The owner's name.
        owner: String,
    },
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plan {
    /// The one write to the target, if any.
    pub target: TargetPlan,
    /// Earlier targets (another name, our label) are to be deleted first.
    pub has_orphans: bool,
}

/// The write to the target.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum TargetPlan {
    /// It does not exist.
    Create(Box<Secret>),
    /// It differs.
    Update {
        /// As it should be.
        secret: Box<Secret>,
        /// It belonged to nobody; these keys of it go.
        adopted: Option<Vec<String>>,
    },
    /// It is as it should be.
    Keep,
}

/// Decides for `creationPolicy: Owner`. `bound` is the target's name in the status.
///
/// # Errors
/// The target belongs to somebody else.
pub(super) fn decide(
    spec: &SyncSpec,
    present: Option<&Secret>,
    bound: &str,
    data: &SecretData,
) -> Result<Plan, Error> {
    let has_orphans = !bound.is_empty() && bound != spec.target_name;
    let target = match present {
        None => TargetPlan::Create(Box::new(build::secret(spec, None, data))),
        Some(present) => {
            check_owner(spec, present)?;
            let secret = build::secret(spec, Some(present), data);
            if build::differs(present, &secret) {
                let adopted = adopted_keys(present, data);
                TargetPlan::Update {
                    secret: Box::new(secret),
                    adopted,
                }
            } else {
                TargetPlan::Keep
            }
        }
    };
    Ok(Plan {
        target,
        has_orphans,
    })
}

fn check_owner(spec: &SyncSpec, present: &Secret) -> Result<(), Error> {
    let Some(owner) = controller(present) else {
        return Ok(());
    };
    if !build::is_external_secret(owner) {
        return Err(Error::OwnedByOther {
            name: format!("{}/{}", spec.namespace, spec.target_name),
            kind: owner.kind.clone(),
            owner: owner.name.clone(),
        });
    }
    if owner.name != spec.name {
        return Err(Error::OwnedByExternalSecret(owner.name.clone()));
    }
    Ok(())
}

fn controller(secret: &Secret) -> Option<&OwnerReference> {
    secret
        .owner_references()
        .iter()
        .find(|owner| owner.controller == Some(true))
}

/// The keys that an adoption removes; `None` where the Secret was ours before.
fn adopted_keys(present: &Secret, data: &SecretData) -> Option<Vec<String>> {
    let was_ours = controller(present).is_some() || present.labels().contains_key(OWNER_LABEL);
    (!was_ours).then(|| {
        let keys = present.data.iter().flat_map(|data| data.keys());
        keys.filter(|key| !data.contains_key(*key))
            .cloned()
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::secret::SecretValue;

    use super::*;

    fn spec() -> SyncSpec {
        SyncSpec {
            namespace: "netbox".to_owned(),
            name: "app".to_owned(),
            uid: "es-uid".to_owned(),
            target_name: "credentials".to_owned(),
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
            TargetPlan::Keep => panic!("nothing to write"),
        }
    }

    #[test]
    fn what_was_written_is_kept_until_something_differs() {
        let secret = built(decide(&spec(), None, "", &data("x")).unwrap());
        assert!(build::is_valid(Some(&secret)));
        let keep = decide(&spec(), Some(&secret), "credentials", &data("x")).unwrap();
        assert_eq!(
            keep,
            Plan {
                target: TargetPlan::Keep,
                has_orphans: false
            }
        );
        let other = decide(&spec(), Some(&secret), "credentials", &data("y")).unwrap();
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
        let healed = built(decide(&spec(), Some(&tampered), "credentials", &data("x")).unwrap());
        assert_eq!(healed, secret);
    }

    #[test]
    fn a_secret_of_nobody_is_adopted_and_the_lost_keys_are_named() {
        let plan = decide(&spec(), Some(&present(&json!([]))), "", &data("x")).unwrap();
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
        let refuse = |owners| decide(&spec(), Some(&present(&owners)), "", &data("x")).unwrap_err();
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
        let secret = built(decide(&spec(), Some(&present(&ours)), "", &data("x")).unwrap());
        let owners = secret.owner_references();
        assert_eq!((owners.len(), owners[0].uid.as_str()), (1, "es-uid"));
        assert_eq!(owners[0].api_version, "external-secrets.io/v1");
    }

    #[test]
    fn another_name_than_the_bound_one_leaves_orphans() {
        let plan = |bound| decide(&spec(), None, bound, &data("x")).unwrap();
        assert!(plan("earlier").has_orphans);
        assert!(!plan("credentials").has_orphans && !plan("").has_orphans);
    }
}
