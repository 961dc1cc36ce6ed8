//! What must be so after every simulation, whatever went wrong in it. Each check has a name, which is
//! what a failure begins with.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cordon_contract::step::Step;
use cordon_contract::{Afterwards, Delivery, Repeat};
use cordon_journal::record::Recorded;
use cordon_journal::run::{Outcome, State};
use cordon_journal::{Entry, Run, RunId, What};
use cordon_run::report::Report;

use crate::catalogue::DEADLINE;
use crate::people::tag;
use crate::product::connector::writes;
use crate::store::{entries, key_of};
use crate::world::{World, lock};

/// Within this time a run goes on with what people said, whatever else happens to it.
const HEARD_WITHIN: Duration = Duration::from_secs(24 * 3600);

/// A run with its journal.
pub(super) struct Seen {
    pub run: Run,
    pub entries: Vec<Entry>,
}

pub(super) fn seen(world: &World) -> Vec<Seen> {
    world.disk.visible(|image| {
        let all = image.all().into_iter();
        all.map(|run| Seen {
            entries: entries(image, run.id, 0),
            run,
        })
        .collect()
    })
}

/// All checks of one simulation.
pub(super) fn all(world: &World, started: &[RunId]) -> Vec<String> {
    let mut wrongs = std::mem::take(&mut lock(&world.model).wrongs);
    let of_store = world.disk.visible(|image| image.wrongs.clone());
    wrongs.extend(
        of_store
            .iter()
            .map(|wrong| format!("[the store is used as it wants] {wrong}")),
    );
    let all = seen(world);
    for id in started {
        if !all.iter().any(|seen| seen.run.id == *id) {
            wrongs.push(format!(
                "[no acknowledged run is lost] run {id} is not there"
            ));
        }
    }
    let ended = world.disk.ended();
    for seen in &all {
        let mut check = |name: &str, result: Result<(), String>| {
            if let Err(why) = result {
                wrongs.push(format!(
                    "[{name}] {} (run {}): {why}",
                    tag(&seen.run),
                    seen.run.id
                ));
            }
        };
        check("never stuck", has_a_reason(seen));
        check("no defect and no divergence", is_sound(seen));
        check("woken when something happens", is_woken(seen));
        check(
            "what ended stays as it ended",
            stays(seen, ended.get(&seen.run.id)),
        );
        if seen.run.status.state == State::Ended {
            check("taken back what was registered", taken_back(seen));
            check("the report says what was done", reported(world, seen));
        }
    }
    wrongs
}

fn has_a_reason(seen: &Seen) -> Result<(), String> {
    let status = &seen.run.status;
    let waits = status.due.is_some() || !status.waits.is_empty() || status.state == State::Ended;
    waits
        .then_some(())
        .ok_or_else(|| "it waits for nothing".to_owned())
}

/// Nothing that these playbooks wait for takes nearly as long as a run may take that does not say: one
/// that came to its deadline has slept through what it waited for.
fn is_woken(seen: &Seen) -> Result<(), String> {
    let order = &seen.run.order;
    let mut said = BTreeMap::new();
    for Entry { record, .. } in &seen.entries {
        match &record.what {
            What::Decided { .. } | What::Given { .. } | What::Resolved { .. } => {
                said.insert(&record.key, record.at);
            }
            What::Outcome { .. } => {
                let heard = said.get(&record.key).map(|said| record.at.since(*said));
                if heard.is_some_and(|heard| heard > HEARD_WITHIN) {
                    return Err(format!("step {} did not hear what people said", record.key));
                }
            }
            _ => {}
        }
    }
    let late = seen.entries.iter().map(|entry| entry.record.at);
    let late = late.chain(seen.run.status.end.as_ref().map(|end| end.at));
    let overslept = late.max().is_some_and(|at| at >= order.deadline);
    match overslept && order.deadline.since(order.created) > DEADLINE / 2 {
        true => Err("it came to its deadline".to_owned()),
        false => Ok(()),
    }
}

fn is_sound(seen: &Seen) -> Result<(), String> {
    let message = seen
        .run
        .status
        .end
        .as_ref()
        .and_then(|end| end.message.clone());
    let message = message.unwrap_or_default();
    let bad = ["the script asks for", "panick", "defect", "begun with"];
    match bad.iter().any(|bad| message.contains(bad)) {
        true => Err(message),
        false => Ok(()),
    }
}

