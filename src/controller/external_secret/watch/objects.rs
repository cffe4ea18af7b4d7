//! What changes of ExternalSecrets cause.

use std::collections::HashMap;

use kube::ResourceExt as _;
use kube::core::DeserializeGuard;

use crate::api::external_secret::ExternalSecret;
use crate::api::meta::NamespacedName;
use crate::controller::engine::Urgency;
use crate::controller::engine::trigger::TriggerFingerprint;
use crate::controller::engine::watch::Observer;
use crate::controller::external_secret::spec::references;
use crate::controller::external_secret::state::Env;
use crate::controller::index::Consumer;

/// Follows the ExternalSecrets.
pub struct ObjectWatch {
    env: Env,
    known: HashMap<NamespacedName, TriggerFingerprint>,
}

impl ObjectWatch {
    /// Of none yet.
    pub fn new(env: Env) -> Self {
        Self {
            env,
            known: HashMap::new(),
        }
    }
}

impl Observer<DeserializeGuard<ExternalSecret>> for ObjectWatch {
    fn present(
        &mut self,
        name: &NamespacedName,
        object: &DeserializeGuard<ExternalSecret>,
        _: bool,
    ) {
        let version = object.resource_version();
        let state = &self.env.state;
        state.ledger.update(name, |record| {
            record.own.status.watched(version.as_deref());
        });
        if let Ok(object) = &object.0 {
            let consumer = Consumer::ExternalSecret(name.clone());
            self.env.consumers.set(&consumer, references(object));
        }
        let now = TriggerFingerprint::new(object);
        let before = self.known.get(name);
        if before != Some(&now) {
            state.queue.add(name, urgency(object, before, &now));
            self.known.insert(name.clone(), now);
        }
    }

    fn gone(&mut self, name: &NamespacedName) {
        self.known.remove(name);
        let consumer = Consumer::ExternalSecret(name.clone());
        self.env.consumers.remove(&consumer);
        self.env.forget(name);
    }
}

/// How urgent a changed ExternalSecret is.
fn urgency(
    object: &DeserializeGuard<ExternalSecret>,
    before: Option<&TriggerFingerprint>,
    now: &TriggerFingerprint,
) -> Urgency {
    let status = object.0.as_ref().ok().and_then(|it| it.status.as_ref());
    let is_synced = status.is_some_and(|status| status.synced_resource_version.is_some());
    match before {
        _ if !is_synced => Urgency::New,
        // met at start: its time may have come
        None => Urgency::Due,
        Some(before) if before.generation == now.generation => Urgency::Asked,
        Some(_) => Urgency::Changed,
    }
}
