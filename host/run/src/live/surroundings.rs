//! The real clock and real chance.

use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use cordon_journal::Moment;
use tokio::runtime::Handle;
use uuid::Uuid;

use crate::engine::Senses;
use crate::stopper::Stopper;
use crate::world::Surroundings;

/// The machine's clocks.
///
/// The clock of runs never goes back, not even over restarts: it begins at the latest moment that the
/// store knows, goes on by the monotonic clock, and follows the wall clock when that is ahead. So a wall
/// clock that is set back a day neither stalls a wait for a day nor makes a deadline go away; one that
/// is set forward ends waits early, since nobody can tell that from a machine that slept.
pub struct LiveSurroundings {
    runtime: Handle,
    /// The clock of runs at a moment of the monotonic one.
    anchor: Mutex<(Moment, Instant)>,
}

impl LiveSurroundings {
    /// Clocks that do not go back behind `latest`. `runtime` is where waits are driven.
    #[must_use]
    pub fn new(runtime: Handle, latest: Option<Moment>) -> Self {
        let now = wall().max(latest.unwrap_or_default());
        Self {
            runtime,
            anchor: Mutex::new((now, Instant::now())),
        }
    }
}

/// What the clock on the wall says.
#[must_use]
pub fn wall() -> Moment {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Moment(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

impl Senses for LiveSurroundings {
    fn now(&self) -> Moment {
        let mut anchor = self
            .anchor
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let (at, since) = *anchor;
        let steady = at.plus(since.elapsed());
        let wall = wall();
        if wall > steady {
            *anchor = (wall, Instant::now());
            return wall;
        }
        steady
    }

    fn wall(&self) -> Moment {
        wall()
    }

    fn uuid(&self) -> Uuid {
        Uuid::new_v4()
    }
}

impl Surroundings for LiveSurroundings {
    fn wait(&self, until: Moment, stopper: &Stopper) {
        let rest = until.since(self.now());
        if rest.is_zero() {
            return;
        }
        self.runtime.block_on(async {
            // One millisecond more: the clock of runs counts whole ones.
            tokio::select! {
                () = tokio::time::sleep(rest + Duration::from_millis(1)) => {}
                () = stopper.stopped() => {}
            }
        });
    }
}
