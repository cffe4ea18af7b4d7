//! When an ExternalSecret is fetched again (docs/refresh.md). Pure.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};

use k8s_openapi::jiff::{SignedDuration, Timestamp};

use crate::controller::external_secret::spec::{RefreshRule, SyncSpec};

/// What is known of the last sync.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastSync {
    /// `status.syncedResourceVersion`; empty until the first sync.
    pub synced_version: String,
    /// Start of the last successful refresh.
    pub refreshed_at: Option<Timestamp>,
    /// A store or credential that this object uses changed since.
    pub is_stale: bool,
    /// The Ready condition tells of a failure since.
    pub has_failed: bool,
    /// When refreshes come together with others of the same vault, where that is known
    /// ([`crate::provider::Listed::phase`]).
    pub phase: Option<i64>,
}

/// Whether to fetch now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Fetch.
    Due(Reason),
    /// Nothing to fetch before this instant; `None`: not before something changes.
    Wait(Option<Timestamp>),
}

/// Why a refresh is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Never synced.
    First,
    /// Spec, labels or annotations differ from the synced ones (a force-sync annotation too).
    Changed,
    /// A store or its credentials changed.
    StoreChanged,
    /// The last try failed.
    Failed,
    /// The interval is over.
    Interval,
    /// The target is missing or not as it was written.
    Drift,
}

impl Reason {
    /// Nothing that we know of changed: it is looked whether something did.
    pub fn is_about_time(self) -> bool {
        matches!(self, Self::Interval | Self::Failed)
    }
}

/// Decides by the policy, then by the target: an invalid target is written again under every
/// policy.
pub fn decide(spec: &SyncSpec, last: &LastSync, target_is_valid: bool, now: Timestamp) -> Decision {
    match by_policy(spec, last, now) {
        Decision::Wait(_) if !target_is_valid => Decision::Due(Reason::Drift),
        decision => decision,
    }
}

fn by_policy(spec: &SyncSpec, last: &LastSync, now: Timestamp) -> Decision {
    let was_synced = !last.synced_version.is_empty();
    let Some(refreshed_at) = last.refreshed_at.filter(|_| was_synced) else {
        return Decision::Due(Reason::First);
    };
    match spec.refresh {
        RefreshRule::CreatedOnce => Decision::Wait(None),
        // the interval's zero means "once", whatever changes afterwards
        RefreshRule::Periodic(interval) if interval <= SignedDuration::ZERO => Decision::Wait(None),
        _ if last.synced_version != spec.version => Decision::Due(Reason::Changed),
        RefreshRule::OnChange => Decision::Wait(None),
        RefreshRule::Periodic(_) if last.is_stale => Decision::Due(Reason::StoreChanged),
        // whatever failed, maybe before anything was fetched, is tried again
        RefreshRule::Periodic(_) if last.has_failed => Decision::Due(Reason::Failed),
        RefreshRule::Periodic(interval) => {
            let phase = phase(spec, last.phase);
            let decision = by_interval(refreshed_at, interval, phase, now);
            match (&spec.windows, &decision) {
                (Some(windows), Decision::Due(_)) if !windows.permit(now) => {
                    Decision::Wait(Some(windows.look_again(now)))
                }
                _ => decision,
            }
        }
    }
}

fn by_interval(
    refreshed_at: Timestamp,
    interval: SignedDuration,
    phase: i64,
    now: Timestamp,
) -> Decision {
    let due = next_refresh(refreshed_at, interval, phase);
    // a refresh in the future was stamped by a clock that was wrong
    if refreshed_at > now || due <= now {
        Decision::Due(Reason::Interval)
    } else {
        Decision::Wait(Some(due))
    }
}

/// The instant of the next periodic refresh after one at `refreshed_at`; `None` where the policy
/// has none.
pub fn next(
    spec: &SyncSpec,
    refreshed_at: Timestamp,
    shared_phase: Option<i64>,
) -> Option<Timestamp> {
    let interval = spec.refresh.interval()?;
    Some(next_refresh(
        refreshed_at,
        interval,
        phase(spec, shared_phase),
    ))
}

/// After the interval, or up to a tenth of it earlier: so that those who share a listing come together
/// in the end, and all others apart. Refreshes at `phase` after a multiple of the interval stay there.
fn next_refresh(refreshed_at: Timestamp, interval: SignedDuration, phase: i64) -> Timestamp {
    let latest = refreshed_at
        .saturating_add(interval)
        .unwrap_or(Timestamp::MAX);
    let length = i64::try_from(interval.as_millis())
        .unwrap_or(i64::MAX)
        .max(1);
    let after = latest
        .as_millisecond()
        .saturating_sub(phase)
        .rem_euclid(length);
    let early = SignedDuration::from_millis(after.min(length / 10));
    latest.saturating_sub(early).unwrap_or(latest)
}

fn phase(spec: &SyncSpec, shared: Option<i64>) -> i64 {
    shared.unwrap_or_else(|| own_phase(&spec.uid))
}

