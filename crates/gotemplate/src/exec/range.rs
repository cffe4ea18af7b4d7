//! `range`: what can be iterated over, and what the variables are in each round. Knows Go's rules for
//! lists, maps, integers and iterator functions.

use crate::error::Error;
use crate::exec::{Flow, Held, State};
use crate::node::Branch;
use crate::value::{Elem, Kind, Sequence, Value};

impl<'t> State<'t> {
    pub(super) fn range(&mut self, dot: &Held, branch: &'t Branch) -> Result<Flow, Error> {
        let value = self.pipeline(dot, &branch.pipe)?;
        let empty = match &value {
            Value::Nil => true,
            Value::List(list) => {
                let (count, interface) = (list.len(), list.elem() == Elem::Any);
                // the list may be sorted in place meanwhile, not shortened
                for i in 0..count {
                    let index = Held::plain(Value::Int(i64::try_from(i).unwrap_or(i64::MAX)));
                    let value = list.get(i).unwrap_or(Value::Nil);
                    if !self.round(branch, index, &Held { value, interface })? {
                        break;
                    }
                }
                count == 0
            }
            Value::Map(map) => {
                // a copy: the map may change meanwhile
                let entries: Vec<_> = map
                    .entries()
                    .iter()
                    .map(|(k, v)| (k.clone(), v.clone()))
                    .collect();
                let (empty, interface) = (entries.is_empty(), map.elem() == Elem::Any);
                for (key, value) in entries {
                    if !self.round(
                        branch,
                        Held::plain(Value::Str(key)),
                        &Held { value, interface },
                    )? {
                        break;
                    }
                }
                empty
            }
            _ => self.sequence(branch, &value)?,
        };
        match &branch.otherwise {
            Some(otherwise) if empty => match self.walk(dot, otherwise)? {
                // a break in there ends this range, not the one around it
                Flow::Break => Ok(Flow::Next),
                flow => Ok(flow),
            },
            _ => Ok(Flow::Next),
        }
    }

    /// `range` over an integer or an iterator function; whether there was nothing.
    fn sequence(&mut self, branch: &'t Branch, value: &Value) -> Result<bool, Error> {
        let pairs = branch.pipe.decl.len() > 1;
        let items: Box<dyn Iterator<Item = (Value, Value)> + '_> = match value {
            Value::Object(object) => match object.sequence() {
                Some(Sequence::One(_)) if pairs => {
                    let after = " iterate over more than one variable";
                    return Err(self.error_about("can't use ", value, after));
                }
                Some(Sequence::One(items)) => Box::new(items.map(|item| (Value::Nil, item))),
                Some(Sequence::Two(items)) if pairs => items,
                // a single variable is the first of the two
                Some(Sequence::Two(items)) => Box::new(items.map(|(first, _)| (Value::Nil, first))),
                None => self.numbers(value, pairs)?,
            },
            _ => self.numbers(value, pairs)?,
        };
        // what an iterator function yields is of interface type
        let interface = value.kind() == Kind::Func;
        let held = |value| Held { value, interface };
        let mut empty = true;
        for (index, value) in items {
            empty = false;
            if !self.round(branch, held(index), &held(value))? {
                break;
            }
        }
        Ok(empty)
    }

    /// The numbers from 0 up to an integer, each of the integer's type.
    fn numbers(
        &self,
        value: &Value,
        pairs: bool,
    ) -> Result<Box<dyn Iterator<Item = (Value, Value)>>, Error> {
        let end = match (value.as_int(), value.as_uint()) {
            (Some(int), _) => u64::try_from(int).unwrap_or(0),
            (None, Some(uint)) => uint,
            (None, None) => return Err(self.error_about("range can't iterate over ", value, "")),
        };
        if pairs {
            let after = " to iterate over more than one variable";
            return Err(self.error_about("can't use ", value, after));
        }
        let of = value.clone();
        let number = move |i: u64| {
            let int = i64::try_from(i).unwrap_or(i64::MAX);
            match &of {
                Value::Int64(_) => Value::Int64(int),
                Value::Uint8(_) => Value::Uint8(u8::try_from(i).unwrap_or(u8::MAX)),
                Value::Uint64(_) => Value::Uint64(i),
                Value::Object(object) => object.with_int(int).unwrap_or(Value::Int(int)),
                _ => Value::Int(int),
            }
        };
        Ok(Box::new((0..end).map(move |i| (Value::Nil, number(i)))))
    }

    /// One round of a loop; false if it was left.
    fn round(&mut self, branch: &'t Branch, index: Held, item: &Held) -> Result<bool, Error> {
        self.step()?;
        let mark = self.variables.len();
        let decl = &branch.pipe.decl;
        if branch.pipe.is_assign {
            if let [first, second] = &decl[..] {
                self.assign(first, index)?;
                self.assign(second, item.clone())?;
            } else if let Some(first) = decl.first() {
                self.assign(first, item.clone())?;
            }
        } else {
            // the pipeline has declared the variables, the last one is the item
            if let Some(top) = (!decl.is_empty())
                .then(|| self.variables.last_mut())
                .flatten()
            {
                top.1 = item.clone();
            }
            if decl.len() > 1
                && let Some(below) = mark.checked_sub(2)
            {
                self.variables[below].1 = index;
            }
        }
        let flow = self.walk(item, &branch.body)?;
        self.variables.truncate(mark);
        Ok(!matches!(flow, Flow::Break))
    }
}
