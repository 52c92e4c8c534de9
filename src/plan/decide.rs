//! The decisions.

use std::collections::{BTreeMap, BTreeSet};

use super::dark::Needed;
use super::held::{Held, hold, strays, without_holds};
use super::{Action, Change, Conflict, FieldDiff, Hold, Live, Observation, Plan, Reason, Sight, diff};
use crate::graph::{Address, Graph, Meta, Node, Owner, Properties, Reference, Site};
use crate::state::{Index, Override};

/// Everything a plan is made from.
#[derive(Clone, Copy)]
pub struct Basis<'a> {
    /// What the spec wants.
    pub desired: &'a Graph,
    /// What is live.
    pub observed: &'a Observation,
    /// What drctl remembers.
    pub recorded: &'a Index,
    /// What was changed on purpose and is to stay.
    pub overrides: &'a [Override],
    /// Whose system it is.
    pub owner: &'a Owner,
    /// The kinds in dependency order.
    pub kinds: &'a [Meta],
}

/// Plans the way from what is live to what is wanted.
pub fn plan(basis: &Basis<'_>) -> Plan {
    drafted(basis, |draft| {
        draft.plan.outstanding = basis.outstanding();
        draft.plan.warnings = basis.desired.warnings().to_vec();
        for address in in_dependency_order(basis.desired) {
            let node = basis.desired.get(&address).expect("the order lists the graph's own addresses");
            draft.wanted(&address, node);
        }
        for address in basis.leftovers() {
            draft.unwanted(&address, Reason::RemovedFromSpec);
        }
        draft.plan.warnings.extend(strays(basis.desired, basis.overrides));
    })
}

/// Plans the removal of everything that is this system's. `basis.desired` only says in which order,
/// and no override keeps anything. Nothing is waited for, and nothing warned of, that is on its way out.
pub fn destroy(basis: &Basis<'_>) -> Plan {
    drafted(basis, |draft| {
        let wanted = basis.desired.iter().map(|(address, _)| address.clone());
        for address in wanted.chain(basis.leftovers()) {
            draft.unwanted(&address, Reason::Destroy);
        }
    })
}

/// Decides until nothing more turns out to be needed by what is left alone. Where every place answers,
/// the first draft is the last.
fn drafted<'a>(basis: &'a Basis<'a>, decide: impl Fn(&mut Draft<'a>)) -> Plan {
    let mut needed = basis.needed_by_the_frozen();
    loop {
        let mut draft = Draft::new(basis, needed.clone());
        decide(&mut draft);
        if draft.needed == needed {
            return draft.finish();
        }
        needed = draft.needed;
    }
}