/// A time of its own for each object, in milliseconds.
pub fn own_phase(uid: &str) -> i64 {
    let mut hasher = DefaultHasher::new();
    uid.hash(&mut hasher);
    // the upper half is plenty, and positive
    i64::try_from(hasher.finish() >> 32).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::external_secret::{SyncWindow, SyncWindows, WindowKind};
    use crate::controller::external_secret::spec::Windows;

    const NOW: i64 = 1_800_000_000;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn spec(refresh: RefreshRule) -> SyncSpec {
        SyncSpec {
            refresh,
            version: "2-abc".to_owned(),
            ..SyncSpec::default()
        }
    }

    fn synced(version: &str, seconds_ago: i64) -> LastSync {
        LastSync {
            synced_version: version.to_owned(),
            refreshed_at: Some(at(NOW - seconds_ago)),
            // the interval's end is the phase's time: nothing is early
            phase: Some(-1_000 * seconds_ago),
            ..LastSync::default()
        }
    }

    /// The rules of docs/refresh.md and ESO's refreshPolicy, a row each.
    #[test]
    fn the_refresh_table_holds() {
        let hourly = RefreshRule::Periodic(SignedDuration::from_hours(1));
        let never = RefreshRule::Periodic(SignedDuration::ZERO);
        let wait = Decision::Wait;
        let due = Decision::Due;
        let stale = LastSync {
            is_stale: true,
            ..synced("2-abc", 60)
        };
        let failed = LastSync {
            has_failed: true,
            ..synced("2-abc", 60)
        };
        let rows = [
            (hourly, LastSync::default(), due(Reason::First)),
            (never, LastSync::default(), due(Reason::First)),
            (
                RefreshRule::CreatedOnce,
                LastSync::default(),
                due(Reason::First),
            ),
            (
                RefreshRule::OnChange,
                LastSync::default(),
                due(Reason::First),
            ),
            (hourly, synced("2-abc", 60), wait(Some(at(NOW - 60 + 3600)))),
            (hourly, synced("2-abc", 3600), due(Reason::Interval)),
            (hourly, synced("1-abc", 60), due(Reason::Changed)),
            (hourly, synced("2-abc", -60), due(Reason::Interval)),
            (hourly, stale.clone(), due(Reason::StoreChanged)),
            (hourly, failed.clone(), due(Reason::Failed)),
            (never, synced("1-abc", 7200), wait(None)),
            (RefreshRule::CreatedOnce, synced("1-abc", 7200), wait(None)),
            (RefreshRule::CreatedOnce, stale.clone(), wait(None)),
            (RefreshRule::CreatedOnce, failed.clone(), wait(None)),
            (never, failed.clone(), wait(None)),
            (RefreshRule::OnChange, synced("2-abc", 7200), wait(None)),
            (
                RefreshRule::OnChange,
                synced("1-abc", 60),
                due(Reason::Changed),
            ),
            (RefreshRule::OnChange, stale, wait(None)),
            (RefreshRule::OnChange, failed, wait(None)),
        ];
        for (rule, last, want) in rows {
            assert_eq!(
                decide(&spec(rule), &last, true, at(NOW)),
                want,
                "{rule:?} {last:?}"
            );
        }
    }

    #[test]
    fn a_closed_window_holds_back_the_interval_and_nothing_else() {
        let mut closed = spec(RefreshRule::Periodic(SignedDuration::from_hours(1)));
        closed.windows = Windows::parse(&SyncWindows {
            kind: WindowKind::Allow,
            windows: vec![SyncWindow {
                schedule: "* * 31 2 *".to_owned(),
                duration: "1h".into(),
            }],
        });
        let of = |last: &LastSync, is_valid| decide(&closed, last, is_valid, at(NOW));
        let a_day = at(NOW + 24 * 3600);
        assert_eq!(
            of(&synced("2-abc", 3600), true),
            Decision::Wait(Some(a_day))
        );
        assert_eq!(
            of(&synced("1-abc", 60), true),
            Decision::Due(Reason::Changed)
        );
        assert_eq!(
            of(&synced("2-abc", 3600), false),
            Decision::Due(Reason::Drift)
        );
        assert_eq!(of(&LastSync::default(), true), Decision::Due(Reason::First));
    }

    #[test]
    fn an_invalid_target_is_due_under_every_policy() {
        for rule in [
            RefreshRule::CreatedOnce,
            RefreshRule::OnChange,
            RefreshRule::Periodic(SignedDuration::ZERO),
            RefreshRule::Periodic(SignedDuration::from_hours(1)),
        ] {
            let decision = decide(&spec(rule), &synced("2-abc", 60), false, at(NOW));
            assert_eq!(decision, Decision::Due(Reason::Drift), "{rule:?}");
        }
    }

    #[test]
    fn only_a_positive_interval_has_a_next_refresh() {
        let next = |rule| next(&spec(rule), at(NOW), Some(0));
        let hourly = RefreshRule::Periodic(SignedDuration::from_hours(1));
        assert_eq!(next(hourly), Some(at(NOW + 3600)));
        assert_eq!(next(RefreshRule::Periodic(SignedDuration::ZERO)), None);
        assert_eq!(next(RefreshRule::OnChange), None);
    }

    #[test]
    fn refreshes_come_together_at_the_phase_never_late_and_a_tenth_early_at_most() {
        let hourly = spec(RefreshRule::Periodic(SignedDuration::from_hours(1)));
        let next = |refreshed| next(&hourly, refreshed, Some(600_000)).unwrap();
        for start in [0, 1, 601, 1_800, 3_599] {
            let mut refreshed = at(NOW + start);
            for _ in 0..11 {
                let waited = next(refreshed).duration_since(refreshed).as_secs();
                assert!((3_240..=3_600).contains(&waited), "{start}: {waited}");
                refreshed = next(refreshed);
            }
            assert_eq!(refreshed.as_second().rem_euclid(3_600), 600, "{start}");
            assert_eq!(next(refreshed).duration_since(refreshed).as_secs(), 3_600);
        }
    }

    #[test]
    fn objects_without_a_shared_phase_keep_apart() {
        let phases: std::collections::BTreeSet<_> = (0..100)
            .map(|n| own_phase(&format!("uid-{n}")) % 3_600_000 / 36_000)
            .collect();
        assert!(phases.len() > 40, "{}", phases.len());
    }
}
