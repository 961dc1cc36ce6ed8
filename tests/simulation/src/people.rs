//! The people of a simulation: they approve, answer, find out what came of a write, cancel, and are
//! wrong now and then. What they will say to an approval stands in its message, so that a run that is
//! crashed and one that is not hear the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cordon_contract::{StepKey, Value};
use cordon_journal::run::{Reason, State, Waiting};
use cordon_journal::wish::Resolution;
use cordon_journal::{Change, Moment, Run, RunId, Wish, WishKind};

use crate::store::key_of;
use crate::world::{World, lock};

/// Those with the role `lead`.
pub const LEADS: [&str; 4] = ["ann", "bob", "cyd", "dan"];
const OTHERS: [&str; 2] = ["eve", "sam"];

/// How long people look into a write before they say what came of it.
const LOOK_INTO_MS: i64 = 180_000;

/// What an approval wants, as its message says: `M7-1 allow 2 lead eyes`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// What people will say: `allow`, `deny` or `ignore`.
    pub verdict: String,
    /// How many.
    pub approvers: usize,
    /// Only leads.
    pub lead: bool,
    /// Not the one who started the run.
    pub four_eyes: bool,
}

impl Wanted {
    /// What a message says.
    #[must_use]
    pub fn read(message: &str) -> Option<Self> {
        let mut words = message.split(' ').skip(1);
        Some(Self {
            verdict: words.next()?.to_owned(),
            approvers: words.next()?.parse().ok()?,
            lead: words.clone().any(|word| word == "lead"),
            four_eyes: words.any(|word| word == "eyes"),
        })
    }

    /// Whether the word of this person counts.
    #[must_use]
    pub fn counts(&self, who: &str, starter: &str) -> bool {
        (!self.lead || LEADS.contains(&who)) && !(self.four_eyes && who == starter)
    }
}

/// What people said.
#[derive(Debug, Default)]
pub struct People {
    /// Who agreed, by the tag of the run and the message, of those whose word counts.
    agreed: BTreeMap<(String, String), BTreeSet<String>>,
    /// The wishes about a step of a run, by person.
    said: BTreeMap<(RunId, Option<StepKey>, String), i64>,
    wished: i64,
    /// Runs that somebody cancelled, or gave up.
    pub ended: BTreeSet<RunId>,
    /// Runs that were told that a write did not happen.
    pub denied: BTreeSet<RunId>,
}

impl People {
    /// Whether enough of those who may have agreed.
    ///
    /// # Errors
    /// Why not.
    pub fn agreed(&self, tag: &str, message: &str) -> Result<(), String> {
        let wanted = Wanted::read(message).ok_or("no such approval")?;
        let agreed = self.agreed.get(&(tag.to_owned(), message.to_owned()));
        let count = agreed.map_or(0, BTreeSet::len);
        match count >= wanted.approvers {
            true => Ok(()),
            false => Err(format!("{count} of {} had agreed", wanted.approvers)),
        }
    }
}

/// The tag of a run: the name that its effects have.
#[must_use]
pub fn tag(run: &Run) -> String {
    let tag = run.order.input.get("run").and_then(Value::as_text);
    tag.unwrap_or_default().to_owned()
}

fn say(world: &World, now: Moment, by: &str, run: RunId, kind: WishKind) -> i64 {
    let by = by.to_owned();
    let at = now;
    world
        .disk
        .leave(vec![Change::Wish(Wish { by, at, run, kind })]);
    world.tally.add("words of people", 1);
    let mut people = lock(&world.people);
    people.wished = world.disk.durable(|image| image.wished());
    people.wished
}

/// Whether this person may say that: they have not, or it was refused.
fn may_say(world: &World, run: RunId, step: Option<&StepKey>, who: &str) -> bool {
    let people = lock(&world.people);
    let Some(number) = people.said.get(&(run, step.cloned(), who.to_owned())) else {
        return true;
    };
    let fate = world.disk.durable(|image| image.fate(*number));
    matches!(fate, Some(Some(_)))
}

fn said(world: &World, run: RunId, step: Option<&StepKey>, who: &str, number: i64) {
    let key = (run, step.cloned(), who.to_owned());
    lock(&world.people).said.insert(key, number);
}

/// Somebody does something about a run that waits. Whether anybody did.
pub fn act(world: &Arc<World>, now: Moment) -> bool {
    if world.disk.is_down() {
        return false;
    }
    let open: Vec<Run> = world.disk.visible(|image| {
        let open = image.all().into_iter();
        open.filter(|run| run.status.state != State::Ended)
            .collect()
    });
    let mut acted = false;
    for run in open {
        if world.permille(world.profile().cancel) {
            lock(&world.people).ended.insert(run.id);
            let why = Some("enough".to_owned());
            say(world, now, "ann", run.id, WishKind::Cancel { why });
            world.tally.add("cancels", 1);
            acted = true;
        }
        if world.permille(world.profile().wrong_words / 10) {
            wrong(world, now, &run);
        }
        for wait in &run.status.waits {
            // Not everybody looks all the time.
            if world.permille(500) {
                acted |= about(world, now, &run, wait);
            }
        }
    }
    acted
}

