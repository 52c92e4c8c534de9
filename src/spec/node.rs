//! The spec as a tree whose every part knows where it stands.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;
use toml::de::{DeTable, DeValue};

use super::problem::{Problem, Problems};

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
    /// An integer; `None` if it does not fit.
    Integer(Option<i64>),
    /// A float.
    Float(f64),
    /// A boolean.
    Boolean(bool),
    /// A date or time, which no key of the spec takes.
    Datetime,
    /// An array.
    List(Vec<Node>),
    /// A table.
    Table(Table),
}

impl Value {
    /// The type in TOML's words, with its article.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Text(_) => "a string",
            Value::Integer(_) => "an integer",
            Value::Float(_) => "a float",
            Value::Boolean(_) => "a boolean",
            Value::Datetime => "a date",
            Value::List(_) => "an array",
            Value::Table(_) => "a table",
        }
    }
}

/// The files a spec was read from.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<(PathBuf, Arc<str>)>,
}

impl Sources {
    /// Parses one more file. Syntax errors go to `problems`.
    pub fn parse(&mut self, path: &Path, text: &str, problems: &mut Problems) -> Node {
        let source = self.files.len();
        self.files.push((path.to_owned(), text.into()));
        let (root, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let span = error.span().unwrap_or(0..0);
            let at = At { source, start: span.start, end: span.end };
            problems.push(
                Problem::new("syntax", at, error.message()).label("here").help("this is not TOML; see https://toml.io"),
            );
        }
        let span = root.span();
        Node {
            value: Value::Table(table(root.into_inner(), source)),
            at: At { source, start: span.start, end: span.end },
        }
    }

    /// The path of a source, as the user named it.
    pub fn path(&self, at: At) -> &Path {
        self.files.get(at.source).map_or(Path::new("spec"), |(path, _)| path)
    }

    /// The paths in the order they were read.
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        self.files.iter().map(|(path, _)| path.clone()).collect()
    }

    /// The whole text of a source.
    pub(super) fn text(&self, at: At) -> Arc<str> {
        self.files.get(at.source).map_or_else(|| "".into(), |(_, text)| text.clone())
    }

    /// The line of a place, from 1.
    pub fn line(&self, at: At) -> usize {
        let text = self.text(at);
        1 + text.as_bytes()[..at.start.min(text.len())].iter().filter(|byte| **byte == b'\n').count()
    }
}

fn table(map: DeTable<'_>, source: usize) -> Table {
    map.into_iter()
        .map(|(key, value)| {
            let at = At { source, start: key.span().start, end: key.span().end };
            let text = key.into_inner().into_owned();
            (text.clone(), (Key { text, at }, node(value, source)))
        })
        .collect()
}

fn node(spanned: toml::Spanned<DeValue<'_>>, source: usize) -> Node {
    let span = spanned.span();
    let value = match spanned.into_inner() {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(number) => Value::Integer(i64::from_str_radix(number.as_str(), number.radix()).ok()),
        DeValue::Float(number) => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(value) => Value::Boolean(value),
        DeValue::Datetime(_) => Value::Datetime,
        DeValue::Array(items) => Value::List(items.into_iter().map(|item| node(item, source)).collect()),
        DeValue::Table(map) => Value::Table(table(map, source)),
    };
    Node { value, at: At { source, start: span.start, end: span.end } }
}
