//! Go's layouts: what the parts of `Mon Jan 2 15:04:05 MST 2006` stand for, and writing times with
//! them. Reading times is in `layout_parse`.

use std::fmt::{self, Write};

use crate::sprig::duration::{MONTHS, WEEKDAYS};
use crate::sprig::time::{Clock, Time};

/// A part of a layout that stands for something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    LongMonth,
    Month,
    NumMonth,
    ZeroMonth,
    LongWeekday,
    Weekday,
    Day,
    UnderDay,
    ZeroDay,
    UnderYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    Pm,
    LowerPm,
    ZoneName,
    Offset(Offset),
    /// fraction of a second: the separator, whether zeros are cut off, the number of digits
    Fraction {
        separator: char,
        trimmed: bool,
        digits: usize,
    },
}

/// How an offset from UTC is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "they vary freely")]
pub(super) struct Offset {
    /// a `Z` where there is none
    pub(super) z: bool,
    pub(super) colon: bool,
    pub(super) minutes: bool,
    pub(super) seconds: bool,
}

/// Parts by their spelling; of two that fit the first counts.
const WORDS: [(&str, Part); 23] = [
    ("January", Part::LongMonth),
    ("Jan", Part::Month),
    ("Monday", Part::LongWeekday),
    ("Mon", Part::Weekday),
    ("MST", Part::ZoneName),
    ("01", Part::ZeroMonth),
    ("02", Part::ZeroDay),
    ("03", Part::ZeroHour12),
    ("04", Part::ZeroMinute),
    ("05", Part::ZeroSecond),
    ("06", Part::Year),
    ("002", Part::ZeroYearDay),
    ("15", Part::Hour),
    ("1", Part::NumMonth),
    ("2006", Part::LongYear),
    ("2", Part::Day),
    ("__2", Part::UnderYearDay),
    ("_2", Part::UnderDay),
    ("3", Part::Hour12),
    ("4", Part::Minute),
    ("5", Part::Second),
    ("PM", Part::Pm),
    ("pm", Part::LowerPm),
];

const OFFSETS: [(&str, Offset); 5] = [
    (
        "070000",
        Offset {
            z: false,
            colon: false,
            minutes: true,
            seconds: true,
        },
    ),
    (
        "07:00:00",
        Offset {
            z: false,
            colon: true,
            minutes: true,
            seconds: true,
        },
    ),
    (
        "0700",
        Offset {
            z: false,
            colon: false,
            minutes: true,
            seconds: false,
        },
    ),
    (
        "07:00",
        Offset {
            z: false,
            colon: true,
            minutes: true,
            seconds: false,
        },
    ),
    (
        "07",
        Offset {
            z: false,
            colon: false,
            minutes: false,
            seconds: false,
        },
    ),
];

/// A layout up to its first part: the text before, the part and its length.
pub(super) fn next_part(layout: &str) -> (&str, Option<(Part, usize)>) {
    for (i, _) in layout.char_indices() {
        let rest = &layout[i..];
        // in "_2006" the underscore is text
        if rest.starts_with("_2006") {
            return (&layout[..=i], Some((Part::LongYear, 4)));
        }
        if let Some(found) = part_at(rest) {
            return (&layout[..i], Some(found));
        }
    }
    (layout, None)
}

fn part_at(rest: &str) -> Option<(Part, usize)> {
    if let Some(sign @ ('-' | 'Z')) = rest.chars().next() {
        let (spelling, offset) = OFFSETS
            .into_iter()
            .find(|(s, _)| rest[1..].starts_with(s))?;
        return Some((
            Part::Offset(Offset {
                z: sign == 'Z',
                ..offset
            }),
            1 + spelling.len(),
        ));
    }
    if let Some(separator @ ('.' | ',')) = rest.chars().next() {
        let digit = rest[1..]
            .chars()
            .next()
            .filter(|c| matches!(c, '0' | '9'))?;
        let digits = rest[1..].chars().take_while(|c| *c == digit).count();
        if rest[1 + digits..].starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let part = Part::Fraction {
            separator,
            trimmed: digit == '9',
            digits,
        };
        return Some((part, 1 + digits));
    }
    let (word, part) = WORDS.into_iter().find(|(word, part)| {
        let short_name = matches!(part, Part::Month | Part::Weekday);
        let lower_follows = || rest[word.len()..].starts_with(|c: char| c.is_ascii_lowercase());
        rest.starts_with(word) && !(short_name && lower_follows())
    })?;
    Some((part, word.len()))
}

