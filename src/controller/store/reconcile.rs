//! Reconciles a store of either kind: is the configuration complete, are its credentials there? As in
//! ESO, this never calls the vault.

use std::sync::Arc;
use std::time::{Duration, Instant};

use k8s_openapi::jiff::SignedDuration;
use kube::ResourceExt as _;
use kube::core::DeserializeGuard;
use kube::runtime::reflector::{ObjectRef, Store};

use crate::api::meta::Condition;
use crate::api::secret_store::{SecretStoreSpec, StoreInterval};
use crate::controller::engine::backoff::backoff;
use crate::controller::engine::{Next, Reconciler, WorkQueue, WorkerPermit};
use crate::controller::index::{Change, Dependency, StoreKey};
use crate::controller::reconcile::status::{self, OnConflict, Written};
use crate::kubernetes::answers::chain;
use crate::kubernetes::events::{EventBody, EventType};
use crate::provider::{Error, Retry};

use super::allowed_keys;
use super::cache::{StoreView, view};
use super::providers::Providers;
use super::resource::StoreResource;
use super::state::Stores;
use super::status::{Verdict, guard_status, listing_status, next_status, note, reach_status};

/// The watch brings what overtook a write.
const AT_ONCE: Duration = Duration::from_millis(100);
const UNMAINTAINED: &str = "StoreUnmaintained";
const IGNORE_MAINTENANCE: &str = "external-secrets.io/ignore-maintenance-checks";

/// Validates the stores of one kind.
pub struct StoreReconciler<K: StoreResource> {
    /// What is known of stores.
    pub stores: Arc<Stores>,
    /// The kind's objects.
    pub cache: Store<DeserializeGuard<K>>,
    /// Those to be reconciled.
    pub queue: WorkQueue<StoreKey>,
}

impl<K: StoreResource> Reconciler for StoreReconciler<K> {
    type Key = StoreKey;

    const NAME: &'static str = K::CONTROLLER;

    fn queue(&self) -> &WorkQueue<StoreKey> {
        &self.queue
    }

    async fn reconcile(self: Arc<Self>, key: StoreKey, _: Arc<WorkerPermit>) -> Next {
        let mut reference = ObjectRef::new(key.name());
        if let StoreKey::Namespaced { namespace, .. } = &key {
            reference = reference.within(namespace);
        }
        match self.cache.get(&reference) {
            Some(object) => reconcile(&object, &self.stores).await,
            None => Next::Change,
        }
    }
}

/// Validates one store and reports the result in its status.
async fn reconcile<K: StoreResource>(object: &DeserializeGuard<K>, stores: &Stores) -> Next {
    let started = Instant::now();
    let store = match &object.0 {
        Ok(store) => store,
        Err(invalid) => {
            tracing::warn!(kind = %K::kind(&()), name = ?invalid.metadata.name, error = %invalid.error,
                "a store does not decode and is left alone");
            return Next::Failed;
        }
    };
    if !stores.ctx.is_ours(store.spec().controller.as_deref()) {
        return Next::Change;
    }
    let view = view(&store.key(), store, store.spec(), store.status());
    let families = K::metrics(&stores.ctx.metrics);
    families.describe(view.key.namespace(), view.key.name(), store.labels());
    let validated = validate(&view, stores).await;
    let verdict = match &validated {
        Ok(Valid { doubt: None, .. }) => Verdict::Valid,
        Ok(Valid {
            doubt: Some(reason),
            ..
        }) => Verdict::Unknown(reason),
        Err(error) => Verdict::Invalid(error),
    };
    let written = report(store, stores, verdict).await;
    families.set_duration(view.key.namespace(), view.key.name(), started.elapsed());
    let next = next(&view.key, stores, &validated, &written);
    if stores.find(&view.key).is_none() {
        // deleted meanwhile: what was noted since would stay for ever
        stores.forget::<K>(&view.key);
    }
    next
}

/// A store that can be used.
struct Valid {
    /// When to look again; `None` is the flag's default.
    interval: Option<Duration>,
    /// Why it could not be checked, where it could not.
    doubt: Option<String>,
}

