//! Tells what came of a reconcile: status, event, metric and log line, for success and failure
//! alike, and when to look again. Nothing else writes the status.

use std::time::Duration;

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::{Api, Resource as _, ResourceExt as _};

use crate::api::external_secret::{ExternalSecret, ExternalSecretStatus};
use crate::api::meta::Condition;
use crate::controller::context::Context;
use crate::controller::outcome::{ReconcileError as _, backoff, chain};
use crate::controller::workers::Next;
use crate::kubernetes::events::{Kind, Note};
use crate::kubernetes::status as subresource;
use crate::provider::Retry;

use super::expiry::{self, Outlook};
use super::refresh::Reason;
use super::remote::Seen;
use super::{Error, Known, Outcome, Synced, status};

const TRIES: u32 = 3;
const AT_ONCE: Duration = Duration::from_millis(50);
/// Spec mistakes and foreign targets are looked at again this often, if no interval says more.
const MENDED_BY_OTHERS: SignedDuration = SignedDuration::from_mins(15);

/// Reports `result` and says when to look again.
pub(super) async fn report(
    object: &ExternalSecret,
    known: &Known,
    ctx: &Context,
    result: Result<Outcome, Error>,
) -> Next {
    match result {
        Ok(Outcome::Ignored) => Next::Change,
        Ok(Outcome::Overtaken) => Next::After(AT_ONCE),
        Ok(Outcome::Waits(until)) => requeue_at(Some(until), ctx.clock.now()),
        Ok(Outcome::Unchanged(until)) => unchanged(object, known, ctx, until).await,
        Ok(Outcome::Checked { as_of, next }) => checked(object, known, ctx, as_of, next).await,
        Ok(Outcome::Synced(synced)) => succeeded(object, known, ctx, &synced).await,
        Err(error) => failed(object, known, ctx, &error).await,
    }
}

async fn unchanged(
    object: &ExternalSecret,
    known: &Known,
    ctx: &Context,
    until: Option<Timestamp>,
) -> Next {
    let now = ctx.clock.now();
    let mut after = status::unchanged(&known.status, object.spec.target.manifest.is_none(), now);
    let outlook = look_ahead(known, &mut after, ctx, now);
    show_ready(known, &after, ctx);
    if after != known.status
        && let Err(error) = write(object, known, ctx, &after).await
    {
        return not_written(known, ctx, &error);
    }
    ctx.memories.forgive(&known.key);
    warn(object, ctx, outlook.note, now);
    requeue_at(earlier(until, outlook.next), now)
}

async fn succeeded(object: &ExternalSecret, known: &Known, ctx: &Context, synced: &Synced) -> Next {
    let remote = synced.remote.as_ref();
    let (as_of, now) = (synced.as_of, ctx.clock.now());
    let (before, spec) = (&known.status, &synced.spec);
    let mut in_step = InStep {
        after: status::synced(before, spec, synced.verdict, remote, as_of, now),
        reason: synced.reason,
        as_of,
        next: synced.next,
        seen: Seen::of(remote),
    };
    let next = match tell_in_step(object, known, ctx, &mut in_step).await {
        Err(error) => return not_written(known, ctx, &error),
        Ok(next) => next,
    };
    let (namespace, name) = &known.key;
    if before.conditions == in_step.after.conditions {
        tracing::debug!(namespace, name, reason = ?synced.reason, "in step");
    } else {
        tracing::info!(namespace, name, reason = ?synced.reason, "synced");
    }
    next
}

async fn checked(
    object: &ExternalSecret,
    known: &Known,
    ctx: &Context,
    as_of: Timestamp,
    next: Option<Timestamp>,
) -> Next {
    let is_secret = object.spec.target.manifest.is_none();
    let mut in_step = InStep {
        after: status::checked(&known.status, is_secret, as_of, ctx.clock.now()),
        reason: Reason::Interval,
        as_of,
        next,
        seen: known.seen(),
    };
    match tell_in_step(object, known, ctx, &mut in_step).await {
        Err(error) => not_written(known, ctx, &error),
        Ok(next) => {
            let (namespace, name) = &known.key;
            if known.status.conditions == in_step.after.conditions {
                tracing::debug!(namespace, name, "nothing changed at the source");
            } else {
                tracing::info!(namespace, name, reason = "Unchanged", "synced");
            }
            next
        }
    }
}

/// What is to be told of a target that is in step.
struct InStep {
    after: ExternalSecretStatus,
    reason: Reason,
    as_of: Timestamp,
    next: Option<Timestamp>,
    seen: Option<Seen>,
}

/// Writes the status where that is due, remembers the refresh, and says when to look again.
async fn tell_in_step(
    object: &ExternalSecret,
    known: &Known,
    ctx: &Context,
    in_step: &mut InStep,
) -> kube::Result<Next> {
    let now = ctx.clock.now();
    let (reason, next) = (in_step.reason, in_step.next);
    let after = &mut in_step.after;
    let outlook = look_ahead(known, after, ctx, now);
    show_ready(known, after, ctx);
    let heartbeat = ctx.options.status_heartbeat;
    if status::needs_write(&known.status, after, reason, next, heartbeat) {
        write(object, known, ctx, after).await?;
    }
    let seen = in_step.seen.take();
    ctx.memories
        .succeeded(&known.key, &known.memory, in_step.as_of, seen);
    warn(object, ctx, outlook.note, now);
    Ok(requeue_at(earlier(next, outlook.next), now))
}

