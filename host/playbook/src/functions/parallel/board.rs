//! How far the branches of a `parallel` are, and which is to be run next.
//!
//! A branch that was begun occupies one of the `max` places until it has an outcome, also while it
//! waits: "at most eight hosts at a time" means eight hosts that something was begun with.

use std::collections::VecDeque;
use std::time::Instant;

use crate::step::{Answer, Branch};

pub(super) struct Board {
    max: usize,
    stop_on_error: bool,
    /// Begun, and can go on now.
    due: VecDeque<usize>,
    new: VecDeque<usize>,
    /// Begun, and wait.
    parked: Vec<usize>,
    running: usize,
    failed: bool,
    outcomes: Vec<Option<Answer>>,
    /// How many threads work here beside the one that runs the script.
    pub helpers: usize,
    /// A thread waits here for a branch to become due. One is enough.
    pub is_watched: bool,
    /// The waiting branches were asked for once nothing else was left to do. They are not asked again:
    /// each time is a look at all of them.
    pub asked_at_end: bool,
    /// When to ask for the waiting branches again.
    pub ask_at: Option<Instant>,
}

/// How a branch left its thread.
pub(super) enum Left {
    /// With an outcome.
    Ended(Answer),
    /// It waits.
    Parked,
    /// With the whole run.
    Stopped,
}

impl Board {
    pub fn new(max: usize, stop_on_error: bool, branches: Vec<Branch>) -> Self {
        let mut board = Self {
            max,
            stop_on_error,
            due: VecDeque::new(),
            new: VecDeque::new(),
            parked: Vec::new(),
            running: 0,
            failed: false,
            outcomes: vec![None; branches.len()],
            helpers: 0,
            is_watched: false,
            asked_at_end: false,
            ask_at: None,
        };
        for (index, branch) in branches.into_iter().enumerate() {
            match branch {
                Branch::New => board.new.push_back(index),
                Branch::Begun => board.due.push_back(index),
                Branch::Parked(_) => board.parked.push(index),
                Branch::Finished(answer) => board.settle(index, answer),
                Branch::Skipped => {}
            }
        }
        board
    }

    fn settle(&mut self, index: usize, outcome: Answer) {
        self.failed |= matches!(outcome, Answer::Failed(_));
        self.outcomes[index] = Some(outcome);
    }

    /// Takes the branch to run next: what was begun first, then what is new where a place is free.
    pub fn take(&mut self) -> Option<usize> {
        let next = match self.due.pop_front() {
            Some(due) => due,
            None if self.may_begin() > 0 => self.new.pop_front()?,
            None => return None,
        };
        self.running += 1;
        Some(next)
    }

    /// How many new branches may be begun now.
    fn may_begin(&self) -> usize {
        if self.stop_on_error && self.failed {
            return 0;
        }
        let begun = self.running + self.parked.len() + self.due.len();
        self.max.saturating_sub(begun).min(self.new.len())
    }

    /// How many branches can be run now.
    pub fn ready(&self) -> usize {
        self.due.len() + self.may_begin()
    }

    /// Notes how a branch that was taken left its thread.
    pub fn leave(&mut self, index: usize, left: Left) {
        self.running = self.running.saturating_sub(1);
        match left {
            Left::Ended(outcome) => self.settle(index, outcome),
            Left::Parked => self.parked.push(index),
            Left::Stopped => {}
        }
    }

    pub fn is_anything_running(&self) -> bool {
        self.running > 0
    }

    /// The branches that wait.
    pub fn parked(&self) -> &[usize] {
        &self.parked
    }

    /// These branches, in rising order, wait no longer.
    pub fn become_due(&mut self, due: &[usize]) {
        self.parked
            .retain(|index| due.binary_search(index).is_err());
        self.due.extend(due);
    }

    /// Whether something that was begun has no outcome.
    pub fn is_unfinished(&self) -> bool {
        !self.parked.is_empty() || !self.due.is_empty()
    }

    /// What came of each branch; nothing of those that were not begun.
    pub fn outcomes(self) -> Vec<Option<Answer>> {
        self.outcomes
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use cordon_contract::{ErrorKind, Failure, Value};

    use super::*;

    fn failed() -> Answer {
        Answer::Failed(Box::new(Failure::new(ErrorKind::NotFound, "gone")))
    }

    fn all_ready(board: &mut Board) -> Vec<usize> {
        std::iter::from_fn(|| board.take()).collect()
    }

    #[test]
    fn what_was_begun_comes_before_what_is_new_and_waiting_branches_keep_their_place() {
        let waits = Branch::Parked(Duration::from_secs(1));
        let branches = vec![
            Branch::New,
            waits,
            Branch::Begun,
            Branch::New,
            Branch::New,
            Branch::Finished(Answer::Done(Value::Null)),
        ];
        let mut board = Board::new(3, true, branches);
        assert_eq!(board.ready(), 2);
        assert_eq!(all_ready(&mut board), [2, 0]);
        board.leave(2, Left::Parked);
        assert_eq!(board.take(), None);
        board.become_due(&[1]);
        assert_eq!(board.take(), Some(1));
        board.leave(1, Left::Ended(Answer::Done(Value::Null)));
        assert_eq!(all_ready(&mut board), [3]);
    }

    #[test]
    fn after_a_failure_what_was_begun_is_finished_and_nothing_new_is_begun() {
        let branches = || vec![Branch::Finished(failed()), Branch::New, Branch::Begun];
        assert_eq!(all_ready(&mut Board::new(3, true, branches())), [2]);
        assert_eq!(all_ready(&mut Board::new(3, false, branches())), [2, 1]);
    }

    #[test]
    fn a_branch_that_is_not_to_be_begun_is_not() {
        let mut board = Board::new(3, false, vec![Branch::Skipped, Branch::Begun]);
        assert_eq!(all_ready(&mut board), [1]);
        board.leave(1, Left::Ended(failed()));
        assert!(!board.is_unfinished());
        assert_eq!(board.outcomes(), [None, Some(failed())]);
    }
}
