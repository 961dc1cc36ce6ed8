//! Runs as they happen, for whoever looks at standard error: a line for each step that ended, and on
//! a terminal one more that shows what is going on just now.

pub mod line;
mod state;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use cordon_journal::{Run, RunId, Store};
use cordon_run::client::short;
use cordon_run::event::{Event, Watcher};
use cordon_run::follow;

use self::state::{Manner, State};
use crate::output::{Screen, neutral};

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

impl Detail {
    /// What a person wants to see of runs who said `-v` so often.
    #[must_use]
    pub fn of(verbose: u8) -> Self {
        match verbose {
            0 => Self::Steps,
            _ => Self::Everything,
        }
    }
}

/// Which runs are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The one step of a call, whose run nobody knows.
    Call,
    /// This one and those that it starts.
    Run(RunId),
    /// All, each line with its run.
    Every,
}

/// Watches runs.
pub struct Progress {
    screen: Arc<Screen>,
    detail: Detail,
    scope: Scope,
    store: Mutex<Option<Arc<dyn Store>>>,
    shown: Mutex<Shown>,
}

/// What is known of the runs that are shown.
#[derive(Default)]
struct Shown {
    runs: BTreeMap<RunId, (String, State)>,
    seen: BTreeSet<RunId>,
}

impl Progress {
    /// Watches runs.
    #[must_use]
    pub fn new(screen: Arc<Screen>, detail: Detail, scope: Scope) -> Self {
        Self {
            screen,
            detail,
            scope,
            store: Mutex::default(),
            shown: Mutex::default(),
        }
    }

    /// Reads in this store what was done before of a run that is taken up.
    pub fn remembers(&self, store: Arc<dyn Store>) {
        *self.store.lock().unwrap_or_else(PoisonError::into_inner) = Some(store);
    }

    /// The runs that were shown.
    #[must_use]
    pub fn seen(&self) -> Vec<RunId> {
        self.shown().seen.iter().copied().collect()
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
                let now = progress.shown().now();
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

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What stands before the lines of a run; none where it is not shown.
    fn admitted(&self, shown: &Shown, run: &Run) -> Option<String> {
        let playbook = neutral::line(&run.order.playbook);
        match self.scope {
            Scope::Call => Some(String::new()),
            Scope::Run(own) if own == run.id => Some(String::new()),
            Scope::Run(_) => {
                let (parent, _) = run.order.parent.as_ref()?;
                shown.runs.contains_key(parent).then_some(playbook)
            }
            Scope::Every => Some(format!("{} {playbook}", short(run.id))),
        }
    }

    /// Shows a run from here on; what was done of it before is known and not shown again.
    fn admit(&self, shown: &mut Shown, run: &Run) {
        if shown.runs.contains_key(&run.id) {
            return;
        }
        let Some(of) = self.admitted(shown, run) else {
            return;
        };
        let quiet = Quiet {
            state: Mutex::default(),
            look: self.screen.stderr(),
        };
        let store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = &*store
            && let Err(error) = follow::replay(&**store, run, &quiet)
        {
            tracing::debug!(%error, "what was done before is not known");
        }
        let state = quiet
            .state
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        shown.runs.insert(run.id, (of, state));
        shown.seen.insert(run.id);
    }
}

impl Shown {
    /// What is going on just now: rather something that is done than something that is waited for.
    fn now(&self) -> Option<String> {
        let all: Vec<(bool, String)> = self
            .runs
            .values()
            .filter_map(|(of, state)| {
                let (active, text) = state.now()?;
                let of = if of.is_empty() {
                    String::new()
                } else {
                    format!("{of}: ")
                };
                Some((active, format!("{of}{text}")))
            })
            .collect();
        let first = all.iter().find(|(active, _)| *active).or(all.first())?;
        let more = match all.iter().filter(|(active, _)| *active).count() {
            0 | 1 => String::new(),
            active => format!(" and {} more runs", active - 1),
        };
        Some(format!("{}{more}", first.1))
    }
}

impl Watcher for Progress {
    fn see(&self, run: RunId, event: &Event<'_>) {
        let lines = {
            let mut shown = self.shown();
            match (event, self.scope) {
                (Event::TakenUp { run }, _) => self.admit(&mut shown, run),
                (_, Scope::Call) => {
                    shown.runs.entry(run).or_default();
                }
                _ => {}
            }
            let Some((of, state)) = shown.runs.get_mut(&run) else {
                return;
            };
            let of = of.clone();
            let manner = Manner {
                look: self.screen.stderr(),
                everything: self.detail == Detail::Everything,
                of: &of,
            };
            let lines = state.see(event, manner);
            if matches!(event, Event::Over { .. }) && self.scope == Scope::Every {
                shown.runs.remove(&run);
            }
            lines
        };
        if self.detail > Detail::Lost || matches!(event, Event::AnswerLost { .. }) {
            for line in lines {
                self.screen.note(&line);
            }
        }
    }
}

/// Takes note of what happened and shows nothing.
struct Quiet {
    state: Mutex<State>,
    look: crate::output::Look,
}

impl Watcher for Quiet {
    fn see(&self, _: RunId, event: &Event<'_>) {
        let manner = Manner {
            look: self.look,
            everything: false,
            of: "",
        };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.see(event, manner);
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
