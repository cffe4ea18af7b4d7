//! Reading times by Go's layouts. Knows what each part accepts and how Go complains.

use crate::sprig::duration::{MONTHS, WEEKDAYS, quoted};
use crate::sprig::layout::{Offset, Part, next_part};
use crate::sprig::time::{Time, days};
use crate::sprig::zone::{Zone, zone_name_length};

/// What has been read so far.
#[derive(Default)]
struct Read {
    year: i64,
    month: Option<i64>,
    day: Option<i64>,
    year_day: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    nanos: i64,
    /// whether am or pm was read, and which
    pm: Option<bool>,
    utc: bool,
    offset: Option<i64>,
    zone_name: String,
}

/// Why a part does not fit.
enum Misfit {
    Syntax,
    OutOfRange(&'static str),
}

type Rest<'t> = Result<&'t str, Misfit>;

/// Reads a time; a time without zone is in UTC. Layout and value are widened bytes.
pub(super) fn parse(layout: &str, value: &str) -> Result<Time, String> {
    let told = |message: String| format!("parsing time {}{message}", quoted(value));
    let cannot = |rest: &str, part: &str| {
        let [layout, rest, part] = [layout, rest, part].map(quoted);
        told(format!(" as {layout}: cannot parse {rest} as {part}"))
    };
    let mut read = Read::default();
    let (mut layout_rest, mut rest) = (layout, value);
    loop {
        let (before, part) = next_part(layout_rest);
        rest = skip(rest, before).map_err(|at| cannot(at, before))?;
        let Some((part, length)) = part else { break };
        let spelling = &layout_rest[before.len()..before.len() + length];
        layout_rest = &layout_rest[before.len() + length..];
        let fraction_next = matches!(next_part(layout_rest).1, Some((Part::Fraction { .. }, _)));
        rest = read
            .part(part, rest, fraction_next)
            .map_err(|misfit| match misfit {
                Misfit::Syntax => cannot(rest, spelling),
                Misfit::OutOfRange(what) => told(format!(": {what} out of range")),
            })?;
    }
    if !rest.is_empty() {
        return Err(told(format!(": extra text: {}", quoted(rest))));
    }
    read.time().map_err(|message| told(format!(": {message}")))
}

/// Skips text of the layout; a space stands for any number of them. On failure what was found.
fn skip<'v>(mut value: &'v str, mut text: &str) -> Result<&'v str, &'v str> {
    while let Some(c) = text.chars().next() {
        if c == ' ' {
            if !value.is_empty() && !value.starts_with(' ') {
                return Err(value);
            }
            text = text.trim_start_matches(' ');
            value = value.trim_start_matches(' ');
            continue;
        }
        value = value.strip_prefix(c).ok_or(value)?;
        text = &text[c.len_utf8()..];
    }
    Ok(value)
}

/// A number of one or two digits, or exactly two.
fn number(text: &str, two: bool) -> Result<(i64, &str), Misfit> {
    let digits = text.bytes().take(2).take_while(u8::is_ascii_digit).count();
    if digits == 0 || two && digits < 2 {
        return Err(Misfit::Syntax);
    }
    Ok((text[..digits].parse().unwrap_or_default(), &text[digits..]))
}

fn in_range<'t>(
    (value, rest): (i64, &'t str),
    range: std::ops::Range<i64>,
    what: &'static str,
    to: &mut i64,
) -> Rest<'t> {
    *to = value;
    if range.contains(&value) {
        Ok(rest)
    } else {
        Err(Misfit::OutOfRange(what))
    }
}

/// The index of the name that the text begins with, in any case.
fn lookup<'t>(names: &[&str], length: usize, text: &'t str) -> Result<(i64, &'t str), Misfit> {
    for (i, name) in names.iter().enumerate() {
        let name = &name[..name.len().min(length)];
        if text
            .get(..name.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(name))
        {
            return Ok((i64::try_from(i).unwrap_or_default(), &text[name.len()..]));
        }
    }
    Err(Misfit::Syntax)
}

/// Nanoseconds of a separator and digits.
fn nanos(text: &str) -> i64 {
    let digits: String = text[1..]
        .chars()
        .chain(std::iter::repeat('0'))
        .take(9)
        .collect();
    digits.parse().unwrap_or_default()
}

fn has_fraction(text: &str) -> bool {
    matches!(text.as_bytes(), [b'.' | b',', digit, ..] if digit.is_ascii_digit())
}

