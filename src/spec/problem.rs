//! What is wrong with a spec, all of it together.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};

use super::node::At;
use super::sources::Sources;

/// One thing wrong with a spec: what, where, and how to put it right.
#[derive(Debug)]
pub struct Problem {
    code: &'static str,
    at: At,
    message: String,
    label: String,
    help: Option<String>,
    /// Whether the value has to be a text.
    wants_text: bool,
    source: Option<NamedSource<Arc<str>>>,
}

impl Problem {
    /// A problem of a stable `code` at a place.
    pub fn new(code: &'static str, at: At, message: impl Into<String>) -> Self {
        Self { code, at, message: message.into(), label: "here".into(), help: None, wants_text: false, source: None }
    }

    /// What the marker under the line says.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// What to write instead.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Says that the value has to be a text.
    pub(super) fn wants_text(self, wants_text: bool) -> Self {
        Self { wants_text, ..self }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

impl Diagnostic for Problem {
    fn code(&self) -> Option<Box<dyn fmt::Display + '_>> {
        Some(Box::new(format!("drctl::spec::{}", self.code)))
    }

    fn help(&self) -> Option<Box<dyn fmt::Display + '_>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let length = self.at.end.saturating_sub(self.at.start);
        Some(Box::new(std::iter::once(LabeledSpan::new(Some(self.label.clone()), self.at.start, length))))
    }
}

/// The problems found so far.
#[derive(Debug, Default)]
pub struct Problems {
    found: Vec<Problem>,
}

impl Problems {
    /// Adds one.
    pub fn push(&mut self, problem: Problem) {
        self.found.push(problem);
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// All of them as one error, in the order of the file.
    pub fn into_error(mut self, sources: &Sources) -> InvalidSpec {
        self.found.sort_by_key(|problem| (problem.at.source, problem.at.start));
        for problem in &mut self.found {
            let quoted = sources.quoted(problem.at).filter(|_| problem.wants_text);
            if let (Some(help), Some(quoted)) = (&mut problem.help, quoted) {
                *help = format!("{help}; in a shell: {quoted}");
            }
            problem.source =
                Some(NamedSource::new(sources.path(problem.at).display().to_string(), sources.text(problem.at)));
        }
        InvalidSpec { files: sources.paths(), problems: self.found }
    }
}

/// A spec that cannot be used, with every reason.
#[derive(Debug)]
pub struct InvalidSpec {
    files: Vec<PathBuf>,
    problems: Vec<Problem>,
}

impl fmt::Display for InvalidSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files: Vec<_> = self.files.iter().map(|file| file.display().to_string()).collect();
        let (count, s) = (self.problems.len(), if self.problems.len() == 1 { "" } else { "s" });
        write!(f, "{} has {count} problem{s}", files.join(" + "))
    }
}

impl std::error::Error for InvalidSpec {}

impl Diagnostic for InvalidSpec {
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.problems.iter().map(|problem| problem as &dyn Diagnostic)))
    }
}
