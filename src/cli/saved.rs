//! `plan --out FILE` and `apply FILE`: a plan that is made now and carried out later.

use std::path::{Path, PathBuf};

use super::error::CliError;
use super::session::Session;
use super::ui::Ui;
use crate::plan::{Basis, Plan, remaining};
use crate::render::stale_text;
use crate::saved::SavedPlan;
use crate::state::Known;

/// Saves a plan that was made with `known`.
pub(super) fn save(file: &Path, plan: Plan, session: &Session, known: &Known, ui: &Ui) -> Result<(), CliError> {
    let Session { spec, store, code, .. } = session;
    let mut saved = SavedPlan::new(plan, spec, code.hashes.clone(), store, &known.index);
    for hash in saved.uploads().into_iter().map(str::to_owned).collect::<Vec<_>>() {
        if let Some(zip) = code.zips.get(&hash) {
            saved.zips.insert(hash, fs_err::read(zip)?);
        }
    }
    saved.write(file)?;
    ui.remark(&format!("saved: `drctl apply {}` does exactly this, or refuses", file.display()));
    Ok(())
}

/// A plan that was saved, and its file.
pub(super) struct Planned {
    file: PathBuf,
    saved: SavedPlan,
}

impl Planned {
    pub(super) fn read(file: &Path) -> Result<Self, CliError> {
        Ok(Self { saved: SavedPlan::read(file)?, file: file.to_owned() })
    }

    /// The system that it is for, connected.
    pub(super) async fn open(&self, sandbox: bool, ui: &Ui) -> Result<Session, CliError> {
        Session::of_saved(&self.saved, &self.file, sandbox, ui).await
    }

    /// What is left to do of it, as `now` plans it on `basis`.
    pub(super) fn remaining(&self, now: &Plan, basis: &Basis<'_>) -> Result<Plan, CliError> {
        if !self.saved.knows(basis.recorded) {
            return Err(self.stale("the state is another one than it was made with"));
        }
        remaining(&self.saved.document.plan, now, basis).map_err(|stale| {
            let lines: Vec<_> = stale.iter().map(stale_text).collect();
            self.stale(&lines.join("\n"))
        })
    }

    /// The same again, for a command line.
    pub(super) fn command(&self) -> String {
        format!("apply {}", self.file.display())
    }

    fn stale(&self, why: &str) -> CliError {
        CliError::Refused {
            what: format!("the plan in {} is stale; nothing was changed\n{why}", self.file.display()),
            next: "make a new plan with `drctl plan --out FILE`, and read it before you apply it".into(),
        }
    }
}
