//! Lists and maps with Go's reference semantics. Knows element types, sharing and how to let go of
//! deep structures without recursion; refuses cycles. Does not know what is done with them.

use std::cell::{Ref, RefCell};
use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;

use crate::value::Value;

/// The element type of a list or map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elem {
    /// `interface {}`
    Any,
    /// `string`
    String,
    /// `int`
    Int,
    /// `uint8`
    Uint8,
    /// `[]interface {}`
    AnyList,
    /// `map[string]string`
    StringMap,
}

impl Elem {
    /// The zero value of the type.
    pub fn zero(self) -> Value {
        match self {
            Self::Any => Value::Nil,
            Self::String => Value::bytes(b""),
            Self::Int => Value::Int(0),
            Self::Uint8 => Value::Uint8(0),
            Self::AnyList => Value::list(Vec::new()),
            Self::StringMap => Value::Map(Map::new(Self::String, BTreeMap::new())),
        }
    }

    /// Whether the value may be an element.
    pub fn accepts(self, value: &Value) -> bool {
        match self {
            Self::Any => true,
            Self::String => matches!(value, Value::Str(_)),
            Self::Int => matches!(value, Value::Int(_)),
            Self::Uint8 => matches!(value, Value::Uint8(_)),
            Self::AnyList => matches!(value, Value::List(list) if list.elem() == Self::Any),
            Self::StringMap => matches!(value, Value::Map(map) if map.elem() == Self::String),
        }
    }
}

/// A slice. Clones share the items.
#[derive(Clone, Debug)]
pub struct List(Rc<ListData>);

#[derive(Debug)]
struct ListData {
    elem: Elem,
    /// Go's nil slice, which is empty too
    nil: bool,
    items: RefCell<Vec<Value>>,
}

impl List {
    /// A list of these items, which must be of the element type.
    pub fn new(elem: Elem, items: Vec<Value>) -> Self {
        debug_assert!(items.iter().all(|item| elem.accepts(item)));
        Self(Rc::new(ListData {
            elem,
            nil: false,
            items: RefCell::new(items),
        }))
    }

    /// Go's nil slice of this type: empty, equal to nil, and `null` in JSON.
    pub fn nil(elem: Elem) -> Self {
        Self(Rc::new(ListData {
            elem,
            nil: true,
            items: RefCell::default(),
        }))
    }

    /// Whether it is a nil slice.
    pub fn is_nil(&self) -> bool {
        self.0.nil
    }

    /// The element type.
    pub fn elem(&self) -> Elem {
        self.0.elem
    }

    /// The number of items.
    #[allow(clippy::len_without_is_empty, reason = "Go has only len")]
    pub fn len(&self) -> usize {
        self.0.items.borrow().len()
    }

    /// The item at this index.
    pub fn get(&self, index: usize) -> Option<Value> {
        self.0.items.borrow().get(index).cloned()
    }

    /// The items.
    pub fn items(&self) -> Ref<'_, [Value]> {
        Ref::map(self.0.items.borrow(), Vec::as_slice)
    }

    /// Sorts a `[]string` bytewise, in place and for all who share it.
    pub(crate) fn sort_strings(&self) {
        if self.elem() == Elem::String {
            self.0
                .items
                .borrow_mut()
                .sort_by(|a, b| a.as_bytes().cmp(&b.as_bytes()));
        }
    }

    pub(crate) fn type_name(&self) -> &'static str {
        match self.0.elem {
            Elem::Any => "[]interface {}",
            Elem::String => "[]string",
            Elem::Int => "[]int",
            Elem::Uint8 => "[]uint8",
            Elem::AnyList => "[][]interface {}",
            Elem::StringMap => "[]map[string]string",
        }
    }
}

/// A map with string keys, ordered bytewise. Clones share the entries.
#[derive(Clone, Debug)]
pub struct Map(Rc<MapData>);

#[derive(Debug)]
struct MapData {
    elem: Elem,
    entries: RefCell<BTreeMap<Rc<[u8]>, Value>>,
}

