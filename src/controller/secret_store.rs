//! SecretStore and ClusterSecretStore: is the configuration whole, are its credentials there?
//! (spec: external-secrets.md 3). One algorithm for both kinds; it never calls the vault.

use std::sync::Arc;
use std::time::{Duration, Instant};

use k8s_openapi::jiff::SignedDuration;
use kube::{Resource, ResourceExt as _};
use serde::de::DeserializeOwned;

use crate::api::meta::Condition;
use crate::api::secret_store::{
    ClusterSecretStore, SecretStore, SecretStoreSpec, SecretStoreStatus, StoreInterval,
};
use crate::kubernetes::events::{Kind, Note};
use crate::kubernetes::status;
use crate::provider::{Error, Retry};
use crate::telemetry::{Metrics, ObjectMetrics};

use super::allowed_keys;
use super::context::Context;
use super::outcome::{backoff, chain};
use super::providers::Providers;
use super::store_status::{Verdict, guard_status, listing_status, next_status, note, reach_status};
use super::stores::{Guarded, StoreKey, StoreView, view};
use super::workers::Next;

/// The watch brings what overtook a write.
const AT_ONCE: Duration = Duration::from_millis(100);
const UNMAINTAINED: &str = "StoreUnmaintained";
const IGNORE_MAINTENANCE: &str = "external-secrets.io/ignore-maintenance-checks";

/// What the two kinds have in common.
pub(super) trait StoreResource:
    Resource<DynamicType = ()> + Clone + std::fmt::Debug + DeserializeOwned + Send + Sync + 'static
{
    /// The source component of the kind's events.
    const COMPONENT: &'static str;

    /// The spec.
    fn spec(&self) -> &SecretStoreSpec;
    /// The status, once there is one.
    fn status(&self) -> Option<&SecretStoreStatus>;
    /// By what others refer to it.
    fn key(&self) -> StoreKey;
    /// The kind's metric families.
    fn metrics(metrics: &Metrics) -> &ObjectMetrics;
}

impl StoreResource for SecretStore {
    const COMPONENT: &'static str = "secret-store";

    fn spec(&self) -> &SecretStoreSpec {
        &self.spec
    }

    fn status(&self) -> Option<&SecretStoreStatus> {
        self.status.as_ref()
    }

    fn key(&self) -> StoreKey {
        let namespace = self.namespace().unwrap_or_default();
        StoreKey::Namespaced {
            namespace,
            name: self.name_any(),
        }
    }

    fn metrics(metrics: &Metrics) -> &ObjectMetrics {
        &metrics.secret_store
    }
}

impl StoreResource for ClusterSecretStore {
    const COMPONENT: &'static str = "cluster-secret-store";

    fn spec(&self) -> &SecretStoreSpec {
        &self.spec
    }

    fn status(&self) -> Option<&SecretStoreStatus> {
        self.status.as_ref()
    }

    fn key(&self) -> StoreKey {
        StoreKey::Cluster {
            name: self.name_any(),
        }
    }

    fn metrics(metrics: &Metrics) -> &ObjectMetrics {
        &metrics.cluster_secret_store
    }
}

/// Validates one store and says so in its status.
pub(super) async fn reconcile<K: StoreResource>(
    object: Arc<Guarded<K>>,
    ctx: Arc<Context>,
) -> Next {
    let started = Instant::now();
    let store = match &object.0 {
        Ok(store) => store,
        Err(invalid) => {
            tracing::warn!(kind = %K::kind(&()), name = ?invalid.metadata.name, error = %invalid.error,
                "a store does not decode and is left alone");
            return Next::Failed;
        }
    };
    if !ctx.is_ours(store.spec().controller.as_deref()) {
        return Next::Change;
    }
    let view = view(&store.key(), store, store.spec(), store.status());
    let families = K::metrics(&ctx.metrics);
    families.describe(view.key.namespace(), view.key.name(), store.labels());
    let validated = validate(&view, &ctx).await;
    let verdict = match &validated {
        Ok(Valid { doubt: None, .. }) => Verdict::Valid,
        Ok(Valid {
            doubt: Some(reason),
            ..
        }) => Verdict::Unknown(reason),
        Err(error) => Verdict::Invalid(error),
    };
    let written = report(store, &ctx, verdict).await;
    families.set_duration(view.key.namespace(), view.key.name(), started.elapsed());
    let action = next(&view.key, &ctx, &validated, &written);
    if ctx.stores.find(&view.key).is_none() {
        // deleted meanwhile: what was noted since would stay for ever
        ctx.forget_store(&view.key, families);
    }
    action
}

