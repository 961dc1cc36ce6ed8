//! Ctrl-C while products are being talked to: once asks what goes on to end in order, twice ends the
//! process.

use std::sync::Arc;

use tokio::task::JoinHandle;

use crate::output::Screen;

/// The exit code of a process that an interrupt ended, as shells count it.
const KILLED: i32 = 130;

/// What asks a process to end: Ctrl-C, and on Unix a request to terminate. Made before a run starts, so
/// that none is missed.
pub struct Requests(Option<Signals>);

/// Watches until it is dropped.
pub struct Watch(JoinHandle<()>);

impl Requests {
    /// Begins to listen. Where a system gives no signals, nothing is ever heard.
    pub fn listen() -> Self {
        Self(Signals::listen())
    }

    /// Begins to act on them. The first is answered by `first`, and `said` to the person; the second ends
    /// the process.
    pub fn act(
        self,
        screen: Arc<Screen>,
        said: &'static str,
        first: impl FnOnce() + Send + 'static,
    ) -> Watch {
        Watch(tokio::spawn(async move {
            let Some(mut signals) = self.0 else { return };
            signals.next().await;
            screen.note(said);
            first();
            signals.next().await;
            screen.status(None);
            screen.note("ended at once: what was under way may or may not have happened");
            std::process::exit(KILLED);
        }))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> Option<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let interrupt = signal(SignalKind::interrupt()).ok()?;
        let terminate = signal(SignalKind::terminate()).ok()?;
        Some(Self {
            interrupt,
            terminate,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> Option<Self> {
        Some(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
