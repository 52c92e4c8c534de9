//! `drctl health`

use super::degraded::tell_dark;
use super::error::CliError;
use super::exit::Exit;
use super::output::region;
use super::pay::{no_url, show};
use super::session::{Code, Session, SystemArgs};
use super::ui::Ui;
use crate::graph::Region;
use crate::ops::{get, health_url};

/// Ask each region whether it could take a payment now
#[derive(Debug, clap::Args)]
pub(super) struct HealthArgs {
    #[command(flatten)]
    system: SystemArgs,

    /// Only this region
    #[arg(long)]
    region: Option<String>,
}

pub(super) async fn run(args: &HealthArgs, ui: &mut Ui) -> Result<Exit, CliError> {
    let session = Session::open(&args.system, Code::Leave, ui).await?;
    let regions = match region(&session, args.region.as_deref())? {
        Some(region) => vec![Region::new(region)],
        None => session.spec.regions().to_vec(),
    };
    let state = session.read_state().await?;
    let observed = session.observe(&state, ui).await?;
    tell_dark(&observed, ui);
    let mut red = Vec::new();
    for region in regions {
        let url = health_url(&session.spec, &observed, &region)
            .ok_or_else(|| no_url("tells the health", &region, &observed))?;
        let answer = get(&session.usable(&url)).await?;
        show(&answer, &region, ui)?;
        if answer.status != 200 {
            red.push(region.to_string());
        }
    }
    if red.is_empty() {
        return Ok(Exit::Done);
    }
    Err(CliError::Failed {
        what: format!("unhealthy: {}", red.join(", ")),
        next: "the answer names the reasons; `drctl plan` shows what is not as the spec says".into(),
    })
}
