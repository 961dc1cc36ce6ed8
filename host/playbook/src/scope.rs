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

/// The run itself, a branch of `parallel`, a try of `poll` or `retry`, or one of the things that are
/// done after the script.
pub(crate) struct Scope {
    run: Arc<Run>,
    /// The composite step and the branch or try.
    inside: Option<(StepKey, u32)>,
    next: Cell<u32>,
    /// The function whose closure is running, where a step in it is refused.
    refusing: Option<&'static str>,
    undoable: Cell<bool>,
    undo_refused: Option<&'static str>,
}

/// What holds in a scope and in all scopes inside of it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Surroundings {
    /// It stands in `undoable`: the inverse of what succeeds is registered.
    pub undoable: bool,
    /// Why nothing can be registered to be taken back here, where that is so.
    pub undo_refused: Option<&'static str>,
}

thread_local! {
    static CURRENT: RefCell<Option<Rc<Scope>>> = const { RefCell::new(None) };
}

/// Leaves the scope when dropped.
pub(crate) struct Entered(Option<Rc<Scope>>);

/// Ends `undoable` when dropped.
pub(crate) struct Undoable<'a> {
    scope: &'a Scope,
    before: bool,
}

impl Scope {
    /// The run itself.
    pub fn root(run: Arc<Run>) -> Self {
        Self {
            run,
            inside: None,
            next: Cell::new(0),
            refusing: None,
            undoable: Cell::new(false),
            undo_refused: None,
        }
    }

    /// A branch or try of the composite step with this key.
    pub fn inside(
        run: Arc<Run>,
        composite: &StepKey,
        branch: u32,
        surroundings: Surroundings,
    ) -> Self {
        Self {
            inside: Some((composite.clone(), branch)),
            undoable: Cell::new(surroundings.undoable),
            undo_refused: surroundings.undo_refused,
            ..Self::root(run)
        }
    }

    /// The same run, for a closure of `function`, in which a step is refused.
    pub fn refusing(&self, function: &'static str) -> Self {
        Self {
            refusing: Some(function),
            undo_refused: self.undo_refused,
            ..Self::root(Arc::clone(&self.run))
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

    /// What holds here and in what is inside.
    pub fn surroundings(&self) -> Surroundings {
        Surroundings {
            undoable: self.undoable.get(),
            undo_refused: self.undo_refused,
        }
    }

    /// Until the guard is dropped, the inverse of what succeeds here is registered.
    pub fn undoable(&self) -> Undoable<'_> {
        Undoable {
            scope: self,
            before: self.undoable.replace(true),
        }
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

impl Drop for Undoable<'_> {
    fn drop(&mut self) {
        self.scope.undoable.set(self.before);
    }
}
