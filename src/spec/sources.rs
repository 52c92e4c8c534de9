//! Where a spec comes from: files, each laid over those before it, and single values from the command line.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;
use toml::de::{DeTable, DeValue};

use super::node::{At, Node, Origin, Value};
use super::problem::{Problem, Problems};

/// The texts that a spec was read from.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    all: Vec<Source>,
}

#[derive(Clone, Debug)]
struct Source {
    /// A file as the user named it, or `--set`.
    path: PathBuf,
    text: Arc<str>,
    /// For a value from the command line that TOML takes for a number or the like: how to make a text of it.
    quoted: Option<String>,
}

/// One value of a spec, as the command line says it: `system.suffix=prod-002`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    text: String,
    /// Where the key ends.
    equals: usize,
}

/// A text that assigns nothing.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("write KEY=VALUE, with the key as in the spec: system.suffix=prod-002")]
pub struct NoAssignment;

impl fmt::Display for Assignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Assignment {
    type Err = NoAssignment;

    fn from_str(text: &str) -> Result<Self, NoAssignment> {
        let equals = end_of_key(text).ok_or(NoAssignment)?;
        let assignment = Self { text: text.to_owned(), equals };
        match DeTable::parse(&assignment.with_any_value()) {
            Ok(keys) if !keys.get_ref().is_empty() => Ok(assignment),
            _ => Err(NoAssignment),
        }
    }
}

impl Assignment {
    /// What the errors call it.
    const PATH: &'static str = "--set";

    /// A document with the same key in the same place.
    fn with_any_value(&self) -> String {
        format!("{}=0", self.key())
    }

    fn key(&self) -> &str {
        &self.text[..self.equals]
    }

    /// The value without the space around it, and where it begins.
    fn value(&self) -> (&str, usize) {
        let raw = &self.text[self.equals + 1..];
        (raw.trim(), self.text.len() - raw.trim_start().len())
    }
}

/// The first sign of equality that does not stand in a quoted part of the key.
fn end_of_key(text: &str) -> Option<usize> {
    let mut quote = None;
    text.bytes().position(|byte| {
        quote = match quote {
            None => (byte == b'"' || byte == b'\'').then_some(byte),
            Some(open) => (open != byte).then_some(open),
        };
        quote.is_none() && byte == b'='
    })
}

/// A tree of one branch with another value at its end.
fn with_innermost(node: Node, value: Node) -> Node {
    let Value::Table(table) = node.value else { return value };
    let inner = table.into_iter().map(|(name, (key, inner))| (name, (key, with_innermost(inner, value.clone()))));
    Node { value: Value::Table(inner.collect()), at: node.at }
}

impl Sources {
    /// Parses one more file. Syntax errors go to `problems`.
    pub fn parse(&mut self, path: &Path, text: &str, problems: &mut Problems) -> Node {
        let origin = self.add(path, text, None);
        let (root, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let at = origin.at(error.span().unwrap_or(0..0));
            problems.push(
                Problem::new("syntax", at, error.message()).label("here").help("this is not TOML; see https://toml.io"),
            );
        }
        let at = origin.at(root.span());
        Node { value: Value::Table(origin.table(root.into_inner())), at }
    }

    /// The tree that holds one value from the command line: a TOML value, or else a text without its quotes.
    pub fn assign(&mut self, assignment: &Assignment) -> Node {
        let (text, offset) = assignment.value();
        let parsed = DeValue::parse(text).ok();
        let is_text = parsed.as_ref().is_none_or(|value| matches!(value.get_ref(), DeValue::String(_)));
        let quoted = (!is_text).then(|| format!("--set '{}=\"{text}\"'", assignment.key().trim()));
        let origin = self.add(Path::new(Assignment::PATH), &assignment.text, quoted);
        let value = match parsed {
            Some(value) => Origin { offset, ..origin }.node(value),
            None => Node {
                value: Value::Text(text.to_owned()),
                at: At { source: origin.source, start: offset, end: offset + text.len() },
            },
        };
        let keys = assignment.with_any_value();
        let (keys, _) = DeTable::parse_recoverable(&keys);
        let root = Node { at: origin.at(keys.span()), value: Value::Table(origin.table(keys.into_inner())) };
        with_innermost(root, value)
    }

    fn add(&mut self, path: &Path, text: &str, quoted: Option<String>) -> Origin {
        self.all.push(Source { path: path.to_owned(), text: text.into(), quoted });
        Origin { source: self.all.len() - 1, offset: 0 }
    }

    /// The path of a source, as the user named it.
    pub fn path(&self, at: At) -> &Path {
        self.all.get(at.source).map_or(Path::new("spec"), |source| &source.path)
    }

    /// The folder that relative paths count from: the file's own, or for the command line the current one.
    pub fn folder(&self, at: At) -> &Path {
        self.path(at).parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    /// The paths in the order they were read, each once.
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        let mut paths: Vec<_> = self.all.iter().map(|source| source.path.clone()).collect();
        paths.dedup();
        paths
    }

    /// The whole text of a source.
    pub(super) fn text(&self, at: At) -> Arc<str> {
        self.all.get(at.source).map_or_else(|| "".into(), |source| source.text.clone())
    }

    /// How to make a text of a value from the command line that is none.
    pub(super) fn quoted(&self, at: At) -> Option<&str> {
        self.all.get(at.source)?.quoted.as_deref()
    }

    /// The line of a place, from 1.
    pub fn line(&self, at: At) -> usize {
        let text = self.text(at);
        1 + text.as_bytes()[..at.start.min(text.len())].iter().filter(|byte| **byte == b'\n').count()
    }
}
