//! `spec.syncWindows`: when periodic refreshes may happen. Pure.

use k8s_openapi::jiff::{SignedDuration, Timestamp};

use crate::api::external_secret::{SyncWindow, SyncWindows, WindowKind};

use super::cron::Schedule;

/// Windows are looked at again this often, where their next opening is not known to be later.
const LOOK_AHEAD: SignedDuration = SignedDuration::from_hours(24);
const STEP: SignedDuration = SignedDuration::from_mins(1);

/// When periodic refreshes may happen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Windows {
    /// Outside the windows instead of within.
    denies: bool,
    windows: Vec<Window>,
}

#[derive(Clone, Debug, PartialEq)]
struct Window {
    schedule: Schedule,
    duration: SignedDuration,
}

impl Windows {
    /// Reads `spec`. A window whose schedule or duration cannot be read is never open, as in ESO;
    /// `None`: no windows, or of a kind that does not exist.
    pub fn parse(spec: &SyncWindows) -> Option<Self> {
        if spec.windows.is_empty() || matches!(spec.kind, WindowKind::Unknown(_)) {
            return None;
        }
        Some(Self {
            denies: spec.kind == WindowKind::Deny,
            windows: spec.windows.iter().filter_map(Window::parse).collect(),
        })
    }

    /// Whether a refresh may happen at `now`.
    pub fn permit(&self, now: Timestamp) -> bool {
        self.windows.iter().any(|window| window.is_open(now)) != self.denies
    }

    /// When to look again, where `now` is not permitted: the next whole minute that is, within a
    /// day.
    pub fn look_again(&self, now: Timestamp) -> Timestamp {
        let minute = now.as_second() - now.as_second().rem_euclid(60);
        let mut at = Timestamp::from_second(minute).unwrap_or(now);
        let end = now.saturating_add(LOOK_AHEAD).unwrap_or(Timestamp::MAX);
        while at < end {
            at = at.saturating_add(STEP).unwrap_or(Timestamp::MAX);
            if self.permit(at) {
                return at;
            }
        }
        end
    }
}

impl Window {
    fn parse(spec: &SyncWindow) -> Option<Self> {
        Some(Self {
            schedule: Schedule::parse(&spec.schedule)?,
            duration: spec.duration.parse().ok()?,
        })
    }

    /// From a firing until `duration` later, both included.
    fn is_open(&self, now: Timestamp) -> bool {
        let a_second = SignedDuration::from_secs(1);
        match &self.schedule {
            // ESO anchors it at the instant asked about
            Schedule::Every(pause) => *pause <= self.duration.saturating_add(a_second),
            Schedule::Minutes(fields) => {
                // no more than a moment: an earlier firing would hide one that counts
                let back = self.duration.saturating_add(SignedDuration::from_nanos(1));
                let earliest = now.saturating_sub(back).unwrap_or(Timestamp::MIN);
                let fired = fields.next(earliest, now);
                fired.is_some_and(|at| now.duration_since(at) <= self.duration)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn windows(kind: &str, windows: &[(&str, &str)]) -> Windows {
        let windows: Vec<_> = windows
            .iter()
            .map(|(schedule, duration)| json!({"schedule": schedule, "duration": duration}))
            .collect();
        let spec: SyncWindows =
            serde_json::from_value(json!({"kind": kind, "windows": windows})).unwrap();
        Windows::parse(&spec).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_window_that_opens_each_minute_is_open_all_the_time() {
        let allow = windows("allow", &[("* * * * *", "2m")]);
        for second in ["00.3", "00.999", "01", "59.9"] {
            let time = format!("2026-11-25T21:59:{second}Z");
            assert!(allow.permit(at(&time)), "{time}");
        }
    }

    #[test]
    fn a_window_is_open_from_its_firing_until_its_end() {
        let allow = windows("allow", &[("0 22 * * *", "2h")]);
        let deny = windows("deny", &[("0 22 * * *", "2h")]);
        for (time, is_open) in [
            ("2026-11-25T21:59:59Z", false),
            ("2026-11-25T22:00:00Z", true),
            ("2026-11-26T00:00:00Z", true),
            ("2026-11-26T00:00:01Z", false),
        ] {
            assert_eq!(allow.permit(at(time)), is_open, "{time}");
            assert_eq!(deny.permit(at(time)), !is_open, "{time}");
        }
    }

    #[test]
    fn a_window_that_cannot_be_read_is_never_open() {
        assert!(!windows("allow", &[("* * * * 7", "1h")]).permit(at("2026-11-25T22:00:00Z")));
        assert!(windows("deny", &[("* * * * *", "soon")]).permit(at("2026-11-25T22:00:00Z")));
        assert!(windows("allow", &[("@every 1h", "1h")]).permit(at("2026-11-25T22:00:00Z")));
        assert!(!windows("allow", &[("@every 2h", "1h")]).permit(at("2026-11-25T22:00:00Z")));
    }

    #[test]
    fn the_next_look_is_at_the_opening() {
        let allow = windows("allow", &[("0 22 * * *", "2h")]);
        assert_eq!(
            allow.look_again(at("2026-11-25T20:15:07Z")),
            at("2026-11-25T22:00:00Z")
        );
        let deny = windows("deny", &[("0 22 * * *", "2h")]);
        assert_eq!(
            deny.look_again(at("2026-11-25T22:15:07Z")),
            at("2026-11-26T00:01:00Z")
        );
        let never = windows("allow", &[("0 0 31 2 *", "1h")]);
        assert_eq!(
            never.look_again(at("2026-11-25T22:15:07Z")),
            at("2026-11-26T22:15:07Z")
        );
    }
}
