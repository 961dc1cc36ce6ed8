//! The threads that work off the branches of a `parallel`.
//!
//! Each takes a branch and runs it until it ends or waits. A thread that finds nothing to take ends,
//! but one stays as long as something runs, and asks now and then whether a waiting branch can go on.
//! When nothing runs and all that was begun waits, the `parallel` itself waits. Without helpers,
//! everything happens on the thread of the script, in the order of the list.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Scope as Threads;
use std::time::{Duration, Instant};

use rhai::{Dynamic, FnPtr, NativeCallContext};

use super::board::{Board, Left};
use crate::functions::composite::Within;
use crate::functions::world::given;
use crate::limits::STACK_SIZE;
use crate::parked;
use crate::step::{Answer, Branch};
use crate::thrown::{self, Error};

/// How long to wait before waiting branches are asked for again. Asking is a look at each of them,
/// and a person may act at any time.
const ASK_AGAIN_MIN: Duration = Duration::from_millis(10);
const ASK_AGAIN_MAX: Duration = Duration::from_millis(250);

/// What is common to all branches.
pub(super) struct Workers<'a> {
    context: &'a NativeCallContext<'a>,
    within: &'a Within,
    act: FnPtr,
    items: Vec<Dynamic>,
    helpers_max: usize,
    board: Mutex<Board>,
    changed: Condvar,
}

/// Runs `act` for each of the items and gives what came of each; nothing of those that were not begun.
pub(super) fn run(
    context: &NativeCallContext,
    within: &Within,
    act: FnPtr,
    items: Vec<Dynamic>,
    (max, stop_on_error): (usize, bool),
) -> Result<Vec<Option<Answer>>, Error> {
    let run = &within.run;
    let mut soonest = ASK_AGAIN_MAX;
    let branches = (0..items.len())
        .map(|index| {
            let branch = run.performer().branch(&within.key, count(index));
            if let Branch::Parked(time) = &branch {
                soonest = soonest.min(*time);
            }
            match branch {
                Branch::Finished(Answer::Parked | Answer::Stopped) => Branch::Begun,
                known => known,
            }
        })
        .collect();
    let mut board = Board::new(max, stop_on_error, branches);
    board.ask_at = Some(Instant::now() + soonest.max(ASK_AGAIN_MIN));
    let helpers = run.take_threads(board.ready().max(board.parked().len()).saturating_sub(1));
    let workers = Workers {
        context,
        within,
        act,
        items,
        helpers_max: helpers.count(),
        board: Mutex::new(board),
        changed: Condvar::new(),
    };
    std::thread::scope(|threads| {
        workers.call_helpers(threads);
        workers.work(threads);
    });
    run.waited();
    run.check_stopped()?;
    let board = workers
        .board
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    if board.is_unfinished() {
        parked::park();
        return Err(thrown::terminated());
    }
    Ok(board.outcomes())
}

