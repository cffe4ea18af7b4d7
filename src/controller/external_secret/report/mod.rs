//! Reports what came of a reconcile: status, metric and log line, for success and failure alike, and when
//! to reconcile again. (Events of writes to targets are `target`'s.)
//!
//! | layer | module | knows |
//! | --- | --- | --- |
//! | 0 | [`status`], [`expiry`] | the status after a reconcile; what expires soon |

mod expiry;
mod status;

use std::time::Duration;

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::Resource as _;

use crate::api::external_secret::{ExternalSecret, ExternalSecretStatus};
use crate::api::meta::{Condition, NamespacedName};
use crate::controller::engine::Next;
use crate::controller::engine::backoff::backoff;
use crate::controller::reconcile::failure::{Failure, ReconcileError as _};
use crate::controller::reconcile::status::{OnConflict, Written, write as write_status};
use crate::kubernetes::answers::chain;
use crate::kubernetes::events::{EventBody, EventType};
use crate::provider::Retry;

use super::error::Error;
use super::outcome::{Outcome, Synced};
use super::refresh::{Reason, SourceFingerprint};
use super::state::{Env, ReconcileInput};
use expiry::Outlook;

pub use status::has_failed;

/// Spec mistakes and foreign targets are looked at again this often, if no interval says more.
const MENDED_BY_OTHERS: SignedDuration = SignedDuration::from_mins(15);

/// Reports `result` and says when to look again.
pub async fn report(
    object: &ExternalSecret,
    input: &ReconcileInput,
    env: &Env,
    result: Result<Outcome, Error>,
) -> Next {
    match result {
        Ok(Outcome::Pending(until)) => requeue_at(until, env.ctx.clock.now()),
        Ok(Outcome::Unchanged(until)) => unchanged(object, input, env, until).await,
        Ok(Outcome::Checked { as_of, next }) => checked(object, input, env, as_of, next).await,
        Ok(Outcome::Synced(synced)) => succeeded(object, input, env, &synced).await,
        Err(error) => failed(object, input, env, &error).await,
    }
}

async fn unchanged(
    object: &ExternalSecret,
    input: &ReconcileInput,
    env: &Env,
    until: Option<Timestamp>,
) -> Next {
    let ctx = &env.ctx;
    let now = ctx.clock.now();
    let mut after = status::unchanged(&input.status, object.spec.target.manifest.is_none(), now);
    let outlook = look_ahead(input, &mut after, env, now);
    show_ready(input, &after, env);
    if after != input.status
        && let Err(error) = write(object, input, env, &after).await
    {
        return not_written(input, env, &error);
    }
    env.state.ledger.forgive(&input.key);
    warn(object, env, outlook.note, now);
    requeue_at(earlier(until, outlook.next), now)
}

async fn succeeded(
    object: &ExternalSecret,
    input: &ReconcileInput,
    env: &Env,
    synced: &Synced,
) -> Next {
    let remote = synced.remote.as_ref();
    let (as_of, now) = (synced.as_of, env.ctx.clock.now());
    let (before, spec) = (&input.status, &synced.spec);
    let mut in_sync = InSync {
        after: status::synced(before, spec, synced.verdict, remote, as_of, now),
        reason: synced.reason,
        as_of,
        next: synced.next,
        source: SourceFingerprint::from_status(remote),
    };
    let next = match tell_in_sync(object, input, env, &mut in_sync).await {
        Err(error) => return not_written(input, env, &error),
        Ok(next) => next,
    };
    let NamespacedName { namespace, name } = &input.key;
    if before.conditions == in_sync.after.conditions {
        tracing::debug!(namespace, name, reason = ?synced.reason, "in sync");
    } else {
        tracing::info!(namespace, name, reason = ?synced.reason, "synced");
    }
    next
}

async fn checked(
    object: &ExternalSecret,
    input: &ReconcileInput,
    env: &Env,
    as_of: Timestamp,
    next: Option<Timestamp>,
) -> Next {
    let is_secret = object.spec.target.manifest.is_none();
    let mut in_sync = InSync {
        after: status::checked(&input.status, is_secret, as_of, env.ctx.clock.now()),
        reason: Reason::Interval,
        as_of,
        next,
        source: input.source(),
    };
    match tell_in_sync(object, input, env, &mut in_sync).await {
        Err(error) => not_written(input, env, &error),
        Ok(next) => {
            let NamespacedName { namespace, name } = &input.key;
            if input.status.conditions == in_sync.after.conditions {
                tracing::debug!(namespace, name, "nothing changed at the source");
            } else {
                tracing::info!(namespace, name, reason = "Unchanged", "synced");
            }
            next
        }
    }
}

/// What is to be told of a target that is in sync.
struct InSync {
    after: ExternalSecretStatus,
    reason: Reason,
    as_of: Timestamp,
    next: Option<Timestamp>,
    source: Option<SourceFingerprint>,
}

