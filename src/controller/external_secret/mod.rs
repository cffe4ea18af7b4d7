//! ExternalSecret: keeps the target in step with its sources. The phases, in order:
//! `validate` → `observe` → `refresh` → `collect` → `shape` → `plan` (with `policy` and `build`) →
//! `apply` → `status`.
//! Only `observe`, `collect` and `apply` touch the world; the others take values.

mod apply;
mod at_entry;
mod build;
mod check;
mod collect;
mod cron;
mod error;
mod expiry;
mod failures;
mod manifest;
mod memory;
mod observe;
mod plan;
mod policy;
mod refresh;
mod remote;
mod report;
mod shape;
mod size;
pub mod sources;
mod spec;
mod status;
pub mod templates;
mod uses;
mod validate;
mod windows;
mod write;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt as _;

use crate::api::external_secret::{ExternalSecret, ExternalSecretStatus, RemoteState};
use crate::provider::Revision;
use crate::secret::SecretData;
use crate::template::{self, Engine};

use super::context::Context;
use super::dependents::ObjectKey;
use super::stores::Guarded;
use super::workers::{Next, Turn};
use failures::Failures;
use plan::{Plan, TargetPlan};
use shape::Shaped;
use sources::Sources;
use spec::SyncSpec;

pub use error::Error;
pub use memory::{Memories, Memory};
pub use uses::uses;

/// No reconcile holds a worker longer.
const LIMIT: Duration = Duration::from_mins(2);

/// What a reconcile without failure came to.
#[derive(Debug)]
enum Outcome {
    /// Another controller's, or being deleted: nothing to say.
    Ignored,
    /// Nothing is due before this instant, or before something changes.
    Unchanged(Option<Timestamp>),
    /// Somebody else wrote the target meanwhile: look again at once.
    Overtaken,
    /// A store is new and nothing is said of it so far: whoever validates it wakes its consumers, and
    /// nothing is told until this instant.
    Waits(Timestamp),
    /// In step: nothing changed since it was read.
    Checked {
        /// So it was then.
        as_of: Timestamp,
        /// When to look again.
        next: Option<Timestamp>,
    },
    /// In step.
    Synced(Box<Synced>),
}

/// A refresh that succeeded.
#[derive(Debug)]
struct Synced {
    spec: SyncSpec,
    verdict: plan::Verdict,
    reason: refresh::Reason,
    /// The target is as the vault was then.
    as_of: Timestamp,
    next: Option<Timestamp>,
    remote: Option<RemoteState>,
}

/// What is known when a reconcile begins.
struct Known {
    key: ObjectKey,
    memory: Memory,
    status: ExternalSecretStatus,
    turn: Arc<Turn>,
}

impl Known {
    /// Nothing was ever told of it, and this process has not tried.
    fn is_new(&self) -> bool {
        let memory = &self.memory;
        let was_tried = memory.refreshed_at.is_some() || memory.failed_at.is_some();
        !was_tried && self.status == ExternalSecretStatus::default()
    }

    /// What the target was last made from.
    fn seen(&self) -> Option<remote::Seen> {
        let seen = self.memory.seen.clone();
        seen.or_else(|| remote::Seen::of(self.status.remote.as_ref()))
    }
}

/// One reconcile of one ExternalSecret.
pub async fn reconcile(
    guarded: Arc<Guarded<ExternalSecret>>,
    ctx: Arc<Context>,
    turn: Arc<Turn>,
) -> Next {
    let started = Instant::now();
    let key = (guarded.namespace().unwrap_or_default(), guarded.name_any());
    ctx.metrics
        .describe_external_secret(&key.0, &key.1, guarded.labels());
    ctx.metrics.sync_called(&key.0, &key.1);
    let object = match &guarded.0 {
        Ok(object) => object,
        Err(invalid) => {
            ctx.metrics.sync_failed(&key.0, &key.1);
            tracing::warn!(namespace = key.0, name = key.1, error = %invalid.error,
                "an ExternalSecret does not decode and is left alone");
            return Next::Failed;
        }
    };
    let memory = ctx.memories.of(&key, &object.uid().unwrap_or_default());
    let version = object.resource_version();
    let status = memory.status(object.status.as_ref(), version.as_deref());
    let known = Known {
        key,
        memory,
        status,
        turn,
    };
    let result = contained(sync(object, &known, &ctx)).await;
    match result {
        Err(Error::Panicked(_)) => ctx.metrics.work.panicked("externalsecret"),
        Err(Error::TimedOut) => ctx.metrics.work.timed_out("externalsecret"),
        _ => {}
    }
    let action = report::report(object, &known, &ctx, result).await;
    let (namespace, name) = &known.key;
    ctx.metrics
        .external_secret
        .set_duration(namespace, name, started.elapsed());
    if !ctx.dependents().holds(&known.key) {
        // deleted meanwhile: what was noted since would stay for ever
        ctx.forget(&known.key);
        return Next::Change;
    }
    action
}

/// Bounds the time and catches a panic: one bad object harms only itself.
async fn contained(work: impl Future<Output = Result<Outcome, Error>>) -> Result<Outcome, Error> {
    match tokio::time::timeout(LIMIT, AssertUnwindSafe(work).catch_unwind()).await {
        Ok(Ok(result)) => result,
        Ok(Err(panic)) => {
            let text = panic.downcast_ref::<&str>().map(ToString::to_string);
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
            Err(Error::Panicked(text.unwrap_or_else(|| "panic".to_owned())))
        }
        Err(_elapsed) => Err(Error::TimedOut),
    }
}

