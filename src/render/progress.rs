//! A run as it happens: a line for each step at work on a terminal, plain lines elsewhere.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::hint::next_step;
use super::human::{amount, done, sign, took, waiting_text};
use super::stderr::say;
use super::style::Style;
use crate::graph::{Address, printable};
use crate::iam::Task;
use crate::plan::Action;
use crate::run::Event;

/// Tells events to people, on standard error.
pub struct Reporter {
    task: Task,
    style: Style,
    terminal: bool,
    bars: MultiProgress,
    running: Mutex<BTreeMap<Address, ProgressBar>>,
    /// Where in the spec an address comes from.
    origins: BTreeMap<Address, String>,
}

impl Reporter {
    /// A reporter of a task that names the spec lines of `origins` beside failures.
    pub fn new(task: Task, origins: BTreeMap<Address, String>) -> Self {
        Self {
            task,
            style: Style::for_stderr(),
            terminal: console::user_attended_stderr(),
            bars: MultiProgress::new(),
            running: Mutex::default(),
            origins,
        }
    }

    /// Tells one event.
    pub fn tell(&self, event: Event) {
        match event {
            Event::Started { address, action } => self.start(address, action),
            Event::Waiting { address, what } => self.wait(&address, what),
            Event::Finished { address, action, took: time } => {
                let line = format!("{} {address} {} in {}", sign(action), done(action), took(time));
                self.end(&address, &self.style.action(action, &line));
            }
            Event::Failed { address, action, took: _, failure } => {
                let origin = self.origins.get(&address).map(|origin| format!(" ({origin})")).unwrap_or_default();
                let line = self.style.bad(&format!("✗ {} {address}{origin}: {failure}", doing(action)));
                self.end(&address, &format!("{line}\n  next: {}", next_step(&failure, self.task)));
            }
            Event::Skipped { address, because_of } => {
                let why = because_of.map_or_else(
                    || "not started: interrupted".to_owned(),
                    |failed| format!("left out: it depends on {failed}"),
                );
                self.line(&self.style.dim(&format!("  {address} {why}")));
            }
            Event::Outstanding { address, what } => self.line(&waiting_text(&address, &what)),
            Event::Rereading { count } => {
                self.line(&self.style.dim(&format!("  reading {} again", amount(count, "resource"))))
            }
        }
    }

    fn start(&self, address: Address, action: Action) {
        if !self.terminal {
            return;
        }
        let bar = self.bars.add(ProgressBar::new_spinner());
        let template = "{spinner} {msg} {elapsed}";
        bar.set_style(ProgressStyle::with_template(template).expect("the template is a constant"));
        bar.set_message(format!("{} {address}", doing(action)));
        bar.enable_steady_tick(Duration::from_millis(120));
        self.bars().insert(address, bar);
    }

    fn wait(&self, address: &Address, what: String) {
        if let Some(bar) = self.bars().get(address) {
            bar.set_message(format!("{address}: {}", printable(&what)));
        }
    }

    fn end(&self, address: &Address, line: &str) {
        if let Some(bar) = self.bars().remove(address) {
            bar.finish_and_clear();
        }
        self.line(line);
    }

    fn line(&self, line: &str) {
        if self.terminal {
            // A terminal that cannot be written to has nobody to tell.
            let _ = self.bars.println(line);
        } else {
            say(line);
        }
    }

    fn bars(&self) -> std::sync::MutexGuard<'_, BTreeMap<Address, ProgressBar>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn doing(action: Action) -> &'static str {
    match action {
        Action::Create => "creating",
        Action::Update => "updating",
        Action::Replace => "replacing",
        Action::Delete => "deleting",
        Action::Adopt => "adopting",
        Action::Forget | Action::NoOp => "looking at",
    }
}
