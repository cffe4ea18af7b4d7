//! Merging maps. Knows which side wins; nested maps of a source are shared, not copied.

use crate::functions::CallError;
use crate::limits::MAX_VALUE_DEPTH;
use crate::sprig::defaults::is_empty;
use crate::sprig::map;
use crate::value::{Map, Value};

/// Entries that one merge looks at.
const MAX_ENTRIES: usize = 1_000_000;

/// Merges all further maps into the first, which changes. Without `overwrite` only what is missing
/// or empty is taken; with it everything.
pub(super) fn merge(args: &[Value], overwrite: bool) -> Result<Value, CallError> {
    let mut merge = Merge {
        overwrite,
        entries: 0,
    };
    for i in 1..args.len() {
        merge.maps(map(args, 0)?, map(args, i)?, 0)?;
    }
    Ok(args[0].clone())
}

struct Merge {
    overwrite: bool,
    entries: usize,
}

impl Merge {
    fn maps(&mut self, to: &Map, from: &Map, depth: usize) -> Result<(), CallError> {
        if depth > MAX_VALUE_DEPTH {
            return Err(CallError::new("value too deep to merge"));
        }
        if to.same(from) {
            return Ok(());
        }
        let entries: Vec<_> = from
            .entries()
            .iter()
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        for (key, value) in entries {
            self.entries += 1;
            if self.entries > MAX_ENTRIES {
                return Err(CallError::new("value too large to merge"));
            }
            self.entry(to, &key, value, depth)?;
        }
        Ok(())
    }

    fn entry(&mut self, to: &Map, key: &[u8], value: Value, depth: usize) -> Result<(), CallError> {
        let present = to.get(key);
        let take = match (&present, &value) {
            (_, Value::Nil) => self.overwrite,
            (Some(Value::Map(inner)), Value::Map(from)) => {
                self.maps(inner, from, depth + 1)?;
                inner.len() == 0
            }
            (Some(present), _) => self.overwrite || is_empty(present),
            (None, _) => true,
        };
        if take && !to.elem().accepts(&value) {
            // Go knows the type of a list only by then
            let found = match value {
                Value::List(_) => value.type_name(),
                _ => "interface {}".into(),
            };
            let to = to.elem().zero();
            return Err(CallError::new(format!(
                "reflect.Value.SetMapIndex: value of type {found} is not assignable to type {}",
                to.type_name()
            )));
        }
        if take {
            to.insert(key, value)
                .map_err(|error| CallError::new(error.to_string()))?;
        }
        Ok(())
    }
}
