//! What a finished plan may not do without being told so, checked apart from the planning.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Action, Change, Live, Observation, Plan, Sight};
use crate::graph::{Address, Meta};

/// What is protected, and what the user has allowed all the same.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Guard {
    /// `[guard] protect`: kinds that are not deleted or replaced.
    pub protect: BTreeSet<String>,
    /// What takes payments, region by region: one of them has to go on.
    pub sites: Vec<Site>,
    /// What is live, and not in the spec, and has to be let go of first ([`crate::graph::Resource::LET_GO_FIRST`]).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unwanted: Vec<Address>,
    /// `--allow`: addresses that may go all the same.
    #[serde(skip)]
    pub allow: BTreeSet<Address>,
    /// `--allow-many-deletes`: more may go than stays.
    #[serde(skip)]
    pub allow_many_deletes: bool,
}

/// What takes payments in one region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// What does the work.
    pub function: Address,
    /// The function's property that stops it at 0.
    pub throttle: String,
    /// Where it is reached.
    pub url: Address,
    /// What looks at it; `None` without DNS.
    pub check: Option<Address>,
}

/// Something that a guard stops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Data would be lost.
    Loss {
        /// The protected resource.
        address: Address,
        /// What the plan would do to it.
        action: Action,
        /// The properties that force a replacement.
        because: Vec<String>,
        /// Parts of it on which AWS's own deletion protection is on.
        protected: Vec<Address>,
    },
    /// Something would be taken from what stays and still uses it.
    InUse {
        /// What would be deleted, or may no longer be used.
        address: Address,
        /// What uses it.
        users: Vec<Address>,
        /// What to do before.
        first: &'static str,
    },
    /// More would go than stays: this is hardly the right spec.
    ManyDeletes {
        /// How many resources go.
        deleted: usize,
        /// How many stay.
        kept: usize,
    },
    /// No region would take payments.
    Silence {
        /// Why each region would not, by what does the work there.
        sites: Vec<(Address, Quiet)>,
        /// The region that takes them now and would stop.
        last: Address,
    },
}

/// Why a site takes no payments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Quiet {
    /// This is not there.
    Absent(Address),
    /// This cannot be read.
    Unknown(Address),
    /// It is stopped.
    Stopped,
    /// Its health check is red, for this reason.
    Red(String),
    /// The plan deletes or replaces this.
    Goes(Address, Action),
    /// The plan stops it.
    Stops,
}

/// What of `plan` the guard stops, after what was observed for it: losses in the order of addresses, then what
/// concerns the whole system.
pub fn check(plan: &Plan, guard: &Guard, observed: &Observation, kinds: &[Meta]) -> Vec<Refusal> {
    let mut refusals: Vec<_> = plan.pending().filter_map(|change| loss(plan, change, guard, kinds)).collect();
    refusals.extend(in_use(plan, guard, observed, kinds));
    refusals.extend(many_deletes(plan, guard));
    refusals.extend(silence(plan, guard, observed));
    refusals
}

fn loss(plan: &Plan, change: &Change, guard: &Guard, kinds: &[Meta]) -> Option<Refusal> {
    let address = &change.address;
    let current = address.current();
    // Told of already, by the replacement that leaves a former object behind.
    let told = current != *address && plan.get(&current).is_some_and(|change| change.action.removes());
    let protected = protected_parts(plan, address, kinds);
    let stops = guard.protect.contains(&address.kind) || !protected.is_empty();
    (change.action.removes() && stops && !guard.allow.contains(&current) && !told).then(|| Refusal::Loss {
        address: address.clone(),
        action: change.action,
        because: change.forces_replacement.clone(),
        protected,
    })
}

/// What the plan takes from what still uses it: the thing itself, or the right to use it. Documents and parts of others
/// only allow and carry on what these do.
fn in_use(plan: &Plan, guard: &Guard, observed: &Observation, kinds: &[Meta]) -> Vec<Refusal> {
    let unwanted = guard.unwanted.iter().filter_map(|address| {
        let first = Meta::find(kinds, address)?.let_go_first?;
        let live = observed.live(address)?;
        let arns: Vec<&String> = live.attributes.values().filter(|value| value.starts_with("arn:")).collect();
        let goes = plan.get(address).is_some_and(|change| change.action.removes());
        if !goes && !plan.pending().any(|change| is_forbidden(change, &arns)) {
            return None;
        }
        let users = observed.seen.iter().filter_map(|(user, sight)| Some((user, sight.live()?)));
        let users = users.filter(|(user, live)| *user != address && uses(user, live, &arns, kinds));
        let stays = |user: &&Address| plan.get(user).is_none_or(|change| !change.action.removes());
        let users: Vec<_> = users.map(|(user, _)| user).filter(stays).cloned().collect();
        (!users.is_empty()).then(|| Refusal::InUse { address: address.clone(), users, first })
    });
    unwanted.collect()
}