/// Writes the time by the layout.
pub(super) fn format(time: &Time, layout: &str) -> String {
    let clock = time.clock();
    let mut text = String::new();
    let mut rest = layout;
    loop {
        let (before, part) = next_part(rest);
        text.push_str(before);
        let Some((part, length)) = part else {
            return text;
        };
        write_part(&mut text, part, &clock, time.nanos);
        rest = &rest[before.len() + length..];
    }
}

/// The offset where a zone has no name.
const PLAIN: Offset = Offset {
    z: false,
    colon: false,
    minutes: true,
    seconds: false,
};

fn write_part(text: &mut String, part: Part, clock: &Clock, nanos: i64) {
    let name = |names: &[&'static str], index: i64| {
        usize::try_from(index)
            .ok()
            .and_then(|index| names.get(index))
            .copied()
            .unwrap_or_default()
    };
    let month = name(&MONTHS, clock.month - 1);
    let weekday = name(&WEEKDAYS, clock.weekday);
    let _ = match part {
        Part::LongMonth => write!(text, "{month}"),
        Part::Month => write!(text, "{}", &month[..3]),
        Part::NumMonth => write!(text, "{}", clock.month),
        Part::ZeroMonth => write!(text, "{:02}", clock.month),
        Part::LongWeekday => write!(text, "{weekday}"),
        Part::Weekday => write!(text, "{}", &weekday[..3]),
        Part::Day => write!(text, "{}", clock.day),
        Part::UnderDay => write!(text, "{:2}", clock.day),
        Part::ZeroDay => write!(text, "{:02}", clock.day),
        Part::UnderYearDay => write!(text, "{:3}", clock.year_day),
        Part::ZeroYearDay => write!(text, "{:03}", clock.year_day),
        Part::LongYear if clock.year < 0 => write!(text, "-{:04}", -clock.year),
        Part::LongYear => write!(text, "{:04}", clock.year),
        Part::Year => write!(text, "{:02}", clock.year.abs() % 100),
        Part::ZoneName if !clock.zone.is_empty() => write!(text, "{}", clock.zone),
        Part::ZoneName => write_offset(text, PLAIN, clock.offset),
        Part::Offset(offset) => write_offset(text, offset, clock.offset),
        Part::Fraction {
            separator,
            trimmed,
            digits,
        } => {
            let nine = format!("{nanos:09}");
            let shown = &nine[..digits.min(9)];
            let shown = if trimmed {
                shown.trim_end_matches('0')
            } else {
                shown
            };
            if shown.is_empty() {
                Ok(())
            } else {
                write!(text, "{separator}{shown}")
            }
        }
        part => write_time_of_day(text, part, clock),
    };
}

/// Hours, minutes, seconds, morning or afternoon.
fn write_time_of_day(text: &mut String, part: Part, clock: &Clock) -> fmt::Result {
    let hour12 = if clock.hour % 12 == 0 {
        12
    } else {
        clock.hour % 12
    };
    let pm = clock.hour >= 12;
    match part {
        Part::Hour => write!(text, "{:02}", clock.hour),
        Part::Hour12 => write!(text, "{hour12}"),
        Part::ZeroHour12 => write!(text, "{hour12:02}"),
        Part::Minute => write!(text, "{}", clock.minute),
        Part::ZeroMinute => write!(text, "{:02}", clock.minute),
        Part::Second => write!(text, "{}", clock.second),
        Part::ZeroSecond => write!(text, "{:02}", clock.second),
        Part::Pm => write!(text, "{}", if pm { "PM" } else { "AM" }),
        _ => write!(text, "{}", if pm { "pm" } else { "am" }),
    }
}

fn write_offset(text: &mut String, form: Offset, offset: i64) -> fmt::Result {
    if form.z && offset == 0 {
        return text.write_char('Z');
    }
    let minutes = (offset / 60).abs();
    let sign = if offset / 60 < 0 { '-' } else { '+' };
    let colon = if form.colon { ":" } else { "" };
    write!(text, "{sign}{:02}", minutes / 60)?;
    if form.minutes {
        write!(text, "{colon}{:02}", minutes % 60)?;
    }
    if form.seconds {
        write!(text, "{colon}{:02}", offset.abs() % 60)?;
    }
    Ok(())
}
