//! The watches: what changed, and who has to look again because of it
//! (spec: external-secrets.md 2.1, 3).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::Hash;
use std::sync::Arc;

use futures::{Stream, StreamExt as _};
use k8s_openapi::api::core::v1::{Secret, ServiceAccount};
use kube::core::PartialObjectMeta;
use kube::runtime::watcher::{self, Event};
use kube::{Resource, ResourceExt as _};

use crate::api::external_secret::ExternalSecret;
use crate::api::meta::{MANAGED_LABEL, MANAGED_VALUE};
use crate::kubernetes::credentials::Used;

use super::allowed_keys::ANNOTATION;
use super::context::Context;
use super::dependents::{ObjectKey, Target, TemplateSource};
use super::external_secret;
use super::outcome::chain;
use super::queue::Urgency;
use super::secret_store::StoreResource;
use super::stores::{Guarded, StoreKey, ready};

/// Turns a watch into "present" and "gone", with what a new list no longer has counted as gone.
pub(super) struct Presence<K> {
    known: HashSet<K>,
    listed: Option<HashSet<K>>,
}

pub(super) enum Change<K, O> {
    Present(K, O),
    Gone(Vec<K>),
}

impl<K: Eq + Hash + Clone> Presence<K> {
    pub(super) fn new() -> Self {
        Self {
            known: HashSet::new(),
            listed: None,
        }
    }

    pub(super) fn apply<O>(&mut self, event: Event<O>, key: impl Fn(&O) -> K) -> Change<K, O> {
        match event {
            Event::Init => {
                self.listed = Some(HashSet::new());
                Change::Gone(Vec::new())
            }
            Event::InitApply(object) | Event::Apply(object) => {
                let key = key(&object);
                if let Some(listed) = &mut self.listed {
                    listed.insert(key.clone());
                }
                self.known.insert(key.clone());
                Change::Present(key, object)
            }
            Event::InitDone => {
                let listed = self.listed.take().unwrap_or_default();
                let gone = self.known.difference(&listed).cloned().collect();
                self.known = listed;
                Change::Gone(gone)
            }
            Event::Delete(object) => {
                let key = key(&object);
                self.known.remove(&key);
                Change::Gone(vec![key])
            }
        }
    }
}

/// What of an ExternalSecret makes a reconcile, by ESO's rule: not the status.
#[derive(PartialEq, Eq)]
struct Face {
    uid: Option<String>,
    generation: Option<i64>,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    finalizers: Vec<String>,
    is_deleting: bool,
}

