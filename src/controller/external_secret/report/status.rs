//! The status after a reconcile, and whether it is worth a write. Pure.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use crate::api::external_secret::{ExternalSecretStatus, RemoteError, RemoteState};
use crate::api::meta::Condition;
use crate::controller::external_secret::fetch::with_known_requests;
use crate::controller::external_secret::refresh::Reason;
use crate::controller::external_secret::spec::SyncSpec;
use crate::controller::external_secret::target::Verdict;
use crate::controller::reconcile::conditions::{put_ready, whole_second};

/// Reason and message of the condition, by whether the target is a Secret.
fn words(verdict: Verdict, is_secret: bool) -> (&'static str, &'static str) {
    match (verdict, is_secret) {
        (Verdict::Synced | Verdict::Bound, true) => ("SecretSynced", "secret synced"),
        (Verdict::Synced | Verdict::Bound, false) => ("ResourceSynced", "secret synced"),
        (Verdict::Retained, true) => (
            "SecretSynced",
            "secret retained due to DeletionPolicy=Retain",
        ),
        (Verdict::Retained, false) => (
            "ResourceSynced",
            "secret retained due to DeletionPolicy=Retain",
        ),
        (Verdict::Deleted, true) => (
            "SecretDeleted",
            "secret deleted due to DeletionPolicy=Delete",
        ),
        (Verdict::Deleted, false) => (
            "ResourceDeleted",
            "secret deleted due to DeletionPolicy=Delete",
        ),
        (Verdict::Missing, true) => (
            "SecretMissing",
            "secret will not be created due to CreationPolicy=Merge",
        ),
        (Verdict::Missing, false) => (
            "ResourceMissing",
            "resource will not be created due to CreationPolicy=Merge",
        ),
    }
}

/// After a success: as of `started` the target is made from `remote`.
pub fn synced(
    before: &ExternalSecretStatus,
    spec: &SyncSpec,
    verdict: Verdict,
    remote: Option<&RemoteState>,
    started: Timestamp,
    now: Timestamp,
) -> ExternalSecretStatus {
    let mut after = before.clone();
    if verdict == Verdict::Bound {
        after.binding.name.clone_from(&spec.target.name);
    }
    after.refresh_time = Some(Time(whole_second(started)));
    after.synced_resource_version = Some(spec.version.clone());
    after.remote = remote.cloned();
    let (reason, message) = words(verdict, spec.target.manifest.is_none());
    put_ready(&mut after.conditions, true, reason, message, now);
    after
}

/// After a refresh that found at `at` that nothing changed.
pub fn checked(
    before: &ExternalSecretStatus,
    is_secret: bool,
    at: Timestamp,
    now: Timestamp,
) -> ExternalSecretStatus {
    let mut after = unchanged(before, is_secret, now);
    after.refresh_time = Some(Time(whole_second(at)));
    after
}

/// After a failure: what was synced stays on record, so that it stays due. `target` is its name
/// where it stands and could not be written.
pub fn failed(
    before: &ExternalSecretStatus,
    reason: &str,
    message: &str,
    target: Option<&str>,
    now: Timestamp,
) -> ExternalSecretStatus {
    let mut after = before.clone();
    if let Some(name) = target {
        name.clone_into(&mut after.binding.name);
    }
    put_ready(&mut after.conditions, false, reason, message, now);
    after
}

/// The same, with what is known of each entry that could not be read.
pub fn with_errors(
    before: &ExternalSecretStatus,
    mut after: ExternalSecretStatus,
    errors: Vec<RemoteError>,
) -> ExternalSecretStatus {
    let is_the_same = before.remote.is_none() && after == *before;
    // what ESO left and says already is no reason to write
    if is_the_same || errors.is_empty() && after.remote.is_none() {
        return after;
    }
    let remote = after.remote.get_or_insert_default();
    remote.errors = with_known_requests(errors, &remote.errors);
    after
}

/// Whether the Ready condition tells of a failure.
pub fn has_failed(status: &ExternalSecretStatus) -> bool {
    let mut conditions = status.conditions.iter();
    conditions.any(|condition| condition.type_ == Condition::READY && !condition.is_true())
}

