//! Taking over what is live with the system's names and without its marks, as it is.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::decide::{Basis, plan};
use super::{Action, Change, Live, Observation, Plan, Reason, Sight};
use crate::graph::{Address, Meta, Owner, Properties, Reference, Tags};

/// Whether what a CloudFormation stack has made may be adopted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stacks {
    /// The stack would take it along when it is deleted, or change it back.
    Refuse,
    /// The stack retains everything: somebody has seen to that.
    Retained,
}

/// Why something is not adopted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hindrance {
    /// It carries the marks of another system.
    Anothers {
        /// The other system.
        system: String,
    },
    /// A CloudFormation stack has it.
    Stack {
        /// The stack's name.
        name: String,
    },
    /// It cannot become what the spec says without being replaced.
    Unfit {
        /// The properties that cannot be changed.
        fields: Vec<String>,
        /// What would have to be adopted with it, if it is that.
        without: BTreeSet<Address>,
    },
    /// It is part of something that would not be adopted with it.
    PartOf {
        /// What it is part of.
        whole: Address,
    },
    /// There are several that it could be, and no name tells which.
    Several {
        /// What AWS knows them by.
        ids: Vec<String>,
    },
}

/// What adopting comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct Adoption {
    /// One change for each resource that is to be marked, whose fields are what the next apply will change.
    pub plan: Plan,
    /// What stands in the way.
    pub hindrances: Vec<(Address, Hindrance)>,
    /// What was asked for and is this system's already.
    pub ours: BTreeSet<Address>,
    /// What was asked for and is not there.
    pub absent: BTreeSet<Address>,
}

/// Decides what of `asked`, and of its parts, is adopted. `asked` are addresses of the spec.
pub fn adopt(basis: &Basis<'_>, asked: &BTreeSet<Address>, stacks: Stacks) -> Adoption {
    let mut adoption = Adoption {
        plan: Plan { dark: BTreeMap::new(), ..Plan::empty(basis) },
        hindrances: Vec::new(),
        ours: BTreeSet::new(),
        absent: BTreeSet::new(),
    };
    let with_parts = asked.iter().cloned().chain(asked.iter().flat_map(|whole| basis.parts(whole)));
    let mut strangers: BTreeMap<Address, Live> = BTreeMap::new();
    for address in with_parts.collect::<BTreeSet<_>>() {
        if let Some(site) = basis.frozen(&address) {
            let failure = basis.observed.dark.get(&site).cloned();
            adoption.plan.dark.extend(failure.map(|failure| (site, failure)));
            continue;
        }
        match basis.observed.seen.get(&address) {
            Some(Sight::Failed(failure)) => adoption.plan.failures.push((address, failure.clone())),
            Some(Sight::Live(live)) => match basis.ours(&address, live) {
                Ok(()) if !basis.lacks_marks(&address, live) => {
                    adoption.ours.extend(asked.contains(&address).then_some(address));
                }
                whose => match basis.hindrance(&address, live, whose.err().flatten(), stacks) {
                    Some(hindrance) => adoption.hindrances.push((address, hindrance)),
                    None => drop(strangers.insert(address, live.clone())),
                },
            },
            None | Some(Sight::Absent | Sight::Dark(_)) => {
                adoption.absent.extend(asked.contains(&address).then_some(address));
            }
        }
    }
    // A part has no more to say than its whole.
    let hindered: BTreeSet<Address> = adoption.hindrances.iter().map(|(address, _)| address.clone()).collect();
    let told = |address: &Address| basis.whole(address).is_some_and(|whole| hindered.contains(&whole));
    adoption.hindrances.retain(|(address, _)| !told(address));
    strangers.retain(|address, _| !told(address));
    decide(basis, strangers, &mut adoption);
    adoption
}

/// Plans what comes after the adoption: that tells what is fit for it, and what it leaves to change.
fn decide(basis: &Basis<'_>, strangers: BTreeMap<Address, Live>, adoption: &mut Adoption) {
    let mut observed: Observation = basis.observed.clone();
    for (address, live) in &strangers {
        observed.seen.insert(address.clone(), Sight::Live(basis.as_adopted(address, live)));
    }
    let after = plan(&Basis { observed: &observed, ..*basis });
    for (address, live) in strangers {
        let theirs = |whole: &Address| observed.live(whole).is_some_and(|live| basis.ours(whole, live).is_err());
        let hindrance = match (basis.whole(&address).filter(theirs), after.get(&address)) {
            (Some(whole), _) => Some(Hindrance::PartOf { whole }),
            (None, Some(next)) if next.action == Action::Replace => Some(Hindrance::unfit(next)),
            _ => None,
        };
        match hindrance {
            Some(hindrance) => adoption.hindrances.push((address, hindrance)),
            None => {
                let fields = after.get(&address).map(|next| next.fields.clone()).unwrap_or_default();
                adoption.plan.changes.push(Change { fields, ..basis.adoption_of(address, live) });
            }
        }
    }
}

