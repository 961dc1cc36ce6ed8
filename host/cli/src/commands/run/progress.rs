//! A run as it happens, for whoever looks at standard error: a line for each step that ended, and on
//! a terminal one more that shows what is going on just now.

mod line;
mod state;

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use cordon_run::event::{Event, Watcher};

use self::state::State;
use crate::output::Screen;

/// How often the changing line is drawn anew.
const TICK: Duration = Duration::from_millis(120);

/// The turning sign in front of the changing line.
const FRAMES: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/// How much is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// Only that the answer of a write was lost.
    Lost,
    /// The steps.
    Steps,
    /// Looks of `poll`, clock reads and ids too.
    Everything,
}

/// Watches one run.
pub struct Progress {
    screen: Arc<Screen>,
    detail: Detail,
    state: Mutex<State>,
}
impl Progress {
    /// Watches a run.
    #[must_use]
    pub fn new(screen: Arc<Screen>, detail: Detail) -> Self {
        Self {
            screen,
            detail,
            state: Mutex::default(),
        }
    }

    /// How many reads ended so far.
    #[must_use]
    pub fn reads(&self) -> usize {
        self.state().reads()
    }

    /// Keeps the changing line moving until the handle is dropped.
    #[must_use]
    pub fn animate(self: &Arc<Self>) -> Animation {
        if !self.screen.is_live() {
            return Animation(None);
        }
        let (stop, stopped) = mpsc::channel::<()>();
        let progress = Arc::clone(self);
        let thread = std::thread::spawn(move || {
            let mut frame = 0;
            while stopped.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                let now = progress.state().now();
                let sign = FRAMES[frame % FRAMES.len()];
                progress
                    .screen
                    .status(now.map(|text| format!("{sign} {text}")));
                frame += 1;
            }
            progress.screen.status(None);
        });
        Animation(Some((stop, thread)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watcher for Progress {
    fn see(&self, event: &Event<'_>) {
        let look = self.screen.stderr();
        let line = self
            .state()
            .see(event, look, self.detail == Detail::Everything);
        let shown = self.detail > Detail::Lost || matches!(event, Event::AnswerLost { .. });
        if let Some(line) = line.filter(|_| shown) {
            self.screen.note(&line);
        }
    }
}
/// Keeps the changing line moving; dropped, it removes the line.
pub struct Animation(Option<(mpsc::Sender<()>, JoinHandle<()>)>);

impl Drop for Animation {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.0.take() {
            drop(stop);
            let _ = thread.join();
        }
    }
}