/// In step, but nobody can see it.
fn not_written(known: &Known, ctx: &Context, error: &kube::Error) -> Next {
    let (namespace, name) = &known.key;
    let failures = known.memory.failures.saturating_add(1);
    ctx.memories.failed(&known.key, failures, ctx.clock.now());
    tracing::warn!(namespace, name, error = %chain(error),
        "synced, but the status was not written");
    Next::Retry(backoff(failures))
}

async fn failed(object: &ExternalSecret, known: &Known, ctx: &Context, error: &Error) -> Next {
    let now = ctx.clock.now();
    let (namespace, name) = &known.key;
    let failures = known.memory.failures.saturating_add(1);
    ctx.memories.failed(&known.key, failures, now);
    ctx.metrics.sync_failed(namespace, name);
    ctx.metrics
        .external_secret
        .set_ready(namespace, name, false);
    let cause = chain(error);
    let message = format!("{}: {}: {cause}", error.category(), error.condition_text());
    tracing::warn!(namespace, name, failures, category = error.category(), error = %cause,
        "not synced");
    let note = Note {
        kind: Kind::Warning,
        reason: "UpdateFailed",
        message: cause,
    };
    ctx.recorder.publish(object.object_ref(&()), note, now);
    let after = status::failed(
        &known.status,
        error.reason(),
        &message,
        error.is_about_target().then(|| object.target_name()),
        now,
    );
    let after = status::with_errors(&known.status, after, error.entries());
    if after != known.status {
        // closed with the process
        let place = known
            .turn
            .while_waiting(ctx.failure_reports.acquire())
            .await;
        if let Err(error) = write(object, known, ctx, &after).await {
            tracing::warn!(namespace, name, error = %chain(&error), "the status was not written");
        }
        drop(place);
    }
    Next::Retry(pause(object, error, failures))
}

/// Tells what the providers no longer have, whatever comes of it.
pub(super) fn tell_missing(object: &ExternalSecret, ctx: &Context, missing: &[String]) {
    for message in missing {
        let note = Note {
            kind: Kind::Normal,
            reason: "MissingProviderSecret",
            message: message.clone(),
        };
        ctx.recorder
            .publish(object.object_ref(&()), note, ctx.clock.now());
    }
}

fn pause(object: &ExternalSecret, error: &Error, failures: u32) -> Duration {
    match error.retry() {
        Retry::Backoff => backoff(failures),
        Retry::After(after) => after.max(backoff(1)),
        Retry::OnChange => {
            let interval = object.spec.refresh_interval.parse().unwrap_or_default();
            let interval = if interval > SignedDuration::ZERO {
                interval
            } else {
                MENDED_BY_OTHERS
            };
            interval.unsigned_abs().max(backoff(failures))
        }
    }
}

/// Writes the status, on top of whatever the object became meanwhile: what is said about the
/// spec that was synced stays true.
async fn write(
    object: &ExternalSecret,
    known: &Known,
    ctx: &Context,
    after: &ExternalSecretStatus,
) -> kube::Result<()> {
    let (namespace, name) = &known.key;
    let mut current = object.clone();
    for attempt in 1.. {
        match subresource::replace(&ctx.client, &current, after).await {
            Ok(version) => {
                ctx.memories.wrote(&known.key, &version, after);
                return Ok(());
            }
            Err(kube::Error::Api(answer)) if answer.is_conflict() && attempt < TRIES => {
                let api: Api<ExternalSecret> = Api::namespaced(ctx.client.clone(), namespace);
                match api.get_opt(name).await? {
                    Some(found) if found.uid() == object.uid() => current = found,
                    _ => return Ok(()),
                }
            }
            // gone: nobody is left to tell
            Err(kube::Error::Api(answer)) if answer.is_not_found() => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn show_ready(known: &Known, status: &ExternalSecretStatus, ctx: &Context) {
    let mut conditions = status.conditions.iter();
    if let Some(ready) = conditions.find(|condition| condition.type_ == Condition::READY) {
        let (namespace, name) = &known.key;
        ctx.metrics
            .external_secret
            .set_ready(namespace, name, ready.is_true());
    }
}

/// Says what ends soon, in the status and as a metric.
fn look_ahead(
    known: &Known,
    after: &mut ExternalSecretStatus,
    ctx: &Context,
    now: Timestamp,
) -> Outlook {
    let outlook = expiry::judge(after, ctx.options.expiry_warning, now);
    let (namespace, name) = &known.key;
    ctx.metrics.set_expiry(namespace, name, outlook.first_end);
    outlook
}

fn warn(object: &ExternalSecret, ctx: &Context, note: Option<Note>, now: Timestamp) {
    if let Some(note) = note {
        ctx.recorder.publish(object.object_ref(&()), note, now);
    }
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}

fn requeue_at(next: Option<Timestamp>, now: Timestamp) -> Next {
    match next {
        None => Next::Change,
        Some(next) => {
            let pause = next.duration_since(now).max(SignedDuration::ZERO);
            Next::After(pause.unsigned_abs())
        }
    }
}
