//! Semantic versions: parsing, order, the version object. Knows Masterminds' lenient spelling;
//! constraints are in `constraints`.

use std::any::Any;
use std::cmp::Ordering;

use crate::functions::{CallError, Function, Functions, Type};
use crate::sprig::constraints::Constraints;
use crate::sprig::{TEXT, lossy};
use crate::value::{Kind, Object, Value};

const TYPE_NAME: &str = "*semver.Version";
const OTHER: &[Type] = &[Type::Object(TYPE_NAME)];

pub(super) fn add_to(functions: &mut Functions) {
    functions
        .add(
            "semver",
            Function::new(&[TEXT], |args| {
                Version::parse(&lossy(args, 0)).map(Value::object)
            }),
        )
        .add(
            "semverCompare",
            Function::new(&[TEXT, TEXT], |args| {
                let constraints = Constraints::parse(&lossy(args, 0))?;
                let version = Version::parse(&lossy(args, 1))?;
                Ok(constraints.allow(&version).into())
            }),
        );
}

#[derive(Clone, Debug, Default)]
pub(super) struct Version {
    pub(super) major: u64,
    pub(super) minor: u64,
    pub(super) patch: u64,
    pub(super) pre: String,
    metadata: String,
    original: String,
}

/// Identifiers with dots between: letters, digits and hyphens.
fn identifiers_ok(text: &str) -> bool {
    text.split('.').all(|part| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte == b'-' || byte.is_ascii_alphanumeric())
    })
}

impl Version {
    /// `1`, `1.2` and `v1.2.3-pre+meta` are versions.
    pub(super) fn parse(text: &str) -> Result<Self, CallError> {
        let invalid = || CallError::new("invalid semantic version");
        let body = text.strip_prefix('v').unwrap_or(text);
        let (body, metadata) = match body.split_once('+') {
            Some((body, metadata)) if identifiers_ok(metadata) => (body, metadata),
            Some(_) => return Err(invalid()),
            None => (body, ""),
        };
        let (body, pre) = match body.split_once('-') {
            Some((body, pre)) if identifiers_ok(pre) => (body, pre),
            Some(_) => return Err(invalid()),
            None => (body, ""),
        };
        let mut numbers = [0; 3];
        let segments: Vec<&str> = body.split('.').collect();
        let digits = |s: &&str| !s.is_empty() && s.bytes().all(|byte| byte.is_ascii_digit());
        if segments.len() > 3 || !segments.iter().all(digits) {
            return Err(invalid());
        }
        for (number, segment) in numbers.iter_mut().zip(segments) {
            *number = segment.parse().map_err(|_| {
                let quoted = crate::printf::quoted(segment.as_bytes());
                let cause = format!("strconv.ParseUint: parsing {quoted}: value out of range");
                CallError::new(format!("error parsing version segment: {cause}"))
            })?;
        }
        let leading_zero = |part: &str| {
            part.len() > 1 && part.starts_with('0') && part.bytes().all(|b| b.is_ascii_digit())
        };
        if pre.split('.').any(leading_zero) {
            return Err(CallError::new("version segment starts with 0"));
        }
        let [major, minor, patch] = numbers;
        let (pre, metadata) = (pre.to_owned(), metadata.to_owned());
        Ok(Self {
            major,
            minor,
            patch,
            pre,
            metadata,
            original: text.to_owned(),
        })
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let numbers = |v: &Self| [v.major, v.minor, v.patch];
        numbers(self)
            .cmp(&numbers(other))
            .then_with(|| match (&self.pre[..], &other.pre[..]) {
                ("", "") => Ordering::Equal,
                ("", _) => Ordering::Greater,
                (_, "") => Ordering::Less,
                (a, b) => compare_pre(a, b),
            })
    }

    /// The next version, with what is smaller set to zero.
    fn increment(&self, name: &str) -> Self {
        let mut next = Self {
            pre: String::new(),
            metadata: String::new(),
            ..self.clone()
        };
        match name {
            "IncMajor" => (next.major, next.minor, next.patch) = (self.major + 1, 0, 0),
            "IncMinor" => (next.minor, next.patch) = (self.minor + 1, 0),
            _ if self.pre.is_empty() => next.patch = self.patch + 1,
            _ => {}
        }
        let v = if self.original.starts_with('v') {
            "v"
        } else {
            ""
        };
        next.original = format!("{v}{}", next.text());
        next
    }
}

/// Numbers come before words, and fewer identifiers before more.
pub(super) fn compare_pre(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        let (a, b) = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(a), Some(b)) => (a, b),
        };
        let order = match (a.parse::<u64>(), b.parse::<u64>()) {
            (Ok(a), Ok(b)) => a.cmp(&b),
            (Ok(_), Err(_)) => Ordering::Less,
            (Err(_), Ok(_)) => Ordering::Greater,
            (Err(_), Err(_)) => a.cmp(b),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

impl Object for Version {
    fn type_name(&self) -> &'static str {
        TYPE_NAME
    }

    fn kind(&self) -> Kind {
        Kind::Ptr
    }

    fn text(&self) -> String {
        let mut text = format!("{}.{}.{}", self.major, self.minor, self.patch);
        for (sign, part) in [('-', &self.pre), ('+', &self.metadata)] {
            if !part.is_empty() {
                text = format!("{text}{sign}{part}");
            }
        }
        text
    }

    fn method(&self, name: &str) -> Option<&'static [Type]> {
        match name {
            "Major" | "Minor" | "Patch" | "Prerelease" | "Metadata" | "Original" | "String"
            | "IncMajor" | "IncMinor" | "IncPatch" => Some(&[]),
            "Compare" | "Equal" | "LessThan" | "LessThanEqual" | "GreaterThan"
            | "GreaterThanEqual" => Some(OTHER),
            _ => None,
        }
    }

    fn call(&self, name: &str, args: &[Value]) -> Result<Value, CallError> {
        if let Some(other) = args.first().and_then(Value::downcast::<Self>) {
            let order = self.compare(other);
            return Ok(match name {
                "Compare" => Value::Int(order as i64),
                "Equal" => order.is_eq().into(),
                "LessThan" => order.is_lt().into(),
                "LessThanEqual" => order.is_le().into(),
                "GreaterThan" => order.is_gt().into(),
                _ => order.is_ge().into(),
            });
        }
        Ok(match name {
            "Major" => Value::Uint64(self.major),
            "Minor" => Value::Uint64(self.minor),
            "Patch" => Value::Uint64(self.patch),
            "Prerelease" => self.pre.as_str().into(),
            "Metadata" => self.metadata.as_str().into(),
            "Original" => self.original.as_str().into(),
            "String" => self.text().into(),
            _ => Value::object(self.increment(name)),
        })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