/// The length of a separator with all its digits.
fn fraction_length(text: &str) -> usize {
    1 + text[1..].bytes().take_while(u8::is_ascii_digit).count()
}

impl Read {
    fn part<'t>(&mut self, part: Part, text: &'t str, fraction_next: bool) -> Rest<'t> {
        match part {
            Part::Year | Part::LongYear => self.year(part, text),
            Part::Month | Part::LongMonth => {
                let length = if part == Part::Month { 3 } else { usize::MAX };
                let (index, rest) = lookup(&MONTHS, length, text)?;
                self.month = Some(index + 1);
                Ok(rest)
            }
            Part::NumMonth | Part::ZeroMonth => {
                let month = self.month.insert(0);
                in_range(
                    number(text, part == Part::ZeroMonth)?,
                    1..13,
                    "month",
                    month,
                )
            }
            Part::Weekday | Part::LongWeekday => {
                let length = if part == Part::Weekday { 3 } else { usize::MAX };
                lookup(&WEEKDAYS, length, text).map(|(_, rest)| rest)
            }
            Part::Day | Part::UnderDay | Part::ZeroDay | Part::UnderYearDay | Part::ZeroYearDay => {
                self.day(part, text)
            }
            Part::ZoneName => self.zone_name(text),
            Part::Offset(form) => self.offset(form, text),
            Part::Fraction {
                trimmed: false,
                digits,
                ..
            } => {
                let fraction = text.get(..=digits).filter(|text| has_fraction(text));
                let fraction = fraction.ok_or(Misfit::Syntax)?;
                if fraction_length(fraction) != digits + 1 {
                    return Err(Misfit::Syntax);
                }
                self.nanos = nanos(fraction);
                Ok(&text[digits + 1..])
            }
            Part::Fraction { .. } if has_fraction(text) => {
                let length = fraction_length(text);
                self.nanos = nanos(&text[..length]);
                Ok(&text[length..])
            }
            Part::Fraction { .. } => Ok(text),
            _ => self.clock(part, text, fraction_next),
        }
    }

    fn clock<'t>(&mut self, part: Part, text: &'t str, fraction_next: bool) -> Rest<'t> {
        match part {
            Part::Hour => in_range(number(text, false)?, 0..24, "hour", &mut self.hour),
            Part::Hour12 | Part::ZeroHour12 => {
                let hour = number(text, part == Part::ZeroHour12)?;
                in_range(hour, 0..13, "hour", &mut self.hour)
            }
            Part::Minute | Part::ZeroMinute => {
                let minute = number(text, part == Part::ZeroMinute)?;
                in_range(minute, 0..60, "minute", &mut self.minute)
            }
            Part::Second | Part::ZeroSecond => {
                let second = number(text, part == Part::ZeroSecond)?;
                let rest = in_range(second, 0..60, "second", &mut self.second)?;
                // a fraction is read even where the layout has none
                if !has_fraction(rest) || fraction_next {
                    return Ok(rest);
                }
                let length = fraction_length(rest);
                self.nanos = nanos(&rest[..length]);
                Ok(&rest[length..])
            }
            _ => {
                let names = if part == Part::Pm {
                    ["AM", "PM"]
                } else {
                    ["am", "pm"]
                };
                let pm = names.iter().position(|name| text.starts_with(name));
                self.pm = Some(pm.ok_or(Misfit::Syntax)? == 1);
                Ok(&text[2..])
            }
        }
    }

    fn year<'t>(&mut self, part: Part, text: &'t str) -> Rest<'t> {
        if part == Part::Year {
            let (year, rest) = number(text, true)?;
            self.year = year + if year >= 69 { 1900 } else { 2000 };
            return Ok(rest);
        }
        let digits = text.get(..4).ok_or(Misfit::Syntax)?;
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Misfit::Syntax);
        }
        self.year = digits.parse().unwrap_or_default();
        Ok(&text[4..])
    }

    fn day<'t>(&mut self, part: Part, mut text: &'t str) -> Rest<'t> {
        let spaces = match part {
            Part::UnderDay => 1,
            Part::UnderYearDay => 2,
            _ => 0,
        };
        for _ in 0..spaces {
            text = text.strip_prefix(' ').unwrap_or(text);
        }
        if !matches!(part, Part::UnderYearDay | Part::ZeroYearDay) {
            let (day, rest) = number(text, part == Part::ZeroDay)?;
            self.day = Some(day);
            return Ok(rest);
        }
        let digits = text.bytes().take(3).take_while(u8::is_ascii_digit).count();
        if digits == 0 || part == Part::ZeroYearDay && digits != 3 {
            return Err(Misfit::Syntax);
        }
        self.year_day = text[..digits].parse().ok();
        Ok(&text[digits..])
    }

    fn offset<'t>(&mut self, form: Offset, text: &'t str) -> Rest<'t> {
        if form.z
            && let Some(rest) = text.strip_prefix('Z')
        {
            self.utc = true;
            return Ok(rest);
        }
        let sign = match text.chars().next() {
            Some('+') => 1,
            Some('-') => -1,
            _ => return Err(Misfit::Syntax),
        };
        let (hours, mut rest) = number(&text[1..], true)?;
        let mut more = [0; 2];
        for (value, wanted) in more.iter_mut().zip([form.minutes, form.seconds]) {
            if wanted {
                if form.colon {
                    rest = rest.strip_prefix(':').ok_or(Misfit::Syntax)?;
                }
                (*value, rest) = number(rest, true)?;
            }
        }
        let [minutes, seconds] = more;
        for (value, limit, what) in [
            (hours, 24, "time zone offset hour"),
            (minutes, 60, "time zone offset minute"),
            (seconds, 60, "time zone offset second"),
        ] {
            if value > limit {
                return Err(Misfit::OutOfRange(what));
            }
        }
        self.offset = Some(sign * (hours * 3600 + minutes * 60 + seconds));
        Ok(rest)
    }

    fn zone_name<'t>(&mut self, text: &'t str) -> Rest<'t> {
        if let Some(rest) = text.strip_prefix("UTC") {
            self.utc = true;
            return Ok(rest);
        }
        let length = zone_name_length(text).ok_or(Misfit::Syntax)?;
        text[..length].clone_into(&mut self.zone_name);
        Ok(&text[length..])
    }

    /// The day since 1970, or what contradicts itself.
    fn resolved_day(&self) -> Result<i64, String> {
        let Some(year_day) = self.year_day else {
            let (month, day) = (self.month.unwrap_or(1), self.day.unwrap_or(1));
            let first = days(self.year, month, 1);
            if day < 1 || day > days(self.year, month + 1, 1) - first {
                return Err("day out of range".to_owned());
            }
            return Ok(first + day - 1);
        };
        let year_start = days(self.year, 1, 1);
        if year_day < 1 || year_day > days(self.year + 1, 1, 1) - year_start {
            return Err("day-of-year out of range".to_owned());
        }
        let day = year_start + year_day - 1;
        let month = self.month.unwrap_or_else(|| month_of(self.year, day));
        let first = days(self.year, month, 1);
        if !(first..days(self.year, month + 1, 1)).contains(&day) {
            return Err("day-of-year does not match month".to_owned());
        }
        if self.day.is_some_and(|d| first + d - 1 != day) {
            return Err("day-of-year does not match day".to_owned());
        }
        Ok(day)
    }

    /// The instant, or what contradicts itself.
    fn time(self) -> Result<Time, String> {
        let hour = match self.pm {
            Some(true) if self.hour < 12 => self.hour + 12,
            Some(false) if self.hour == 12 => 0,
            _ => self.hour,
        };
        let day = self.resolved_day()?;
        let local = day * 86_400 + hour * 3600 + self.minute * 60 + self.second;
        let (seconds, zone) = match self.offset {
            _ if self.utc => (local, Zone::Utc),
            Some(0) if matches!(&self.zone_name[..], "" | "UTC") => (local, Zone::Utc),
            Some(offset) => (
                local - offset,
                Zone::Fixed {
                    name: self.zone_name,
                    offset,
                },
            ),
            None if self.zone_name.is_empty() => (local, Zone::Utc),
            None => {
                // an abbreviation tells no offset, but GMT+3 does, and is not applied
                let hours = self
                    .zone_name
                    .strip_prefix("GMT")
                    .and_then(|h| h.parse::<i64>().ok());
                let offset = hours.unwrap_or_default() * 3600;
                (
                    local,
                    Zone::Fixed {
                        name: self.zone_name,
                        offset,
                    },
                )
            }
        };
        Ok(Time {
            seconds,
            nanos: self.nanos,
            zone,
        })
    }
}

/// The month in which a day since 1970 lies.
fn month_of(year: i64, day: i64) -> i64 {
    (1..=12)
        .rev()
        .find(|month| days(year, *month, 1) <= day)
        .unwrap_or(1)
}
