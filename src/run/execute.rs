//! Carrying out a plan: as wide as dependencies allow, one mutation at a time per AWS
//! object, and every result on disk before the next step of the same resource.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use futures::future::{Fuse, FutureExt};
use futures::stream::{FuturesUnordered, StreamExt};
use jiff::Timestamp;

use super::cloud::{Cloud, Freshness};
use super::events::Event;
use super::options::{Options, is_created_first};
use super::settle::settle;
use crate::graph::{Address, Attributes, Failure, FailureClass, Meta, Properties, Reference, Site};
use crate::kinds::Target;
use crate::plan::{Action, Change, FieldDiff, Plan, Sight, lasting};
use crate::state::{Record, Saving, State, StateError};

/// How long something may exist before reads show it.
const SHOWN_WITHIN: Duration = Duration::from_secs(30);

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// What was done.
    pub done: Vec<(Address, Action)>,
    /// What failed, and why.
    pub failed: Vec<(Address, Failure)>,
    /// What was left out because something it depends on failed, or the run was interrupted.
    pub skipped: Vec<Address>,
    /// What still differs after the last look, and how.
    pub different: Vec<(Address, Vec<FieldDiff>)>,
    /// What could not be read again, because a place went dark meanwhile.
    pub unseen: Vec<(Address, Site)>,
    /// Why the state could not be kept, which ended the run early.
    pub unsaved: Option<StateError>,
}

impl Outcome {
    /// Whether everything is as planned.
    pub fn is_complete(&self) -> bool {
        let as_planned = self.failed.is_empty() && self.skipped.is_empty() && self.different.is_empty();
        as_planned && self.unseen.is_empty() && self.unsaved.is_none()
    }
}

/// Carries out `plan`. What AWS refuses is in the outcome, and so is a state that can no longer be
/// written: then nothing more is started. One that cannot be written at all is an error, and nothing was changed.
pub async fn execute<C: Cloud>(
    cloud: &C,
    plan: &Plan,
    state: &mut State,
    options: &Options<'_>,
) -> Result<Outcome, StateError> {
    bring_up_to_date(plan, state, options.kinds);
    state.save().await?;
    let mut run = Run::new(plan, options);
    let mut running = FuturesUnordered::new();
    // Steps that end while a write is under way are written together by the next one.
    let mut saving: Fuse<Saving> = Fuse::terminated();
    let (mut being_saved, mut to_save) = (Vec::new(), Vec::new());
    loop {
        while running.len() + being_saved.len() + to_save.len() < options.parallelism
            && run.outcome.unsaved.is_none()
            && !(options.stopping)()
        {
            let Some(change) = run.next() else { break };
            (options.events)(Event::Started { address: change.address.clone(), action: change.action });
            let resolved = change.after.as_ref().map(|after| after.resolve(&|reference| run.value(reference)));
            running.push(step(cloud, plan, change, resolved, run.lag(change, cloud.now()), options));
        }
        if being_saved.is_empty() && !to_save.is_empty() {
            saving = state.save().fuse();
            std::mem::swap(&mut being_saved, &mut to_save);
        }
        futures::select_biased! {
            saved = saving => {
                for finished in being_saved.drain(..) {
                    run.finish(finished);
                }
                run.outcome.unsaved = run.outcome.unsaved.or(saved.err());
            }
            ended = running.select_next_some() => match ended {
                Ok(finished) => {
                    run.record(&finished, state);
                    to_save.push(finished);
                }
                Err(NotBegun(change)) => run.put_back(change),
            },
            complete => break,
        }
    }
    run.skip_the_rest();
    let mut outcome = run.outcome;
    if outcome.unsaved.is_some() {
        return Ok(outcome);
    }
    let touched = outcome
        .done
        .iter()
        .filter(|(address, action)| *action != Action::Delete || goes_with_its_whole(address, &outcome, options))
        .filter_map(|(address, _)| Some(Target { address: address.clone(), id: run.ids.get(address)?.clone() }));
    let look = settle(cloud, touched.collect(), &run.applied, options).await;
    (outcome.different, outcome.unseen) = (look.different, look.unseen);
    Ok(outcome)
}