async fn validate(store: &StoreView, stores: &Stores) -> Result<Valid, Error> {
    let interval = interval(&store.spec)?;
    let validity = stores.clients.validate(store).await?;
    // another spec or other credentials, and they work: whoever reads from here reads again
    if stores.is_other_connection(&store.key, validity.serial) {
        stores.reachability.forget(&store.key);
        let dependency = Dependency::Store(store.key.clone());
        stores.consumers.notify(&dependency, Change::Content);
    }
    Ok(Valid {
        interval,
        doubt: validity.doubt,
    })
}

fn interval(spec: &SecretStoreSpec) -> Result<Option<Duration>, Error> {
    let parsed = spec
        .refresh_interval
        .as_ref()
        .map_or(Ok(None), StoreInterval::parse);
    let interval = parsed.map_err(|error| Error::Config {
        message: format!("invalid refreshInterval: {error}; write seconds or a duration like 5m"),
    })?;
    Ok(interval.map(SignedDuration::unsigned_abs))
}

fn next(
    key: &StoreKey,
    stores: &Stores,
    validated: &Result<Valid, Error>,
    written: &kube::Result<Written>,
) -> Next {
    let error = match (validated, written) {
        (_, Ok(Written::Conflict)) => return Next::After(AT_ONCE),
        (Ok(valid), Ok(_)) => {
            stores.ledger.forgive(key);
            return Next::After(
                valid
                    .interval
                    .unwrap_or(stores.ctx.options.store_requeue_interval),
            );
        }
        (Err(error), _) => chain(error),
        (_, Err(error)) => format!("status not written: {}", chain(error)),
    };
    let failures = stores.ledger.failed(key, stores.ctx.clock.now());
    tracing::warn!(store = %key, failures, %error, "store not valid");
    let pause = match validated {
        Err(Error::Throttled {
            after: Some(after), ..
        }) => *after,
        Err(error) if error.retry() == Retry::OnChange => stores.ctx.options.store_requeue_interval,
        _ => backoff(failures),
    };
    Next::Retry(pause)
}

async fn report<K: StoreResource>(
    store: &K,
    stores: &Stores,
    verdict: Verdict<'_>,
) -> kube::Result<Written> {
    let ctx = &stores.ctx;
    let now = ctx.clock.now();
    let key = store.key();
    let is_ready = !matches!(verdict, Verdict::Invalid(_));
    K::metrics(&ctx.metrics).set_ready(key.namespace(), key.name(), is_ready);
    let before = store.status().cloned().unwrap_or_default();
    let mut after = next_status(&before, verdict, now);
    let reachability = reach_status(&mut after, stores.reachability.get(&key), now);
    if let Some((is_reachable, _)) = reachability {
        K::metrics(&ctx.metrics).set_reachable(key.namespace(), key.name(), is_reachable);
    }
    listing_status(&mut after, stores.reachability.listing(&key), now);
    if let StoreKey::Cluster { .. } = key {
        let text = store.annotations().get(allowed_keys::ANNOTATION);
        guard_status(&mut after, text.map(String::as_str), now);
    }
    let recorder = ctx.recorder.as_component(K::COMPONENT);
    let note = note(verdict);
    if after == before {
        if note.kind == EventType::Warning {
            recorder.publish(store.object_ref(&()), note, now);
        }
        return Ok(Written::At(store.resource_version().unwrap_or_default()));
    }
    let written = status::write(&ctx.client, store, &after, OnConflict::Yield).await?;
    // a conflict: the cache is behind, if only behind our own last write
    if !matches!(written, Written::At(_)) {
        return Ok(written);
    }
    if let Some((_, Some(note))) = reachability {
        recorder.publish(store.object_ref(&()), note, now);
    }
    let ready = after
        .conditions
        .iter()
        .find(|it| it.type_ == Condition::READY);
    if ready.is_some_and(|ready| before.conditions.contains(ready)) {
        return Ok(written);
    }
    if matches!(verdict, Verdict::Valid) && is_unmaintained(store) {
        let warning = EventBody {
            kind: EventType::Warning,
            reason: UNMAINTAINED,
            message: "store isn't currently maintained. Please plan and prepare accordingly."
                .to_owned(),
        };
        recorder.publish(store.object_ref(&()), warning, now);
    }
    recorder.publish(store.object_ref(&()), note, now);
    Ok(written)
}

fn is_unmaintained<K: StoreResource>(store: &K) -> bool {
    !Providers::is_maintained(store.spec()) && !store.annotations().contains_key(IGNORE_MAINTENANCE)
}