impl Basis<'_> {
    /// What is recorded or was found, and is not in the spec.
    fn leftovers(&self) -> BTreeSet<Address> {
        let known = self.recorded.resources.keys().chain(self.observed.seen.keys());
        known.filter(|address| self.desired.get(address).is_none()).cloned().collect()
    }

    /// What the live resources of the spec wait for outside.
    fn outstanding(&self) -> Vec<(Address, String)> {
        let wanted = self.desired.iter().map(|(address, _)| address);
        wanted
            .filter_map(|address| Some((address.clone(), self.observed.live(address)?.waiting()?.to_owned())))
            .collect()
    }

    pub(super) fn kind(&self, address: &Address) -> Option<&Meta> {
        Meta::find(self.kinds, address)
    }

    fn rank(&self, address: &Address) -> usize {
        self.kinds.iter().position(|meta| meta.kind == address.kind).unwrap_or(self.kinds.len())
    }

    /// Whose resource it is: `Ok` if ours, else who else's. What carries no marks of its own
    /// shares those of what it is part of: a table's new member has none until it is settled.
    ///
    /// What takes no tags while it is made carries a caller reference: a run that died before
    /// it wrote the tags has left one that is ours all the same.
    ///
    /// Of what takes no tags and shows nothing of ours, only the record can tell that it was adopted, unless it
    /// shows whose it is.
    pub(super) fn ours(&self, address: &Address, live: &Live) -> Result<(), Option<String>> {
        if let Some(system) = live.anothers() {
            return Err(Some(system.to_owned()));
        }
        if live.is_unmarked() {
            let record = self.recorded.resources.get(address);
            let adopted = record.is_some_and(|record| record.adopted && record.id == live.id);
            return if adopted { Ok(()) } else { Err(None) };
        }
        let reference = live.reference() == Some(self.owner.reference(&address.current()).as_str());
        if reference && live.tags().is_some_and(|tags| Owner::named_in(&tags).is_none()) {
            return Ok(());
        }
        let part_of = self.kind(address).and_then(|meta| meta.part_of);
        let tags = match live.tags() {
            Some(tags) if part_of.is_none() || Owner::named_in(&tags).is_some() => Some(tags),
            own => self.whole(address).and_then(|whole| self.observed.live(&whole)?.tags()).or(own),
        };
        match tags {
            Some(tags) if !self.owner.owns(&tags) => Err(Owner::named_in(&tags)),
            _ => Ok(()),
        }
    }

    /// Whether these properties are what was last applied, told by the fingerprint of that. It may have been
    /// applied before an override took hold: what that keeps has moved on neither side.
    pub(super) fn as_applied(&self, address: &Address, properties: &Properties, holds: &[Hold]) -> bool {
        let Some(record) = self.recorded.resources.get(address) else { return false };
        let managed = Meta::managed_of(self.kinds, address, properties);
        let is = |properties: &Properties| properties.fingerprint() == record.fingerprint;
        is(&managed) || !holds.is_empty() && is(&without_holds(&managed, holds))
    }

    /// What `address` is part of, if that is there: it has the same name, or is said to be needed.
    pub(super) fn whole(&self, address: &Address) -> Option<Address> {
        let kind = self.kind(address)?.part_of?;
        let needed = self.needs(address).into_iter().filter(|need| need.kind == kind);
        address.wholes(kind).into_iter().chain(needed).find(|whole| self.observed.live(whole).is_some())
    }

    /// What `address` needs before it, by the spec and by the record of the last apply. A former
    /// object needs what the one in its place needs.
    pub(super) fn needs(&self, address: &Address) -> BTreeSet<Address> {
        let current = address.current();
        let mut needs = self.desired.needs(&current);
        for record in [address, &current].into_iter().filter_map(|address| self.recorded.resources.get(address)) {
            needs.extend(record.needs.iter().cloned());
        }
        needs
    }

    /// Whether the last apply of `address`, or of what is in its place, is recorded.
    fn is_recorded(&self, address: &Address) -> bool {
        [address, &address.current()].iter().any(|address| self.recorded.resources.contains_key(*address))
    }

    fn is_created_first(&self, address: &Address) -> bool {
        self.kind(address).is_some_and(|meta| meta.create_first)
    }
}

/// A plan being made.
pub(super) struct Draft<'a> {
    pub(super) basis: &'a Basis<'a>,
    pub(super) changes: BTreeMap<Address, Change>,
    pub(super) needed: Needed,
    plan: Plan,
}

impl<'a> Draft<'a> {
    fn new(basis: &'a Basis<'a>, needed: Needed) -> Self {
        Self { basis, changes: BTreeMap::new(), needed, plan: Plan::empty(basis) }
    }

    fn wanted(&mut self, address: &Address, node: &Node) {
        if let Some(site) = self.basis.unknown(address) {
            return self.leave_alone(address, Reason::Dark, site, None, Vec::new());
        }
        let now = self.basis.observed.live(address).map(|live| &live.properties);
        let spec = node.properties.resolve_beside(now, &|reference, now| self.known(reference, now));
        let Held { properties: after, holds, warnings } =
            hold(address, &spec, self.basis.kind(address), self.basis.overrides);
        self.plan.warnings.extend(warnings);
        match self.basis.observed.seen.get(address) {
            None | Some(Sight::Absent) => {
                if let Some(site) = self.keeps_back(address, &after).or_else(|| self.lacks(address)) {
                    return self.leave_alone(address, Reason::WaitsForPlace, site, None, Vec::new());
                }
                let recorded = self.basis.recorded.resources.contains_key(address);
                let reason = if recorded { Reason::Drifted } else { Reason::New };
                self.push(address, Action::Create, reason, None, Some(after));
            }
            Some(Sight::Failed(failure)) => self.plan.failures.push((address.clone(), failure.clone())),
            Some(Sight::Dark(site)) => self.leave_alone(address, Reason::Dark, site.clone(), None, Vec::new()),
            Some(Sight::Live(live)) => match self.basis.ours(address, live) {
                Ok(()) if self.goes_with_its_whole(address) => {
                    self.push(address, Action::Create, Reason::DependencyChanged, Some(live.clone()), Some(after));
                }
                Ok(()) => self.compare(address, live.clone(), after, &holds),
                Err(belongs_to) => self.plan.conflicts.push(Conflict::new(address, live, belongs_to)),
            },
        }
        if let Some(change) = self.changes.get_mut(address) {
            change.held = holds;
        }
    }

