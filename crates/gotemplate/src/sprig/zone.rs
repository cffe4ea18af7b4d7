//! Time zones: offsets and abbreviations at an instant. Knows the bundled IANA database; the local
//! zone is UTC, as in a container without a zone file.

use jiff::Timestamp;
use jiff::tz::TimeZone;

#[derive(Clone, Debug)]
pub(super) enum Zone {
    Utc,
    Named(TimeZone),
    /// an offset in seconds, from a text that told no more
    Fixed {
        name: String,
        offset: i64,
    },
}

impl Zone {
    /// A zone by the name that Go's `LoadLocation` takes.
    pub(super) fn load(name: &str) -> Option<Self> {
        match name {
            "" | "UTC" | "Local" => Some(Self::Utc),
            name => TimeZone::get(name).ok().map(Self::Named),
        }
    }

    /// Seconds east of UTC and the abbreviation in force then.
    pub(super) fn at(&self, seconds: i64) -> (i64, String) {
        match self {
            Self::Utc => (0, "UTC".to_owned()),
            Self::Fixed { name, offset } => (*offset, name.clone()),
            Self::Named(zone) => {
                let bounded = seconds.clamp(Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
                let instant = Timestamp::from_second(bounded).unwrap_or_default();
                let info = zone.to_offset_info(instant);
                (
                    i64::from(info.offset().seconds()),
                    info.abbreviation().to_owned(),
                )
            }
        }
    }

    /// The instant at which clocks of the zone show this, given as if in UTC.
    pub(super) fn resolve(&self, local_seconds: i64) -> i64 {
        let (offset, _) = self.at(local_seconds);
        let (there, _) = self.at(local_seconds - offset);
        local_seconds - there
    }
}

/// Whether the text begins like the abbreviation of a zone, and how long that is.
pub(super) fn zone_name_length(text: &str) -> Option<usize> {
    if text.starts_with("ChST") || text.starts_with("MeST") {
        return Some(4);
    }
    if let Some(rest) = text.strip_prefix("GMT") {
        return Some(3 + signed_offset_length(rest).unwrap_or_default());
    }
    if text.starts_with(['+', '-']) {
        return signed_offset_length(text);
    }
    match text
        .bytes()
        .take(6)
        .take_while(u8::is_ascii_uppercase)
        .count()
    {
        3 => Some(3),
        4 if text.as_bytes()[3] == b'T' || text.starts_with("WITA") => Some(4),
        5 if text.as_bytes()[4] == b'T' => Some(5),
        _ => None,
    }
}

/// `+3` or `-11`, up to 23 hours.
fn signed_offset_length(text: &str) -> Option<usize> {
    let digits = text.strip_prefix(['+', '-'])?;
    let count = digits.bytes().take_while(u8::is_ascii_digit).count();
    let hours: u32 = digits[..count].parse().ok()?;
    (hours <= 23).then_some(1 + count)
}
