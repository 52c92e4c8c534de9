//! Taking a table apart key by key, collecting what is wrong on the way.

use std::ops::{Deref, RangeInclusive};

use super::node::{At, Node, Table, Value};
use super::problem::{Problem, Problems};
use super::scalar::did_you_mean;

/// A value and where the spec says it.
#[derive(Clone, Debug)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Its place.
    pub at: At,
}

impl<T> Deref for Spanned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// Why a value does not fit: what is wrong and what to write instead.
#[derive(Debug)]
pub struct Mismatch {
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
    /// Whether a text is wanted and something else was found.
    wants_text: bool,
}

impl Mismatch {
    /// A mismatch from its two sentences.
    pub fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into(), wants_text: false }
    }

    /// The wrong TOML type.
    pub fn expected(what: &str, found: &Value, example: &str) -> Self {
        Self::new(format!("expected {what}, found {}", found.type_name()), format!("write {example}"))
    }

    /// Something else than a text.
    pub fn expected_text(what: &str, found: &Value, example: &str) -> Self {
        Self { wants_text: true, ..Self::expected(what, found, example) }
    }
}

/// What can be read from one TOML value.
pub trait FromNode: Sized {
    /// Reads the value, or says why it does not fit.
    fn from_node(node: &Node) -> Result<Self, Mismatch>;
}

impl FromNode for String {
    fn from_node(node: &Node) -> Result<Self, Mismatch> {
        match &node.value {
            Value::Text(text) => Ok(text.clone()),
            other => Err(Mismatch::expected_text("a string", other, "it in quotes: \"…\"")),
        }
    }
}

impl FromNode for i64 {
    fn from_node(node: &Node) -> Result<Self, Mismatch> {
        match &node.value {
            Value::Integer(number) => Ok(*number),
            other => Err(Mismatch::expected("an integer", other, "a whole number without quotes, such as 100")),
        }
    }
}

impl FromNode for bool {
    fn from_node(node: &Node) -> Result<Self, Mismatch> {
        match &node.value {
            Value::Boolean(value) => Ok(*value),
            other => Err(Mismatch::expected("true or false", other, "true or false, without quotes")),
        }
    }
}

/// Reads one table. Every key that is asked for counts as known; `finish` reports the others.
pub struct TableReader<'a> {
    /// The table's name for messages: `function.payment-processor`.
    path: String,
    at: At,
    table: &'a Table,
    known: Vec<&'static str>,
    problems: &'a mut Problems,
}

impl<'a> TableReader<'a> {
    /// A reader for `node`, which has to be a table; anything else is a problem and reads as empty.
    pub fn new(path: impl Into<String>, at: At, node: &'a Node, problems: &'a mut Problems) -> Option<Self> {
        let path = path.into();
        match &node.value {
            Value::Table(table) => Some(Self { path, at, table, known: Vec::new(), problems }),
            other => {
                let example = format!("`[{path}]`");
                let problem = Problem::new("type", node.at, format!("`{path}` is {}, not a table", other.type_name()));
                problems.push(problem.help(format!("write it as a table: {example}")));
                None
            }
        }
    }

    /// The value of a key, if it is there and fits.
    pub fn optional<T: FromNode>(&mut self, key: &'static str) -> Option<Spanned<T>> {
        let (_, node) = self.take(key)?;
        match T::from_node(node) {
            Ok(value) => Some(Spanned { value, at: node.at }),
            Err(mismatch) => {
                let message = format!("`{key}` in {}: {}", self.place(), mismatch.message);
                let problem = Problem::new("value", node.at, message).help(mismatch.help);
                self.problems.push(problem.wants_text(mismatch.wants_text));
                None
            }
        }
    }

    /// The value of a key that has to be there.
    pub fn required<T: FromNode>(&mut self, key: &'static str, example: &str) -> Option<Spanned<T>> {
        if !self.table.contains_key(key) {
            self.known.push(key);
            let problem = Problem::new("missing", self.at, format!("{} has no `{key}`", self.place()));
            self.problems.push(problem.label("this table").help(format!("add `{key} = {example}`")));
            return None;
        }
        self.optional(key)
    }

    /// An integer that has to lie in a range.
    pub fn integer(&mut self, key: &'static str, range: RangeInclusive<i64>, unit: &str) -> Option<Spanned<i64>> {
        let number = self.optional::<i64>(key)?;
        if range.contains(&number) {
            return Some(number);
        }
        let message = format!("`{key}` is {}, outside of what AWS takes", *number);
        let help = format!("write a number from {} to {}{unit}", range.start(), range.end());
        self.problems.push(Problem::new("range", number.at, message).help(help));
        None
    }

