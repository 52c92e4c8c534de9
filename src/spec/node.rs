//! The spec as a tree whose every part knows where it stands.

use std::ops::Range;

use indexmap::IndexMap;
use toml::de::{DeTable, DeValue};

/// A range of bytes in one of the sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    /// Which source.
    pub source: usize,
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

/// A key and its place.
#[derive(Clone, Debug)]
pub struct Key {
    /// The key, unquoted.
    pub text: String,
    /// Where it stands.
    pub at: At,
}

/// A value and its place.
#[derive(Clone, Debug)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where it stands.
    pub at: At,
}

/// The entries of a table in the order of the file.
pub type Table = IndexMap<String, (Key, Node)>;

/// A TOML value.
#[derive(Clone, Debug)]
pub enum Value {
    /// A string.
    Text(String),
    /// An integer.
    Integer(i64),
    /// A float.
    Float(f64),
    /// A boolean.
    Boolean(bool),
    /// What no key of the spec takes: a date, or an integer of more than 64 bits.
    Other {
        /// Its type in TOML's words, with its article.
        is: &'static str,
        /// The value as it is written.
        written: String,
    },
    /// An array.
    List(Vec<Node>),
    /// A table.
    Table(Table),
}

impl Node {
    /// A table with nothing in it, at the beginning of the first source.
    pub fn empty() -> Self {
        Self { value: Value::Table(Table::new()), at: At { source: 0, start: 0, end: 0 } }
    }

    /// Lays another tree over this one: tables are merged, everything else takes the place of what was there.
    /// Each value keeps the place where it was said.
    pub fn overlay(&mut self, over: Node) {
        match (&mut self.value, over.value) {
            (Value::Table(own), Value::Table(over)) => {
                for (name, (key, node)) in over {
                    match own.get_mut(&name) {
                        Some((_, own)) if own.is_table() && node.is_table() => own.overlay(node),
                        Some(own) => *own = (key, node),
                        None => {
                            own.insert(name, (key, node));
                        }
                    }
                }
            }
            (_, value) => *self = Node { value, at: over.at },
        }
    }

    fn is_table(&self) -> bool {
        matches!(self.value, Value::Table(_))
    }
}

impl Value {
    /// The type in TOML's words, with its article.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Text(_) => "a string",
            Value::Integer(_) => "an integer",
            Value::Float(_) => "a float",
            Value::Boolean(_) => "a boolean",
            Value::Other { is, .. } => is,
            Value::List(_) => "an array",
            Value::Table(_) => "a table",
        }
    }
}

/// Where a parsed text stands: in which source, and after how many bytes of it.
#[derive(Clone, Copy)]
pub(super) struct Origin {
    pub(super) source: usize,
    pub(super) offset: usize,
}

impl Origin {
    pub(super) fn at(self, span: Range<usize>) -> At {
        At { source: self.source, start: self.offset + span.start, end: self.offset + span.end }
    }

    pub(super) fn table(self, map: DeTable<'_>) -> Table {
        map.into_iter()
            .map(|(key, value)| {
                let at = self.at(key.span());
                let text = key.into_inner().into_owned();
                (text.clone(), (Key { text, at }, self.node(value)))
            })
            .collect()
    }

    pub(super) fn node(self, spanned: toml::Spanned<DeValue<'_>>) -> Node {
        let at = self.at(spanned.span());
        let value = match spanned.into_inner() {
            DeValue::String(text) => Value::Text(text.into_owned()),
            DeValue::Integer(number) => integer(number.as_str(), number.radix()),
            DeValue::Float(number) => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Boolean(value) => Value::Boolean(value),
            DeValue::Datetime(date) => Value::Other { is: "a date", written: date.to_string() },
            DeValue::Array(items) => Value::List(items.into_iter().map(|item| self.node(item)).collect()),
            DeValue::Table(map) => Value::Table(self.table(map)),
        };
        Node { value, at }
    }
}

fn integer(digits: &str, radix: u32) -> Value {
    let prefix = match radix {
        2 => "0b",
        8 => "0o",
        16 => "0x",
        _ => "",
    };
    let too_long = || Value::Other { is: "an integer", written: format!("{prefix}{digits}") };
    i64::from_str_radix(digits, radix).map_or_else(|_| too_long(), Value::Integer)
}
