//! Where in a run the script is: what numbers its steps.
//!
//! A scope is the run itself or one branch or try of a composite step; it belongs to the thread that
//! executes it. Rhai hands no context to some of its callbacks (`print`), so the scope is found by
//! thread: entered when the script, a branch or a try begins, and left when the guard is dropped.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use cordon_contract::StepKey;

use crate::run::Run;

/// The run itself, a branch of `parallel`, or a try of `poll` or `retry`.
pub(crate) struct Scope {
    run: Arc<Run>,
    /// The composite step and the branch or try.
    inside: Option<(StepKey, u32)>,
    next: Cell<u32>,
    /// The function whose closure is running, where a step in it is refused.
    refusing: Option<&'static str>,
}

thread_local! {
    static CURRENT: RefCell<Option<Rc<Scope>>> = const { RefCell::new(None) };
}

/// Leaves the scope when dropped.
pub(crate) struct Entered(Option<Rc<Scope>>);

impl Scope {
    /// The run itself.
    pub fn root(run: Arc<Run>) -> Self {
        Self {
            run,
            inside: None,
            next: Cell::new(0),
            refusing: None,
        }
    }

    /// A branch or try of the composite step with this key.
    pub fn inside(run: Arc<Run>, composite: &StepKey, branch: u32) -> Self {
        Self {
            run,
            inside: Some((composite.clone(), branch)),
            next: Cell::new(0),
            refusing: None,
        }
    }

    /// The same run, for a closure of `function`, in which a step is refused.
    pub fn refusing(&self, function: &'static str) -> Self {
        Self {
            run: Arc::clone(&self.run),
            inside: None,
            next: Cell::new(0),
            refusing: Some(function),
        }
    }

    /// Makes this the scope of the thread.
    pub fn enter(self) -> Entered {
        Entered(CURRENT.with(|current| current.replace(Some(Rc::new(self)))))
    }

    /// The scope of this thread; none outside of a run.
    pub fn current() -> Option<Rc<Self>> {
        CURRENT.with(|current| current.borrow().clone())
    }

    /// The run that the scope is part of.
    pub fn run(&self) -> &Arc<Run> {
        &self.run
    }

    /// The function in whose closure no step may stand, if the scope is such a closure.
    pub fn refused_by(&self) -> Option<&'static str> {
        self.refusing
    }

    /// The key of the next step here.
    pub fn next_key(&self) -> StepKey {
        let index = self.next.get();
        self.next.set(index.saturating_add(1));
        match &self.inside {
            None => StepKey::root(index),
            Some((composite, branch)) => composite.child(*branch, index),
        }
    }

    /// How many composite steps are around this scope.
    pub fn depth(&self) -> usize {
        self.inside
            .as_ref()
            .map_or(0, |(composite, _)| composite.path().len().div_ceil(2))
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.with(|current| current.replace(self.0.take()));
    }
}