fn about(world: &World, now: Moment, run: &Run, wait: &Waiting) -> bool {
    let step = wait.step.as_ref();
    match &wait.reason {
        Reason::Approval { message, given, .. } => {
            let Some(wanted) = Wanted::read(message) else {
                return false;
            };
            let all = LEADS.iter().chain(&OTHERS);
            let next = all
                .filter(|who| wanted.counts(who, &run.order.started_by))
                .filter(|who| !given.iter().any(|given| given == *who))
                .find(|who| may_say(world, run.id, step, who));
            let (Some(who), false) = (next, wanted.verdict == "ignore") else {
                return false;
            };
            let allow = wanted.verdict == "allow";
            if allow {
                let key = (tag(run), message.clone());
                let mut people = lock(&world.people);
                people
                    .agreed
                    .entry(key)
                    .or_default()
                    .insert((*who).to_owned());
            }
            let kind = WishKind::Approve {
                step: step.cloned(),
                allow,
                comment: None,
            };
            let number = say(world, now, who, run.id, kind.clone());
            said(world, run.id, step, who, number);
            world.tally.add("approvals and refusals", 1);
            if world.permille(world.profile().wrong_words / 2) {
                // They press the button twice.
                say(world, now, who, run.id, kind);
                world.tally.add("wrong words", 1);
            }
            true
        }
        Reason::Answer { message, choices } => {
            if message.contains("ignore") || !may_say(world, run.id, step, "bob") {
                return false;
            }
            let choice = crate::rng::hash(message) % choices.len().max(1) as u64;
            let choice = choices.get(usize::try_from(choice).unwrap_or(0));
            let kind = WishKind::Answer {
                step: step.cloned(),
                text: true,
                value: Value::text(choice.cloned().unwrap_or_default()),
            };
            let number = say(world, now, "bob", run.id, kind);
            said(world, run.id, step, "bob", number);
            world.tally.add("answers of people", 1);
            true
        }
        Reason::Resolve { .. } => resolve(world, now, run, wait),
        _ => false,
    }
}

/// A person finds out what came of a write.
fn resolve(world: &World, now: Moment, run: &Run, wait: &Waiting) -> bool {
    let Some(step) = &wait.step else {
        return false;
    };
    if now < Moment(wait.since.0 + LOOK_INTO_MS) || !may_say(world, run.id, Some(step), "cyd") {
        return false;
    }
    let happened = {
        let mut model = lock(&world.model);
        if !model.is_settled(key_of(run.id, step), world.steady() - LOOK_INTO_MS) {
            return false;
        }
        model.happen(world.steady(), world);
        model.result(key_of(run.id, step))
    };
    let how = match happened {
        _ if world.permille(world.profile().wrong_words / 10) => {
            lock(&world.people).ended.insert(run.id);
            Resolution::Abort
        }
        Some(value) => Resolution::Done(value),
        None => {
            lock(&world.people).denied.insert(run.id);
            Resolution::NotDone
        }
    };
    let step = step.clone();
    let kind = WishKind::Resolve {
        step: step.clone(),
        how,
    };
    let number = say(world, now, "cyd", run.id, kind);
    said(world, run.id, Some(&step), "cyd", number);
    world.tally.add("writes in doubt that a person settled", 1);
    true
}

/// Somebody says what must not count.
fn wrong(world: &World, now: Moment, run: &Run) {
    let approval = run.status.waits.iter().find_map(|wait| match &wait.reason {
        Reason::Approval { message, .. } => Some((wait.step.clone(), Wanted::read(message)?)),
        _ => None,
    });
    world.tally.add("wrong words", 1);
    let allow = |step: Option<StepKey>| WishKind::Approve {
        step,
        allow: true,
        comment: None,
    };
    match (approval, world.below(3)) {
        (Some((step, wanted)), 0 | 1) => {
            let starter = run.order.started_by.as_str();
            let all = LEADS.iter().chain(&OTHERS);
            let mut bad = all.filter(|who| !wanted.counts(who, starter));
            // Where everybody's word counts, one who has said it says it again.
            let again = wanted.verdict == "allow" && !may_say(world, run.id, step.as_ref(), "ann");
            if let Some(who) = bad.next() {
                say(world, now, who, run.id, allow(step));
            } else if again {
                say(world, now, "ann", run.id, allow(step));
            }
        }
        (_, 0) => {
            let step = StepKey::root(900);
            let how = Resolution::NotDone;
            say(world, now, "cyd", run.id, WishKind::Resolve { step, how });
        }
        (_, 1) => {
            let unknown = RunId(uuid::Uuid::from_u128(7));
            say(world, now, "dan", unknown, allow(None));
        }
        _ => {
            let kind = WishKind::Answer {
                step: None,
                text: true,
                value: Value::text("no such choice"),
            };
            say(world, now, "eve", run.id, kind);
        }
    }
}