/// Whether a deleted resource has to be gone by now. A part (the settings of a table's member) is there
/// for as long as its whole, whose own failure is told already.
fn goes_with_its_whole(address: &Address, outcome: &Outcome, options: &Options<'_>) -> bool {
    let part_of = Meta::find(options.kinds, address).and_then(|meta| meta.part_of);
    part_of
        .into_iter()
        .flat_map(|kind| address.wholes(kind))
        .all(|whole| !outcome.failed.iter().any(|(failed, _)| *failed == whole) && !outcome.skipped.contains(&whole))
}

/// Records what is live as wanted and not recorded (the state was lost), and forgets what is gone.
fn bring_up_to_date(plan: &Plan, state: &mut State, kinds: &[Meta]) {
    for change in &plan.changes {
        match (change.action, &change.before, &change.after) {
            (Action::Forget, ..) => state.forget(&change.address),
            (Action::NoOp, Some(live), Some(after)) => {
                let record = record(change, &live.id, &live.attributes, after, kinds);
                let known = state.index().resources.get(&change.address);
                // What one region tells of something that is in several is not all there is to know.
                let in_full = plan.dark.is_empty();
                if known.is_none_or(|known| {
                    (&known.id, &known.fingerprint, &known.needs) != (&record.id, &record.fingerprint, &record.needs)
                        || known.adopted
                        || known.built != record.built
                        || in_full && known.attributes != record.attributes
                }) {
                    state.record(change.address.clone(), record);
                }
            }
            _ => {}
        }
    }
}

pub(super) fn record(change: &Change, id: &str, attributes: &Attributes, after: &Properties, kinds: &[Meta]) -> Record {
    let managed = Meta::managed_of(kinds, &change.address, after);
    Record {
        id: id.to_owned(),
        fingerprint: managed.fingerprint(),
        needs: change.needs.clone(),
        attributes: lasting(attributes),
        applied_at: Timestamp::now(),
        adopted: change.action == Action::Adopt,
        built: Meta::built_of(kinds, &change.address, after),
    }
}

/// Something that was changed and is not in force before then.
struct Lagging {
    address: Address,
    until: Instant,
}

/// A step that has come to an end.
struct Finished<'a> {
    change: &'a Change,
    resolved: Option<Properties>,
    took: Duration,
    ended: Instant,
    result: Result<Option<(String, Attributes)>, Failure>,
}

/// A step that was still waiting when nothing more was to be started.
struct NotBegun<'a>(&'a Change);

async fn step<'a, C: Cloud>(
    cloud: &C,
    plan: &Plan,
    change: &'a Change,
    resolved: Option<Properties>,
    lagging: Option<Lagging>,
    options: &Options<'_>,
) -> Result<Finished<'a>, NotBegun<'a>> {
    let begun = Instant::now();
    let waiting = |what: String| (options.events)(Event::Waiting { address: change.address.clone(), what });
    if let Some(Lagging { address, until }) = lagging {
        waiting(format!("{address} to be in force"));
        cloud.pause(until.saturating_duration_since(cloud.now())).await;
        if (options.stopping)() {
            return Err(NotBegun(change));
        }
    }
    let result = act(cloud, plan, change, resolved.as_ref(), options, &waiting).await;
    Ok(Finished { change, resolved, took: begun.elapsed(), ended: cloud.now(), result })
}

async fn act<C: Cloud>(
    cloud: &C,
    plan: &Plan,
    change: &Change,
    after: Option<&Properties>,
    options: &Options<'_>,
    waiting: &(dyn Fn(String) + Sync),
) -> Result<Option<(String, Attributes)>, Failure> {
    let address = &change.address;
    match (change.action, &change.before, after) {
        (Action::Create, _, Some(after)) => make(cloud, plan, change, after, waiting).await.map(Some),
        (Action::Update, Some(before), Some(after)) => {
            cloud.update(address, &before.properties, after, waiting).await?;
            Ok(Some((before.id.clone(), before.attributes.clone())))
        }
        (Action::Adopt, Some(before), Some(after)) => {
            // What takes no marks is adopted by being recorded.
            if before.properties != *after {
                cloud.update(address, &before.properties, after, waiting).await?;
            }
            Ok(Some((before.id.clone(), before.attributes.clone())))
        }
        // The former object is a deletion of its own, once nothing uses it any more.
        (Action::Replace, Some(_), Some(after)) if is_created_first(options.kinds, address) => {
            make(cloud, plan, change, after, waiting).await.map(Some)
        }
        (Action::Replace, Some(before), Some(after)) => {
            // What protects a part (a table's member from deletion) protects the whole.
            for part in plan.made_again_with(address, options.kinds) {
                if let Some(before) = &part.before {
                    cloud.delete(&part.address, &before.properties, waiting).await?;
                }
            }
            cloud.delete(address, &before.properties, waiting).await?;
            make(cloud, plan, change, after, waiting).await.map(Some)
        }
        (Action::Delete, Some(before), _) => cloud.delete(address, &before.properties, waiting).await.map(|()| None),
        _ => Ok(None),
    }
}

