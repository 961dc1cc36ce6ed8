//! Ends the script of a run from outside.

use std::sync::Arc;

use cordon_playbook::step::{StopFlag, StopReason};
use tokio::sync::watch;

/// Ends the script of a run: no further step begins, waits and reads end at once, and a write that is
/// under way is waited for, so that it is known what it did. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Stopper {
    flag: StopFlag,
    wake: Arc<watch::Sender<bool>>,
}

impl Default for Stopper {
    fn default() -> Self {
        Self {
            flag: StopFlag::default(),
            wake: Arc::new(watch::channel(false).0),
        }
    }
}

impl Stopper {
    /// Stops it.
    pub fn stop(&self, reason: StopReason) {
        self.flag.stop(reason);
        self.wake.send_replace(true);
    }

    /// Takes the stop back, for what is done after the script.
    pub fn clear(&self) {
        self.flag.clear();
        self.wake.send_replace(false);
    }

    /// The flag that the script looks at.
    #[must_use]
    pub fn flag(&self) -> &StopFlag {
        &self.flag
    }

    /// Ends when the script is stopped.
    pub async fn stopped(&self) {
        let mut stopped = self.wake.subscribe();
        // The sender lives in `self`; an error cannot come before the end of this future.
        let _ = stopped.wait_for(|stopped| *stopped).await;
    }
}