    /// Whether `address` is part of something that is replaced, and so has to be made again after it.
    fn goes_with_its_whole(&self, address: &Address) -> bool {
        let part_of = self.basis.kind(address).and_then(|meta| meta.part_of);
        let needs = self.basis.desired.needs(address);
        needs.iter().any(|need| {
            Some(need.kind.as_str()) == part_of
                && self.changes.get(need).is_some_and(|change| change.action == Action::Replace)
        })
    }

    fn compare(&mut self, address: &Address, live: Live, after: Properties, holds: &[Hold]) {
        let meta = self.basis.kind(address);
        let managed = |properties: &Properties| Meta::managed_of(self.basis.kinds, address, properties);
        let (is, wanted) = (managed(&live.properties), managed(&after));
        let fields = diff(&is, &wanted, meta.map_or(&[], |meta| meta.documents));
        let fixed = meta.map_or(&[] as &[_], |meta| meta.fixed);
        let forces: BTreeSet<String> = fields
            .iter()
            .map(|field| field.field().to_owned())
            .filter(|field| fixed.contains(&field.as_str()))
            .collect();
        let action = match (fields.is_empty(), forces.is_empty()) {
            (true, _) => Action::NoOp,
            (false, true) => Action::Update,
            (false, false) => Action::Replace,
        };
        let needed = || self.needed.get(address).filter(|_| action == Action::Replace).cloned();
        if let Some(site) = self.keeps_back(address, &after).or_else(needed).filter(|_| action != Action::NoOp) {
            return self.leave_alone(address, Reason::WaitsForPlace, site, Some(live), fields);
        }
        let reason = if fields.is_empty() {
            if holds.iter().any(Hold::differs) { Reason::Held } else { Reason::InSync }
        } else if fields.iter().all(FieldDiff::depends) {
            Reason::DependencyChanged
        } else {
            let held = |field: &FieldDiff| holds.iter().any(|hold| hold.covers(&field.path));
            match self.moved(address, &is, &wanted, holds) {
                Reason::Drifted => Reason::Drifted,
                _ if fields.iter().all(held) => Reason::Held,
                reason => reason,
            }
        };
        if action == Action::Replace && self.basis.is_created_first(address) {
            self.push(&address.former(&live.id), Action::Delete, reason, Some(live.clone()), None);
        }
        self.push(address, action, reason, Some(live), Some(after));
        let change = self.changes.get_mut(address).expect("pushed a line earlier");
        change.fields = fields;
        change.forces_replacement = forces.into_iter().collect();
        change.consequence = meta.and_then(|meta| consequence(meta, change));
    }

    /// Which side moved since the last apply.
    fn moved(&self, address: &Address, live: &Properties, after: &Properties, holds: &[Hold]) -> Reason {
        let Some(record) = self.basis.recorded.resources.get(address) else { return Reason::Differs };
        let applied = |properties| self.basis.as_applied(address, properties, holds);
        match (applied(live), applied(after)) {
            (true, _) if record.adopted => Reason::Differs,
            (true, _) => Reason::SpecChanged,
            (false, true) => Reason::Drifted,
            (false, false) => Reason::SpecChangedAndDrifted,
        }
    }

