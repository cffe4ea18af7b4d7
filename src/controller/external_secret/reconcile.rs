//! One reconcile of one ExternalSecret: the phases in their order.

use std::sync::Arc;
use std::time::{Duration, Instant};

use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt as _;
use kube::core::DeserializeGuard;
use kube::runtime::reflector::{ObjectRef, Store};

use crate::api::external_secret::ExternalSecret;
use crate::api::kinds::EXTERNAL_SECRET;
use crate::api::meta::NamespacedName;
use crate::api::secret_store::StoreKind;
use crate::controller::engine::{Next, Reconciler, WorkQueue, WorkerPermit};
use crate::controller::index::Consumer;
use crate::controller::reconcile::contain::contain;

use super::error::Error;
use super::fetch::{self, Due, Moment};
use super::outcome::{Outcome, Synced};
use super::refresh::{self, Decision, LastSync, Reason};
use super::release::release;
use super::report;
use super::spec::{self, SyncSpec, references, validate};
use super::state::{Env, ReconcileInput};
use super::target::{self, Target, Written};

/// Somebody else wrote the target: the watch brings it.
const AFTER_A_CONFLICT: Duration = Duration::from_millis(50);

/// Keeps ExternalSecrets in sync.
pub struct ExternalSecretReconciler {
    /// What reconciles are given.
    pub env: Env,
    /// The objects.
    pub cache: Store<DeserializeGuard<ExternalSecret>>,
}

impl Reconciler for ExternalSecretReconciler {
    type Key = NamespacedName;

    const NAME: &'static str = EXTERNAL_SECRET.controller;

    fn queue(&self) -> &WorkQueue<NamespacedName> {
        &self.env.state.queue
    }

    async fn reconcile(self: Arc<Self>, key: NamespacedName, permit: Arc<WorkerPermit>) -> Next {
        let object = ObjectRef::new(&key.name).within(&key.namespace);
        match self.cache.get(&object) {
            Some(object) => reconcile(&object, key, permit, &self.env).await,
            None => Next::Change,
        }
    }
}

async fn reconcile(
    guarded: &DeserializeGuard<ExternalSecret>,
    key: NamespacedName,
    permit: Arc<WorkerPermit>,
    env: &Env,
) -> Next {
    let started = Instant::now();
    let metrics = &env.ctx.metrics;
    let (namespace, name) = (key.namespace.clone(), key.name.clone());
    metrics.describe_external_secret(&namespace, &name, guarded.labels());
    metrics.sync_called(&namespace, &name);
    let object = match &guarded.0 {
        Ok(object) => object,
        Err(invalid) => {
            metrics.sync_failed(&namespace, &name);
            tracing::warn!(namespace, name, error = %invalid.error,
                "an ExternalSecret does not decode and is left alone");
            return Next::Failed;
        }
    };
    let record = env
        .state
        .ledger
        .get(&key, &object.uid().unwrap_or_default());
    let version = object.resource_version();
    let status = record
        .own
        .status
        .current(object.status.as_ref(), version.as_deref());
    let input = ReconcileInput {
        key,
        record,
        status,
        permit,
    };
    let synced = sync(object, &input, env);
    let result = contain(synced, ExternalSecretReconciler::NAME, &metrics.work).await;
    let next = report::report(object, &input, env, result).await;
    metrics
        .external_secret
        .set_duration(&namespace, &name, started.elapsed());
    let consumer = Consumer::ExternalSecret(input.key.clone());
    if !env.consumers.contains(&consumer) {
        // deleted meanwhile: what was noted since would stay for ever
        env.forget(&input.key);
        return Next::Change;
    }
    next
}

async fn sync(
    object: &ExternalSecret,
    input: &ReconcileInput,
    env: &Env,
) -> Result<Outcome, Error> {
    if !is_ours(object, env) {
        return Ok(Outcome::Pending(None));
    }
    if object.metadata.deletion_timestamp.is_some() {
        let released = release(object, env).await;
        return released
            .map(|()| Outcome::Pending(None))
            .map_err(Error::Finalizer);
    }
    let spec = validate(object)?;
    let target = target::observe(&spec, input, env).await?;
    let now = env.ctx.clock.now();
    let is_valid = target.needs_no_write(&spec, env);
    let reason = match refresh::decide(&spec, &last_sync(input), is_valid, now) {
        Decision::Due(reason) => reason,
        Decision::Wait(until) => return Ok(Outcome::Unchanged(until)),
    };
    // most reconciles end above: what follows is large
    Box::pin(refresh(object, input, env, (spec, target), (reason, now))).await
}

