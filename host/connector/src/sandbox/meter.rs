//! What one call used of its limits, and what the product may have seen of it. Shared by the parts
//! of a sandbox, and read after the guest has ended in whatever way.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cordon_contract::Delivery;

use crate::limits::{Limit, LimitReached, Limits};

/// Counters of one call.
pub(crate) struct Meter {
    limits: Arc<Limits>,
    host_calls: AtomicU64,
    log_lines: AtomicU64,
    traffic: Mutex<Traffic>,
}

/// The HTTP of one call.
#[derive(Debug, Clone, Copy, Default)]
struct Traffic {
    requests: u64,
    bytes: u64,
    /// Requests that were answered whole.
    answered: u64,
    /// Reads that got no whole answer.
    lost_reads: u64,
    /// Writes that were answered whole.
    answered_writes: u64,
    /// Writes on their way, or of which nobody knows whether they arrived.
    open_writes: u64,
    /// The limit that refused a request.
    refused_by: Option<LimitReached>,
    /// The page that explains why the last request got no answer.
    failed_with: Option<&'static str>,
}

/// How one request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// The whole answer is here, of this many bytes.
    Answered { bytes: u64 },
    /// Nothing of it reached the product, for the reason that this page explains.
    NotSent { code: &'static str },
    /// It may have reached the product.
    Lost { code: &'static str },
}

/// A request on its way. Dropped before it is ended, as when the call is over, it stays on its way.
pub(super) struct Sending {
    meter: Arc<Meter>,
    is_write: bool,
}

impl Meter {
    pub fn new(limits: Arc<Limits>) -> Self {
        Self {
            limits,
            host_calls: AtomicU64::new(0),
            log_lines: AtomicU64::new(0),
            traffic: Mutex::default(),
        }
    }

    /// Counts a call of one of the contract's functions.
    ///
    /// # Errors
    /// Where there were too many; the error ends the call.
    pub(super) fn host_call(&self) -> wasmtime::Result<()> {
        let allowed = self.limits.get(Limit::HostCalls);
        if self.host_calls.fetch_add(1, Ordering::Relaxed) >= allowed {
            return Err(LimitReached {
                limit: Limit::HostCalls,
                allowed,
            }
            .into());
        }
        Ok(())
    }

    /// Counts a line of the log: whether it may be written, and whether it is the last.
    pub(super) fn log_line(&self) -> LogLine {
        let allowed = self.limits.get(Limit::LogLines);
        match self.log_lines.fetch_add(1, Ordering::Relaxed) {
            before if before < allowed => LogLine::Write,
            before if before == allowed => LogLine::FirstDropped(LimitReached {
                limit: Limit::LogLines,
                allowed,
            }),
            _ => LogLine::Dropped,
        }
    }

    /// Begins a request with a body of so many bytes.
    ///
    /// # Errors
    /// Where a limit of the call forbids it. The guest is told, and can end in good order.
    pub(super) fn begin(
        self: &Arc<Self>,
        is_write: bool,
        bytes: u64,
    ) -> Result<Sending, LimitReached> {
        let mut traffic = self.traffic();
        let requests_allowed = self.limits.get(Limit::HttpRequests);
        let bytes_allowed = self.limits.get(Limit::HttpBytes);
        let refused_by = if traffic.requests >= requests_allowed {
            Some(LimitReached {
                limit: Limit::HttpRequests,
                allowed: requests_allowed,
            })
        } else if traffic.bytes.saturating_add(bytes) >= bytes_allowed {
            Some(LimitReached {
                limit: Limit::HttpBytes,
                allowed: bytes_allowed,
            })
        } else {
            None
        };
        if let Some(reached) = refused_by {
            traffic.refused_by = Some(reached);
            return Err(reached);
        }
        traffic.requests += 1;
        traffic.bytes += bytes;
        traffic.open_writes += u64::from(is_write);
        Ok(Sending {
            meter: self.clone(),
            is_write,
        })
    }

    /// Counts bytes that are kept for the call, like those that it sends and receives.
    ///
    /// # Errors
    /// Where there are too many.
    pub(super) fn kept(&self, bytes: u64) -> Result<(), LimitReached> {
        let mut traffic = self.traffic();
        let allowed = self.limits.get(Limit::HttpBytes);
        if traffic.bytes.saturating_add(bytes) > allowed {
            let reached = LimitReached {
                limit: Limit::HttpBytes,
                allowed,
            };
            traffic.refused_by = Some(reached);
            return Err(reached);
        }
        traffic.bytes += bytes;
        Ok(())
    }

    /// Bytes that an answer may still have.
    pub(super) fn bytes_left(&self) -> u64 {
        self.limits
            .get(Limit::HttpBytes)
            .saturating_sub(self.traffic().bytes)
    }

    /// What the product has seen of a call that failed.
    pub fn delivery(&self) -> Delivery {
        let traffic = *self.traffic();
        if traffic.open_writes > 0 {
            Delivery::Unknown
        } else if traffic.answered_writes > 0 || (traffic.answered > 0 && traffic.lost_reads == 0) {
            Delivery::Answered
        } else {
            Delivery::NotSent
        }
    }

    /// What the product has seen of a call whose guest did not end by itself: after a write that was
    /// answered, nobody knows what the guest would still have made of it.
    pub fn delivery_of_broken_call(&self) -> Delivery {
        if self.traffic().answered_writes > 0 {
            Delivery::Unknown
        } else {
            self.delivery()
        }
    }

    /// The limit that refused a request of the call, if one did.
    pub fn refused_by(&self) -> Option<LimitReached> {
        self.traffic().refused_by
    }

    /// The page that explains why the last request of the call got no answer, if it got none.
    pub fn failed_with(&self) -> Option<&'static str> {
        self.traffic().failed_with
    }

    fn traffic(&self) -> MutexGuard<'_, Traffic> {
        self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What becomes of a line.
pub(super) enum LogLine {
    Write,
    FirstDropped(LimitReached),
    Dropped,
}

impl Sending {
    pub fn end(self, ended: Ended) {
        let mut traffic = self.meter.traffic();
        let write = u64::from(self.is_write);
        traffic.failed_with = match ended {
            Ended::Answered { .. } => None,
            Ended::NotSent { code } | Ended::Lost { code } => Some(code),
        };
        match ended {
            Ended::Answered { bytes } => {
                traffic.bytes = traffic.bytes.saturating_add(bytes);
                traffic.answered += 1;
                traffic.answered_writes += write;
                traffic.open_writes -= write;
            }
            Ended::NotSent { .. } => traffic.open_writes -= write,
            // A write stays open.
            Ended::Lost { .. } => traffic.lost_reads += 1 - write,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWERED: Ended = Ended::Answered { bytes: 1 };
    const NOT_SENT: Ended = Ended::NotSent {
        code: "connection.connect",
    };
    const LOST: Ended = Ended::Lost {
        code: "connection.broken",
    };

    fn after(requests: &[(bool, Option<Ended>)]) -> (Delivery, Delivery) {
        let meter = Arc::new(Meter::new(Arc::default()));
        for (is_write, ended) in requests {
            let sending = meter.begin(*is_write, 0).unwrap();
            if let Some(ended) = ended {
                sending.end(*ended);
            }
        }
        (meter.delivery(), meter.delivery_of_broken_call())
    }

    #[test]
    fn a_failed_call_tells_what_the_product_may_have_seen() {
        let (read, write) = (false, true);
        assert_eq!(after(&[]), (Delivery::NotSent, Delivery::NotSent));
        assert_eq!(
            after(&[(read, Some(ANSWERED))]),
            (Delivery::Answered, Delivery::Answered)
        );
        assert_eq!(
            after(&[(read, Some(LOST))]),
            (Delivery::NotSent, Delivery::NotSent)
        );
        assert_eq!(
            after(&[(read, None)]),
            (Delivery::NotSent, Delivery::NotSent)
        );
        assert_eq!(
            after(&[(write, Some(NOT_SENT))]),
            (Delivery::NotSent, Delivery::NotSent)
        );
        assert_eq!(
            after(&[(write, Some(ANSWERED))]),
            (Delivery::Answered, Delivery::Unknown)
        );
        assert_eq!(
            after(&[(write, Some(LOST))]),
            (Delivery::Unknown, Delivery::Unknown)
        );
        assert_eq!(
            after(&[(write, None)]),
            (Delivery::Unknown, Delivery::Unknown)
        );
        assert_eq!(
            after(&[(write, Some(LOST)), (write, Some(ANSWERED))]).0,
            Delivery::Unknown
        );
        assert_eq!(
            after(&[(read, Some(ANSWERED)), (write, Some(NOT_SENT))]).0,
            Delivery::Answered
        );
    }

    #[test]
    fn requests_and_bytes_beyond_the_limit_are_refused_and_remembered() {
        let mut limits = Limits::default();
        limits.set(Limit::HttpRequests, 1).unwrap();
        let meter = Arc::new(Meter::new(Arc::new(limits)));
        meter.begin(false, 1).unwrap().end(ANSWERED);
        let reached = LimitReached {
            limit: Limit::HttpRequests,
            allowed: 1,
        };
        assert_eq!(meter.begin(false, 1).err(), Some(reached));
        assert_eq!(meter.refused_by(), Some(reached));
    }
}