/// Creates a resource. One that is there already is our own work if it carries our marks (an
/// earlier run died, or an answer was lost after the work was done); then it is brought up to date.
async fn make<C: Cloud>(
    cloud: &C,
    plan: &Plan,
    change: &Change,
    after: &Properties,
    waiting: &(dyn Fn(String) + Sync),
) -> Result<(String, Attributes), Failure> {
    let refused = match cloud.create(&change.address, after, waiting).await {
        Ok(created) => return Ok((created.id, created.attributes)),
        Err(failure) if failure.class == FailureClass::Exists => failure,
        Err(failure) => return Err(failure),
    };
    let Some(id) = change.id.clone() else { return Err(refused) };
    match look_at(cloud, Target { address: change.address.clone(), id }).await {
        Some(Sight::Live(live)) if live.tags().map_or(!live.is_unmarked(), |tags| plan.owner.owns(&tags)) => {
            cloud.update(&change.address, &live.properties, after, waiting).await?;
            Ok((live.id, live.attributes))
        }
        _ => Err(refused),
    }
}

/// Reads what AWS says is there. Reads lag behind writes, so "not there" is asked again for a while.
async fn look_at<C: Cloud>(cloud: &C, target: Target) -> Option<Sight> {
    let (mut patience, mut pause) = (SHOWN_WITHIN, Duration::from_millis(250));
    loop {
        let seen = cloud.observe(vec![target.clone()], Freshness::Strict).await.remove(&target.address);
        if !matches!(seen, None | Some(Sight::Absent)) || pause > patience {
            return seen;
        }
        cloud.pause(pause).await;
        patience -= pause;
        pause *= 2;
    }
}

struct Run<'a> {
    plan: &'a Plan,
    options: &'a Options<'a>,
    /// Not started yet.
    pending: BTreeSet<Address>,
    /// Started and not ended.
    unfinished: BTreeSet<Address>,
    locked: BTreeSet<Address>,
    broken: BTreeSet<Address>,
    attributes: BTreeMap<Address, Attributes>,
    applied: BTreeMap<Address, Properties>,
    ids: BTreeMap<Address, String>,
    /// When what was changed will be in force, where that takes time.
    in_force: BTreeMap<Address, Instant>,
    outcome: Outcome,
}

impl<'a> Run<'a> {
    fn new(plan: &'a Plan, options: &'a Options<'a>) -> Self {
        Self {
            plan,
            options,
            pending: plan.pending().map(|change| change.address.clone()).collect(),
            unfinished: BTreeSet::new(),
            locked: BTreeSet::new(),
            broken: BTreeSet::new(),
            attributes: plan
                .changes
                .iter()
                .filter_map(|change| Some((change.address.clone(), change.before.as_ref()?.attributes.clone())))
                .collect(),
            applied: BTreeMap::new(),
            ids: plan.changes.iter().filter_map(|change| Some((change.address.clone(), change.id.clone()?))).collect(),
            in_force: BTreeMap::new(),
            outcome: Outcome::default(),
        }
    }