    fn unwanted(&mut self, address: &Address, reason: Reason) {
        if let Some(site) = self.basis.unknown(address) {
            return self.leave_alone(address, Reason::Dark, site, None, Vec::new());
        }
        match self.basis.observed.seen.get(address) {
            Some(Sight::Live(live)) => match self.basis.ours(address, live) {
                Ok(()) => match self.keeps(address) {
                    Some(site) => {
                        self.leave_alone(address, Reason::WaitsForPlace, site, Some(live.clone()), Vec::new());
                    }
                    None => self.delete(address, reason, live),
                },
                // Whatever carries our name and not our marks is somebody else's: nothing of ours to remove.
                Err(_) => self.forget_if_recorded(address),
            },
            Some(Sight::Failed(failure)) => self.plan.failures.push((address.clone(), failure.clone())),
            Some(Sight::Dark(site)) => self.leave_alone(address, Reason::Dark, site.clone(), None, Vec::new()),
            Some(Sight::Absent) | None => self.forget_if_recorded(address),
        }
    }

    fn delete(&mut self, address: &Address, reason: Reason, live: &Live) {
        self.push(address, Action::Delete, reason, Some(live.clone()), None);
        let change = self.changes.get_mut(address).expect("pushed a line earlier");
        // Of a whole system's end that is told beside the losses.
        let meta = self.basis.kind(address).filter(|_| reason != Reason::Destroy);
        change.consequence = meta.and_then(|meta| consequence(meta, change));
    }

    fn forget_if_recorded(&mut self, address: &Address) {
        if self.basis.recorded.resources.contains_key(address) {
            self.push(address, Action::Forget, Reason::Gone, None, None);
        }
    }

    /// Does nothing to `address` until `site` answers again, and keeps what it may need meanwhile.
    fn leave_alone(
        &mut self,
        address: &Address,
        reason: Reason,
        site: Site,
        before: Option<Live>,
        fields: Vec<FieldDiff>,
    ) {
        if before.is_some() {
            self.basis.add_needs(address, &site, &mut self.needed);
        }
        self.push(address, Action::NoOp, reason, before, None);
        let change = self.changes.get_mut(address).expect("pushed a line earlier");
        change.fields = fields;
        change.dark = Some(site);
    }

    fn push(
        &mut self,
        address: &Address,
        action: Action,
        reason: Reason,
        before: Option<Live>,
        after: Option<Properties>,
    ) {
        let foreseen = self.basis.desired.get(address).and_then(|node| node.id.clone());
        let found = before.as_ref().map(|live| live.id.clone());
        let change = Change {
            address: address.clone(),
            id: if action == Action::Replace { foreseen.or(found) } else { found.or(foreseen) },
            action,
            reason,
            fields: Vec::new(),
            forces_replacement: Vec::new(),
            dark: None,
            before,
            after,
            held: Vec::new(),
            waits_for: BTreeSet::new(),
            needs: self.basis.desired.needs(address),
            consequence: None,
        };
        self.changes.insert(address.clone(), change);
    }

    /// The value of a reference, unless this plan makes it anew. What a dark place may have given another
    /// value stays as it is now; where there is none yet, the value of the last apply has to do.
    fn known(&self, reference: &Reference, now: Option<&str>) -> Option<String> {
        let Reference { address, attribute } = reference;
        let planned = self.changes.get(address).map(|change| change.action);
        if matches!(planned, Some(Action::Create | Action::Replace)) {
            return None;
        }
        let live = || self.basis.observed.live(address)?.attributes.get(attribute).cloned();
        if self.basis.frozen(address).is_none() {
            return live();
        }
        let recorded = || self.basis.recorded.resources.get(address)?.attributes.get(attribute).cloned();
        now.map(str::to_owned).or_else(recorded).or_else(live)
    }

    /// Puts the changes in order: what makes waits for what it needs, and what
    /// removes waits for everything that needed it.
    fn finish(mut self) -> Plan {
        let active: BTreeSet<Address> = self
            .changes
            .values()
            .filter(|change| change.action.changes_aws())
            .map(|change| change.address.clone())
            .collect();
        let mut waits: BTreeMap<Address, BTreeSet<Address>> = BTreeMap::new();
        for address in &active {
            let change = &self.changes[address];
            let needs = self.basis.needs(address);
            // Who uses a resource uses the former object, too, until it has moved on.
            let needs: BTreeSet<_> = active
                .iter()
                .filter(|need| needs.contains(*need) || needs.contains(&need.current()))
                .cloned()
                .collect();
            let current = address.current();
            if current != *address && active.contains(&current) {
                waits.entry(address.clone()).or_default().insert(current);
            }
            if change.action != Action::Delete {
                let made = needs.iter().filter(|need| self.changes[*need].action != Action::Delete);
                let made = made.filter(|need| !self.follows_its_part(need, address));
                waits.entry(address.clone()).or_default().extend(made.cloned());
            }
            let lower = self.fallback_needs(address, &active);
            for need in needs.union(&lower).filter(|need| self.removed_after(address, need)) {
                waits.entry(need.clone()).or_default().insert(address.clone());
            }
        }
        for (address, first) in waits {
            if let Some(change) = self.changes.get_mut(&address) {
                change.waits_for = first;
            }
        }
        self.plan.changes = self.changes.into_values().collect();
        self.plan
    }