/// Writes the status where that is due, remembers the refresh, and says when to look again.
async fn tell_in_sync(
    object: &ExternalSecret,
    input: &ReconcileInput,
    env: &Env,
    in_sync: &mut InSync,
) -> kube::Result<Next> {
    let ctx = &env.ctx;
    let now = ctx.clock.now();
    let (reason, next) = (in_sync.reason, in_sync.next);
    let after = &mut in_sync.after;
    let outlook = look_ahead(input, after, env, now);
    show_ready(input, after, env);
    let heartbeat = env.ctx.options.status_heartbeat;
    if status::needs_write(&input.status, after, reason, next, heartbeat) {
        write(object, input, env, after).await?;
    }
    let source = in_sync.source.take();
    env.state
        .succeeded(&input.key, &input.record, in_sync.as_of, source);
    warn(object, env, outlook.note, now);
    Ok(requeue_at(earlier(next, outlook.next), now))
}

/// In step, but nobody can see it.
fn not_written(input: &ReconcileInput, env: &Env, error: &kube::Error) -> Next {
    let NamespacedName { namespace, name } = &input.key;
    let failures = env.state.failed(&input.key, env.ctx.clock.now());
    tracing::warn!(namespace, name, error = %chain(error),
        "synced, but the status was not written");
    Next::Retry(backoff(failures))
}

async fn failed(object: &ExternalSecret, input: &ReconcileInput, env: &Env, error: &Error) -> Next {
    let ctx = &env.ctx;
    let now = ctx.clock.now();
    let NamespacedName { namespace, name } = &input.key;
    let failures = env.state.failed(&input.key, now);
    ctx.metrics.sync_failed(namespace, name);
    ctx.metrics
        .external_secret
        .set_ready(namespace, name, false);
    let Failure {
        category,
        cause,
        message,
    } = Failure::new(error, error.condition_text());
    tracing::warn!(namespace, name, failures, category, error = %cause, "not synced");
    let note = EventBody {
        kind: EventType::Warning,
        reason: "UpdateFailed",
        message: cause,
    };
    ctx.recorder.publish(object.object_ref(&()), note, now);
    let after = status::failed(
        &input.status,
        error.reason(),
        &message,
        error.is_about_target().then(|| object.target_name()),
        now,
    );
    let after = status::with_errors(&input.status, after, error.entries());
    if after != input.status {
        // closed with the process
        let place = input
            .permit
            .while_waiting(env.state.failure_reports.acquire())
            .await;
        if let Err(error) = write(object, input, env, &after).await {
            tracing::warn!(namespace, name, error = %chain(&error), "the status was not written");
        }
        drop(place);
    }
    Next::Retry(pause(object, error, failures))
}

/// Tells what the providers no longer have, whatever comes of it.
pub fn tell_missing(object: &ExternalSecret, env: &Env, missing: &[String]) {
    for message in missing {
        let note = EventBody {
            kind: EventType::Normal,
            reason: "MissingProviderSecret",
            message: message.clone(),
        };
        env.ctx
            .recorder
            .publish(object.object_ref(&()), note, env.ctx.clock.now());
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

/// Writes the status.
async fn write(
    object: &ExternalSecret,
    input: &ReconcileInput,
    env: &Env,
    after: &ExternalSecretStatus,
) -> kube::Result<()> {
    let client = &env.ctx.client;
    let written = write_status(client, object, after, OnConflict::Overwrite).await?;
    if let Written::At(version) = written {
        let ledger = &env.state.ledger;
        ledger.update(&input.key, |record| {
            record.own.status.wrote(&version, after);
        });
    }
    Ok(())
}

fn show_ready(input: &ReconcileInput, status: &ExternalSecretStatus, env: &Env) {
    let mut conditions = status.conditions.iter();
    if let Some(ready) = conditions.find(|condition| condition.type_ == Condition::READY) {
        let NamespacedName { namespace, name } = &input.key;
        env.ctx
            .metrics
            .external_secret
            .set_ready(namespace, name, ready.is_true());
    }
}

/// Says what ends soon, in the status and as a metric.
fn look_ahead(
    input: &ReconcileInput,
    after: &mut ExternalSecretStatus,
    env: &Env,
    now: Timestamp,
) -> Outlook {
    let outlook = expiry::judge(after, env.ctx.options.expiry_warning, now);
    let NamespacedName { namespace, name } = &input.key;
    env.ctx
        .metrics
        .set_expiry(namespace, name, outlook.first_end);
    outlook
}

fn warn(object: &ExternalSecret, env: &Env, note: Option<EventBody>, now: Timestamp) {
    if let Some(note) = note {
        env.ctx.recorder.publish(object.object_ref(&()), note, now);
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
