//! What a simulation in which things went wrong is held to: the same seed in which nothing did.

use cordon_journal::record::Recorded;
use cordon_journal::run::Outcome;
use cordon_journal::{Entry, What};
use cordon_run::report::Report;

use super::Simulated;
use super::checks::{Seen, is_stopped, seen};
use crate::people::tag;
use crate::product::OF_THE_MOMENT;
use crate::world::{World, lock};

/// Whether a run went as it would have without anything of the moment, and all that it started.
fn is_plain(world: &World, all: &[Seen], seen: &Seen) -> bool {
    let people = lock(&world.people);
    let id = seen.run.id;
    if people.ended.contains(&id) || people.denied.contains(&id) || is_stopped(seen) {
        return false;
    }
    drop(people);
    let of_the_moment = |entry: &Entry| match &entry.record.what {
        What::Outcome {
            answer: Recorded::Failed(failure),
            ..
        } => {
            failure.message.contains(OF_THE_MOMENT)
                || failure.message.contains("did not happen")
                || failure.message.contains("the process that sent it")
        }
        // How many branches were begun when the first failed is a matter of time.
        What::Left {
            answer: Recorded::Failed(failure),
            ..
        } => failure.message.contains("branches failed and"),
        _ => false,
    };
    let end = seen.run.status.end.as_ref();
    let plainly = end.is_some_and(|end| {
        // Without a word of its script: it never had a place, or its connection was away.
        let own = end.error.is_some() || end.outcome != Outcome::Failed;
        own && !matches!(
            end.outcome,
            Outcome::Skipped | Outcome::InDoubt | Outcome::Cancelled
        )
    });
    let child = |other: &&Seen| {
        other
            .run
            .order
            .parent
            .as_ref()
            .is_some_and(|(parent, _)| *parent == id)
    };
    plainly
        && !seen.entries.iter().any(of_the_moment)
        && all
            .iter()
            .filter(child)
            .all(|child| is_plain(world, all, child))
}

/// What a run came to: its outcome, its result, its notes, its effects.
fn came_to(world: &World, seen: &Seen) -> (Option<Outcome>, String, Vec<String>, Vec<String>) {
    let end = seen.run.status.end.as_ref();
    let result = end.map_or(String::new(), |end| end.result.to_json());
    let report = Report::of(&seen.run, &seen.entries);
    let notes = report
        .notes
        .iter()
        .map(|note| format!("{} {}", note.title, note.value.to_json()));
    let mut notes: Vec<String> = notes.collect();
    // Branches go on side by side.
    notes.sort();
    let effects = lock(&world.model).effects(&tag(&seen.run));
    let effects = effects
        .into_keys()
        .map(|(_, action, at)| format!("{action} at {at}"));
    (end.map(|end| end.outcome), result, notes, effects.collect())
}

/// What the runs of a simulation in which things went wrong have otherwise than those of one in which
/// nothing did, where nothing went wrong that a script is to see.
pub(super) fn compare(crashed: &Simulated, calm: &Simulated) -> Vec<String> {
    let (one, other) = (seen(&crashed.world), seen(&calm.world));
    let mut wrongs = Vec::new();
    for seen in &one {
        let of_tag = |all: &[Seen]| {
            all.iter()
                .filter(|one| tag(&one.run) == tag(&seen.run))
                .count()
        };
        let same = other.iter().find(|calm| tag(&calm.run) == tag(&seen.run));
        let Some(same) = same else { continue };
        // What is tried again starts the same again.
        if of_tag(&one) > 1 || of_tag(&other) > 1 {
            continue;
        }
        if !is_plain(&crashed.world, &one, seen) || !is_plain(&calm.world, &other, same) {
            continue;
        }
        crashed
            .world
            .tally
            .add("runs held to one without faults", 1);
        let (left, right) = (came_to(&crashed.world, seen), came_to(&calm.world, same));
        if left != right {
            wrongs.push(format!(
                "[as if nothing had happened] {} (run {}):\n  {left:?}\n  and without faults\n  {right:?}",
                tag(&seen.run),
                seen.run.id
            ));
        }
    }
    wrongs
}
