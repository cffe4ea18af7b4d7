//! Instants with a time zone: the calendar, arithmetic, the methods that templates call. Knows Go's
//! `time.Time`; layouts are in `layout`.

use std::any::Any;

use crate::functions::{CallError, Type};
use crate::sprig::duration::{Duration, NANOS, Named};
use crate::sprig::layout;
use crate::sprig::zone::Zone;
use crate::sprig::{bytes, int, narrowed, widened};
use crate::value::{Kind, Object, Value};

const TYPE_NAME: &str = "time.Time";
const NO_ARGS: &[Type] = &[];
const OTHER: &[Type] = &[Type::Object(TYPE_NAME)];
const SPAN: &[Type] = &[Type::Object("time.Duration")];

/// Unix seconds of the first instant of the year 1, Go's zero time.
pub(super) const ZERO: i64 = -62_135_596_800;

const DAY: i64 = 86_400;

/// An instant and where one looks at it.
#[derive(Clone, Debug)]
pub(super) struct Time {
    /// seconds since 1970
    pub(super) seconds: i64,
    pub(super) nanos: i64,
    pub(super) zone: Zone,
}

/// What clock and calendar show.
pub(super) struct Clock {
    pub(super) year: i64,
    pub(super) month: i64,
    pub(super) day: i64,
    pub(super) hour: i64,
    pub(super) minute: i64,
    pub(super) second: i64,
    pub(super) weekday: i64,
    pub(super) year_day: i64,
    /// seconds east of UTC
    pub(super) offset: i64,
    pub(super) zone: String,
}

/// Days since 1970 of a date in the proleptic Gregorian calendar; the month may be any number.
pub(super) fn days(year: i64, month: i64, day: i64) -> i64 {
    let months = year * 12 + month - 1;
    let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
    // years from March, so that the leap day is the last
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
        + day
        - 1
}

/// Year, month and day of a day since 1970.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

impl Time {
    /// Seconds since 1970, in UTC; bounded so that nothing overflows.
    pub(super) fn unix(seconds: i64) -> Self {
        const FAR: i64 = i64::MAX / 4;
        Self {
            seconds: seconds.clamp(-FAR, FAR),
            nanos: 0,
            zone: Zone::Utc,
        }
    }

    pub(super) fn clock(&self) -> Clock {
        let (offset, zone) = self.zone.at(self.seconds);
        let local = self.seconds + offset;
        let (since_1970, second) = (local.div_euclid(DAY), local.rem_euclid(DAY));
        let (year, month, day) = date(since_1970);
        Clock {
            year,
            month,
            day,
            hour: second / 3600,
            minute: second / 60 % 60,
            second: second % 60,
            weekday: (since_1970 + 4).rem_euclid(7),
            year_day: since_1970 - days(year, 1, 1) + 1,
            offset,
            zone,
        }
    }

    pub(super) fn format(&self, layout: &str) -> String {
        layout::format(self, layout)
    }

    pub(super) fn add(&self, duration: Duration) -> Self {
        let nanos = self.nanos + duration.0 % NANOS;
        let carry = nanos.div_euclid(NANOS);
        let seconds = self.seconds + duration.0 / NANOS + carry;
        let bounded = Self::unix(seconds).seconds;
        Self {
            seconds: bounded,
            nanos: nanos.rem_euclid(NANOS),
            zone: self.zone.clone(),
        }
    }

    /// The duration since the other, as long as durations can be.
    pub(super) fn since(&self, other: &Self) -> Duration {
        let nanos = i128::from(self.seconds - other.seconds) * i128::from(NANOS)
            + i128::from(self.nanos - other.nanos);
        let bound = if nanos < 0 { i64::MIN } else { i64::MAX };
        Duration(i64::try_from(nanos).unwrap_or(bound))
    }

    fn add_date(&self, years: i64, months: i64, more_days: i64) -> Self {
        // bounded so that the calendar does not overflow
        let near = |n: i64| n.clamp(-1_000_000_000, 1_000_000_000);
        let clock = self.clock();
        let (year, month) = (near(clock.year) + near(years), clock.month + near(months));
        let day = days(year, month, clock.day) + near(more_days);
        let local = day * DAY + clock.hour * 3600 + clock.minute * 60 + clock.second;
        Self {
            seconds: self.zone.resolve(local),
            ..self.clone()
        }
    }