    /// Whether something needed has to wait until what needs it, `address`, is done.
    fn removed_after(&self, address: &Address, need: &Address) -> bool {
        let goes = self.changes[address].action == Action::Delete;
        match self.changes[need].action {
            // Deleted once nothing uses it any more, whether its users go or move on.
            Action::Delete => true,
            // Replaced once the users that go are gone; those that stay follow it.
            Action::Replace => goes && address.current() == *address && !self.basis.is_created_first(need),
            // A table sheds a member once the member's protection is lifted.
            Action::Update if goes => self.is_a_part_of(address, need),
            Action::Update => self.follows_its_part(need, address),
            _ => false,
        }
    }

    /// Whether an update waits for that of a part, or of another one's part that needs it too: by then AWS does with
    /// what the update brings about what the part says. A part that is only made now needs the whole first.
    fn follows_its_part(&self, whole: &Address, part: &Address) -> bool {
        let (change, updates) = (&self.changes[whole], |address| self.changes[address].action == Action::Update);
        let changed: Vec<_> = change.fields.iter().map(FieldDiff::field).collect();
        let follows = self.basis.kind(whole).is_some_and(|meta| (meta.follows_its_parts)(&changed));
        follows && updates(whole) && updates(part) && self.is_a_part_of(part, whole)
    }

    /// Whether one kind is a part of the other.
    fn is_a_part_of(&self, part: &Address, whole: &Address) -> bool {
        self.basis.kind(part).and_then(|meta| meta.part_of) == Some(&whole.kind)
    }

    /// For a deletion or an update of which nobody knows what it needed until now (the state is lost, and the spec
    /// may have moved on): a kind only ever refers to kinds above it. Of what the spec still has, that is of interest
    /// for what goes; the rest of its order is the spec's, and that of a former object whose place is taken.
    fn fallback_needs(&self, address: &Address, active: &BTreeSet<Address>) -> BTreeSet<Address> {
        let changes = matches!(self.changes[address].action, Action::Delete | Action::Update);
        let (current, in_spec) = (address.current(), self.basis.desired.get(&address.current()).is_some());
        if !changes || self.basis.is_recorded(address) || in_spec && current != *address {
            return BTreeSet::new();
        }
        let rank = self.basis.rank(address);
        let goes = |other: &Address| self.changes[other].action == Action::Delete;
        let maybe = |other: &&Address| self.basis.rank(other) < rank && (!in_spec || goes(other));
        active.iter().filter(maybe).cloned().collect()
    }
}

/// What comes of a change by what its kind says of itself.
fn consequence(meta: &Meta, change: &Change) -> Option<String> {
    if change.action.removes() {
        return meta.on_delete.map(str::to_owned);
    }
    let changed = |property: &str| change.fields.iter().any(|field| field.field() == property);
    let left = meta.left_behind.iter().filter(|(property, _)| changed(property)).map(|(_, what)| *what);
    Some(left.collect::<Vec<_>>().join(", and ")).filter(|what| !what.is_empty())
}

/// The graph's addresses, each after everything it needs.
fn in_dependency_order(graph: &Graph) -> Vec<Address> {
    fn visit(graph: &Graph, address: &Address, done: &mut BTreeSet<Address>, order: &mut Vec<Address>) {
        if graph.get(address).is_none() || !done.insert(address.clone()) {
            return;
        }
        for need in graph.needs(address) {
            visit(graph, &need, done, order);
        }
        order.push(address.clone());
    }
    let (mut done, mut order) = (BTreeSet::new(), Vec::new());
    for (address, _) in graph.iter() {
        visit(graph, address, &mut done, &mut order);
    }
    order
}