/// Whether a policy no longer names any of these.
fn is_forbidden(change: &Change, arns: &[&String]) -> bool {
    let named = |value: &Option<Value>| value.as_ref().is_some_and(|value| holds(value, arns));
    let policies = change.fields.iter().filter(|field| field.document);
    change.action == Action::Update && policies.into_iter().any(|field| named(&field.before) && !named(&field.after))
}

fn uses(user: &Address, live: &Live, arns: &[&String], kinds: &[Meta]) -> bool {
    Meta::find(kinds, user).is_some_and(|meta| {
        let settings = live.properties.without(meta.documents);
        meta.part_of.is_none() && settings.fields().any(|(_, value)| holds(value, arns))
    })
}

/// Whether one of these texts is anywhere in a value.
fn holds(value: &Value, texts: &[&String]) -> bool {
    match value {
        Value::String(text) => texts.contains(&text),
        Value::Array(items) => items.iter().any(|item| holds(item, texts)),
        Value::Object(map) => map.values().any(|item| holds(item, texts)),
        _ => false,
    }
}

/// The parts of a resource that AWS itself would not let go of.
fn protected_parts(plan: &Plan, whole: &Address, kinds: &[Meta]) -> Vec<Address> {
    let is_part = |address: &Address| {
        let meta = Meta::find(kinds, address);
        address.name == whole.name && meta.and_then(|meta| meta.part_of) == Some(&whole.kind)
    };
    let protected = |change: &&Change| change.before.as_ref().is_some_and(|live| live.is_protected());
    let parts = plan.changes.iter().filter(|change| is_part(&change.address)).filter(protected);
    parts.map(|change| change.address.clone()).collect()
}

fn many_deletes(plan: &Plan, guard: &Guard) -> Option<Refusal> {
    let deleted = plan.changes.iter().filter(|change| {
        // A former object has its successor.
        change.action == Action::Delete && change.address == change.address.current()
    });
    let deleted = deleted.count();
    let stays = [Action::NoOp, Action::Update, Action::Replace].map(|action| plan.count(action));
    let unknown = plan.changes.iter().filter(|change| change.dark.is_some()).count();
    let kept = stays.iter().sum::<usize>() + unknown + plan.left_out;
    (deleted > kept && !guard.allow_many_deletes).then_some(Refusal::ManyDeletes { deleted, kept })
}

/// A site that takes no payments now is no reason to stop: the plan may well be its repair.
fn silence(plan: &Plan, guard: &Guard, observed: &Observation) -> Option<Refusal> {
    let (mut sites, mut last) = (Vec::new(), None);
    for site in &guard.sites {
        let why = match quiet(site, observed) {
            Some(why) => why,
            None => {
                last = last.or(Some(&site.function));
                quieted(plan, site)?
            }
        };
        sites.push((site.function.clone(), why));
    }
    let last = last.filter(|_| !sites.iter().any(|(site, _)| guard.allow.contains(site)))?.clone();
    Some(Refusal::Silence { sites, last })
}

/// Why a site takes no payments now, if it does not; one that cannot be read is not counted on.
fn quiet(site: &Site, observed: &Observation) -> Option<Quiet> {
    for address in [&site.function, &site.url] {
        match observed.seen.get(address) {
            None | Some(Sight::Absent) => return Some(Quiet::Absent(address.clone())),
            Some(Sight::Failed(_) | Sight::Dark(_)) => return Some(Quiet::Unknown(address.clone())),
            Some(Sight::Live(live)) if live.properties.get(&site.throttle) == Some(&json!(0)) => {
                return Some(Quiet::Stopped);
            }
            Some(Sight::Live(_)) => {}
        }
    }
    let check = site.check.as_ref().and_then(|check| observed.live(check)?.red());
    check.map(|why| Quiet::Red(why.to_owned()))
}

/// Why a site that takes payments would take none, if the plan leads there.
fn quieted(plan: &Plan, site: &Site) -> Option<Quiet> {
    let changes = [&site.function, &site.url].into_iter().filter_map(|address| plan.get(address));
    changes.into_iter().find_map(|change| match &change.after {
        _ if change.action.removes() => Some(Quiet::Goes(change.address.clone(), change.action)),
        Some(after) if after.get(&site.throttle) == Some(&json!(0)) => Some(Quiet::Stops),
        _ => None,
    })
}