    /// The next change whose turn it is, if any; its object is locked until it finishes.
    fn next(&mut self) -> Option<&'a Change> {
        let ready = |run: &Self, change: &Change| {
            let waits = change.waits_for.iter().any(|need| run.pending.contains(need) || run.unfinished.contains(need));
            !waits && !run.locked.contains(&run.lock_of(&change.address))
        };
        let change =
            self.plan.pending().find(|change| self.pending.contains(&change.address) && ready(self, change))?;
        self.pending.remove(&change.address);
        self.unfinished.insert(change.address.clone());
        self.locked.insert(self.lock_of(&change.address));
        Some(change)
    }

    /// It was not begun after all.
    fn put_back(&mut self, change: &Change) {
        self.unfinished.remove(&change.address);
        self.locked.remove(&self.lock_of(&change.address));
        self.pending.insert(change.address.clone());
    }

    fn lock_of(&self, address: &Address) -> Address {
        let meta = Meta::find(self.options.kinds, address);
        meta.map_or_else(|| address.clone(), |meta| (meta.locks)(address))
    }

    fn value(&self, reference: &Reference) -> Option<String> {
        self.attributes.get(&reference.address)?.get(&reference.attribute).cloned()
    }

    /// What a change has to wait for although the step is done: the last of its needs to be in force. A deletion does
    /// not ask for that.
    fn lag(&self, change: &Change, now: Instant) -> Option<Lagging> {
        let needs = change.waits_for.iter().filter(|_| change.action != Action::Delete);
        let lagging = needs.filter_map(|need| Some((*self.in_force.get(need)?, need)));
        let (until, address) = lagging.filter(|(until, _)| *until > now).max()?;
        Some(Lagging { address: address.clone(), until })
    }

    /// When a change that is done will be in force, if that takes time. Nothing relies yet on what was only made:
    /// its first user is told by AWS that it has to wait.
    fn in_force(&self, change: &Change, ended: Instant) -> Option<Instant> {
        let lag = Meta::find(self.options.kinds, &change.address)?.lag?;
        let lags = change.fields.iter().any(|field| lag.of.contains(&field.field()));
        (change.action == Action::Update && lags).then(|| ended + lag.time)
    }

    /// Notes down what a step came to, before anything acts on it.
    fn record(&self, finished: &Finished<'_>, state: &mut State) {
        let address = &finished.change.address;
        match (&finished.result, &finished.resolved) {
            (Ok(Some((id, attributes))), Some(after)) => {
                let former = state.index().resources.get(address).filter(|former| former.id != *id).cloned();
                state.record(address.clone(), record(finished.change, id, attributes, after, self.options.kinds));
                if let (true, Some(former)) = (is_created_first(self.options.kinds, address), former) {
                    state.record(address.former(&former.id), former);
                }
            }
            (Ok(_), _) => state.forget(address),
            (Err(_), _) => {}
        }
    }

    /// Lets go on whatever waited for a step.
    fn finish(&mut self, finished: Finished<'_>) {
        let Finished { change, resolved, took, ended, result } = finished;
        let (address, action) = (change.address.clone(), change.action);
        self.unfinished.remove(&address);
        self.locked.remove(&self.lock_of(&address));
        match result {
            Ok(made) => {
                if let (Some((id, attributes)), Some(after)) = (made, resolved) {
                    self.attributes.insert(address.clone(), attributes);
                    self.ids.insert(address.clone(), id);
                    self.applied.insert(address.clone(), after);
                }
                if let Some(until) = self.in_force(change, ended) {
                    self.in_force.insert(address.clone(), until);
                }
                (self.options.events)(Event::Finished { address: address.clone(), action, took });
                self.outcome.done.push((address, action));
            }
            Err(failure) => {
                (self.options.events)(Event::Failed {
                    address: address.clone(),
                    action,
                    took,
                    failure: failure.clone(),
                });
                self.outcome.failed.push((address.clone(), failure));
                self.skip_dependents(&address);
            }
        }
    }

    /// A failed step stops what depends on it, and nothing else.
    fn skip_dependents(&mut self, failed: &Address) {
        self.broken.insert(failed.clone());
        loop {
            let plan = self.plan;
            let next = plan
                .pending()
                .find(|change| self.pending.contains(&change.address) && !change.waits_for.is_disjoint(&self.broken));
            let Some(change) = next else { return };
            let address = change.address.clone();
            self.pending.remove(&address);
            self.broken.insert(address.clone());
            (self.options.events)(Event::Skipped { address: address.clone(), because_of: Some(failed.clone()) });
            self.outcome.skipped.push(address);
        }
    }

    /// What an interrupted run did not come to.
    fn skip_the_rest(&mut self) {
        for address in std::mem::take(&mut self.pending) {
            (self.options.events)(Event::Skipped { address: address.clone(), because_of: None });
            self.outcome.skipped.push(address);
        }
    }
}
