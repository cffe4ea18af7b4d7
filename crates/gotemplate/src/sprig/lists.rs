//! Lists: making, taking apart, putting together. Knows sprig's messages; lists are never changed
//! in place.

use crate::functions::{CallError, Function, Functions};
use crate::sprig::defaults::is_empty;
use crate::sprig::numbers::to_int;
use crate::sprig::{ANY, INT, add_both, int, list_of, nil_error};
use crate::value::{Elem, List, Value, deep_equal};

/// Items of a list that is put together.
const MAX_ITEMS: usize = 1_000_000;

pub(super) fn add_to(functions: &mut Functions) {
    let list = Function::variadic(&[ANY], |args| Ok(Value::list(args.to_vec())));
    add_both(functions, ["list", "tuple"], &list);
    let push = Function::new(&[ANY, ANY], |args| {
        let mut items = items(args, 0, "push on")?;
        items.push(args[1].clone());
        made(items)
    });
    add_both(functions, ["append", "mustAppend"], &push);
    add_both(functions, ["push", "mustPush"], &push);
    let prepend = Function::new(&[ANY, ANY], |args| {
        let mut items = items(args, 0, "prepend on")?;
        items.insert(0, args[1].clone());
        made(items)
    });
    add_both(functions, ["prepend", "mustPrepend"], &prepend);
    functions.add("concat", Function::variadic(&[ANY], concat));
    add_parts(functions);
    add_filters(functions);
}

fn add_parts(functions: &mut Functions) {
    let first = Function::new(&[ANY], |args| {
        Ok(items(args, 0, "find first on")?
            .first()
            .cloned()
            .unwrap_or(Value::Nil))
    });
    add_both(functions, ["first", "mustFirst"], &first);
    let last = Function::new(&[ANY], |args| {
        Ok(items(args, 0, "find last on")?.pop().unwrap_or(Value::Nil))
    });
    add_both(functions, ["last", "mustLast"], &last);
    let rest = Function::new(&[ANY], |args| {
        let mut items = items(args, 0, "find rest on")?;
        if items.is_empty() {
            return Ok(Value::List(List::nil(Elem::Any)));
        }
        items.remove(0);
        Ok(Value::list(items))
    });
    add_both(functions, ["rest", "mustRest"], &rest);
    let initial = Function::new(&[ANY], |args| {
        let mut items = items(args, 0, "find initial on")?;
        if items.pop().is_none() {
            return Ok(Value::List(List::nil(Elem::Any)));
        }
        Ok(Value::list(items))
    });
    add_both(functions, ["initial", "mustInitial"], &initial);
    let slice = Function::variadic(&[ANY, ANY], slice);
    add_both(functions, ["slice", "mustSlice"], &slice);
    let chunk = Function::new(&[INT, ANY], chunk);
    add_both(functions, ["chunk", "mustChunk"], &chunk);
    let reverse = Function::new(&[ANY], |args| {
        let mut items = items(args, 0, "find reverse on")?;
        items.reverse();
        Ok(Value::list(items))
    });
    add_both(functions, ["reverse", "mustReverse"], &reverse);
}

fn add_filters(functions: &mut Functions) {
    let compact = Function::new(&[ANY], |args| {
        let mut items = items(args, 0, "compact on")?;
        items.retain(|item| !is_empty(item));
        Ok(Value::list(items))
    });
    add_both(functions, ["compact", "mustCompact"], &compact);
    let uniq = Function::new(&[ANY], |args| {
        let mut unique = Vec::new();
        let all = items(args, 0, "find uniq on")?;
        check_pairs(all.len(), all.len())?;
        for item in all {
            if !is_in(&unique, &item)? {
                unique.push(item);
            }
        }
        Ok(Value::list(unique))
    });
    add_both(functions, ["uniq", "mustUniq"], &uniq);
    let without = Function::variadic(&[ANY, ANY], |args| {
        let mut kept = Vec::new();
        let all = items(args, 0, "find without on")?;
        check_pairs(all.len(), args.len())?;
        for item in all {
            if !is_in(&args[1..], &item)? {
                kept.push(item);
            }
        }
        Ok(Value::list(kept))
    });
    add_both(functions, ["without", "mustWithout"], &without);
    let has = Function::new(&[ANY, ANY], |args| match &args[1] {
        Value::Nil => Ok(false.into()),
        _ => is_in(&items(args, 1, "find has on")?, &args[0]).map(Value::from),
    });
    add_both(functions, ["has", "mustHas"], &has);
}

