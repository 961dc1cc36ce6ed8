//! The thread around an executor that takes up what is due and what is wished, and has it executed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cordon_journal::StoreError;

use crate::executor::Executor;
use crate::workers::Workers;

/// How often the store is asked whether another process changed it.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Executes runs on threads of its own.
pub struct Service {
    executor: Executor,
    thread: Option<std::thread::JoinHandle<Result<(), StoreError>>>,
    closing: Arc<AtomicBool>,
}

/// When a service ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// When it is closed.
    Closed,
    /// When nothing is executed and nothing is due.
    Idle,
}

impl Service {
    /// Starts to execute what is due, so many runs at a time.
    #[must_use]
    pub fn start(executor: Executor, at_once: usize, until: Until) -> Self {
        let closing = Arc::new(AtomicBool::new(false));
        let (for_thread, is_closing) = (executor.clone(), Arc::clone(&closing));
        let thread = std::thread::Builder::new()
            .name("executor".to_owned())
            .spawn(move || drive(&for_thread, at_once.max(1), until, &is_closing));
        Self {
            executor,
            thread: thread.ok(),
            closing,
        }
    }

    /// What is executed.
    #[must_use]
    pub fn executor(&self) -> &Executor {
        &self.executor
    }

    /// Whether it has ended by itself.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.thread
            .as_ref()
            .is_none_or(std::thread::JoinHandle::is_finished)
    }

    /// Ends: takes no further run, and waits for those that are executed to stand still. Reads and waits
    /// end at once, writes are waited for.
    ///
    /// # Errors
    /// Where the store failed.
    pub fn close(mut self) -> Result<(), StoreError> {
        self.end()
    }

    /// Waits until it has ended by itself.
    ///
    /// # Errors
    /// Where the store failed.
    pub fn finish(mut self) -> Result<(), StoreError> {
        match self.thread.take() {
            Some(thread) => thread.join().unwrap_or(Ok(())),
            None => Ok(()),
        }
    }

    fn end(&mut self) -> Result<(), StoreError> {
        self.closing.store(true, Ordering::Release);
        self.executor.close();
        match self.thread.take() {
            Some(thread) => thread.join().unwrap_or(Ok(())),
            None => Ok(()),
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if self.thread.is_none() {
            return;
        }
        if let Err(error) = self.end() {
            tracing::error!(%error, "the store failed");
        }
    }
}

fn drive(
    executor: &Executor,
    at_once: usize,
    until: Until,
    closing: &AtomicBool,
) -> Result<(), StoreError> {
    let workers = Workers::default();
    let mut seen = executor.wait(u64::MAX, Duration::ZERO);
    let result = loop {
        if let Some(error) = executor.broken() {
            break Err(error);
        }
        if closing.load(Ordering::Acquire) || executor.is_closing() {
            break Ok(());
        }
        match turn(executor, at_once, &workers) {
            Ok(()) => {}
            Err(error) => {
                executor.close();
                break Err(error);
            }
        }
        let rest = match executor.next_due() {
            Ok(rest) => rest,
            Err(error) => {
                executor.close();
                break Err(error);
            }
        };
        if until == Until::Idle && executor.going() == 0 && executor.is_idle()? {
            break Ok(());
        }
        let pause = rest.map_or(LOOK_EVERY, |due| executor.until(due).min(LOOK_EVERY));
        seen = executor.wait(seen, pause);
    };
    // What is under way stands still before anybody else may take the store.
    while executor.going() > 0 {
        seen = executor.wait(seen, LOOK_EVERY);
    }
    result
}

fn turn(executor: &Executor, at_once: usize, workers: &Workers) -> Result<(), StoreError> {
    if executor.store().changed_elsewhere()? || executor.wishes_left() {
        executor.take_wishes()?;
    }
    while executor.going() < at_once {
        let Some(claim) = executor.claim()? else {
            break;
        };
        if let Err(error) = workers.execute(claim) {
            tracing::warn!(%error, "no thread for a run; it is tried again");
            std::thread::sleep(LOOK_EVERY);
        }
    }
    Ok(())
}