impl Hindrance {
    fn unfit(next: &Change) -> Self {
        let fixed = |path: &str| next.forces_replacement.iter().any(|field| field == path);
        let unknown = next.after.iter().flat_map(|after| after.fields()).filter(|(field, _)| fixed(field));
        let without = unknown.filter_map(|(_, value)| Reference::of(value)).map(|from| from.address);
        Self::Unfit { fields: next.forces_replacement.clone(), without: without.collect() }
    }
}

impl Basis<'_> {
    /// What the spec has that is part of `whole`.
    fn parts(&self, whole: &Address) -> Vec<Address> {
        let of = |address: &&Address| self.kind(address).and_then(|meta| meta.part_of) == Some(&whole.kind);
        let parts = self.desired.iter().map(|(address, _)| address).filter(of);
        parts.filter(|part| self.whole(part).as_ref() == Some(whole)).cloned().collect()
    }

    /// Whether it is a part that takes marks of its own, and an adoption was stopped before it wrote them.
    fn lacks_marks(&self, address: &Address, live: &Live) -> bool {
        let is_part = self.kind(address).is_some_and(|meta| meta.part_of.is_some());
        is_part && live.tags().is_some_and(|tags| Owner::named_in(&tags).is_none())
    }

    fn hindrance(
        &self,
        address: &Address,
        live: &Live,
        belongs_to: Option<String>,
        stacks: Stacks,
    ) -> Option<Hindrance> {
        match (belongs_to, live.stack()) {
            (Some(system), _) => Some(Hindrance::Anothers { system }),
            (None, Some(name)) if stacks == Stacks::Refuse => Some(Hindrance::Stack { name: name.to_owned() }),
            (None, _) => {
                let like = self.observed.seen.iter().filter(|(other, _)| other.current() == *address);
                let like = like.filter_map(|(other, sight)| Some((other, sight.live()?)));
                let like = like.filter(|(other, live)| self.ours(other, live).is_err());
                let ids: Vec<String> = like.map(|(_, live)| live.id.clone()).collect();
                (ids.len() > 1).then_some(Hindrance::Several { ids })
            }
        }
    }

    /// How a resource is seen once it is adopted.
    fn as_adopted(&self, address: &Address, live: &Live) -> Live {
        let mut adopted = live.clone();
        adopted.attributes.remove(Live::UNMARKED);
        adopted.properties = self.marked(address, live);
        adopted
    }

    /// The properties with the marks among the tags, for kinds that take tags.
    fn marked(&self, address: &Address, live: &Live) -> Properties {
        let mut properties = live.properties.clone();
        if let Some(mut tags) = live.tags() {
            tags.extend(self.marks(address));
            properties.set("tags", json!(tags));
        }
        properties
    }

    /// The marks that the spec would have made the resource with.
    fn marks(&self, address: &Address) -> Tags {
        let wanted = self.desired.get(address).and_then(|node| node.properties.tags()).unwrap_or_default();
        wanted.into_iter().filter(|(key, _)| Owner::is_mark(key)).collect()
    }

    /// The change that adopts a resource. Marks that are written at creation only are another resource's:
    /// those of a table are its members'.
    fn adoption_of(&self, address: Address, live: Live) -> Change {
        let keeps_tags = |meta: &Meta| !meta.at_creation.contains(&"tags");
        let marked = self.kind(&address).is_some_and(keeps_tags).then(|| self.marked(&address, &live));
        Change {
            id: Some(live.id.clone()),
            action: Action::Adopt,
            reason: Reason::Unmarked,
            fields: Vec::new(),
            forces_replacement: Vec::new(),
            dark: None,
            after: Some(marked.unwrap_or_else(|| live.properties.clone())),
            before: Some(live),
            held: Vec::new(),
            waits_for: BTreeSet::new(),
            needs: self.needs(&address),
            consequence: None,
            address,
        }
    }
}
