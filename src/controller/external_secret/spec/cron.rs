//! Cron schedules as ESO's parser reads them (robfig/cron's standard parser): five fields or a
//! descriptor, UTC, week days 0 to 6. Pure. Why not a crate: docs/decisions/0005-cron.md.

use k8s_openapi::jiff::civil::{Date, DateTime, Time};
use k8s_openapi::jiff::tz::TimeZone;
use k8s_openapi::jiff::{SignedDuration, Timestamp, ToSpan as _};

use crate::api::duration;

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const WEEK_DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// When something happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// At the minutes that all fields have.
    Minutes(Box<Fields>),
    /// Again and again, with this pause; anchored nowhere.
    Every(SignedDuration),
}

/// A bit per value; `is_star` where the field was not restricted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Field {
    bits: u64,
    is_star: bool,
}

/// The five fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields {
    minute: Field,
    hour: Field,
    day: Field,
    month: Field,
    week_day: Field,
}

impl Schedule {
    /// Reads `text`; `None` where it is no schedule.
    pub fn parse(text: &str) -> Option<Self> {
        let fields = match text {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            _ => match text.strip_prefix("@every ") {
                Some(pause) => return duration::parse(pause).ok().map(Self::Every),
                None => text,
            },
        };
        Fields::parse(fields).map(|fields| Self::Minutes(Box::new(fields)))
    }
}

impl Fields {
    fn parse(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, month, week_day] = fields[..] else {
            return None;
        };
        Some(Self {
            minute: Field::parse(minute, 0, 59, &[])?,
            hour: Field::parse(hour, 0, 23, &[])?,
            day: Field::parse(day, 1, 31, &[])?,
            month: Field::parse(month, 1, 12, &MONTHS)?,
            week_day: Field::parse(week_day, 0, 6, &WEEK_DAYS)?,
        })
    }

    /// The first firing after `after` and not after `until`.
    pub fn next(&self, after: Timestamp, until: Timestamp) -> Option<Timestamp> {
        let mut at = TimeZone::UTC.to_datetime(after);
        at = at.with().second(0).subsec_nanosecond(0).build().ok()?;
        at = at.checked_add(1.minute()).ok()?;
        loop {
            let instant = TimeZone::UTC.to_timestamp(at).ok()?;
            if instant > until {
                return None;
            }
            at = if !self.has_date(at.date()) {
                midnight_after(at)?
            } else if self.hour.has(at.hour()) && self.minute.has(at.minute()) {
                return Some(instant);
            } else {
                at.checked_add(1.minute()).ok()?
            };
        }
    }

    /// Where both days are restricted, one of them is enough.
    fn has_date(&self, date: Date) -> bool {
        let week_day = self.week_day.has(date.weekday().to_sunday_zero_offset());
        let day = self.day.has(date.day());
        let is_day = if self.day.is_star || self.week_day.is_star {
            day && week_day
        } else {
            day || week_day
        };
        is_day && self.month.has(date.month())
    }
}

fn midnight_after(at: DateTime) -> Option<DateTime> {
    Some(at.date().tomorrow().ok()?.to_datetime(Time::default()))
}

impl Field {
    fn has(self, value: i8) -> bool {
        u32::try_from(value).is_ok_and(|value| self.bits & (1 << value) != 0)
    }

    /// A list of `*`, `?`, `a`, `a-b`, each with `/step`.
    fn parse(text: &str, least: u32, most: u32, names: &[&str]) -> Option<Self> {
        let mut field = Self {
            bits: 0,
            is_star: false,
        };
        for part in text.split(',') {
            let (range, step) = match part.split_once('/') {
                Some((range, step)) => (range, Some(number(step, &[], 0)?)),
                None => (part, None),
            };
            let (low, high) = if matches!(range, "*" | "?") {
                field.is_star |= step.is_none_or(|step| step == 1);
                (least, most)
            } else if let Some((first, last)) = range.split_once('-') {
                (number(first, names, least)?, number(last, names, least)?)
            } else {
                let first = number(range, names, least)?;
                // "5/10" goes on to the end
                (first, if step.is_some() { most } else { first })
            };
            let step = usize::try_from(step.unwrap_or(1)).ok()?;
            if low < least || high > most || low > high || step == 0 {
                return None;
            }
            for value in (low..=high).step_by(step) {
                field.bits |= 1 << value;
            }
        }
        Some(field)
    }
}

fn number(text: &str, names: &[&str], least: u32) -> Option<u32> {
    let name = names
        .iter()
        .position(|name| name.eq_ignore_ascii_case(text))
        .and_then(|at| u32::try_from(at).ok());
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    name.map(|at| at + least)
        .or_else(|| text.parse().ok().filter(|_| is_number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(schedule: &str, after: &str) -> Option<String> {
        let Schedule::Minutes(fields) = Schedule::parse(schedule)? else {
            return None;
        };
        let after: Timestamp = after.parse().unwrap();
        let until = after + SignedDuration::from_hours(24 * 800);
        fields.next(after, until).map(|at| at.to_string())
    }

    #[test]
    fn firings_follow_the_fields() {
        // 2026-11-25 is a Wednesday
        let rows = [
            ("* * * * *", "2026-11-25T10:00:30Z", "2026-11-25T10:01:00Z"),
            ("0 22 * * *", "2026-11-25T22:00:00Z", "2026-11-26T22:00:00Z"),
            (
                "*/15 9-17 * * MON-FRI",
                "2026-11-27T17:45:00Z",
                "2026-11-30T09:00:00Z",
            ),
            (
                "5/20 * * * ?",
                "2026-11-25T10:26:00Z",
                "2026-11-25T10:45:00Z",
            ),
            ("0 0 13 * 5", "2026-11-25T00:00:00Z", "2026-11-27T00:00:00Z"),
            ("0 0 29 2 *", "2026-11-25T00:00:00Z", "2028-02-29T00:00:00Z"),
            (
                "0 0 1,15 jan *",
                "2026-11-25T00:00:00Z",
                "2027-01-01T00:00:00Z",
            ),
            ("@hourly", "2026-11-25T10:00:00Z", "2026-11-25T11:00:00Z"),
            ("@weekly", "2026-11-25T10:00:00Z", "2026-11-29T00:00:00Z"),
        ];
        for (schedule, after, want) in rows {
            assert_eq!(next(schedule, after).as_deref(), Some(want), "{schedule}");
        }
        assert_eq!(next("0 0 31 2 *", "2026-11-25T00:00:00Z"), None);
    }

    #[test]
    fn what_esos_parser_refuses_is_no_schedule() {
        for text in [
            "",
            "* * * *",
            "* * * * * *",
            "60 * * * *",
            "* * * * 7",
            "* * 0 * *",
            "* * L * *",
            "5-1 * * * *",
            "*/0 * * * *",
            "+1 * * * *",
            "a * * * *",
            "@reboot",
            "@every x",
        ] {
            assert_eq!(Schedule::parse(text), None, "{text:?}");
        }
        let every = Some(Schedule::Every(SignedDuration::from_secs(90)));
        assert_eq!(Schedule::parse("@every 1m30s"), every);
    }
}
