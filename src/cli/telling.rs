//! How a run is carried out and told: in text for people, or with `--json` one object a line for machines.

use std::io;

use super::error::CliError;
use super::exit::Exit;
use super::session::Session;
use super::ui::Ui;
use crate::graph::Address;
use crate::iam::Task;
use crate::plan::{Adoption, Plan};
use crate::render::{Reporter, Style, adoption_text, event_line, loss_line, outcome_line, plan_line, plan_text};
use crate::run::{Event, Outcome};

/// How a plan is carried out.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct RunArgs {
    /// The most steps at once, 1 to 256; AWS's rate limits rule beside it
    #[arg(long, value_name = "N", default_value_t = 16, hide_possible_values = true,
          value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(super) parallelism: u16,

    /// Print one JSON object a line: the plan, each event, and how it ended
    #[arg(long)]
    pub(super) json: bool,
}

/// Tells a run. With `--json`, standard output holds the lines and nothing else, and the last one is the outcome.
pub(super) struct Telling<'a> {
    pub(super) ui: &'a Ui,
    task: Task,
    json: bool,
    outcome: Outcome,
}

impl<'a> Telling<'a> {
    pub(super) fn new(task: Task, args: &RunArgs, ui: &'a Ui) -> Self {
        Self { ui, task, json: args.json, outcome: Outcome::default() }
    }

    /// The plan that is to be carried out.
    pub(super) fn plan(&self, plan: &Plan) -> io::Result<()> {
        self.ui.answer(&if self.json { plan_line(plan) } else { plan_text(plan, Style::for_stdout()) })
    }

    /// The adoption that is to be carried out.
    pub(super) fn adoption(&self, adoption: &Adoption) -> io::Result<()> {
        if self.json {
            self.plan(&adoption.plan)
        } else {
            self.ui.answer(&adoption_text(adoption, Style::for_stdout()))
        }
    }

    /// The plan of a destruction: people need not see one that deletes nothing.
    pub(super) fn destruction(&self, plan: &Plan) -> io::Result<()> {
        if plan.has_changes() || self.json { self.plan(plan) } else { Ok(()) }
    }

    /// Data that goes with a resource; `until` is the day to which it can be had back.
    pub(super) fn loss(&self, address: &Address, what: &str, until: Option<&str>) -> io::Result<()> {
        self.ui.answer(&match until {
            _ if self.json => loss_line(address, what, until),
            Some(until) => {
                format!("{address} is recoverable until {until}: until then `drctl apply` restores it")
            }
            None => format!("data lost with {address}: {what}"),
        })
    }

    /// Who hears the events of the run.
    pub(super) fn listener(&self, session: &Session) -> Box<dyn Fn(Event) + Sync + 'a> {
        let (origins, task) = (session.origins(), self.task);
        if !self.json {
            let reporter = Reporter::new(task, origins);
            return Box::new(move |event| reporter.tell(event));
        }
        let ui = self.ui;
        Box::new(move |event| {
            // The run goes on although nobody listens any more.
            let _ = ui.answer(&event_line(&event, task, &origins));
        })
    }

    /// Keeps what the run came to, for the last line.
    pub(super) fn came_to(&mut self, outcome: &Outcome) {
        self.outcome = outcome.clone();
    }

    /// Ends the telling: the outcome for machines.
    pub(super) fn end(self, result: Result<Exit, CliError>) -> Result<Exit, CliError> {
        let result = result.map_err(|error| error.during(self.task));
        if self.json {
            let (exit, error) = match &result {
                Ok(exit) => (*exit, None),
                Err(error) => (error.exit(), Some(error as &dyn miette::Diagnostic)),
            };
            self.ui.answer(&outcome_line(exit.code(), &self.outcome, error))?;
        }
        result
    }
}