impl Face {
    fn of<K: Resource>(object: &K) -> Self {
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

/// Follows the ExternalSecrets.
pub(super) async fn external_secrets(
    events: impl Stream<Item = watcher::Result<Event<Guarded<ExternalSecret>>>> + Send,
    ctx: Arc<Context>,
) {
    let mut presence = Presence::new();
    let mut faces: HashMap<ObjectKey, Face> = HashMap::new();
    let mut events = std::pin::pin!(events);
    while let Some(event) = events.next().await {
        let Some(event) = usable::<ExternalSecret, _>(&ctx, event) else {
            continue;
        };
        match presence.apply(event, object_key) {
            Change::Present(key, object) => {
                let version = object.meta().resource_version.as_deref();
                ctx.memories.watched(&key, version);
                if let Ok(object) = &object.0 {
                    ctx.dependents().set(&key, external_secret::uses(object));
                }
                let face = Face::of(&object);
                if faces.get(&key) != Some(&face) {
                    let urgency = urgency(&object, faces.get(&key), &face);
                    faces.insert(key.clone(), face);
                    ctx.wake.external_secret(&key, urgency);
                }
            }
            Change::Gone(keys) => {
                for key in keys {
                    faces.remove(&key);
                    ctx.dependents().remove(&key);
                    ctx.forget(&key);
                }
            }
        }
    }
}

/// How urgent a changed ExternalSecret is.
fn urgency(object: &Guarded<ExternalSecret>, before: Option<&Face>, now: &Face) -> Urgency {
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

/// Follows the stores of one kind.
pub(super) async fn stores<K: StoreResource>(
    events: impl Stream<Item = watcher::Result<Event<Guarded<K>>>> + Send,
    ctx: Arc<Context>,
) {
    let mut presence = Presence::new();
    let mut faces: HashMap<StoreKey, (Face, Option<bool>)> = HashMap::new();
    let mut events = std::pin::pin!(events);
    while let Some(event) = events.next().await {
        let Some(event) = usable::<K, _>(&ctx, event) else {
            continue;
        };
        match presence.apply(event, store_key::<K>) {
            Change::Present(key, object) => {
                let status = object.0.as_ref().ok().and_then(StoreResource::status);
                let is_ready = status.and_then(ready);
                let face = Face::of(&object);
                let before = faces.insert(key.clone(), (face, is_ready));
                let (known, was_ready) = match (&before, &faces[&key]) {
                    (Some((old, was_ready)), (new, _)) => (old == new, *was_ready),
                    (None, _) => (false, None),
                };
                if !known {
                    ctx.wake.store(&key);
                }
                if is_ready == Some(true) && was_ready != Some(true) {
                    // a store met ready at start is no news to those that are synced
                    wake_consumers(&key, before.is_some(), &ctx);
                } else if is_ready.is_some() && was_ready.is_none() && before.is_some() {
                    wake_consumers(&key, false, &ctx);
                }
                let list = |face: &Face| face.annotations.get(ANNOTATION).cloned();
                if before.is_some_and(|(old, _)| list(&old) != list(&faces[&key].0)) {
                    ctx.wake.consumers_of(&key, &ctx, |_| true);
                }
            }
            Change::Gone(keys) => {
                for key in keys {
                    faces.remove(&key);
                    ctx.forget_store(&key, K::metrics(&ctx.metrics));
                }
            }
        }
    }
}

/// Whoever waited for the store looks again at once; where `forgives`, without the pause of earlier failures.
fn wake_consumers(store: &StoreKey, forgives: bool, ctx: &Context) {
    let consumers = ctx.dependents().of_store(store);
    for consumer in &consumers {
        if forgives {
            ctx.memories.forgive(consumer);
        }
        ctx.wake.external_secret(consumer, Urgency::Changed);
    }
}

/// Follows the metadata of all Secrets: targets, credentials and templates.
pub(super) async fn secrets(
    events: impl Stream<Item = watcher::Result<Event<PartialObjectMeta<Secret>>>> + Send,
    ctx: Arc<Context>,
) {
    let mut presence: Presence<ObjectKey> = Presence::new();
    let mut events = std::pin::pin!(events);
    while let Some(event) = events.next().await {
        // that a list begins is announced before it is asked for
        if !matches!(event, Ok(Event::Init)) {
            ctx.memories.follows_targets(event.is_ok());
        }
        let Some(event) = usable::<Secret, _>(&ctx, event) else {
            continue;
        };
        let is_listed = matches!(event, Event::InitApply(_));
        match presence.apply(event, object_key) {
            Change::Present(key, secret) => {
                let version = secret.resource_version();
                let source = TemplateSource::Secret(key.clone());
                ctx.template_sources
                    .seen(&source, version.as_deref(), is_listed, &ctx);
                credentials_changed(&Used::Secret(key.clone()), version.as_deref(), &ctx);
                let is_managed =
                    secret.labels().get(MANAGED_LABEL).map(String::as_str) == Some(MANAGED_VALUE);
                target_is_at(&Target::secret(key), version.as_deref(), is_managed, &ctx);
            }
            Change::Gone(keys) => {
                for key in keys {
                    let source = TemplateSource::Secret(key.clone());
                    ctx.template_sources.seen(&source, None, false, &ctx);
                    credentials_changed(&Used::Secret(key.clone()), None, &ctx);
                    target_is_at(&Target::secret(key), None, true, &ctx);
                }
            }
        }
    }
}

/// The watch brought a target at this resource version, or without one: it is gone, and whoever writes it
/// makes it again. Those who failed over it look again whatever it is now; those in step only where it is,
/// or was, a managed one.
pub(super) fn target_is_at(
    target: &Target,
    version: Option<&str>,
    is_managed: bool,
    ctx: &Context,
) {
    let is_own = ctx.own_writes.brought(target, version) && version.is_some();
    let writers = ctx.dependents().of_target(target);
    for writer in &writers {
        ctx.memories.target_watched(writer, version);
        if !is_own && (is_managed || ctx.memories.has_failed(writer)) {
            ctx.wake.external_secret(writer, Urgency::Changed);
        }
    }
}

/// All who write the target look again.
pub(super) fn wake_writers(target: &Target, ctx: &Context) {
    let writers = ctx.dependents().of_target(target);
    for writer in &writers {
        ctx.wake.external_secret(writer, Urgency::Changed);
    }
}

/// Follows the metadata of all ServiceAccounts, from when the first store signs in as one.
pub(super) async fn service_accounts(
    events: impl Stream<Item = watcher::Result<Event<PartialObjectMeta<ServiceAccount>>>> + Send,
    ctx: Arc<Context>,
) {
    ctx.clients.service_accounts_wanted().await;
    let mut presence: Presence<ObjectKey> = Presence::new();
    let mut events = std::pin::pin!(events);
    while let Some(event) = events.next().await {
        let Some(event) = usable::<ServiceAccount, _>(&ctx, event) else {
            continue;
        };
        match presence.apply(event, object_key) {
            Change::Present(key, account) => {
                let version = account.resource_version();
                credentials_changed(&Used::ServiceAccount(key), version.as_deref(), &ctx);
            }
            Change::Gone(keys) => {
                for key in keys {
                    credentials_changed(&Used::ServiceAccount(key), None, &ctx);
                }
            }
        }
    }
}

fn credentials_changed(object: &Used, version: Option<&str>, ctx: &Context) {
    let concerned = ctx.clients.credential_changed(object, version);
    for store in &concerned.stores {
        ctx.store_failures.succeeded(store);
        ctx.wake.store(store);
    }
    for (store, consumer) in &concerned.consumers {
        ctx.wake
            .consumers_of(store, ctx, |namespace| namespace == consumer);
    }
}

/// Namespace and name.
pub(super) fn object_key<K: Resource>(object: &K) -> ObjectKey {
    (object.namespace().unwrap_or_default(), object.name_any())
}

fn store_key<K: StoreResource>(object: &Guarded<K>) -> StoreKey {
    let name = object.name_any();
    match object.namespace() {
        Some(namespace) => StoreKey::Namespaced { namespace, name },
        None => StoreKey::Cluster { name },
    }
}

/// The event, or a log line: the watcher pauses and tries again by itself.
pub(super) fn usable<K, O>(ctx: &Context, event: watcher::Result<Event<O>>) -> Option<Event<O>>
where
    K: Resource<DynamicType = ()>,
{
    let plural = K::plural(&());
    match event {
        Ok(event) => {
            if matches!(event, Event::InitDone) {
                ctx.readiness.cleared(&plural);
            }
            Some(event)
        }
        Err(error) => {
            let error = in_words::<K>(&error);
            tracing::warn!(%plural, error, "the watch failed and is tried again");
            ctx.readiness.hindered(&plural, &error);
            None
        }
    }
}

/// What failed and why; a kind that is not served is named, for its 404 says nothing.
fn in_words<K: Resource<DynamicType = ()>>(error: &watcher::Error) -> String {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(answer))
        | watcher::Error::WatchStartFailed(kube::Error::Api(answer))
            if answer.code == 404 =>
        {
            let (kind, version) = (K::kind(&()), K::api_version(&()));
            format!(
                "the API server does not serve kind {kind} in {version}; install the \
                 CustomResourceDefinitions of this release"
            )
        }
        watcher::Error::InitialListFailed(cause)
        | watcher::Error::WatchStartFailed(cause)
        | watcher::Error::WatchFailed(cause) => chain(cause),
        watcher::Error::WatchError(answer) => answer.message.clone(),
        watcher::Error::NoResourceVersion => error.to_string(),
    }
}