    /// One of a few words.
    pub fn choice<T: Copy>(&mut self, key: &'static str, choices: &[(&str, T)]) -> Option<Spanned<T>> {
        let word = self.optional::<String>(key)?;
        if let Some((_, value)) = choices.iter().find(|(name, _)| **name == **word) {
            return Some(Spanned { value: *value, at: word.at });
        }
        let words: Vec<_> = choices.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        let problem = Problem::new("value", word.at, format!("`{key}` is \"{}\", which is none of its values", *word));
        self.problems.push(problem.help(format!("write {}", words.join(" or "))));
        None
    }

    /// A list of strings; one that is no string is a problem and left out.
    pub fn strings(&mut self, key: &'static str) -> Option<Vec<Spanned<String>>> {
        let (_, node) = self.take(key)?;
        let Value::List(items) = &node.value else {
            let mismatch = Mismatch::expected("an array of strings", &node.value, "[\"…\", \"…\"]");
            self.problems.push(
                Problem::new("value", node.at, format!("`{key}` in {}: {}", self.place(), mismatch.message))
                    .help(mismatch.help),
            );
            return None;
        };
        let mut texts = Vec::new();
        for item in items {
            match String::from_node(item) {
                Ok(value) => texts.push(Spanned { value, at: item.at }),
                Err(mismatch) => self
                    .problems
                    .push(Problem::new("value", item.at, format!("`{key}`: {}", mismatch.message)).help(mismatch.help)),
            }
        }
        Some(texts)
    }

    /// A table below this one.
    pub fn table(&mut self, key: &'static str) -> Option<TableReader<'_>> {
        let (at, node) = self.take(key)?;
        TableReader::new(self.child(key), at, node, self.problems)
    }

    /// A table whose keys are names the user chose, each with a value to read.
    pub fn each(&mut self, key: &'static str, mut read: impl FnMut(&Spanned<String>, &Node, &mut Problems, String)) {
        let Some((_, node)) = self.take(key) else { return };
        let path = self.child(key);
        let Value::Table(table) = &node.value else {
            self.problems.push(
                Problem::new("type", node.at, format!("`{path}` is {}, not a table", node.value.type_name()))
                    .help(format!("write `[{path}.NAME]`")),
            );
            return;
        };
        for (name, (key, value)) in table {
            let spanned = Spanned { value: name.clone(), at: key.at };
            read(&spanned, value, self.problems, format!("{path}.{name}"));
        }
    }

    /// A list of tables; one that is no table is a problem and left out.
    pub fn tables(&mut self, key: &'static str, example: &str, mut read: impl FnMut(TableReader<'_>)) {
        let Some((_, node)) = self.take(key) else { return };
        let Value::List(items) = &node.value else {
            let message = format!("`{key}` in {}: expected an array, found {}", self.place(), node.value.type_name());
            self.problems.push(Problem::new("value", node.at, message).help(format!("write `{key} = [{example}]`")));
            return;
        };
        let path = self.child(key);
        for item in items {
            if let Some(reader) = TableReader::new(&path, item.at, item, self.problems) {
                read(reader);
            }
        }
    }

    /// Whether the table has a key, right or wrong.
    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Where problems go that the caller finds itself.
    pub fn problems(&mut self) -> &mut Problems {
        self.problems
    }

    /// Where the table stands.
    pub fn at(&self) -> At {
        self.at
    }

    /// Reports the keys that nobody asked for.
    pub fn finish(self) {
        let place = self.place();
        for (name, (key, _)) in self.table.iter().filter(|(name, _)| !self.known.contains(&name.as_str())) {
            let takes = || format!("{place} takes: {}", self.known.join(", "));
            let help = did_you_mean(name, &self.known).unwrap_or_else(takes);
            self.problems.push(
                Problem::new("unknown_key", key.at, format!("{place} has no key `{name}`"))
                    .label("unknown key")
                    .help(help),
            );
        }
    }

    /// The table as messages call it.
    fn place(&self) -> String {
        if self.path.is_empty() { "the spec".to_owned() } else { format!("`[{}]`", self.path) }
    }

    fn child(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn take(&mut self, key: &'static str) -> Option<(At, &'a Node)> {
        self.known.push(key);
        self.table.get(key).map(|(key, node)| (key.at, node))
    }
}
