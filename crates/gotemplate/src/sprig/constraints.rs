//! Version constraints: `>=1.2 <2 || ^3`. Knows Masterminds' grammar and its rule for
//! prereleases, which match only where the constraint names one.

use std::cmp::Ordering;

use crate::functions::CallError;
use crate::sprig::versions::{Version, compare_pre};

const OPERATORS: [&str; 11] = ["!=", ">=", "=>", "<=", "=<", "~>", "=", ">", "<", "~", "^"];

/// Alternatives of which one must hold, each a list of which all must hold.
pub(super) struct Constraints(Vec<Vec<Constraint>>);

struct Constraint {
    operator: &'static str,
    version: Version,
    precision: Precision,
}

/// How much of the version is given.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Precision {
    Nothing,
    Major,
    Minor,
    Full,
}

impl Constraints {
    pub(super) fn parse(text: &str) -> Result<Self, CallError> {
        let alternatives = text.split("||").map(|alternative| {
            conjunction(alternative).ok_or_else(|| {
                CallError::revealing(
                    format!("improper constraint: {alternative}"),
                    "improper constraint",
                )
            })
        });
        Ok(Self(alternatives.collect::<Result<_, _>>()?))
    }

    pub(super) fn allow(&self, version: &Version) -> bool {
        self.0
            .iter()
            .any(|all| all.iter().all(|constraint| constraint.allows(version)))
    }
}

/// Comparisons with spaces or a comma between, or a range with a hyphen.
fn conjunction(text: &str) -> Option<Vec<Constraint>> {
    let mut constraints = Vec::new();
    let mut rest = text.trim_start();
    loop {
        let (constraint, after) = comparison(rest)?;
        let trimmed = after.trim_start();
        let hyphen = trimmed
            .strip_prefix('-')
            .filter(|r| r.starts_with(char::is_whitespace));
        if let Some(end) = hyphen.filter(|_| after.len() > trimmed.len()) {
            // a range: from one version to another, both included
            let (upper, after) = comparison(end.trim_start())?;
            if !constraint.operator.is_empty() || !upper.operator.is_empty() {
                return None;
            }
            constraints.push(Constraint {
                operator: ">=",
                ..constraint
            });
            constraints.push(Constraint {
                operator: "<=",
                ..upper
            });
            rest = after;
        } else {
            constraints.push(constraint);
            rest = after;
        }
        let next = rest.trim_start();
        if next.is_empty() {
            return Some(constraints);
        }
        let comma = next.strip_prefix(',');
        if comma.is_none() && next.len() == rest.len() {
            return None;
        }
        rest = comma.unwrap_or(next).trim_start();
    }
}

/// An operator and a version with wildcards.
fn comparison(text: &str) -> Option<(Constraint, &str)> {
    let operator = OPERATORS
        .into_iter()
        .find(|operator| text.starts_with(operator))
        .unwrap_or("");
    let text = text[operator.len()..].trim_start();
    let text = text.strip_prefix('v').unwrap_or(text);
    let end = text
        .find(|c: char| c.is_whitespace() || c == ',')
        .unwrap_or(text.len());
    let (spec, rest) = text.split_at(end);
    let numbers_end = spec.find(['-', '+']).unwrap_or(spec.len());
    let (numbers, suffix) = spec.split_at(numbers_end);
    let segments: Vec<&str> = numbers.split('.').collect();
    let wildcard = |segment: &str| matches!(segment, "x" | "X" | "*");
    if segments.len() > 3 || segments[0].is_empty() {
        return None;
    }
    let given = segments
        .iter()
        .take_while(|segment| !wildcard(segment))
        .count();
    let all_known =
        |s: &&str| wildcard(s) || !s.is_empty() && s.bytes().all(|byte| byte.is_ascii_digit());
    if !segments.iter().all(all_known) {
        return None;
    }
    let precision = match given {
        0 => Precision::Nothing,
        1 => Precision::Major,
        2 => Precision::Minor,
        _ => Precision::Full,
    };
    let mut known: Vec<&str> = segments[..given].to_vec();
    known.resize(3, "0");
    // the prerelease counts, the metadata does not
    let pre = suffix.split('+').next().unwrap_or_default();
    Version::parse(&format!("0{suffix}")).ok()?;
    let version = Version::parse(&format!("{}{pre}", known.join("."))).ok()?;
    Some((
        Constraint {
            operator,
            version,
            precision,
        },
        rest,
    ))
}

impl Constraint {
    fn allows(&self, v: &Version) -> bool {
        let full = self.precision == Precision::Full;
        let wanted = &self.version;
        let order = v.compare(wanted);
        if !v.pre.is_empty() && wanted.pre.is_empty() {
            return false;
        }
        match self.operator {
            "" | "=" if full => order.is_eq(),
            "" | "=" | "~" | "~>" => self.tilde(v, order),
            "!=" => self.differs(v, order),
            ">" => self.above(v, order),
            "<" => order.is_lt(),
            ">=" | "=>" => order.is_ge(),
            "^" => self.caret(v, order),
            _ => self.at_most(v, order),
        }
    }

    fn tilde(&self, v: &Version, order: Ordering) -> bool {
        let wanted = &self.version;
        if order.is_lt() {
            return false;
        }
        let zero = wanted.major == 0 && wanted.minor == 0 && wanted.patch == 0;
        if zero && matches!(self.precision, Precision::Nothing | Precision::Full) {
            return true;
        }
        v.major == wanted.major && (self.precision == Precision::Major || v.minor == wanted.minor)
    }

    fn differs(&self, v: &Version, order: Ordering) -> bool {
        let wanted = &self.version;
        match self.precision {
            Precision::Full => order.is_ne(),
            Precision::Major => v.major != wanted.major,
            Precision::Minor if v.major != wanted.major || v.minor != wanted.minor => true,
            Precision::Minor => {
                (!v.pre.is_empty() || !wanted.pre.is_empty())
                    && compare_pre(&v.pre, &wanted.pre).is_ne()
            }
            Precision::Nothing => {
                v.major != wanted.major
                    || v.minor != wanted.minor
                    || v.patch != wanted.patch
                    || order.is_ne()
            }
        }
    }

    fn above(&self, v: &Version, order: Ordering) -> bool {
        let wanted = &self.version;
        match self.precision {
            Precision::Full | Precision::Nothing => order.is_gt(),
            Precision::Major => v.major > wanted.major,
            Precision::Minor => {
                v.major > wanted.major || v.major == wanted.major && v.minor > wanted.minor
            }
        }
    }

    fn at_most(&self, v: &Version, order: Ordering) -> bool {
        let wanted = &self.version;
        match self.precision {
            Precision::Full => order.is_le(),
            Precision::Major => v.major <= wanted.major,
            _ => v.major < wanted.major || v.major == wanted.major && v.minor <= wanted.minor,
        }
    }

    fn caret(&self, v: &Version, order: Ordering) -> bool {
        let wanted = &self.version;
        if order.is_lt() {
            return false;
        }
        if wanted.major > 0 || self.precision == Precision::Major {
            return v.major == wanted.major;
        }
        if v.major > 0 {
            return false;
        }
        if wanted.minor > 0 || self.precision == Precision::Minor {
            return v.minor == wanted.minor;
        }
        v.minor == 0 && v.patch == wanted.patch
    }
}
