//! SecretStore and ClusterSecretStore: is the configuration whole, are its credentials there?
//! (spec: external-secrets.md 3). One algorithm for both kinds; it never calls the vault.

use std::sync::Arc;
use std::time::{Duration, Instant};

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::runtime::controller::Action;
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
use super::conditions::{put, put_ready};
use super::context::Context;
use super::outcome::{backoff, chain};
use super::providers::Providers;
use super::reach::State;
use super::stores::{Guarded, StoreKey, StoreView};

const CAPABILITIES: &str = "ReadWrite";
const VALID: &str = "Valid";
const INVALID: &str = "InvalidProviderConfig";
const UNKNOWN: &str = "ValidationUnknown";
const REACHABLE: &str = "Reachable";
/// The condition about `keyferry.io/allowed-keys`.
const GUARD: &str = "AllowedKeys";
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
) -> Action {
    let started = Instant::now();
    let store = match &object.0 {
        Ok(store) => store,
        Err(invalid) => {
            tracing::warn!(kind = %K::kind(&()), name = ?invalid.metadata.name, error = %invalid.error,
                "a store does not decode and is left alone");
            return Action::await_change();
        }
    };
    if !ctx.is_ours(store.spec().controller.as_deref()) {
        return Action::await_change();
    }
    let view = StoreView {
        key: store.key(),
        uid: store.uid().unwrap_or_default(),
        generation: store.meta().generation.unwrap_or_default(),
        spec: store.spec().clone(),
        allowed_keys: None,
        is_ready: None,
    };
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
    let families = K::metrics(&ctx.metrics);
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

/// What the status says.
#[derive(Clone, Copy)]
enum Verdict<'a> {
    Valid,
    /// Usable, but could not be checked, for this reason.
    Unknown(&'a str),
    Invalid(&'a Error),
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
    written: &kube::Result<()>,
) -> Action {
    let error = match (validated, written) {
        (Ok(valid), Ok(())) => {
            ctx.store_failures.succeeded(key);
            return Action::requeue(valid.interval.unwrap_or(ctx.options.store_requeue_interval));
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
    Action::requeue(pause)
}

async fn report<K: StoreResource>(
    store: &K,
    ctx: &Context,
    verdict: Verdict<'_>,
) -> kube::Result<()> {
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
        return Ok(());
    }
    match status::replace(&ctx.client, store, &after).await {
        // gone or changed meanwhile: the change has its own reconcile
        Err(kube::Error::Api(answer)) if answer.is_not_found() || answer.is_conflict() => {}
        Err(error) => return Err(error),
        Ok(_) => {}
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
    if let Some((_, Some(note))) = reachability {
        recorder.publish(store.object_ref(&()), note, now);
    }
    if after
        .conditions
        .iter()
        .any(|it| it.type_ == Condition::READY && !before.conditions.contains(it))
    {
        recorder.publish(store.object_ref(&()), note, now);
    }
    Ok(())
}

/// Says whether the vault answers, where that is known: with which result, and what is to be told.
fn reach_status(
    status: &mut SecretStoreStatus,
    state: Option<State>,
    now: Timestamp,
) -> Option<(bool, Option<Note>)> {
    let (is_reachable, reason, message) = match state? {
        State::Answers => (true, REACHABLE, "the vault answers".to_owned()),
        State::Away { reason, message } => (false, reason, message),
    };
    let mut conditions = status.conditions.iter();
    let before = conditions.find(|it| it.type_ == REACHABLE);
    let was_reachable = before.is_none_or(Condition::is_true);
    let note = (was_reachable != is_reachable).then(|| Note {
        kind: if is_reachable {
            Kind::Normal
        } else {
            Kind::Warning
        },
        reason: if is_reachable {
            REACHABLE
        } else {
            "Unreachable"
        },
        message: message.clone(),
    });
    put(
        &mut status.conditions,
        REACHABLE,
        is_reachable,
        reason,
        &message,
        now,
    );
    Some((is_reachable, note))
}

/// Says whether the list of allowed keys is in force, where there is one.
fn guard_status(status: &mut SecretStoreStatus, text: Option<&str>, now: Timestamp) {
    let Some(text) = text else {
        status.conditions.retain(|it| it.type_ != GUARD);
        return;
    };
    match allowed_keys::check(text) {
        Ok(()) => put(
            &mut status.conditions,
            GUARD,
            true,
            "InForce",
            "each namespace reads the keys that the annotation gives it",
            now,
        ),
        Err(error) => {
            let message = format!("nobody may read from this store: {error}");
            put(
                &mut status.conditions,
                GUARD,
                false,
                "Malformed",
                &message,
                now,
            );
        }
    }
}

fn is_unmaintained<K: StoreResource>(store: &K) -> bool {
    !Providers::is_maintained(store.spec()) && !store.annotations().contains_key(IGNORE_MAINTENANCE)
}

fn note(verdict: Verdict<'_>) -> Note {
    let (kind, reason, message) = match verdict {
        Verdict::Valid => (Kind::Normal, VALID, "store validated".to_owned()),
        Verdict::Unknown(reason) => (Kind::Warning, UNKNOWN, reason.to_owned()),
        Verdict::Invalid(error) => (Kind::Warning, INVALID, chain(error)),
    };
    Note {
        kind,
        reason,
        message,
    }
}

fn next_status(
    before: &SecretStoreStatus,
    verdict: Verdict<'_>,
    now: Timestamp,
) -> SecretStoreStatus {
    let mut after = before.clone();
    let (is_ready, reason, message) = match verdict {
        Verdict::Valid => {
            after.capabilities = Some(CAPABILITIES.to_owned());
            (true, VALID, "store validated".to_owned())
        }
        Verdict::Unknown(reason) => {
            let text = format!("could not determine validation status: {reason}");
            (true, UNKNOWN, text)
        }
        Verdict::Invalid(error) => {
            let text = format!(
                "{}: unable to create client: {}",
                error.category(),
                chain(error)
            );
            (false, INVALID, text)
        }
    };
    put_ready(&mut after.conditions, is_ready, reason, &message, now);
    after
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn capabilities_survive_a_failure_and_the_transition_time_moves_with_the_status_only() {
        let valid = next_status(&SecretStoreStatus::default(), Verdict::Valid, at(1));
        assert_eq!(valid.capabilities.as_deref(), Some("ReadWrite"));
        assert_eq!(next_status(&valid, Verdict::Valid, at(2)), valid);

        let error = |message: &str| Error::Config {
            message: message.to_owned(),
        };
        let broken = next_status(&valid, Verdict::Invalid(&error("missing tenantID")), at(3));
        assert_eq!(broken.capabilities.as_deref(), Some("ReadWrite"));
        assert_eq!(
            broken.conditions[0].reason.as_deref(),
            Some("InvalidProviderConfig")
        );
        assert_eq!(
            broken.conditions[0].message.as_deref(),
            Some("InvalidStore: unable to create client: missing tenantID")
        );
        let other = next_status(
            &broken,
            Verdict::Invalid(&error("missing secretRef")),
            at(4),
        );
        assert_eq!(
            other.conditions[0].last_transition_time,
            broken.conditions[0].last_transition_time
        );
        assert_ne!(other, broken);
    }

    #[test]
    fn a_store_that_cannot_be_checked_is_ready_without_capabilities() {
        let unknown = next_status(
            &SecretStoreStatus::default(),
            Verdict::Unknown("why"),
            at(1),
        );
        assert_eq!(unknown.capabilities, None);
        let condition = &unknown.conditions[0];
        assert_eq!(condition.status, "True");
        assert_eq!(condition.reason.as_deref(), Some("ValidationUnknown"));
        assert_eq!(
            condition.message.as_deref(),
            Some("could not determine validation status: why")
        );
    }
}
