//! The limits of a connection: how long, how large, how many at once, how often.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::{Mutex, Semaphore, SemaphorePermit};
use tokio::time::Instant;

/// What holds for every exchange of a connection.
///
/// None of them protects the product from other callers: they bound this connection in this
/// process only.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// One exchange from the request to the last byte of the answer, waiting for a place
    /// included. Longer helps slow products; a hanging one holds its caller that long.
    pub timeout: Duration,
    /// Resolving the name, connecting and the TLS handshake. What ends here was not sent.
    pub connect_timeout: Duration,
    /// Bytes of one answer's body. Larger answers are refused, never cut; they are held in memory.
    pub answer_size: u64,
    /// Requests that may start within any second; a fraction above 1 is rounded down. None for no
    /// limit.
    pub rate_per_second: Option<f64>,
    /// Exchanges at once.
    pub concurrency: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            answer_size: 64 << 20,
            rate_per_second: None,
            concurrency: 8,
        }
    }
}

/// Where exchanges wait until there is a place and the pace allows.
pub(crate) struct Gate {
    places: Semaphore,
    pace: Option<Pace>,
}

impl Gate {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            places: Semaphore::new(limits.concurrency.max(1) as usize),
            pace: limits
                .rate_per_second
                .filter(|rate| rate.is_finite() && *rate > 0.0)
                .map(Pace::new),
        }
    }

    /// Waits in order of arrival. None only if the gate were closed, which it never is.
    pub(crate) async fn enter(&self) -> Option<SemaphorePermit<'_>> {
        let place = self.places.acquire().await.ok();
        if let Some(pace) = &self.pace {
            pace.step().await;
        }
        place
    }
}

/// Lets at most so many requests start within any second.
struct Pace {
    /// How many requests are looked at together: as many as start in a second, within reason.
    count: usize,
    /// The time in which no more than `count` may start.
    window: Duration,
    /// When the last `count` requests started. The lock is held while waiting, so that waiting is
    /// in order of arrival and a caller who gives up leaves no trace.
    started: Mutex<VecDeque<Instant>>,
}

impl Pace {
    fn new(rate: f64) -> Self {
        const COUNT_MAX: f64 = 1000.0;
        const WINDOW_SECONDS_MAX: f64 = 86_400.0;

        let rate = if rate > 1.0 { rate.floor() } else { rate };
        let count = rate.clamp(1.0, COUNT_MAX);
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 1 and 1000"
        )]
        Self {
            count: count as usize,
            window: Duration::from_secs_f64((count / rate).min(WINDOW_SECONDS_MAX)),
            started: Mutex::new(VecDeque::new()),
        }
    }

    async fn step(&self) {
        let mut started = self.started.lock().await;
        if started.len() == self.count
            && let Some(oldest) = started.front()
        {
            tokio::time::sleep_until(*oldest + self.window).await;
            started.pop_front();
        }
        started.push_back(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn starts(rate: f64, count: usize) -> Vec<Duration> {
        let gate = Gate::new(&Limits {
            rate_per_second: Some(rate),
            ..Limits::default()
        });
        let begin = Instant::now();
        let mut starts = Vec::new();
        for _ in 0..count {
            let _place = gate.enter().await;
            starts.push(begin.elapsed());
        }
        starts
    }

    #[tokio::test(start_paused = true)]
    async fn no_second_sees_more_requests_than_the_rate() {
        for rate in [0.5, 1.0, 2.5, 10.0] {
            let starts = starts(rate, 30).await;
            for first in 0..starts.len() {
                let within = starts[first..]
                    .iter()
                    .filter(|start| **start < starts[first] + Duration::from_secs(1));
                assert!(within.count() as f64 <= rate.max(1.0), "{rate}: {starts:?}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_rate_is_reached_in_the_long_run() {
        let last = starts(10.0, 101).await[100];
        assert!(
            last >= Duration::from_secs(10) && last < Duration::from_secs(11),
            "{last:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_who_gives_up_takes_no_place_from_the_next() {
        let gate = Gate::new(&Limits {
            rate_per_second: Some(1.0),
            concurrency: 2,
            ..Limits::default()
        });
        drop(gate.enter().await);
        assert!(
            tokio::time::timeout(Duration::from_millis(100), gate.enter())
                .await
                .is_err()
        );
        let begin = Instant::now();
        drop(gate.enter().await);
        assert!(begin.elapsed() <= Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_exchanges_run_at_once_than_the_limit_says() {
        let gate = Gate::new(&Limits {
            concurrency: 2,
            ..Limits::default()
        });
        let (first, _second) = (gate.enter().await, gate.enter().await);
        assert!(
            tokio::time::timeout(Duration::from_secs(60), gate.enter())
                .await
                .is_err()
        );
        drop(first);
        assert!(gate.enter().await.is_some());
    }
}
