//! What a person wishes of a run is left for whoever executes, and what that one says about it is told.

use std::time::Duration;

use cordon_journal::sqlite::SqliteStore;
use cordon_journal::{Run, State, Wish, WishKind};
use cordon_run::client::{self, Told, short};

use crate::context::Context;
use crate::exit::Exit;
use crate::problem::Problem;

/// How long the executor's word is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// Leaves a wish. `done` is what is said when it was taken up.
pub fn leave(
    store: &SqliteStore,
    run: &Run,
    kind: WishKind,
    done: &str,
    context: &Context,
) -> Result<Exit, Problem> {
    let wish = Wish {
        by: context.who()?,
        at: client::now(store)?,
        run: run.id,
        kind,
    };
    let folder = context.data(&context.directory()?)?;
    let id = short(run.id);
    match client::leave(store, &folder, &wish, PATIENCE)? {
        Told::Taken => context.screen.note(&format!("run {id}: {done}")),
        Told::Refused(why) => return Err(refused(run, &why)),
        Told::Left(holder) => context.screen.note(&format!(
            "run {id}: left for {holder}, which has not taken it up yet"
        )),
        Told::Nobody => context.screen.note(&format!(
            "run {id}: kept, and taken up by the next process that executes; nobody does just now: \
             `cordon runs resume {id}`"
        )),
    }
    Ok(Exit::Done)
}

/// What was wished does not count.
pub fn refused(run: &Run, why: &str) -> Problem {
    let id = short(run.id);
    Problem::usage(format!("run {id}: {why}"))
        .hint(format!("`cordon runs why {id}` says what it waits for"))
        .code("run.refused")
}

/// A run about which something can be wished yet.
pub fn open(run: &Run) -> Result<(), Problem> {
    if run.status.state != State::Ended {
        return Ok(());
    }
    let id = short(run.id);
    Err(Problem::usage(format!("run {id}: the run has ended"))
        .hint(format!("`cordon runs show {id}` shows how"))
        .code("run.refused"))
}