fn count(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

impl Workers<'_> {
    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts as many helpers as find something to do beside this thread.
    fn call_helpers<'scope>(&'scope self, threads: &'scope Threads<'scope, '_>) {
        let wanted = {
            let mut board = self.board();
            let free = self.helpers_max.saturating_sub(board.helpers);
            let wanted = board.ready().saturating_sub(1).min(free);
            board.helpers += wanted;
            wanted
        };
        for _ in 0..wanted {
            let helper = Helper(self);
            let thread = std::thread::Builder::new()
                .name("playbook-branch".to_owned())
                .stack_size(STACK_SIZE);
            // Where the machine has no thread to spare, the others take its share.
            let _ = thread.spawn_scoped(threads, move || helper.work(threads));
        }
    }

    fn work<'scope>(&'scope self, threads: &'scope Threads<'scope, '_>) {
        while let Some(index) = self.next(threads) {
            self.run_branch(index);
        }
    }

    /// The branch to run next on this thread; none when the thread is not needed any more.
    fn next<'scope>(&'scope self, threads: &'scope Threads<'scope, '_>) -> Option<usize> {
        let run = &self.within.run;
        let mut board = self.board();
        loop {
            if run.check_stopped().is_err() {
                return None;
            }
            if let Some(next) = board.take() {
                return Some(next);
            }
            if board.parked().is_empty() || board.is_watched {
                return None;
            }
            if !board.is_anything_running() {
                if board.asked_at_end {
                    return None;
                }
                board.asked_at_end = true;
            } else {
                let now = Instant::now();
                let ask_at = *board.ask_at.get_or_insert(now + ASK_AGAIN_MAX);
                if let Some(pause) = ask_at.checked_duration_since(now).filter(|p| !p.is_zero()) {
                    board.is_watched = true;
                    board = self
                        .changed
                        .wait_timeout(board, pause)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0;
                    board.is_watched = false;
                    run.waited();
                    continue;
                }
            }
            board = self.ask_for_parked(board);
            if board.ready() > 1 {
                drop(board);
                self.call_helpers(threads);
                board = self.board();
            }
        }
    }

    /// Asks which of the waiting branches can go on. Meanwhile the board is free for the others.
    fn ask_for_parked<'b>(&'b self, mut board: MutexGuard<'b, Board>) -> MutexGuard<'b, Board> {
        let mut asked = board.parked().to_vec();
        board.is_watched = true;
        drop(board);
        asked.sort_unstable();
        let mut soonest = ASK_AGAIN_MAX;
        let performer = self.within.run.performer();
        asked.retain(
            |index| match performer.branch(&self.within.key, count(*index)) {
                Branch::Parked(time) => {
                    soonest = soonest.min(time);
                    false
                }
                Branch::Skipped => false,
                _ => true,
            },
        );
        let mut board = self.board();
        board.is_watched = false;
        board.become_due(&asked);
        board.ask_at = Some(Instant::now() + soonest.max(ASK_AGAIN_MIN));
        board
    }

    fn run_branch(&self, index: usize) {
        let mut taken = Taken {
            workers: self,
            index,
            left: Some(Left::Stopped),
        };
        let branch = count(index);
        let result = {
            let _inside = self.within.scope(branch).enter();
            self.act
                .call_raw(self.context, None, [self.items[index].clone()])
                .and_then(|result| given("the result of a branch of `parallel`", &result))
        };
        taken.left = Some(self.left(branch, result));
    }

    fn left(&self, branch: u32, result: Result<cordon_contract::Value, Error>) -> Left {
        let run = &self.within.run;
        let is_parked = parked::take();
        if run.check_stopped().is_err() {
            return Left::Stopped;
        }
        if is_parked {
            return Left::Parked;
        }
        let outcome = match result {
            Ok(value) => Answer::Done(value),
            Err(error) => match run.recorded(&error) {
                Some(failure) => Answer::Failed(Box::new(failure)),
                None => {
                    // The run is stopped, or is from here on.
                    let _ = run.outcome(Answer::Stopped);
                    return Left::Stopped;
                }
            },
        };
        run.performer()
            .leave_branch(&self.within.key, branch, &outcome);
        Left::Ended(outcome)
    }
}

/// A branch that was taken; gives its place back when dropped, also by a panic.
struct Taken<'a> {
    workers: &'a Workers<'a>,
    index: usize,
    left: Option<Left>,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let left = self.left.take().unwrap_or(Left::Stopped);
        self.workers.board().leave(self.index, left);
        self.workers.changed.notify_all();
    }
}

/// A helper; counts itself out when dropped, also where its thread could not be had.
struct Helper<'scope>(&'scope Workers<'scope>);

impl<'scope> Helper<'scope> {
    fn work(self, threads: &'scope Threads<'scope, '_>) {
        self.0.work(threads);
    }
}

impl Drop for Helper<'_> {
    fn drop(&mut self) {
        let mut board = self.0.board();
        board.helpers = board.helpers.saturating_sub(1);
    }
}