    /// What is left of the time since the year 1 after whole durations.
    fn rest(&self, duration: i64) -> i64 {
        let nanos = i128::from(self.seconds - ZERO) * i128::from(NANOS) + i128::from(self.nanos);
        i64::try_from(nanos.rem_euclid(i128::from(duration))).unwrap_or_default()
    }

    fn rounded(&self, duration: i64, up: bool) -> Self {
        if duration <= 0 {
            return self.clone();
        }
        let rest = self.rest(duration);
        if up && rest >= duration - rest {
            return self.add(Duration(duration - rest));
        }
        self.add(Duration(-rest))
    }

    fn instant(&self) -> (i64, i64) {
        (self.seconds, self.nanos)
    }

    fn unix_in(&self, per_second: i64) -> Value {
        let whole = self.seconds.wrapping_mul(per_second);
        Value::Int64(whole.wrapping_add(self.nanos / (NANOS / per_second)))
    }
}

impl Object for Time {
    fn type_name(&self) -> &'static str {
        TYPE_NAME
    }

    fn kind(&self) -> Kind {
        Kind::Struct
    }

    fn text(&self) -> String {
        self.format("2006-01-02 15:04:05.999999999 -0700 MST")
    }

    fn method(&self, name: &str) -> Option<&'static [Type]> {
        Some(match name {
            "Year" | "Month" | "Day" | "Hour" | "Minute" | "Second" | "Nanosecond" | "Weekday"
            | "YearDay" | "Unix" | "UnixMilli" | "UnixMicro" | "UnixNano" | "UTC" | "Local"
            | "IsZero" | "String" => NO_ARGS,
            "Format" => &[Type::String],
            "AddDate" => &[Type::Int, Type::Int, Type::Int],
            "Add" | "Truncate" | "Round" => SPAN,
            "Sub" | "Before" | "After" | "Equal" | "Compare" => OTHER,
            _ => return None,
        })
    }

    fn call(&self, name: &str, args: &[Value]) -> Result<Value, CallError> {
        if let Some(other) = args.first().and_then(Value::downcast::<Self>) {
            let order = self.instant().cmp(&other.instant());
            return Ok(match name {
                "Sub" => Value::object(self.since(other)),
                "Before" => order.is_lt().into(),
                "After" => order.is_gt().into(),
                "Equal" => order.is_eq().into(),
                _ => Value::Int(order as i64),
            });
        }
        let clock = self.clock();
        Ok(match name {
            "Year" => Value::Int(clock.year),
            "Month" => Value::object(Named::Month(clock.month)),
            "Day" => Value::Int(clock.day),
            "Hour" => Value::Int(clock.hour),
            "Minute" => Value::Int(clock.minute),
            "Second" => Value::Int(clock.second),
            "Nanosecond" => Value::Int(self.nanos),
            "Weekday" => Value::object(Named::Weekday(clock.weekday)),
            "YearDay" => Value::Int(clock.year_day),
            "Unix" => Value::Int64(self.seconds),
            "UnixMilli" => self.unix_in(1_000),
            "UnixMicro" => self.unix_in(1_000_000),
            "UnixNano" => self.unix_in(NANOS),
            "UTC" | "Local" => Value::object(Self {
                zone: Zone::Utc,
                ..self.clone()
            }),
            "IsZero" => (self.instant() == (ZERO, 0)).into(),
            "Format" => narrowed(&self.format(&widened(bytes(args, 0)))).into(),
            "AddDate" => Value::object(self.add_date(int(args, 0), int(args, 1), int(args, 2))),
            "Add" => Value::object(self.add(Duration(int(args, 0)))),
            "Truncate" => Value::object(self.rounded(int(args, 0), false)),
            "Round" => Value::object(self.rounded(int(args, 0), true)),
            _ => self.text().into(),
        })
    }

    fn json(&self) -> Value {
        self.format("2006-01-02T15:04:05.999999999Z07:00").into()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