/// Does what is due: nothing but a check, if the stores show that nothing changed.
async fn refresh(
    object: &ExternalSecret,
    input: &ReconcileInput,
    env: &Env,
    (spec, target): (SyncSpec, Target),
    (reason, now): (Reason, Timestamp),
) -> Result<Outcome, Error> {
    let last = last_sync(input);
    let may_spare = |_: &_| reason.is_about_time() && target.is_untouched(&spec, env);
    let source = input.source().filter(may_spare);
    let due = Due {
        spec: &spec,
        reason,
        source: source.as_ref(),
        refreshed_at: last.refreshed_at,
        failed_at: input.record.failed_at,
        templates: &fetch::template_versions(&spec::templates(object), &*env.templates),
        now,
        permit: &input.permit,
    };
    let checked = due.check(&*env.stores).await;
    let answer = checked.map_err(|error| fetch::Error::Read(error.into()))?;
    let phase = answer.as_ref().map_or(last.phase, |answer| answer.phase);
    let ledger = &env.state.ledger;
    ledger.update(&input.key, |record| record.own.phase = phase);
    let listed_at = answer.as_ref().and_then(|answer| answer.listed_at);
    let as_of = listed_at.unwrap_or(now);
    if let Some(answer) = answer.filter(|answer| answer.is_unchanged) {
        for vault in &answer.spared {
            env.ctx.metrics.vaults.read_saved(vault);
        }
        let next = refresh::next(&spec, as_of, phase);
        return Ok(Outcome::Checked { as_of, next });
    }
    let moment = Moment {
        since: as_of,
        now: env.ctx.clock.now(),
    };
    let (shaped, revisions) = match fetch::fetch(&spec, &*env.stores, moment).await {
        Err(fetch::Error::Read(failures)) if failures.is_about_new_stores() => {
            let until = env.state.waits(&input.key, now);
            let pending = until.map(|until| Outcome::Pending(Some(until)));
            return pending.ok_or_else(|| fetch::Error::Read(failures).into());
        }
        other => other?,
    };
    report::tell_missing(object, env, &shaped.missing);
    let remote = refresh::state(&revisions, due.templates, now);
    let verdict = match target::write(object, input, env, (&spec, target), &shaped.data).await? {
        Written::Done(verdict) => verdict,
        Written::Overtaken => {
            let again = env.ctx.clock.now() + AFTER_A_CONFLICT;
            return Ok(Outcome::Pending(Some(again)));
        }
        Written::Terminating => return Ok(Outcome::Pending(None)),
    };
    let next = refresh::next(&spec, as_of, phase);
    Ok(Outcome::Synced(Box::new(Synced {
        spec,
        verdict,
        reason,
        as_of,
        next,
        remote,
    })))
}

/// Whether no store of the object belongs to another controller class, and its store is not of a
/// kind that is switched off. Stores that are absent speak for nobody.
fn is_ours(object: &ExternalSecret, env: &Env) -> bool {
    let default_store = object.spec.secret_store_ref.as_ref();
    let is_cluster = default_store.is_some_and(|it| it.kind() == StoreKind::ClusterSecretStore);
    if is_cluster && !env.ctx.options.switches.cluster_stores {
        return false;
    }
    let stores = references(object).stores;
    stores
        .keys()
        .filter_map(|key| env.stores.find(key))
        .all(|store| env.ctx.is_ours(store.spec.controller.as_deref()))
}

fn last_sync(input: &ReconcileInput) -> LastSync {
    let shown = input.status.refresh_time.as_ref().map(|time| time.0);
    let own = &input.record.own;
    LastSync {
        synced_version: input
            .status
            .synced_resource_version
            .clone()
            .unwrap_or_default(),
        refreshed_at: own.refreshed_at.max(shown),
        is_stale: input.record.is_stale(),
        has_failed: report::has_failed(&input.status),
        phase: own.phase,
    }
}
