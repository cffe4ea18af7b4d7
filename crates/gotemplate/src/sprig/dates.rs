//! Date functions. Knows what sprig takes for a time: a time, or whole seconds since 1970; anything
//! else is the present.

use std::num::IntErrorKind;
use std::time::UNIX_EPOCH;

use crate::functions::{CallError, Function, Functions, Type};
use crate::sprig::duration::{Duration, NANOS};
use crate::sprig::layout_parse::parse;
use crate::sprig::time::{Time, ZERO};
use crate::sprig::zone::Zone;
use crate::sprig::{ANY, Env, TEXT, add_both, bytes, lossy, narrowed, widened};
use crate::value::Value;

const TIME: Type = Type::Object("time.Time");

pub(super) fn add_to(functions: &mut Functions, environment: &Env) {
    let env = environment.clone();
    functions.add(
        "now",
        Function::new(&[], move |_| Ok(Value::object(now(&env)))),
    );
    let env = environment.clone();
    functions.add(
        "date",
        Function::new(&[TEXT, ANY], move |args| {
            Ok(formatted(&time(&env, &args[1]), args))
        }),
    );
    let env = environment.clone();
    let in_zone = Function::new(&[TEXT, ANY, TEXT], move |args| {
        let time = in_zone(&time(&env, &args[1]), &lossy(args, 2));
        Ok(formatted(&time, args))
    });
    add_both(functions, ["dateInZone", "date_in_zone"], &in_zone);
    let env = environment.clone();
    functions.add(
        "htmlDate",
        Function::new(&[ANY], move |args| {
            Ok(time(&env, &args[0]).format("2006-01-02").into())
        }),
    );
    let env = environment.clone();
    functions.add(
        "htmlDateInZone",
        Function::new(&[ANY, TEXT], move |args| {
            Ok(self::in_zone(&time(&env, &args[0]), &lossy(args, 1))
                .format("2006-01-02")
                .into())
        }),
    );
    let env = environment.clone();
    functions.add(
        "ago",
        Function::new(&[ANY], move |args| Ok(ago(&env, &args[0]).into())),
    );
    let env = environment.clone();
    functions.add(
        "durationRound",
        Function::new(&[ANY], move |args| Ok(rounded(&env, &args[0]).into())),
    );
    add_pure(functions);
}

/// Functions that do not look at the clock.
fn add_pure(functions: &mut Functions) {
    functions
        .add(
            "toDate",
            Function::new(&[TEXT, TEXT], |args| {
                let time = parse(&widened(bytes(args, 0)), &widened(bytes(args, 1)));
                Ok(Value::object(time.unwrap_or_else(|_| Time::unix(ZERO))))
            }),
        )
        .add(
            "mustToDate",
            Function::new(&[TEXT, TEXT], |args| {
                let time = parse(&widened(bytes(args, 0)), &widened(bytes(args, 1)));
                let time =
                    time.map_err(|m| CallError::revealing(m, "text does not fit the layout"));
                Ok(Value::object(time?))
            }),
        )
        .add(
            "unixEpoch",
            Function::new(&[TIME], |args| {
                let time = args[0].downcast::<Time>();
                Ok(time.map_or(0, |time| time.seconds).to_string().into())
            }),
        )
        .add(
            "duration",
            Function::new(&[ANY], |args| {
                let seconds = match &args[0] {
                    Value::Str(_) => seconds(&lossy(args, 0)),
                    Value::Int64(seconds) => *seconds,
                    _ => 0,
                };
                Ok(Duration(seconds.wrapping_mul(NANOS)).text().into())
            }),
        );
    let modify = Function::new(&[TEXT, TIME], |args| {
        Ok(
            match (
                Duration::parse(&widened(bytes(args, 0))),
                args[1].downcast::<Time>(),
            ) {
                (Ok(duration), Some(time)) => Value::object(time.add(duration)),
                _ => args[1].clone(),
            },
        )
    });
    add_both(functions, ["dateModify", "date_modify"], &modify);
    let must_modify = Function::new(&[TEXT, TIME], |args| {
        let duration = Duration::parse(&widened(bytes(args, 0)))
            .map_err(|message| CallError::revealing(message, "invalid duration"))?;
        Ok(args[1]
            .downcast::<Time>()
            .map_or(Value::Nil, |time| Value::object(time.add(duration))))
    });
    add_both(
        functions,
        ["mustDateModify", "must_date_modify"],
        &must_modify,
    );
}

/// Go's number of a text: one out of range is the largest.
fn seconds(text: &str) -> i64 {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return 0;
    }
    text.parse()
        .unwrap_or_else(|error: std::num::ParseIntError| match error.kind() {
            IntErrorKind::PosOverflow => i64::MAX,
            IntErrorKind::NegOverflow => i64::MIN,
            _ => 0,
        })
}

/// The time in the layout that is the first argument.
fn formatted(time: &Time, args: &[Value]) -> Value {
    narrowed(&time.format(&widened(bytes(args, 0)))).into()
}

fn now(env: &Env) -> Time {
    let since = env.now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
    Time {
        nanos: i64::from(since.subsec_nanos()),
        ..Time::unix(seconds)
    }
}

/// The time in the local zone, which is UTC.
fn time(env: &Env, value: &Value) -> Time {
    match value {
        Value::Int(seconds) | Value::Int64(seconds) => Time::unix(*seconds),
        value => match value.downcast::<Time>() {
            Some(time) => in_zone(time, "Local"),
            None => now(env),
        },
    }
}

fn in_zone(time: &Time, name: &str) -> Time {
    Time {
        zone: Zone::load(name).unwrap_or(Zone::Utc),
        ..time.clone()
    }
}

fn ago(env: &Env, value: &Value) -> String {
    let since = now(env).since(&time(env, value)).0;
    // to whole seconds, half of one away from zero
    let rest = since % NANOS;
    let up = if rest.abs() * 2 >= NANOS {
        rest.signum()
    } else {
        0
    };
    Duration((since / NANOS + up).saturating_mul(NANOS)).text()
}

/// The largest unit of which there is more than one.
fn rounded(env: &Env, value: &Value) -> String {
    const DAY: u64 = 24 * 3600;
    const UNITS: [(u64, &str); 6] = [
        (365 * DAY, "y"),
        (30 * DAY, "mo"),
        (DAY, "d"),
        (3600, "h"),
        (60, "m"),
        (1, "s"),
    ];
    let duration = match value {
        Value::Str(text) => Duration::parse(&widened(text)).map_or(0, |duration| duration.0),
        Value::Int64(nanos) => *nanos,
        value => value
            .downcast::<Time>()
            .map_or(0, |time| now(env).since(time).0),
    };
    let nanos = duration.unsigned_abs();
    for (seconds, unit) in UNITS {
        let in_nanos = seconds * NANOS.unsigned_abs();
        if nanos > in_nanos {
            return format!("{}{unit}", nanos / in_nanos);
        }
    }
    "0s".to_owned()
}
