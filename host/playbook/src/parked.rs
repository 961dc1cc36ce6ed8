//! Whether this thread's part of the script waits for long, and therefore ends.
//!
//! An error alone does not end it: Rhai's `map`, `filter` and the like wrap every error of their
//! closure into one that `catch` takes. So it is noted beside the error, for the thread: the whole
//! script runs on one, and so does a branch of `parallel`, which clears the note once the branch has
//! been left.

use std::cell::Cell;

thread_local! {
    static PARKED: Cell<bool> = const { Cell::new(false) };
}

/// From here on the script does nothing more on this thread.
pub(crate) fn park() {
    PARKED.set(true);
}

/// Whether it is so. Cheap enough to ask at every operation of a script.
pub(crate) fn is_parked() -> bool {
    PARKED.get()
}

/// Whether it was so; from here on it is not.
pub(crate) fn take() -> bool {
    PARKED.replace(false)
}
