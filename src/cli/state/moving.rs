//! `drctl state move`

use std::collections::BTreeMap;

use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::interrupt;
use crate::cli::session::{Stored, SystemArgs, while_locked};
use crate::cli::ui::Ui;
use crate::render::amount;
use crate::state::{Index, Known, Reach, State, Store};

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
    while_locked(to, async |to| copy(&stored, &here, &known, to).await).await?;
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
async fn copy(stored: &Stored, here: &Store, known: &Known, to: &mut State) -> Result<(), CliError> {
    let (mine, theirs) = (&known.index, to.index());
    let is_new = theirs.serial == 0;
    // Without an index here there are only overrides to move.
    if !is_new && mine.serial > 0 && !belong_together(mine, theirs) {
        return Err(CliError::Refused {
            what: "there is another state of this system in S3 already; nothing was moved".into(),
            next: format!(
                "see what it knows with `drctl state show`; if it is the right one, move {} away, and run the same command again if there are overrides beside it: they go along",
                stored.local.file().display()
            ),
        });
    }
    to.still_locked()?;
    interrupt::changed();
    let is_behind = mine.serial > theirs.serial;
    for held in &known.overrides {
        stored.store.put_override(held).await?;
        // At once, so that one that is released there does not come back with the next move.
        here.release_override(&held.id).await?;
    }
    if is_behind {
        to.go_on_from(mine.clone());
    }
    to.still_locked()?;
    Ok(to.save().await?)
}

/// Whether one of the two goes on from the other.
fn belong_together(mine: &Index, theirs: &Index) -> bool {
    let (earlier, later) = if mine.serial < theirs.serial { (mine, theirs) } else { (theirs, mine) };
    mine.lineage == theirs.lineage && later.goes_on_from(earlier)
}
