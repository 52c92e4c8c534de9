//! `drctl state move`

use std::collections::BTreeMap;

use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::interrupt;
use crate::cli::session::{Stored, SystemArgs, while_locked};
use crate::cli::ui::Ui;
use crate::render::amount;
use crate::state::{Known, Reach, State, Store};

/// Move the state from this machine into the buckets that `[state]` names
///
/// For a system that was kept from one machine so far. Overrides go along; nothing in AWS but these objects changes.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct MoveArgs {
    #[command(flatten)]
    system: SystemArgs,
}

pub(super) async fn run(args: &MoveArgs, ui: &Ui) -> Result<Exit, CliError> {
    let stored = Stored::open(&args.system, ui).await?;
    if stored.clients.is_none() {
        return Err(CliError::Failed {
            what: "the spec has no `[state]`: the state stays on this machine".into(),
            next: "add `[state]` with a `bucket`, run `drctl state init`, then the same command again".into(),
        });
    }
    let here = Store::Folder(stored.local.clone());
    let mut from = here.lock("state move", Reach::Every).await?;
    let known = from.known().clone();
    if known.index.serial == 0 && known.overrides.is_empty() {
        ui.remark("there is no state of this system on this machine: nothing to move");
        return Ok(Exit::Done);
    }
    let to = stored.store.lock("state move", Reach::Every).await?;
    while_locked(to, async |to| copy(&stored, &known, to).await).await?;
    for held in &known.overrides {
        here.release_override(&held.id).await?;
    }
    from.replace(BTreeMap::new());
    from.remove_if_empty().await?;
    let (records, overrides) = (known.index.resources.len(), known.overrides.len());
    ui.remark(&format!(
        "the state is in S3 now: {} recorded, {}",
        amount(records, "resource"),
        amount(overrides, "override")
    ));
    Ok(Exit::Done)
}

/// Puts what is known here into the buckets. A run before this one may have done so, and not come to its end.
async fn copy(stored: &Stored, known: &Known, to: &mut State) -> Result<(), CliError> {
    let (mine, theirs) = (&known.index, to.index());
    let is_new = theirs.serial == 0;
    if !is_new && theirs.lineage != mine.lineage {
        return Err(CliError::Refused {
            what: "there is another state of this system in S3 already; nothing was moved".into(),
            next: format!(
                "see what it knows with `drctl state show`; if it is the right one, move {} away",
                stored.local.file().display()
            ),
        });
    }
    interrupt::changed();
    for held in &known.overrides {
        stored.store.put_override(held).await?;
    }
    if is_new || theirs.serial < mine.serial {
        to.go_on_from(mine.clone());
    }
    if let Some(lost) = to.lease().lost() {
        return Err(lost.into());
    }
    Ok(to.save().await?)
}