/// The items of the list that is this argument.
fn items(args: &[Value], index: usize, act: &str) -> Result<Vec<Value>, CallError> {
    match (list_of(args, index), &args[index]) {
        (Some(list), _) => Ok(list.items().to_vec()),
        (None, Value::Nil) => Err(nil_error()),
        (None, other) => Err(CallError::new(format!(
            "Cannot {act} type {}",
            other.kind().name()
        ))),
    }
}

fn made(items: Vec<Value>) -> Result<Value, CallError> {
    if items.len() > MAX_ITEMS {
        return Err(CallError::new(format!("more than {MAX_ITEMS} items")));
    }
    Ok(Value::list(items))
}

/// Fails where each of so many would be compared with each of others.
fn check_pairs(items: usize, others: usize) -> Result<(), CallError> {
    if items.saturating_mul(others) > 10_000_000 {
        return Err(CallError::new("too many items to compare"));
    }
    Ok(())
}

fn is_in(items: &[Value], needle: &Value) -> Result<bool, CallError> {
    for item in items {
        if deep_equal(needle, item)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn concat(args: &[Value]) -> Result<Value, CallError> {
    let mut all = Vec::new();
    for (i, arg) in args.iter().enumerate() {
        match (list_of(args, i), arg) {
            (Some(list), _) => all.extend(list.items().iter().cloned()),
            (None, Value::Nil) => return Err(nil_error()),
            (None, other) => {
                let message = format!("Cannot concat type {} as list", other.kind().name());
                return Err(CallError::new(message));
            }
        }
    }
    if all.is_empty() {
        // nothing was appended to Go's nil slice
        return Ok(Value::List(List::nil(Elem::Any)));
    }
    made(all)
}

fn slice(args: &[Value]) -> Result<Value, CallError> {
    let list = match (list_of(args, 0), &args[0]) {
        (Some(list), _) => list,
        (None, Value::Nil) => return Err(nil_error()),
        (None, other) => {
            let kind = other.kind().name();
            return Err(CallError::new(format!(
                "list should be type of slice or array but {kind}"
            )));
        }
    };
    if list.len() == 0 {
        return Ok(Value::Nil);
    }
    let start = usize::try_from(args.get(1).map_or(0, to_int)).ok();
    let end = match args.get(2) {
        Some(end) => usize::try_from(to_int(end)).ok(),
        None => Some(list.len()),
    };
    match (start, end) {
        (Some(start), Some(end)) if start <= end && end <= list.len() => Ok(Value::List(
            List::new(list.elem(), list.items()[start..end].to_vec()),
        )),
        _ => Err(CallError::new(
            "reflect.Value.Slice: slice index out of bounds",
        )),
    }
}

fn chunk(args: &[Value]) -> Result<Value, CallError> {
    let items = match (list_of(args, 1), &args[1]) {
        (Some(list), _) => list.items().to_vec(),
        (None, Value::Nil) => return Err(nil_error()),
        (None, other) => {
            return Err(CallError::new(format!(
                "Cannot chunk type {}",
                other.kind().name()
            )));
        }
    };
    let out_of_range = || CallError::new("runtime error: makeslice: len out of range");
    let chunks = if let Ok(size @ 1..) = usize::try_from(int(args, 0)) {
        items
            .chunks(size)
            .map(|chunk| Value::list(chunk.to_vec()))
            .collect()
    } else {
        // upstream computes the number of chunks by dividing and sees what comes of it
        let size = int(args, 0);
        match (items.len(), size) {
            (_, 0) | (0, _) | (1, -1) => return Err(out_of_range()),
            (1, _) => vec![Value::list(items)],
            (count, _) if count as u64 - 1 <= size.unsigned_abs() => Vec::new(),
            _ => return Err(out_of_range()),
        }
    };
    Ok(Value::List(List::new(Elem::AnyList, chunks)))
}