async fn sync(object: &ExternalSecret, known: &Known, ctx: &Context) -> Result<Outcome, Error> {
    if !observe::is_ours(object, ctx) {
        return Ok(Outcome::Ignored);
    }
    if object.metadata.deletion_timestamp.is_some() {
        let released = observe::release(object, ctx).await;
        return released
            .map(|()| Outcome::Ignored)
            .map_err(Error::Finalizer);
    }
    let spec = validate::validate(object)?;
    let target = observe::target(&spec, known, ctx).await?;
    let now = ctx.clock.now();
    let is_valid = target.needs_no_write(&spec, ctx);
    let reason = match refresh::decide(&spec, &last_sync(known), is_valid, now) {
        refresh::Decision::Due(reason) => reason,
        refresh::Decision::Wait(until) => return Ok(Outcome::Unchanged(until)),
    };
    // most looks end above: what follows is large
    Box::pin(refresh(object, known, ctx, (spec, target), (reason, now))).await
}

/// Does what is due: nothing but a check, where the stores say that nothing changed.
async fn refresh(
    object: &ExternalSecret,
    known: &Known,
    ctx: &Context,
    (spec, target): (SyncSpec, observe::Target),
    (reason, now): (refresh::Reason, Timestamp),
) -> Result<Outcome, Error> {
    let last = last_sync(known);
    let may_spare = |_: &_| reason.is_about_time() && target.is_untouched(&spec, ctx);
    let seen = known.seen().filter(may_spare);
    let due = check::Due {
        spec: &spec,
        reason,
        seen: seen.as_ref(),
        refreshed_at: last.refreshed_at,
        failed_at: known.memory.failed_at,
        templates: &check::template_versions(&uses::templates(object), ctx),
        now,
        turn: &known.turn,
    };
    let answer = due.check(ctx).await.map_err(Failures::from)?;
    let phase = answer.as_ref().map_or(last.phase, |answer| answer.phase);
    ctx.memories.shares(&known.key, phase);
    let listed_at = answer.as_ref().and_then(|answer| answer.listed_at);
    let as_of = listed_at.unwrap_or(now);
    if let Some(answer) = answer.filter(|answer| answer.is_unchanged) {
        for vault in &answer.spared {
            ctx.metrics.vaults.read_saved(vault);
        }
        let next = refresh::next(&spec, as_of, phase);
        return Ok(Outcome::Checked { as_of, next });
    }
    let (shaped, revisions) = match fetch(&spec, ctx, as_of).await {
        Err(Error::Collect(failures)) if failures.is_about_new_stores() => {
            let until = ctx.memories.waits(&known.key, now);
            return until.map(Outcome::Waits).ok_or(failures.into());
        }
        other => other?,
    };
    report::tell_missing(object, ctx, &shaped.missing);
    let remote = remote::state(&revisions, due.templates, now);
    let verdict = match write::write(object, known, ctx, (&spec, target), &shaped.data).await? {
        write::Written::Done(verdict) => verdict,
        write::Written::Overtaken => return Ok(Outcome::Overtaken),
        write::Written::Moot => return Ok(Outcome::Ignored),
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

/// What the providers have, shaped, and the states of what it came from.
async fn fetch(
    spec: &SyncSpec,
    sources: &dyn Sources,
    since: Timestamp,
) -> Result<(Shaped, Vec<Revision>), Error> {
    let (fetched, revisions) = collect::collect(spec, sources, since).await?;
    Ok((shape::shape(spec, fetched, &template::rename)?, revisions))
}

/// What is to be done about the target, its template rendered where it counts.
async fn plan(
    spec: &SyncSpec,
    present: Option<&Secret>,
    bound: &str,
    data: &SecretData,
    engine: &Engine,
    sources: &dyn Sources,
) -> Result<Plan, Error> {
    let rendered = if plan::needs_content(spec, present, data) {
        templates::render(spec, data, engine, sources).await?
    } else {
        None
    };
    let situation = plan::Situation {
        present,
        bound,
        data,
        rendered: rendered.as_ref(),
    };
    let plan = plan::decide(spec, &situation)?;
    size::check(&plan.target)?;
    Ok(plan)
}

/// The target as a first sync would leave it, with `present` in its place before; `None` where it
/// would not be written.
///
/// # Errors
/// What the sync would fail with.
pub async fn preview(
    object: &ExternalSecret,
    present: Option<&Secret>,
    engine: &Engine,
    sources: &dyn Sources,
) -> Result<Option<Secret>, Error> {
    let spec = validate::validate(object)?;
    if spec.target.manifest.is_some() {
        return Err(Error::Invalid(validate::Error::Unsupported {
            field: "spec.target.manifest".to_owned(),
            remedy: "only targets that are Secrets are shown",
        }));
    }
    let (shaped, _) = fetch(&spec, sources, sources.now()).await?;
    let plan = plan(&spec, present, "", &shaped.data, engine, sources).await?;
    Ok(match plan.target {
        TargetPlan::Create(secret) | TargetPlan::Update { secret, .. } => Some(*secret),
        TargetPlan::Keep => present.cloned(),
        TargetPlan::Delete(_) => None,
        TargetPlan::Frozen(_) => {
            let name = spec.target.name;
            return Err(apply::Error::from(plan::Error::Immutable(name)).into());
        }
    })
}

fn last_sync(known: &Known) -> refresh::LastSync {
    let shown = known.status.refresh_time.as_ref().map(|time| time.0);
    refresh::LastSync {
        synced_version: known
            .status
            .synced_resource_version
            .clone()
            .unwrap_or_default(),
        refreshed_at: known.memory.refreshed_at.max(shown),
        is_stale: known.memory.is_stale(),
        has_failed: status::has_failed(&known.status),
        phase: known.memory.phase,
    }
}
