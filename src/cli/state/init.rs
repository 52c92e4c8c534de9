//! `drctl state init`

use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::interrupt;
use crate::cli::session::{Stored, SystemArgs};
use crate::cli::ui::Ui;
use crate::graph::Region;
use crate::ops::{Ensured, Unfit, ensure_state_bucket};

/// Make the buckets that `[state]` names, one in each region; does nothing if they are there
///
/// They belong to no system: `apply` does not change them, and `destroy` leaves them.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct InitArgs {
    #[command(flatten)]
    system: SystemArgs,
}

pub(super) async fn run(args: &InitArgs, ui: &Ui) -> Result<Exit, CliError> {
    let stored = Stored::open(&args.system, ui).await?;
    let Some(clients) = &stored.clients else {
        ui.remark("the state lies on this machine, and there is nothing to make; `[state] bucket` keeps it in S3");
        return Ok(Exit::Done);
    };
    interrupt::changed();
    let (mut changed, mut failed) = (false, None);
    for (region, wanted) in stored.spec.state.buckets(&stored.spec) {
        let working = ui.working(&format!("making {}", wanted.name));
        let ensured = ensure_state_bucket(clients, &region, &wanted).await;
        drop(working);
        match ensured {
            Ok(ensured) => {
                changed |= matches!(ensured, Ensured::Made | Ensured::Mended(_));
                ui.answer(&told(&wanted.name, &ensured))?;
            }
            Err(unfit) => failed = failed.or(Some(refused(&wanted.name, &region, unfit))),
        }
    }
    match failed {
        Some(error) if changed => Err(CliError::Unfinished {
            what: format!("not finished: {error}"),
            next: "put that right, then run `drctl state init` again".into(),
        }),
        Some(error) => Err(error),
        None => {
            match stored.store.spread_overrides().await {
                Ok(()) => {}
                // Whoever is at work has done so, or the next one does.
                Err(error) if error.is_locked() => {}
                // The buckets are as they should be, and that is all that was asked for.
                Err(error) => ui.remark(&format!("{error}; `drctl state check` says more")),
            }
            Ok(Exit::Done)
        }
    }
}

fn told(name: &str, ensured: &Ensured) -> String {
    match ensured {
        Ensured::Made => format!("{name} made"),
        Ensured::Mended(lacked) => format!("{name} mended: it lacked {}", lacked.join(", ")),
        Ensured::AsItShould => format!("{name} is there, as it should be"),
        Ensured::NotMadeByDrctl => format!("{name} is there, not made by drctl and as safe as it should be"),
    }
}

fn refused(name: &str, region: &Region, unfit: Unfit) -> CliError {
    match unfit {
        Unfit::Foreign(failure) => CliError::Refused {
            what: format!("the state cannot be kept in {name}: {failure}"),
            next: format!(
                "choose another `bucket` in `[state]`; if {name} is yours, let the caller do `{}` in {region}",
                failure.operation
            ),
        },
        Unfit::Unprotected(lacks) => CliError::Refused {
            what: format!("drctl did not make {name}, which lacks {}", lacks.join(", ")),
            next: "give it what it lacks, or choose another `bucket` in `[state]`".into(),
        },
        Unfit::Unmended(lacks) => CliError::Refused {
            what: format!("{name} lacks {}", lacks.join(", ")),
            next: "change its lifecycle rules yourself: drctl would take away what somebody has set there".into(),
        },
        Unfit::Failed(failure) => failure.into(),
    }
}
