//! From a spec file to the graph of desired resources.
//!
//! One file per TOML table: each reads its table, checks it against the others,
//! and emits resources of one or several kinds.

mod alarm;
mod alert;
mod bucket;
mod dns;
mod encryption;
mod function;
mod guard;
mod region;
mod scope;
mod secret;
mod state;
mod system;
mod table;
#[cfg(test)]
mod tests;
mod timeout;

use std::path::{Path, PathBuf};

use fs_err as fs;
use indexmap::IndexMap;
use miette::Diagnostic;
use thiserror::Error;

pub use alarm::AlarmSection;
pub use alert::AlertSection;
pub use bucket::BucketSection;
pub use dns::DnsSection;
pub use encryption::EncryptionSection;
pub use function::FunctionSection;
pub use guard::GuardSection;
pub use region::RegionSection;
pub use scope::Scope;
pub use secret::SecretSection;
pub use state::StateSection;
pub use system::SystemSection;
pub use table::TableSection;
pub use timeout::TimeoutSection;

use crate::graph::{Graph, Owner, Region};
use crate::spec::{Assignment, At, InvalidSpec, Name, Node, Problem, Problems, Sources, Spanned, TableReader, Value};

/// Why there is no spec to work with.
#[derive(Debug, Error, Diagnostic)]
pub enum LoadError {
    /// No file was named, and there is not exactly one to find.
    #[error("no spec was named")]
    #[diagnostic(help("{0}"))]
    NoneNamed(String),
    /// The file cannot be read.
    #[error("the spec cannot be read: {0}")]
    #[diagnostic(help("name a TOML file with `-f FILE`"))]
    Unreadable(std::io::Error),
    /// The file has problems.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Invalid(#[from] InvalidSpec),
}

/// A spec that was read and checked.
#[derive(Debug)]
pub struct Spec {
    /// `[system]`
    pub system: SystemSection,
    /// `[region]`
    pub region: RegionSection,
    /// `[encryption]`
    pub encryption: Option<EncryptionSection>,
    /// `[table.NAME]`
    pub tables: IndexMap<String, TableSection>,
    /// `[bucket.NAME]`
    pub buckets: IndexMap<String, BucketSection>,
    /// `[secret.NAME]`
    pub secrets: IndexMap<String, SecretSection>,
    /// `[function.NAME]`
    pub functions: IndexMap<String, FunctionSection>,
    /// `[dns]`
    pub dns: Option<DnsSection>,
    /// `[alert]`
    pub alert: Option<AlertSection>,
    /// `[alarm.NAME]`
    pub alarms: IndexMap<String, AlarmSection>,
    /// `[state]`
    pub state: StateSection,
    /// `[guard]`
    pub guard: GuardSection,
    /// `[timeout]`
    pub timeout: TimeoutSection,
    /// Every `kind.NAME` table of the file, also those with problems of their own.
    declared: Vec<(&'static str, String)>,
    /// What was written, merged.
    root: Node,
    sources: Sources,
}

/// The hash of each function's code, by the function's name.
pub type CodeHashes = std::collections::BTreeMap<String, String>;

impl Spec {
    /// Whose system it is.
    pub fn owner(&self) -> Owner {
        Owner {
            system: self.system.name.as_str().to_owned(),
            environment: self.system.environment.as_str().to_owned(),
            suffix: self.system.suffix.as_str().to_owned(),
        }
    }

    /// Both regions, the primary first.
    pub fn regions(&self) -> [Region; 2] {
        [self.region.primary.clone(), self.region.secondary.clone()]
    }

    /// The folder of the first file.
    pub fn folder(&self) -> &Path {
        self.sources.folder(self.root.at)
    }

    /// A path that the spec says, from here: a relative one counts from the file that it stands in.
    pub fn path(&self, said: &Spanned<String>) -> PathBuf {
        self.sources.folder(said.at).join(&said.value)
    }

    /// The function that takes payments: the first with a URL that may write to a table.
    pub fn payment_function(&self) -> Option<&str> {
        self.functions
            .iter()
            .find(|(_, function)| function.has_url() && function.writes())
            .map(|(name, _)| name.as_str())
    }

    /// Whether the system has a KMS key of its own, in use or retired.
    pub fn has_key(&self) -> bool {
        self.encryption.as_ref().is_some_and(EncryptionSection::has_key)
    }

    /// Whether the URL of a function wants a caller of AWS.
    pub fn wants_signature(&self, function: &str) -> bool {
        self.functions.get(function).is_some_and(|function| function.has_url() && !function.has_public_url())
    }

    /// The function that tells whether payments can be taken: the first with a URL that looks at another function.
    pub fn health_function(&self) -> Option<&str> {
        self.functions
            .iter()
            .find(|(_, function)| function.has_url() && function.watches())
            .map(|(name, _)| name.as_str())
    }

