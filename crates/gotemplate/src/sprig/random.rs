//! Random strings, numbers and order. Knows how to choose evenly from a source of random bytes.

use crate::functions::{CallError, Function, Functions};
use crate::sprig::{Env, INT, TEXT, check_length, int, lossy};
use crate::value::Value;

pub(super) fn add_to(functions: &mut Functions, environment: &Env) {
    let alphabets = [
        (
            "randAlpha",
            ('A'..='Z').chain('a'..='z').collect::<String>(),
        ),
        ("randNumeric", ('0'..='9').collect()),
        (
            "randAlphaNum",
            ('A'..='Z').chain('a'..='z').chain('0'..='9').collect(),
        ),
        ("randAscii", (' '..='~').collect()),
    ];
    for (name, alphabet) in alphabets {
        let env = environment.clone();
        functions.add(
            name,
            Function::new(&[INT], move |args| {
                let count = length(int(args, 0))?;
                let alphabet = alphabet.as_bytes();
                let chosen: Vec<u8> = (0..count)
                    .map(|_| alphabet[below(&env, alphabet.len())])
                    .collect();
                Ok(chosen.into())
            }),
        );
    }
    let env = environment.clone();
    functions.add(
        "randBytes",
        Function::new(&[INT], move |args| {
            let mut bytes = vec![0; length(int(args, 0))?];
            env.fill_random(&mut bytes);
            Ok(data_encoding::BASE64.encode(&bytes).into())
        }),
    );
    add_choices(functions, environment);
}

/// Numbers, UUIDs and order.
fn add_choices(functions: &mut Functions, environment: &Env) {
    let env = environment.clone();
    functions.add(
        "randInt",
        Function::new(&[INT, INT], move |args| {
            let (min, max) = (int(args, 0), int(args, 1));
            match max
                .checked_sub(min)
                .and_then(|width| usize::try_from(width).ok())
            {
                Some(width) if width > 0 => {
                    let offset = i64::try_from(below(&env, width)).unwrap_or_default();
                    Ok(Value::Int(min + offset))
                }
                _ => Err(CallError::new("invalid argument to Intn")),
            }
        }),
    );
    let env = environment.clone();
    functions.add("uuidv4", Function::new(&[], move |_| Ok(uuid(&env).into())));
    let env = environment.clone();
    functions.add(
        "shuffle",
        Function::new(&[TEXT], move |args| {
            let mut chars: Vec<char> = lossy(args, 0).chars().collect();
            for i in (1..chars.len()).rev() {
                chars.swap(i, below(&env, i + 1));
            }
            Ok(chars.into_iter().collect::<String>().into())
        }),
    );
}

fn length(count: i64) -> Result<usize, CallError> {
    let count = usize::try_from(count).unwrap_or_default();
    check_length(count)?;
    Ok(count)
}

/// An even choice from 0 to below `bound`.
fn below(env: &Env, bound: usize) -> usize {
    let bound = bound as u64;
    // what lies above the last multiple of the bound would favour small results
    let limit = u64::MAX - u64::MAX % bound;
    let mut value = 0;
    // a source that is random does not fail twice, let alone so often
    for _ in 0..128 {
        let mut bytes = [0; 8];
        env.fill_random(&mut bytes);
        value = u64::from_le_bytes(bytes);
        if value < limit {
            break;
        }
    }
    usize::try_from(value % bound).unwrap_or_default()
}

/// A random UUID, version 4.
fn uuid(env: &Env) -> String {
    let mut bytes = [0; 16];
    env.fill_random(&mut bytes);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = data_encoding::HEXLOWER.encode(&bytes);
    [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ]
    .join("-")
}
