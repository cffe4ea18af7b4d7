//! The data of a pair: values that both sides can be given. Knows how they go over the wire.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use data_encoding::BASE64;
use gotemplate::{Elem, Kind, Map, Object, Sequence, Value};

use super::{Random, literals, tables};

/// A value, by its Go type.
#[derive(Clone)]
pub(crate) enum Datum {
    Nil,
    Bool(bool),
    Int(i64),
    Int64(i64),
    Uint8(u8),
    Uint64(u64),
    Float(f64),
    Text(Vec<u8>),
    List(Vec<Self>),
    Texts(Vec<Vec<u8>>),
    Ints(Vec<i64>),
    Dict(BTreeMap<String, Self>),
    TextMap(BTreeMap<String, Vec<u8>>),
    /// `func(func(any) bool)`
    Seq(Vec<Self>),
    /// `func(func(any, any) bool)`, keys and values alternating
    Seq2(Vec<Self>),
}

impl Datum {
    /// As gotemplate's value.
    pub(crate) fn value(&self) -> Value {
        match self {
            Self::Nil => Value::Nil,
            Self::Bool(it) => Value::Bool(*it),
            Self::Int(it) => Value::Int(*it),
            Self::Int64(it) => Value::Int64(*it),
            Self::Uint8(it) => Value::Uint8(*it),
            Self::Uint64(it) => Value::Uint64(*it),
            Self::Float(it) => Value::Float(*it),
            Self::Text(it) => Value::bytes(it),
            Self::List(items) => Value::list(items.iter().map(Self::value).collect()),
            Self::Texts(items) => Value::strings(items),
            Self::Ints(items) => Value::ints(items.iter().copied()),
            Self::Dict(entries) => Value::dict(entries.iter().map(|(k, v)| (k, v.value()))),
            Self::TextMap(entries) => {
                let entries = entries
                    .iter()
                    .map(|(k, v)| (Rc::from(k.as_bytes()), Value::bytes(v)));
                Value::Map(Map::new(Elem::String, entries.collect()))
            }
            Self::Seq(items) => Value::object(Iterator {
                items: items.clone(),
                pairs: false,
            }),
            Self::Seq2(items) => Value::object(Iterator {
                items: items.clone(),
                pairs: true,
            }),
        }
    }