    /// The desired resources in `account`. `code` may lack functions that are not to be applied.
    pub fn graph(&self, account: &str, code: &CodeHashes) -> Graph {
        let mut scope = Scope::new(self, account, code);
        if let Some(encryption) = &self.encryption {
            encryption.emit(&mut scope);
        }
        for (name, table) in &self.tables {
            table.emit(name, &mut scope);
        }
        for (name, bucket) in &self.buckets {
            bucket.emit(name, &mut scope);
        }
        for (name, secret) in &self.secrets {
            secret.emit(name, &mut scope);
        }
        for (name, function) in &self.functions {
            function.emit(name, &mut scope);
        }
        if let Some(dns) = &self.dns {
            dns.emit(&mut scope);
        }
        if let Some(alert) = &self.alert {
            alert.emit(&mut scope);
        }
        alarm::emit_all(&mut scope);
        scope.into_graph()
    }

    /// The desired resources as far as they are known without AWS and without the functions' code: in the spec's
    /// account, or in one that nobody has.
    pub fn sketch(&self) -> Graph {
        const NOBODYS: &str = "000000000000";
        self.graph(self.system.account.as_deref().unwrap_or(NOBODYS), &CodeHashes::new())
    }

    /// What was written, merged.
    pub fn merged(&self) -> &Node {
        &self.root
    }

    /// The names of one kind of table.
    fn declared(&self, kind: &str) -> Vec<&str> {
        self.declared.iter().filter(|(of, _)| *of == kind).map(|(_, name)| name.as_str()).collect()
    }

    /// Whether there is such a table, right or wrong.
    fn says(&self, table: &str) -> bool {
        matches!(&self.root.value, Value::Table(tables) if tables.contains_key(table))
    }

    fn line(&self, at: At) -> usize {
        self.sources.line(at)
    }
}

/// Finds, reads and checks a spec: files, each laid over those before it, and values that take the place of theirs.
/// Without a file, it is the only one in `specs/`.
pub fn load(files: &[PathBuf], values: &[Assignment]) -> Result<Spec, LoadError> {
    let only = if files.is_empty() { Some(only_spec(Path::new("specs"))?) } else { None };
    let paths = files.iter().chain(&only);
    let texts = paths.map(|path| Ok((path.as_path(), fs::read_to_string(path).map_err(LoadError::Unreadable)?)));
    let texts: Vec<(&Path, String)> = texts.collect::<Result<_, LoadError>>()?;
    let texts: Vec<_> = texts.iter().map(|(path, text)| (*path, text.as_str())).collect();
    Ok(read_merged(&texts, values)?)
}

/// The only spec in the folder, or an error that lists what there is.
fn only_spec(folder: &Path) -> Result<PathBuf, LoadError> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let mut specs: Vec<_> =
        entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    specs.sort();
    match specs.as_slice() {
        [only] => Ok(only.clone()),
        [] => Err(LoadError::NoneNamed("name one with `-f FILE`; there is none in specs/".into())),
        several => {
            let names: Vec<_> = several.iter().map(|path| format!("`-f {}`", path.display())).collect();
            Err(LoadError::NoneNamed(format!("name one: {}", names.join(" or "))))
        }
    }
}

/// Reads and checks a spec of one file, gathering every problem.
pub fn read(path: &Path, text: &str) -> Result<Spec, InvalidSpec> {
    read_merged(&[(path, text)], &[])
}

/// Reads and checks a spec of several files, each laid over those before it, and of values that take the place of
/// theirs. Gathers every problem.
pub fn read_merged(files: &[(&Path, &str)], values: &[Assignment]) -> Result<Spec, InvalidSpec> {
    let (mut sources, mut problems) = (Sources::default(), Problems::default());
    let mut root = Node::empty();
    for (path, text) in files {
        root.overlay(sources.parse(path, text, &mut problems));
    }
    for value in values {
        root.overlay(sources.assign(value));
    }
    if !problems.is_empty() {
        return Err(problems.into_error(&sources));
    }
    let spec = sections(&root, &mut problems).map(|sections| Spec {
        system: sections.system,
        region: sections.region,
        encryption: sections.encryption,
        tables: sections.tables,
        buckets: sections.buckets,
        secrets: sections.secrets,
        functions: sections.functions,
        dns: sections.dns,
        alert: sections.alert,
        alarms: sections.alarms,
        state: sections.state,
        guard: sections.guard,
        timeout: sections.timeout,
        declared: declared(&root),
        root: root.clone(),
        sources: sources.clone(),
    });
    if let Some(spec) = &spec {
        check(spec, &mut problems);
    }
    match spec {
        Some(spec) if problems.is_empty() => Ok(spec),
        _ => Err(problems.into_error(&sources)),
    }
}

struct Sections {
    system: SystemSection,
    region: RegionSection,
    encryption: Option<EncryptionSection>,
    tables: IndexMap<String, TableSection>,
    buckets: IndexMap<String, BucketSection>,
    secrets: IndexMap<String, SecretSection>,
    functions: IndexMap<String, FunctionSection>,
    dns: Option<DnsSection>,
    alert: Option<AlertSection>,
    alarms: IndexMap<String, AlarmSection>,
    state: StateSection,
    guard: GuardSection,
    timeout: TimeoutSection,
}