fn stays(seen: &Seen, ended: Option<&(String, usize)>) -> Result<(), String> {
    let Some((status, records)) = ended else {
        return Ok(());
    };
    let now = serde_json::to_string(&seen.run.status).unwrap();
    if seen.entries.len() != *records {
        return Err(format!("{records} records, and now {}", seen.entries.len()));
    }
    match now == *status {
        true => Ok(()),
        false => Err(format!("{status}, and now {now}")),
    }
}

pub(super) fn is_stopped(seen: &Seen) -> bool {
    let mut whats = seen.entries.iter().map(|entry| &entry.record.what);
    whats.any(|what| matches!(what, What::Stopped { .. }))
}

/// What was registered was taken back, each once, if and only if the run came to no result.
fn taken_back(seen: &Seen) -> Result<(), String> {
    let Some(end) = &seen.run.status.end else {
        return Err("it has no end".to_owned());
    };
    let undo = Afterwards::Undo.key();
    let mut undone = BTreeSet::new();
    let mut steps: BTreeMap<_, &Step> = BTreeMap::new();
    let mut registered = BTreeSet::new();
    let mut unwound = false;
    for entry in &seen.entries {
        let key = &entry.record.key;
        match &entry.record.what {
            What::Unwinding => unwound = true,
            What::Branch { branch, .. } if *key == undo => {
                undone.insert(*branch);
            }
            What::Intent { step, .. } => {
                steps.insert(key.clone(), step);
            }
            What::Outcome {
                step: Some(Step::Undo),
                ..
            } => {
                registered.insert(key.clone());
            }
            What::Outcome {
                answer: Recorded::Done(_),
                ..
            }
            | What::Resolved { done: true, .. } => {
                if let Some(Step::Action { undoable: true, .. }) = steps.get(key) {
                    registered.insert(key.clone());
                }
            }
            _ => {}
        }
    }
    let (registered, undone) = (registered.len(), undone.len());
    match end.outcome {
        Outcome::Succeeded | Outcome::Partially if undone > 0 || unwound => {
            Err("it came to a result, and was taken back".to_owned())
        }
        Outcome::Failed | Outcome::Cancelled if registered != undone => {
            Err(format!("{registered} registered, {undone} taken back"))
        }
        _ => Ok(()),
    }
}

/// The report agrees with what the product counted.
fn reported(world: &World, seen: &Seen) -> Result<(), String> {
    let report = Report::of(&seen.run, &seen.entries);
    let model = lock(&world.model);
    let aborted = seen
        .run
        .status
        .end
        .as_ref()
        .is_some_and(|end| end.outcome == Outcome::InDoubt);
    let mut known = 0;
    for write in &report.writes {
        let key = key_of(seen.run.id, &write.step);
        let written = model.writes().get(&key);
        known += u32::from(written.is_some());
        let (calls, applied) = written.map_or((0, 0), |written| (written.calls, written.applied));
        let what = format!(
            "{}.{} at step {}",
            write.connection, write.action, write.step
        );
        if calls > write.attempts {
            return Err(format!(
                "{what}: {calls} calls, {} attempts",
                write.attempts
            ));
        }
        match &write.outcome {
            Some(Ok(())) if applied == 0 => {
                return Err(format!("{what} is done, and the product did nothing"));
            }
            Some(Err(failure)) if applied > 0 => {
                return Err(format!("{what} failed ({failure}), and the product did it"));
            }
            Some(Err(failure)) if failure.delivery == Delivery::Unknown => {
                return Err(format!("{what} failed, and nobody knows: {failure}"));
            }
            None if !aborted => return Err(format!("{what} has no outcome")),
            _ => {}
        }
        let once = writes(&write.action).is_some_and(|kind| kind.repeat == Repeat::None);
        if once && applied > 1 {
            return Err(format!("{what} took effect {applied} times"));
        }
    }
    let tag = tag(&seen.run);
    let all = model.writes().iter();
    let mine = all.filter(|(key, written)| {
        written.effect.0 == tag
            && report
                .writes
                .iter()
                .any(|write| key_of(seen.run.id, &write.step) == **key)
    });
    match mine.count() == usize::try_from(known).unwrap() {
        true => Ok(()),
        false => Err("the product knows of other writes than the report".to_owned()),
    }
}
