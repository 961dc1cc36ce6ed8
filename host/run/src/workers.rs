//! The threads that execute runs. They are kept for a while: starting one for each run takes longer than
//! many a run computes.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::executor::Claim;

/// How long a thread without work is kept.
const KEPT: Duration = Duration::from_secs(5);

/// A pool of threads. Those that are at work when it is dropped finish what they do.
#[derive(Clone, Default)]
pub(crate) struct Workers {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    work: Condvar,
}

#[derive(Default)]
struct State {
    claims: VecDeque<Claim>,
    idle: usize,
}

impl Workers {
    /// Has a claim executed: by a thread without work, else by a new one.
    ///
    /// # Errors
    /// Where the machine has no thread to spare. The run is due still.
    pub fn execute(&self, claim: Claim) -> std::io::Result<()> {
        let mut state = self.shared.lock();
        if state.idle > state.claims.len() {
            state.claims.push_back(claim);
            drop(state);
            self.shared.work.notify_one();
            return Ok(());
        }
        drop(state);
        let shared = Arc::clone(&self.shared);
        cordon_playbook::stack::spawn("run", move || {
            claim.execute();
            shared.work();
        })
        .map(drop)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        loop {
            let mut state = self.lock();
            state.idle += 1;
            let (mut state, _) = self
                .work
                .wait_timeout_while(state, KEPT, |state| state.claims.is_empty())
                .unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
            let Some(claim) = state.claims.pop_front() else {
                return;
            };
            drop(state);
            claim.execute();
        }
    }
}