fn sections(root: &Node, problems: &mut Problems) -> Option<Sections> {
    let mut reader = TableReader::new("", root.at, root, problems)?;
    schema(&mut reader);
    let system = section(&mut reader, "system", "name, environment and suffix").map(SystemSection::read);
    let system = system.unwrap_or_else(SystemSection::stand_in);
    let region = section(&mut reader, "region", "primary and secondary").map(RegionSection::read);
    let region = region.unwrap_or_else(RegionSection::stand_in);
    let encryption = reader.table("encryption").map(EncryptionSection::read);
    let mut tables = IndexMap::new();
    reader
        .each("table", |name, node, problems, path| named(&mut tables, name, node, problems, path, TableSection::read));
    let mut buckets = IndexMap::new();
    reader.each("bucket", |name, node, problems, path| {
        named(&mut buckets, name, node, problems, path, BucketSection::read)
    });
    let mut secrets = IndexMap::new();
    reader.each("secret", |name, node, problems, path| {
        named(&mut secrets, name, node, problems, path, SecretSection::read)
    });
    let mut functions = IndexMap::new();
    reader.each("function", |name, node, problems, path| {
        named(&mut functions, name, node, problems, path, FunctionSection::read)
    });
    let dns = reader.table("dns").and_then(DnsSection::read);
    let alert = reader.table("alert").map(AlertSection::read);
    let mut alarms = IndexMap::new();
    reader
        .each("alarm", |name, node, problems, path| named(&mut alarms, name, node, problems, path, AlarmSection::read));
    let state = reader.table("state").map(StateSection::read).unwrap_or_default();
    let guard = match reader.table("guard") {
        Some(guard) => GuardSection::read(guard),
        None => GuardSection::default(),
    };
    let timeout = reader.table("timeout").map(TimeoutSection::read).unwrap_or_default();
    reader.finish();
    Some(Sections {
        system,
        region,
        encryption,
        tables,
        buckets,
        secrets,
        functions,
        dns,
        alert,
        alarms,
        state,
        guard,
        timeout,
    })
}

fn declared(root: &Node) -> Vec<(&'static str, String)> {
    let Value::Table(tables) = &root.value else { return Vec::new() };
    let names = |kind: &'static str| match tables.get(kind).map(|(_, node)| &node.value) {
        Some(Value::Table(named)) => named.keys().map(|name| (kind, name.clone())).collect(),
        _ => Vec::new(),
    };
    ["table", "bucket", "secret", "function"].into_iter().flat_map(names).collect()
}

/// The number of the spec's layout; there is one so far.
fn schema(reader: &mut TableReader<'_>) {
    if let Some(schema) = reader.required::<i64>("schema", "1").filter(|schema| **schema != 1) {
        let problem = Problem::new("schema", schema.at, format!("this drctl does not know schema {}", *schema));
        reader.problems().push(problem.help("write `schema = 1`, or use a newer drctl"));
    }
}

/// A table that has to be there.
fn section<'a>(reader: &'a mut TableReader<'_>, key: &'static str, keys: &str) -> Option<TableReader<'a>> {
    if !reader.has(key) {
        let problem = Problem::new("missing", reader.at(), format!("the spec has no table `[{key}]`"));
        reader.problems().push(problem.label("in this file").help(format!("add `[{key}]` with {keys}")));
    }
    reader.table(key)
}

fn named<T>(
    sections: &mut IndexMap<String, T>,
    name: &Spanned<String>,
    node: &Node,
    problems: &mut Problems,
    path: String,
    read: impl FnOnce(TableReader<'_>) -> Option<T>,
) {
    if let Err(mismatch) = Name::new(name) {
        problems.push(Problem::new("name", name.at, mismatch.message).help(mismatch.help));
    }
    if let Some(section) = TableReader::new(path, name.at, node, problems).and_then(read) {
        sections.insert(name.value.clone(), section);
    }
}

/// What only shows when all tables are known: references and the lengths of AWS names.
fn check(spec: &Spec, problems: &mut Problems) {
    if let Some(encryption) = &spec.encryption {
        encryption.check(spec, problems);
    }
    for (name, table) in &spec.tables {
        table.check(name, spec, problems);
    }
    for (name, bucket) in &spec.buckets {
        bucket.check(name, spec, problems);
    }
    for (name, secret) in &spec.secrets {
        secret.check(name, spec, problems);
    }
    for (name, function) in &spec.functions {
        function.check(name, spec, problems);
    }
    if let Some(dns) = &spec.dns {
        dns.check(spec, problems);
    }
    if let Some(alert) = &spec.alert {
        alert.check(spec, problems);
    }
    for (name, alarm) in &spec.alarms {
        alarm.check(name, spec, problems);
    }
    alarm::check_all(spec, problems);
    spec.state.check(spec, problems);
}