    /// As the Go program reads it.
    pub(crate) fn wire(&self) -> String {
        let list = |items: &[Self]| {
            let items: Vec<_> = items.iter().map(Self::wire).collect();
            items.join(",")
        };
        let text = |bytes: &[u8]| format!("\"{}\"", BASE64.encode(bytes));
        let key = |key: &str| format!(r#"{{"s":{}}}"#, text(key.as_bytes()));
        match self {
            Self::Nil => "null".to_owned(),
            Self::Bool(it) => it.to_string(),
            Self::Int(it) => format!(r#"{{"i":"{it}"}}"#),
            Self::Int64(it) => format!(r#"{{"I":"{it}"}}"#),
            Self::Uint8(it) => format!(r#"{{"u":"{it}"}}"#),
            Self::Uint64(it) => format!(r#"{{"U":"{it}"}}"#),
            Self::Float(it) => format!(r#"{{"f":"{it:?}"}}"#),
            Self::Text(it) => format!(r#"{{"s":{}}}"#, text(it)),
            Self::List(items) => format!(r#"{{"l":[{}]}}"#, list(items)),
            Self::Texts(items) => {
                let items: Vec<_> = items.iter().map(|it| text(it)).collect();
                format!(r#"{{"S":[{}]}}"#, items.join(","))
            }
            Self::Ints(items) => format!(r#"{{"n":{items:?}}}"#),
            Self::Dict(entries) => {
                let entries: Vec<_> = entries
                    .iter()
                    .map(|(k, v)| format!("{},{}", key(k), v.wire()))
                    .collect();
                format!(r#"{{"m":[{}]}}"#, entries.join(","))
            }
            Self::TextMap(entries) => {
                let entries: Vec<_> = entries
                    .iter()
                    .map(|(k, v)| format!(r#"{},{{"s":{}}}"#, key(k), text(v)))
                    .collect();
                format!(r#"{{"M":[{}]}}"#, entries.join(","))
            }
            Self::Seq(items) => format!(r#"{{"q":[{}]}}"#, list(items)),
            Self::Seq2(items) => format!(r#"{{"Q":[{}]}}"#, list(items)),
        }
    }
}

impl fmt::Debug for Datum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |bytes: &Vec<u8>| format!("\"{}\"", bytes.escape_ascii());
        match self {
            Self::Nil => f.write_str("nil"),
            Self::Bool(it) => it.fmt(f),
            Self::Int(it) => it.fmt(f),
            Self::Int64(it) => write!(f, "int64({it})"),
            Self::Uint8(it) => write!(f, "uint8({it})"),
            Self::Uint64(it) => write!(f, "uint64({it})"),
            Self::Float(it) => write!(f, "{it:?}"),
            Self::Text(it) => f.write_str(&text(it)),
            Self::List(items) => items.fmt(f),
            Self::Texts(items) => {
                let items: Vec<_> = items.iter().map(text).collect();
                write!(f, "[]string[{}]", items.join(", "))
            }
            Self::Ints(items) => write!(f, "[]int{items:?}"),
            Self::Dict(entries) => entries.fmt(f),
            Self::TextMap(entries) => {
                let entries: Vec<_> = entries
                    .iter()
                    .map(|(k, v)| format!("{k:?}: {}", text(v)))
                    .collect();
                write!(f, "map[string]string{{{}}}", entries.join(", "))
            }
            Self::Seq(items) => write!(f, "seq{items:?}"),
            Self::Seq2(items) => write!(f, "seq2{items:?}"),
        }
    }
}

/// An iterator function over these items.
#[derive(Debug)]
struct Iterator {
    items: Vec<Datum>,
    pairs: bool,
}

impl Object for Iterator {
    fn type_name(&self) -> &'static str {
        if self.pairs {
            "main.sequence2"
        } else {
            "main.sequence"
        }
    }

    fn kind(&self) -> Kind {
        Kind::Func
    }

    fn text(&self) -> String {
        "sequence".to_owned()
    }

    fn sequence(&self) -> Option<Sequence<'_>> {
        Some(if self.pairs {
            let pairs = self.items.chunks_exact(2);
            Sequence::Two(Box::new(
                pairs.map(|pair| (pair[0].value(), pair[1].value())),
            ))
        } else {
            Sequence::One(Box::new(self.items.iter().map(Datum::value)))
        })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn scalar(random: &mut Random) -> Datum {
    match random.below(10) {
        0 => Datum::Nil,
        1 => Datum::Bool(random.one_in(2)),
        2 | 3 => Datum::Int(literals::int_value(random)),
        4 => Datum::Float(literals::float_value(random)),
        5 => Datum::Int64(literals::int_value(random)),
        6 => Datum::Uint8(u8::try_from(random.below(256)).unwrap()),
        _ => Datum::Text(literals::text_value(random)),
    }
}

fn any(random: &mut Random, depth: usize) -> Datum {
    if depth == 0 {
        return scalar(random);
    }
    let count = random.below(4);
    match random.below(8) {
        0 => Datum::List((0..count).map(|_| any(random, depth - 1)).collect()),
        1 => Datum::Dict(
            (0..count)
                .map(|_| (random.word(tables::KEYS).to_owned(), any(random, depth - 1)))
                .collect(),
        ),
        _ => scalar(random),
    }
}

fn texts(random: &mut Random) -> Vec<Vec<u8>> {
    (0..random.below(5))
        .map(|_| literals::text_value(random))
        .collect()
}

fn text_map(random: &mut Random) -> BTreeMap<String, Vec<u8>> {
    let mut entries: BTreeMap<_, _> = (0..random.below(3))
        .map(|_| {
            let key = random.word(tables::KEYS).to_owned();
            (key, literals::text_value(random))
        })
        .collect();
    entries.insert("s1".to_owned(), literals::text_value(random));
    entries.insert("s2".to_owned(), literals::text_value(random));
    entries
}

/// What the template finds at its dot: mostly a map with values of all types, each type under names of
/// its own, iterator functions where asked; else the map of texts that a Secret is.
pub(crate) fn root(random: &mut Random, sequences: bool) -> Datum {
    if !sequences && random.one_in(6) {
        return Datum::TextMap(text_map(random));
    }
    let list = |random: &mut Random| -> Vec<Datum> {
        (0..random.below(5)).map(|_| any(random, 2)).collect()
    };
    let mut inner: BTreeMap<String, Datum> = (0..random.below(3))
        .map(|_| (random.word(tables::KEYS).to_owned(), any(random, 2)))
        .collect();
    inner.insert("s1".to_owned(), Datum::Text(literals::text_value(random)));
    inner.insert("nul".to_owned(), Datum::Nil);
    let entries = [
        ("s1", Datum::Text(literals::text_value(random))),
        ("s2", Datum::Text(literals::text_value(random))),
        ("i1", Datum::Int(literals::int_value(random))),
        ("i2", Datum::Int64(literals::int_value(random))),
        ("i3", Datum::Uint64(random.next() >> random.below(64))),
        ("i4", Datum::Uint8(u8::try_from(random.below(256)).unwrap())),
        ("f1", Datum::Float(literals::float_value(random))),
        ("f2", Datum::Float(literals::float_value(random))),
        ("b1", Datum::Bool(random.one_in(2))),
        ("l1", Datum::List(list(random))),
        ("l2", Datum::List(list(random))),
        ("t1", Datum::Texts(texts(random))),
        (
            "n1",
            Datum::Ints(
                (0..random.below(5))
                    .map(|_| literals::int_value(random))
                    .collect(),
            ),
        ),
        ("d1", Datum::Dict(inner.clone())),
        ("d2", any_dict(random, inner)),
        ("m1", Datum::TextMap(text_map(random))),
        ("nul", Datum::Nil),
    ];
    let mut root: BTreeMap<_, _> = entries.map(|(key, value)| (key.to_owned(), value)).into();
    if sequences {
        let mut pairs = list(random);
        pairs.truncate(pairs.len() / 2 * 2);
        root.insert("q1".to_owned(), Datum::Seq(list(random)));
        root.insert("q2".to_owned(), Datum::Seq2(pairs));
    }
    Datum::Dict(root)
}

fn any_dict(random: &mut Random, inner: BTreeMap<String, Datum>) -> Datum {
    let mut entries: BTreeMap<_, _> = (0..random.below(4))
        .map(|_| (random.word(tables::KEYS).to_owned(), any(random, 3)))
        .collect();
    if random.one_in(2) {
        entries.insert("d1".to_owned(), Datum::Dict(inner));
    }
    Datum::Dict(entries)
}
