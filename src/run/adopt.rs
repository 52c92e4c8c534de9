//! Looking for what could be adopted.

use std::collections::BTreeSet;

use super::cloud::{Cloud, Freshness};
use super::observe::{Subject, observe};
use crate::graph::{Address, Failure, Owner, Properties};
use crate::kinds::Target;
use crate::plan::{Live, Observation, Sight};

/// Observes a system, and for what of `wanted` is not there also what could become it: a zone and a health
/// check have no names by which they would be seen. Where there are several, all but one are former objects.
pub async fn observe_lookalikes<C: Cloud>(
    cloud: &C,
    subject: Subject<'_>,
    wanted: &BTreeSet<Address>,
) -> Result<Observation, Failure> {
    let mut observed = observe(cloud, subject).await?;
    for address in wanted {
        let Some(node) = subject.desired.get(address) else { continue };
        let absent = matches!(observed.seen.get(address), None | Some(Sight::Absent));
        if node.id.is_some() || !absent {
            continue;
        }
        let known = node.properties.resolve(&|from| observed.told(&from.address, &from.attribute).map(str::to_owned));
        if known.references().is_empty() {
            let found = lookalikes(cloud, address, &known).await;
            observed.seen.extend(found);
        }
    }
    observed.dark = cloud.dark();
    Ok(observed)
}

/// What could become `address`, as far as it is nobody's.
async fn lookalikes<C: Cloud>(cloud: &C, address: &Address, wanted: &Properties) -> Vec<(Address, Sight)> {
    let ids = match cloud.lookalikes(address, wanted).await {
        Ok(ids) => ids,
        Err(failure) => return vec![(address.clone(), Sight::Failed(failure))],
    };
    let targets = ids.into_iter().map(|id| Target { address: address.former(&id), id });
    let seen = cloud.observe(targets.collect(), Freshness::Strict).await;
    let nobodys = |live: &Live| live.tags().is_none_or(|tags| Owner::named_in(&tags).is_none());
    let mut found: Vec<_> =
        seen.into_iter().filter(|(_, sight)| sight.live().map_or(*sight != Sight::Absent, nobodys)).collect();
    if let Some((first, _)) = found.first_mut() {
        *first = address.clone();
    }
    found
}