/// A map was about to become part of itself, or of the wrong element type. Go allows the former and
/// dies when such a map is printed.
#[derive(Debug, thiserror::Error)]
#[error("a map cannot hold itself")]
pub struct CycleError;

impl Map {
    /// A map of these entries, whose values must be of the element type.
    pub fn new(elem: Elem, entries: BTreeMap<Rc<[u8]>, Value>) -> Self {
        debug_assert!(entries.values().all(|value| elem.accepts(value)));
        Self(Rc::new(MapData {
            elem,
            entries: RefCell::new(entries),
        }))
    }

    /// The element type.
    pub fn elem(&self) -> Elem {
        self.0.elem
    }

    /// The number of entries.
    #[allow(clippy::len_without_is_empty, reason = "Go has only len")]
    pub fn len(&self) -> usize {
        self.0.entries.borrow().len()
    }

    /// The value at this key.
    pub fn get(&self, key: &[u8]) -> Option<Value> {
        self.0.entries.borrow().get(key).cloned()
    }

    /// Whether there is an entry with this key.
    pub fn contains(&self, key: &[u8]) -> bool {
        self.0.entries.borrow().contains_key(key)
    }

    /// The entries in the order of their keys.
    pub fn entries(&self) -> Ref<'_, BTreeMap<Rc<[u8]>, Value>> {
        self.0.entries.borrow()
    }

    /// Sets an entry, for all who share the map. Fails if the map is reachable from the value.
    pub fn insert(&self, key: &[u8], value: Value) -> Result<(), CycleError> {
        if self.reachable_from(&value) || !self.elem().accepts(&value) {
            return Err(CycleError);
        }
        self.0.entries.borrow_mut().insert(Rc::from(key), value);
        Ok(())
    }

    /// Removes an entry, for all who share the map.
    pub fn remove(&self, key: &[u8]) {
        self.0.entries.borrow_mut().remove(key);
    }

    /// Whether both are the same map.
    pub fn same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    pub(crate) fn type_name(&self) -> &'static str {
        match self.0.elem {
            Elem::Any => "map[string]interface {}",
            Elem::String => "map[string]string",
            Elem::Int => "map[string]int",
            Elem::Uint8 => "map[string]uint8",
            Elem::AnyList => "map[string][]interface {}",
            Elem::StringMap => "map[string]map[string]string",
        }
    }

    fn reachable_from(&self, value: &Value) -> bool {
        let mut seen = HashSet::new();
        let mut todo = vec![value.clone()];
        while let Some(value) = todo.pop() {
            match value {
                Value::Map(map) if map.same(self) => return true,
                Value::Map(map) if seen.insert(Rc::as_ptr(&map.0).cast::<()>()) => {
                    todo.extend(map.entries().values().filter(|v| v.is_container()).cloned());
                }
                Value::List(list) if seen.insert(Rc::as_ptr(&list.0).cast::<()>()) => {
                    todo.extend(list.items().iter().filter(|v| v.is_container()).cloned());
                }
                _ => {}
            }
        }
        false
    }
}

impl Value {
    fn is_container(&self) -> bool {
        matches!(self, Self::List(_) | Self::Map(_))
    }
}

impl Drop for ListData {
    fn drop(&mut self) {
        drop_all(std::mem::take(self.items.get_mut()));
    }
}

impl Drop for MapData {
    fn drop(&mut self) {
        drop_all(
            std::mem::take(self.entries.get_mut())
                .into_values()
                .collect(),
        );
    }
}

/// Drops values level by level: a chain of a million nested lists must not become a million
/// stack frames.
fn drop_all(mut todo: Vec<Value>) {
    while let Some(value) = todo.pop() {
        match value {
            Value::List(list) => {
                if let Ok(mut data) = Rc::try_unwrap(list.0) {
                    todo.append(data.items.get_mut());
                }
            }
            Value::Map(map) => {
                if let Ok(mut data) = Rc::try_unwrap(map.0) {
                    todo.extend(std::mem::take(data.entries.get_mut()).into_values());
                }
            }
            _ => {}
        }
    }
}