/// After a check that found nothing to do: what an earlier failure said is over.
pub fn unchanged(
    before: &ExternalSecretStatus,
    is_secret: bool,
    now: Timestamp,
) -> ExternalSecretStatus {
    let mut after = before.clone();
    if let Some(remote) = &mut after.remote {
        remote.errors.clear();
    }
    after.remote = after
        .remote
        .filter(|remote| *remote != RemoteState::default());
    if has_failed(before) {
        let (reason, message) = words(Verdict::Synced, is_secret);
        put_ready(&mut after.conditions, true, reason, message, now);
    }
    after
}

/// Whether `after` is worth a write: something other than a time differs, the sync was the first
/// or asked for, or `refreshTime` would grow older than the interval and the heartbeat before
/// the `next` refresh.
pub fn needs_write(
    before: &ExternalSecretStatus,
    after: &ExternalSecretStatus,
    reason: Reason,
    next: Option<Timestamp>,
    heartbeat: SignedDuration,
) -> bool {
    let mut timeless = before.clone();
    timeless.refresh_time.clone_from(&after.refresh_time);
    if let (Some(old), Some(new)) = (&mut timeless.remote, &after.remote) {
        old.read_time.clone_from(&new.read_time);
    }
    if timeless != *after || matches!(reason, Reason::First | Reason::Changed) {
        return true;
    }
    let (Some(shown), Some(fresh), Some(next)) = (&before.refresh_time, &after.refresh_time, next)
    else {
        return true;
    };
    let interval = next.duration_since(fresh.0);
    next.duration_since(shown.0) > interval.max(heartbeat)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAILED: &str = "SecretSyncedError";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn synced_at(second: i64) -> ExternalSecretStatus {
        let spec = SyncSpec {
            version: "1-x".to_owned(),
            ..SyncSpec::default()
        };
        synced(
            &ExternalSecretStatus::default(),
            &spec,
            Verdict::Bound,
            None,
            at(second),
            at(0),
        )
    }

    fn writes(shown: i64, fresh: i64, interval: i64, heartbeat: i64) -> bool {
        let next = Some(at(fresh + interval));
        let heartbeat = SignedDuration::from_secs(heartbeat);
        needs_write(
            &synced_at(shown),
            &synced_at(fresh),
            Reason::Interval,
            next,
            heartbeat,
        )
    }

    #[test]
    fn an_unchanged_refresh_is_written_at_the_heartbeat_only() {
        assert!(!writes(0, 60, 60, 900));
        assert!(!writes(0, 840, 60, 900));
        assert!(writes(0, 900, 60, 900));
        // an interval beyond the heartbeat: each refresh
        assert!(writes(0, 3600, 3600, 900));
        // no heartbeat: each refresh, as ESO
        assert!(writes(0, 60, 60, 0));
    }

    #[test]
    fn a_changed_condition_or_a_forced_sync_is_always_written() {
        let heartbeat = SignedDuration::from_secs(900);
        let failed = failed(&synced_at(0), FAILED, "NotFound: gone", None, at(60));
        assert!(needs_write(
            &failed,
            &synced_at(60),
            Reason::Interval,
            Some(at(120)),
            heartbeat
        ));
        assert!(needs_write(
            &synced_at(0),
            &synced_at(60),
            Reason::Changed,
            Some(at(120)),
            heartbeat
        ));
    }

    #[test]
    fn a_check_that_finds_nothing_to_do_ends_a_failure_and_touches_nothing_else() {
        let before = synced_at(0);
        assert_eq!(unchanged(&before, true, at(60)), before);
        let after = unchanged(
            &failed(&before, FAILED, "KubernetesRefused: no", None, at(60)),
            true,
            at(120),
        );
        assert!(!has_failed(&after));
        assert_eq!(after.refresh_time, before.refresh_time);
        assert_eq!(
            after.conditions[0].message.as_deref(),
            Some("secret synced")
        );
        let never = ExternalSecretStatus::default();
        assert_eq!(unchanged(&never, true, at(0)), never);
    }

    #[test]
    fn a_failure_keeps_what_was_synced_on_record() {
        let before = synced_at(0);
        let after = failed(&before, FAILED, "AccessDenied: no", None, at(60));
        assert_eq!(after.refresh_time, before.refresh_time);
        assert_eq!(
            after.synced_resource_version,
            before.synced_resource_version
        );
        assert_eq!(
            after.conditions[0].reason.as_deref(),
            Some("SecretSyncedError")
        );
        assert_eq!(
            serde_json::to_value(ExternalSecretStatus::default()).unwrap(),
            serde_json::json!({"refreshTime": null, "binding": {"name": ""}})
        );
    }
}
