//! What is in the buckets that are to be deleted, told and refused before anything is.

use futures::future::try_join_all;

use super::error::CliError;
use super::session::Session;
use super::telling::Telling;
use super::ui::Ui;
use crate::graph::{Address, Resource};
use crate::kinds::bucket::{Bucket, Content};
use crate::ops::bucket_content;
use crate::plan::{Action, Plan};

/// Says what objects go. Refuses locked buckets, and those with content unless they may be emptied.
pub(super) async fn check(
    session: &Session,
    plan: &Plan,
    may_empty: bool,
    telling: &Telling<'_>,
) -> Result<(), CliError> {
    let contents = contents(session, plan, telling.ui).await?;
    for (address, content) in contents.iter().filter(|(_, content)| !content.is_empty()) {
        telling.loss(address, &content.to_string(), None)?;
    }
    let names = |which: &dyn Fn(&Content) -> bool| {
        let chosen = contents.iter().filter(|(_, content)| which(content));
        chosen.map(|(address, _)| address.to_string()).collect::<Vec<_>>().join(", ")
    };
    let locked = names(&|content| content.object_lock);
    if !locked.is_empty() {
        return Err(CliError::Refused {
            what: format!("Object Lock is on for {locked}, so S3 may keep what is in it; nothing was deleted"),
            next: "delete the locked versions and the bucket yourself once their time is up, then run this again"
                .into(),
        });
    }
    let full = names(&|content| !content.is_empty());
    if !full.is_empty() && !may_empty {
        return Err(CliError::Refused {
            what: format!("there are objects in {full}; nothing was deleted"),
            next: "add `--empty-buckets` if all of them, with every version, really are to go".into(),
        });
    }
    Ok(())
}

async fn contents(session: &Session, plan: &Plan, ui: &Ui) -> Result<Vec<(Address, Content)>, CliError> {
    let _working = ui.working("counting what is in the buckets");
    let buckets =
        plan.pending().filter(|change| change.address.kind == Bucket::KIND && change.action == Action::Delete);
    let looks = buckets.filter_map(|change| {
        let (region, name) = (change.address.place.region()?, change.id.as_ref()?);
        Some(async move {
            let content = bucket_content(session.cloud.clients(), region, name).await?;
            Ok::<_, CliError>((change.address.clone(), content))
        })
    });
    try_join_all(looks).await
}
