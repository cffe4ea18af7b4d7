//! Which changes of an object cause a reconcile, by ESO's rule: those of the spec and the metadata, not
//! those of the status. Pure.

use std::collections::BTreeMap;

use kube::{Resource, ResourceExt as _};

/// What of an object causes a reconcile when it changes.
#[derive(PartialEq, Eq)]
pub struct TriggerFingerprint {
    uid: Option<String>,
    /// Changes with the spec.
    pub generation: Option<i64>,
    labels: BTreeMap<String, String>,
    /// Copied whole: a force-sync annotation is one of them.
    pub annotations: BTreeMap<String, String>,
    finalizers: Vec<String>,
    is_deleting: bool,
}

impl TriggerFingerprint {
    /// The fingerprint of `object`.
    pub fn new<K: Resource>(object: &K) -> Self {
        Self {
            uid: object.uid(),
            generation: object.meta().generation,
            labels: object.labels().clone(),
            annotations: object.annotations().clone(),
            finalizers: object.finalizers().to_vec(),
            is_deleting: object.meta().deletion_timestamp.is_some(),
        }
    }
}
