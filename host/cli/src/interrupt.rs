//! Ctrl-C while products are being talked to: once asks the run to end, twice ends the process.

use std::sync::Arc;

use cordon_run::live::Stopper;
use tokio::task::JoinHandle;

use crate::output::Screen;

/// The exit code of a process that an interrupt ended, as shells count it.
const KILLED: i32 = 130;

/// Watches for Ctrl-C until it is dropped.
pub struct Watch(JoinHandle<()>);

/// Begins to watch. The first Ctrl-C, or a request to terminate, stops the run: nothing more is begun,
/// and a write that is under way is waited for, so that it is known what it did.
pub fn watch(stopper: Stopper, screen: Arc<Screen>) -> Watch {
    Watch(tokio::spawn(async move {
        if !asked_to_end().await {
            return;
        }
        stopper.cancel();
        screen.note("stopping: nothing more is begun; what is under way is waited for. Ctrl-C again ends at once");
        if asked_to_end().await {
            screen.status(None);
            screen.note("ended at once: what was under way may or may not have happened");
            std::process::exit(KILLED);
        }
    }))
}

/// Waits for Ctrl-C or a request to terminate; false where neither can be heard.
async fn asked_to_end() -> bool {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else {
            return false;
        };
        tokio::select! {
            heard = tokio::signal::ctrl_c() => heard.is_ok(),
            heard = terminate.recv() => heard.is_some(),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await.is_ok()
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}
