//! A plan in a file, to be carried out later: what it says, the spec that it was made of, and the functions' code.
//!
//! Whoever applies it plans again from that spec and compares. So the file can ask for nothing that its plan does
//! not show, whoever wrote it.

mod archive;
mod error;
#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use error::SavedPlanError;

use crate::desired::{CodeHashes, LoadError, Spec, read};
use crate::graph::Resource;
use crate::kinds::function::Function;
use crate::plan::{Action, Plan};
use crate::state::{Index, Store, replace};

/// The layout of `plan.json`; it grows with every change of what is in there. Another number is refused.
pub const FORMAT_VERSION: u32 = 2;

/// Function code by the SHA-256 of the zip, in base64, as Lambda says it.
pub type Zips = BTreeMap<String, Vec<u8>>;

/// A plan with everything it takes to carry it out.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedPlan {
    /// What is said of it beside the code.
    pub document: Document,
    /// The spec, merged to one text.
    pub spec: String,
    /// The code that the plan uploads.
    pub zips: Zips,
}

/// `plan.json`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// [`FORMAT_VERSION`] of the drctl that made it.
    pub format_version: u32,
    /// The version of that drctl.
    pub drctl: String,
    /// SHA-256 of the spec, in hexadecimal.
    pub spec_sha256: String,
    /// The hash of each function's code, by the function's name.
    pub code: CodeHashes,
    /// Where the state is.
    pub state: Kept,
    /// The lineage of that state; `None` if nothing was recorded yet.
    pub lineage: Option<String>,
    /// How often that state had been written.
    pub serial: u64,
    /// The plan.
    pub plan: Plan,
}

/// Where the state is that the plan was made with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kept {
    /// In this folder; a relative one counts from where drctl runs.
    Folder(PathBuf),
    /// In the buckets that the spec names.
    Buckets,
}

impl Kept {
    /// Where `store` keeps its state. What lies below the current folder is told from there, so that a file made
    /// in one checkout is of use in another.
    pub fn of(store: &Store) -> Self {
        let path = match store {
            Store::Folder(folder) => folder.path(),
            Store::Buckets(_) => return Self::Buckets,
        };
        let here = std::env::current_dir().ok();
        let below = here.and_then(|here| path.strip_prefix(here).map(Path::to_owned).ok());
        Self::Folder(below.unwrap_or_else(|| path.to_owned()))
    }
}

/// Removes the plan of an earlier run from `file`, where there is to be a new one: a run that comes to none must not
/// leave one behind that somebody takes for it. Nothing else is removed or written over.
pub fn clear(file: &Path) -> Result<(), SavedPlanError> {
    if !file.is_file() {
        return Ok(());
    }
    let unwritable = |reason: String| SavedPlanError::Unwritable { file: file.to_owned(), reason };
    if !archive::may_be_a_plan(file).map_err(|error| unwritable(error.to_string()))? {
        return Err(unwritable("there is a file already, which is no plan of drctl's".into()));
    }
    std::fs::remove_file(file).map_err(|error| unwritable(error.to_string()))
}

impl Document {
    fn to_text(&self) -> String {
        serde_json::to_string_pretty(self).expect("a plan is plain data")
    }
}

impl SavedPlan {
    /// The plan that was made of `spec` with the state at `store`, of which `recorded` was read. Its zips are to
    /// be added.
    pub fn new(plan: Plan, spec: &Spec, code: CodeHashes, store: &Store, recorded: &Index) -> Self {
        let text = spec.merged().to_toml();
        let document = Document {
            format_version: FORMAT_VERSION,
            drctl: env!("CARGO_PKG_VERSION").to_owned(),
            spec_sha256: archive::hex(text.as_bytes()),
            code,
            state: Kept::of(store),
            lineage: (recorded.serial > 0).then(|| recorded.lineage.clone()),
            serial: recorded.serial,
            plan,
        };
        Self { document, spec: text, zips: Zips::new() }
    }

    /// The hashes of the code that the plan uploads.
    pub fn uploads(&self) -> BTreeSet<&str> {
        let functions = self.document.plan.pending().filter(|change| change.address.kind == Function::KIND);
        let uploading = functions.filter(|change| {
            change.action != Action::Update
                || change.fields.iter().any(|field| Function::UPLOADED.contains(&field.field()))
        });
        uploading.filter_map(|change| change.after.as_ref()?.text(Function::CODE)).collect()
    }

    /// What tells this plan from every other one: nothing in it counts but what it says.
    pub fn id(&self) -> String {
        archive::hex(self.document.to_text().as_bytes())
    }

    /// Writes it to a file that only its owner reads: whole, or not at all.
    pub fn write(&self, file: &Path) -> Result<(), SavedPlanError> {
        if let Some(hash) = self.uploads().into_iter().find(|hash| !self.has_code(hash)) {
            return Err(SavedPlanError::OtherCode { file: file.to_owned(), hash: hash.to_owned() });
        }
        replace(file, &self.to_bytes())
            .map_err(|error| SavedPlanError::Unwritable { file: file.to_owned(), reason: error.to_string() })
    }

    /// Reads it back.
    pub fn read(file: &Path) -> Result<Self, SavedPlanError> {
        let bytes = std::fs::read(file)
            .map_err(|error| SavedPlanError::Unreadable { file: file.to_owned(), reason: error.to_string() })?;
        Self::from_bytes(&bytes).map_err(|unusable| unusable.of(file))
    }

    /// The spec that it was made of; its lines count in the text inside of `file`.
    pub fn spec(&self, file: &Path) -> Result<Spec, LoadError> {
        Ok(read(&file.join(archive::SPEC), &self.spec)?)
    }

    /// Whether the code of this hash is in it.
    fn has_code(&self, hash: &str) -> bool {
        self.zips.get(hash).is_some_and(|zip| archive::code_hash(zip) == hash)
    }

    /// Whether `recorded` is the state that the plan was made with.
    pub fn knows(&self, recorded: &Index) -> bool {
        self.document.lineage.as_ref().is_none_or(|lineage| *lineage == recorded.lineage)
    }

    /// Whether nobody has written `recorded` since the plan was made, but whoever has begun this very plan. Else
    /// what is there may look as it did and mean something else: what the plan deletes was made anew.
    pub fn is_next(&self, recorded: &Index) -> bool {
        recorded.serial == self.document.serial || recorded.saved_plan.as_ref() == Some(&self.id())
    }
}