/// A store that can be used.
struct Valid {
    /// When to look again; `None` is the flag's default.
    interval: Option<Duration>,
    /// Why it could not be checked, where it could not.
    doubt: Option<String>,
}

/// What came of writing the status.
enum Written {
    /// It is as it should be.
    Done,
    /// The object changed meanwhile: look again at once.
    Overtaken,
}

async fn validate(store: &StoreView, ctx: &Context) -> Result<Valid, Error> {
    let interval = interval(&store.spec)?;
    let validity = ctx.clients.validate(store).await?;
    // another spec or other credentials, and they work: whoever reads from here reads again
    if ctx.validated.is_news(&store.key, validity.serial) {
        ctx.reach.forget(&store.key);
        ctx.wake.consumers_of(&store.key, ctx, |_| true);
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
    ctx: &Context,
    validated: &Result<Valid, Error>,
    written: &kube::Result<Written>,
) -> Next {
    let error = match (validated, written) {
        (_, Ok(Written::Overtaken)) => return Next::After(AT_ONCE),
        (Ok(valid), Ok(Written::Done)) => {
            ctx.store_failures.succeeded(key);
            return Next::After(valid.interval.unwrap_or(ctx.options.store_requeue_interval));
        }
        (Err(error), _) => chain(error),
        (_, Err(error)) => format!("status not written: {}", chain(error)),
    };
    let failures = ctx.store_failures.failed(key);
    tracing::warn!(store = %key, failures, %error, "store not valid");
    let pause = match validated {
        Err(Error::Throttled {
            after: Some(after), ..
        }) => *after,
        Err(error) if error.retry() == Retry::OnChange => ctx.options.store_requeue_interval,
        _ => backoff(failures),
    };
    Next::Retry(pause)
}

async fn report<K: StoreResource>(
    store: &K,
    ctx: &Context,
    verdict: Verdict<'_>,
) -> kube::Result<Written> {
    let now = ctx.clock.now();
    let key = store.key();
    let is_ready = !matches!(verdict, Verdict::Invalid(_));
    K::metrics(&ctx.metrics).set_ready(key.namespace(), key.name(), is_ready);
    let before = store.status().cloned().unwrap_or_default();
    let mut after = next_status(&before, verdict, now);
    let reachability = reach_status(&mut after, ctx.reach.of(&key), now);
    if let Some((is_reachable, _)) = reachability {
        K::metrics(&ctx.metrics).set_reachable(key.namespace(), key.name(), is_reachable);
    }
    listing_status(&mut after, ctx.reach.listing(&key), now);
    if let StoreKey::Cluster { .. } = key {
        let text = store.annotations().get(allowed_keys::ANNOTATION);
        guard_status(&mut after, text.map(String::as_str), now);
    }
    let recorder = ctx.recorder.as_component(K::COMPONENT);
    let note = note(verdict);
    if after == before {
        if note.kind == Kind::Warning {
            recorder.publish(store.object_ref(&()), note, now);
        }
        return Ok(Written::Done);
    }
    match status::replace(&ctx.client, store, &after).await {
        // gone: nobody is left to tell
        Err(kube::Error::Api(answer)) if answer.is_not_found() => return Ok(Written::Done),
        // the cache is behind, if only behind our own last write
        Err(kube::Error::Api(answer)) if answer.is_conflict() => return Ok(Written::Overtaken),
        Err(error) => return Err(error),
        Ok(_) => {}
    }
    if let Some((_, Some(note))) = reachability {
        recorder.publish(store.object_ref(&()), note, now);
    }
    let ready = after
        .conditions
        .iter()
        .find(|it| it.type_ == Condition::READY);
    if ready.is_some_and(|ready| before.conditions.contains(ready)) {
        return Ok(Written::Done);
    }
    if matches!(verdict, Verdict::Valid) && is_unmaintained(store) {
        let warning = Note {
            kind: Kind::Warning,
            reason: UNMAINTAINED,
            message: "store isn't currently maintained. Please plan and prepare accordingly."
                .to_owned(),
        };
        recorder.publish(store.object_ref(&()), warning, now);
    }
    recorder.publish(store.object_ref(&()), note, now);
    Ok(Written::Done)
}

fn is_unmaintained<K: StoreResource>(store: &K) -> bool {
    !Providers::is_maintained(store.spec()) && !store.annotations().contains_key(IGNORE_MAINTENANCE)
}
