//! The stack that scripts need, whatever thread asks for one to be read or run.

use std::any::Any;
use std::cell::Cell;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::JoinHandle;

use crate::limits::STACK_SIZE;

thread_local! {
    static IS_LARGE: Cell<bool> = const { Cell::new(false) };
}

/// Starts a thread on which scripts are read and run directly, instead of each on a thread of its own:
/// for whoever runs many.
///
/// # Errors
/// Where the machine has no thread to spare.
pub fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .stack_size(STACK_SIZE)
        .spawn(move || {
            IS_LARGE.set(true);
            work();
        })
}

/// Runs `work` on a thread with the stack that scripts need. A panic is caught and given back as its
/// message.
pub(crate) fn on_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, String> {
    if IS_LARGE.get() {
        return catch_unwind(AssertUnwindSafe(work)).map_err(message);
    }
    std::thread::scope(|threads| {
        let dispatcher = tracing::dispatcher::get_default(Clone::clone);
        let thread = std::thread::Builder::new()
            .name("playbook".to_owned())
            .stack_size(STACK_SIZE);
        let work = move || {
            tracing::dispatcher::with_default(&dispatcher, || catch_unwind(AssertUnwindSafe(work)))
        };
        match thread.spawn_scoped(threads, work) {
            Ok(thread) => thread.join().map_err(message)?.map_err(message),
            Err(error) => Err(format!("no thread to be had: {error}")),
        }
    })
}

fn message(panic: Box<dyn Any + Send>) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "it panicked".to_owned())
}
